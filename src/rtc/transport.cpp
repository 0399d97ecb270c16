#include "rtc/transport.h"

#include <utility>

#include "rtc/dtls/dtls.h"
#include "rtc/ice/ice_agent.h"
#include "rtc/sctp/sctp_association.h"
#include "rtc/srtp/srtp_session.h"

namespace rtc {

DatagramKind classify(base::Bytes datagram) {
  if (datagram.size() < 2) return DatagramKind::kUnknown;
  const auto first = datagram[0];
  if (first <= 3) return DatagramKind::kStun;
  if (first >= 20 && first <= 63) return DatagramKind::kDtls;
  if (first < 128 || first > 191) return DatagramKind::kUnknown;
  return datagram[1] >= 192 && datagram[1] <= 223 ? DatagramKind::kRtcp : DatagramKind::kRtp;
}

struct Transport::Impl final : IceListener, DtlsListener, SctpListener {
  enum class End { kNone, kConsent, kFinal };

  Impl(TransportConfig config, TransportListener& owner, base::Random& random, SctpStack* stack)
      : listener(owner),
        is_client(config.role == TransportConfig::Role::kClient),
        ice(is_client ? IceAgent::Role::kControlling : IceAgent::Role::kLite, std::move(config.local), *this,
            random),
        dtls(!is_client, std::move(config.certificate), *this) {
    if (config.data_channel && stack != nullptr)
      sctp = std::make_unique<SctpAssociation>(*stack, is_client, *this);
  }

  void on_ice_send(base::Bytes datagram, const base::SocketAddress& to) override {
    listener.on_send(datagram, to);
  }
  void on_ice_selected(const base::SocketAddress& address, base::SteadyTime now) override {
    listener.on_remote_address(address);
    if (end == End::kNone) dtls.start(now);
  }
  void on_ice_consent_lost() override {
    if (end != End::kNone) return;
    end = End::kConsent;
    listener.on_failed("consent");
  }

  void on_dtls_send(base::Bytes datagram) override {
    if (ice.selected()) listener.on_send(datagram, *ice.selected());
  }
  void on_dtls_connected(SrtpProfile profile, const SrtpMasterKey& send,
                         const SrtpMasterKey& receive) override {
    sender.emplace(profile, send);
    receiver.emplace(profile, receive);
    listener.on_connected();
    if (sctp && end == End::kNone) sctp->start();
  }
  void on_dtls_data(base::Bytes data) override {
    if (sctp && end == End::kNone) sctp->receive(data);
  }
  void on_dtls_failed(std::string_view reason) override {
    if (end == End::kFinal) return;
    end = End::kFinal;
    listener.on_failed(reason);
  }

  void on_sctp_send(base::Bytes packet) override { dtls.send(packet); }
  void on_sctp_open(std::uint16_t stream, std::string_view label) override {
    listener.on_channel_open(stream, label);
  }
  void on_sctp_message(std::uint16_t stream, base::Bytes message, bool is_text) override {
    listener.on_channel_message(stream, message, is_text);
  }
  void on_sctp_oversized() override { ++stats.oversized_messages; }

  void handle_media(base::MutableBytes packet, bool is_rtcp, base::SteadyTime now) {
    const auto opened = is_rtcp ? receiver->open_rtcp(packet) : receiver->open_rtp(packet);
    switch (opened.status) {
      case SrtpReceiver::Status::kOk:
        if (is_rtcp) {
          listener.on_rtcp(packet.first(opened.size), now);
        } else {
          listener.on_rtp(packet.first(opened.size), now);
        }
        return;
      case SrtpReceiver::Status::kReplayed:
        ++stats.srtp_replays;
        return;
      case SrtpReceiver::Status::kMalformed:
      case SrtpReceiver::Status::kAuthFailed:
      case SrtpReceiver::Status::kTooManySsrcs:
        ++stats.srtp_auth_failures;
        return;
    }
  }

  TransportListener& listener;
  const bool is_client;
  IceAgent ice;
  Dtls dtls;
  std::unique_ptr<SctpAssociation> sctp;
  std::optional<SrtpSender> sender;
  std::optional<SrtpReceiver> receiver;
  TransportStats stats;
  End end = End::kNone;
};

Transport::Transport(TransportConfig config, TransportListener& listener, base::Random& random,
                     SctpStack* sctp)
    : impl_(std::make_unique<Impl>(std::move(config), listener, random, sctp)) {}
Transport::~Transport() = default;

void Transport::set_remote(const IceCredentials& remote, std::string_view fingerprint) {
  if (!impl_->dtls.connected()) impl_->dtls.set_remote_fingerprint(fingerprint);
  impl_->ice.set_remote(remote);
}

void Transport::set_remote_candidate(const base::SocketAddress& address) {
  impl_->ice.set_candidate(address);
}

void Transport::restart_ice(const IceCredentials& local) {
  impl_->ice.restart(local);
  if (impl_->end == Impl::End::kConsent) impl_->end = Impl::End::kNone;
}

const IceCredentials& Transport::local_credentials() const {
  return impl_->ice.local();
}

void Transport::handle(base::MutableBytes datagram, const base::SocketAddress& from, base::SteadyTime now) {
  auto& t = *impl_;
  if (t.end != Impl::End::kNone) return;
  const auto kind = classify(datagram);
  switch (kind) {
    case DatagramKind::kStun:
      if (!t.ice.handle(datagram, from, now)) ++t.stats.unauthenticated_drops;
      return;
    case DatagramKind::kDtls:
    case DatagramKind::kRtp:
    case DatagramKind::kRtcp:
      if (!t.ice.is_checked(from)) {
        ++t.stats.unauthenticated_drops;
      } else if (kind == DatagramKind::kDtls) {
        t.dtls.handle(datagram, now);
      } else if (t.receiver) {
        t.handle_media(datagram, kind == DatagramKind::kRtcp, now);
      }
      return;
    case DatagramKind::kUnknown:
      ++t.stats.unauthenticated_drops;
      return;
  }
}

void Transport::handle_timeout(base::SteadyTime now) {
  if (impl_->end != Impl::End::kNone) return;
  impl_->ice.handle_timeout(now);
  if (impl_->end == Impl::End::kNone) impl_->dtls.handle_timeout(now);
}

base::SteadyTime Transport::next_timeout() const {
  if (impl_->end != Impl::End::kNone) return kNever;
  return std::min(impl_->ice.next_timeout(), impl_->dtls.next_timeout());
}

bool Transport::connected() const {
  return impl_->end == Impl::End::kNone && impl_->dtls.connected();
}
const std::optional<base::SocketAddress>& Transport::remote_address() const {
  return impl_->ice.selected();
}
const TransportStats& Transport::stats() const {
  return impl_->stats;
}

std::size_t Transport::seal_rtp(base::Bytes plain, base::MutableBytes out) {
  return impl_->sender && impl_->end == Impl::End::kNone ? impl_->sender->seal_rtp(plain, out) : 0;
}

std::size_t Transport::seal_rtcp(base::Bytes plain, base::MutableBytes out) {
  return impl_->sender && impl_->end == Impl::End::kNone ? impl_->sender->seal_rtcp(plain, out) : 0;
}

base::Result<std::uint16_t> Transport::open_channel(std::string_view label) {
  if (!impl_->sctp) return base::fail("data_channel_unavailable", "This transport has no data channels.");
  if (impl_->end == Impl::End::kFinal) return base::fail("data_channel_closed", "The transport has ended.");
  return impl_->sctp->open_channel(label);
}

bool Transport::send_text(std::uint16_t stream, std::string_view text) {
  return impl_->sctp && impl_->end != Impl::End::kFinal && impl_->sctp->send_text(stream, text);
}

void Transport::close() {
  if (impl_->end == Impl::End::kFinal) return;
  impl_->end = Impl::End::kFinal;
  if (impl_->sctp) impl_->sctp->abort();
  impl_->dtls.close();
}

}  // namespace rtc
