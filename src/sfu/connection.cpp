#include "sfu/connection.h"

#include <algorithm>
#include <cstring>

namespace sfu {

Connection::Connection(WorkerContext& context) : context_(context) {
  rtc::TransportConfig config;
  config.role = rtc::TransportConfig::Role::kServer;
  config.local = rtc::IceCredentials::generate(context.random);
  config.certificate = context.certificate;
  transport_ = std::make_unique<rtc::Transport>(std::move(config), *this, context.random, &context.sctp);
  remember_ufrag();
  context_.connections.push_back(this);
}

Connection::~Connection() {
  transport_->close();
  for (const auto& u : ufrags_) context_.demultiplexer.remove_ufrag(u);
  for (const auto& a : addresses_) context_.demultiplexer.remove_address(a, *this);
  std::erase(context_.connections, this);
}

void Connection::remember_ufrag() {
  ufrags_.push_back(transport_->local_credentials().ufrag);
  context_.demultiplexer.add_ufrag(ufrags_.back(), *this);
  if (ufrags_.size() > 2) {
    context_.demultiplexer.remove_ufrag(ufrags_.front());
    ufrags_.erase(ufrags_.begin());
  }
}

void Connection::handle(base::MutableBytes datagram, const base::SocketAddress& from, base::SteadyTime now) {
  if (ended_ || rtc::classify(datagram) != rtc::DatagramKind::kStun)
    return transport_->handle(datagram, from, now);
  const auto drops = transport_->stats().unauthenticated_drops;
  transport_->handle(datagram, from, now);
  if (drops != transport_->stats().unauthenticated_drops) return;
  // An authenticated check: media may follow from there before the pair is nominated, as after an ICE
  // restart.
  learn_address(from);
  if (recovering_ && transport_->connected()) on_connected();
}

void Connection::handle_timeout(base::SteadyTime now) {
  if (transport_->next_timeout() <= now) transport_->handle_timeout(now);
  const auto& stats = transport_->stats();
  const auto srtp = stats.srtp_auth_failures + stats.srtp_replays;
  context_.counters.srtp_failures.add(srtp - reported_srtp_failures_);
  context_.counters.dropped_unauthenticated.add(stats.unauthenticated_drops - reported_unauthenticated_);
  reported_srtp_failures_ = srtp;
  reported_unauthenticated_ = stats.unauthenticated_drops;
}

bool Connection::take_failure(std::string& reason) {
  if (!std::exchange(failed_, false)) return false;
  reason = std::exchange(failure_, {});
  return true;
}

void Connection::restart_ice() {
  if (!connected_ && transport_->remote_address()) recovering_ = true;
  ended_ = false;
  transport_->restart_ice(rtc::IceCredentials::generate(context_.random));
  remember_ufrag();
}

bool Connection::set_remote(const rtc::SessionDescription& description) {
  for (const auto& m : description.media) {
    if (m.ice_ufrag.empty() || m.fingerprint.empty()) continue;
    if (m.ice_ufrag == remote_.ufrag && m.ice_password == remote_.password) return false;
    remote_ = {m.ice_ufrag, m.ice_password};
    remote_fingerprint_ = m.fingerprint;
    transport_->set_remote(remote_, remote_fingerprint_);
    return true;
  }
  return false;
}

void Connection::describe(rtc::MediaSection& section, std::string_view setup) const {
  const auto& local = transport_->local_credentials();
  section.ice_ufrag = local.ufrag;
  section.ice_password = local.password;
  section.fingerprint = context_.certificate->fingerprint();
  section.setup = setup;
}

void Connection::add_candidates(rtc::SessionDescription& description) const {
  for (auto& m : description.media) {
    if (m.port == 0) continue;
    m.candidates = context_.candidates;
    m.end_of_candidates = true;
    return;
  }
}

void Connection::send_rtcp(base::Bytes plain) {
  const auto& to = transport_->remote_address();
  if (plain.empty() || !to) return;
  const auto size = transport_->seal_rtcp(plain, context_.socket.slot());
  context_.socket.commit(size, *to);
}

void Connection::on_send(base::Bytes datagram, const base::SocketAddress& to) {
  const auto slot = context_.socket.slot();
  if (datagram.empty() || datagram.size() > slot.size()) return;
  std::memcpy(slot.data(), datagram.data(), datagram.size());
  context_.socket.commit(datagram.size(), to);
}

void Connection::on_remote_address(const base::SocketAddress& address) {
  learn_address(address);
}

// The few addresses checked last, the newest at the end.
void Connection::learn_address(const base::SocketAddress& address) {
  if (!addresses_.empty() && addresses_.back() == address) return;
  std::erase(addresses_, address);
  addresses_.push_back(address);
  if (addresses_.size() > kMaxAddresses) {
    context_.demultiplexer.remove_address(addresses_.front(), *this);
    addresses_.erase(addresses_.begin());
  }
  context_.demultiplexer.set_address(address, *this);
}

void Connection::on_connected() {
  connected_ = true;
  failed_ = false;
  recovering_ = false;
  on_up();
}

void Connection::on_failed(std::string_view reason) {
  connected_ = false;
  ended_ = true;
  failed_ = true;
  failure_ = reason;
}

}  // namespace sfu
