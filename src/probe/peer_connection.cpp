#include "probe/peer_connection.h"

#include <algorithm>
#include <array>

#include "base/text.h"

namespace probe {
namespace {

constexpr auto kFastTimer = base::Duration::millis(5);
constexpr auto kSlowTimer = base::Duration::millis(100);

// RFC 8839 §5.1: foundation component transport priority address port "typ" …
std::optional<base::SocketAddress> udp_candidate(std::string_view text) {
  const auto words = base::split(text, ' ');
  if (words.size() < 8 || !base::equals_ignore_case(words[2], "udp")) return std::nullopt;
  const auto port = base::parse_u64(words[5]);
  if (!port || *port == 0 || *port > 65535) return std::nullopt;
  return base::SocketAddress::parse(words[4], static_cast<std::uint16_t>(*port));
}

}  // namespace

PeerConnection::PeerConnection(Loop& loop, base::Random& random,
                               std::shared_ptr<const rtc::Certificate> certificate, bool data_channel,
                               PeerConnectionListener& listener)
    : loop_(loop), listener_(listener), certificate_(std::move(certificate)) {
  rtc::TransportConfig config;
  config.role = rtc::TransportConfig::Role::kClient;
  config.local = rtc::IceCredentials::generate(random);
  config.certificate = certificate_;
  config.data_channel = data_channel && loop.sctp() != nullptr;
  auto* sctp = config.data_channel ? loop.sctp() : nullptr;
  transport_ = std::make_unique<rtc::Transport>(std::move(config), *this, random, sctp);
}

PeerConnection::~PeerConnection() {
  if (timer_ != 0) loop_.cancel(timer_);
  if (socket_) loop_.forget(socket_->fd());
}

void PeerConnection::describe(rtc::MediaSection& section, std::string_view setup) const {
  section.ice_ufrag = transport_->local_credentials().ufrag;
  section.ice_password = transport_->local_credentials().password;
  section.fingerprint = certificate_->fingerprint();
  section.setup = setup;
}

base::Result<void> PeerConnection::set_remote(const rtc::SessionDescription& description) {
  const auto section = std::find_if(description.media.begin(), description.media.end(), [](const auto& m) {
    return !m.ice_ufrag.empty() && !m.fingerprint.empty();
  });
  if (section == description.media.end())
    return base::fail("candidate_missing", "the server's description has no ICE credentials");
  if (server_.port == 0) {
    for (const auto& m : description.media) {
      for (const auto& c : m.candidates) {
        if (const auto address = udp_candidate(c); address && server_.port == 0) server_ = *address;
      }
    }
    if (server_.port == 0)
      return base::fail("candidate_missing", "the server's description has no UDP candidate");
    auto socket = UdpSocket::open(server_);
    if (!socket) return base::fail(socket.error());
    socket_ = std::move(*socket);
    loop_.watch(socket_->fd(), *this);
  }
  if (section->ice_ufrag == remote_ufrag_) return {};
  remote_ufrag_ = section->ice_ufrag;
  transport_->set_remote({section->ice_ufrag, section->ice_password}, section->fingerprint);
  transport_->set_remote_candidate(server_);
  if (timer_ == 0) {
    timer_ = loop_.start(loop_.clock().steady(), [this](base::SteadyTime now) { return run_timers(now); });
  }
  return {};
}

base::SteadyTime PeerConnection::run_timers(base::SteadyTime now) {
  if (transport_->next_timeout() <= now) transport_->handle_timeout(now);
  return std::clamp(transport_->next_timeout(), now + kFastTimer, now + kSlowTimer);
}

void PeerConnection::on_ready(bool readable, bool, base::SteadyTime now) {
  if (!readable) return;
  socket_->receive([&](base::MutableBytes datagram, const base::SocketAddress& from, base::Duration age) {
    age_ = age;
    transport_->handle(datagram, from, now);
  });
}

void PeerConnection::on_send(base::Bytes datagram, const base::SocketAddress& to) {
  if (socket_) socket_->send(datagram, to);
}

void PeerConnection::on_rtp(base::MutableBytes packet, base::SteadyTime) {
  // `now` of the turn may be older than the datagram when many were read together.
  if (const auto view = rtc::RtpView::parse(packet)) listener_.on_rtp(*view, loop_.clock().steady() - age_);
}

void PeerConnection::on_rtcp(base::MutableBytes packet, base::SteadyTime now) {
  listener_.on_rtcp(packet, now);
}

void PeerConnection::on_channel_open(std::uint16_t stream, std::string_view label) {
  listener_.on_channel_open(stream, label);
}

void PeerConnection::on_channel_message(std::uint16_t stream, base::Bytes message, bool is_text) {
  if (is_text) listener_.on_channel_text(stream, base::as_text(message));
}

void PeerConnection::send_rtp(base::Bytes plain) {
  std::array<std::uint8_t, rtc::kMaxDatagram> out;
  if (plain.empty() || plain.size() + rtc::kSrtpOverhead > out.size() || !transport_->remote_address())
    return;
  const auto size = transport_->seal_rtp(plain, out);
  if (size > 0) socket_->send(base::Bytes(out).first(size), *transport_->remote_address());
}

void PeerConnection::send_rtcp(base::Bytes plain) {
  std::array<std::uint8_t, rtc::kMaxDatagram> out;
  if (plain.empty() || plain.size() + rtc::kSrtpOverhead > out.size() || !transport_->remote_address())
    return;
  const auto size = transport_->seal_rtcp(plain, out);
  if (size > 0) socket_->send(base::Bytes(out).first(size), *transport_->remote_address());
}

void PeerConnection::close() {
  transport_->close();
}

}  // namespace probe
