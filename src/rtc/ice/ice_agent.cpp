#include "rtc/ice/ice_agent.h"

#include <algorithm>
#include <utility>

namespace rtc {
namespace {

constexpr std::string_view kIceChars = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
// Type preference 126 (host), local preference 65535, component 1 (RFC 8445 §5.1.2.1): what a peer-reflexive
// candidate of ours would get is type preference 110.
constexpr std::uint32_t kPeerReflexivePriority = 110U << 24 | 65535U << 8 | 255U;

}  // namespace

IceCredentials IceCredentials::generate(base::Random& random) {
  return {random.text(kIceChars, 8), random.text(kIceChars, 24)};
}

std::string_view peek_local_ufrag(base::Bytes datagram) {
  const auto m = StunMessage::parse(datagram);
  if (!m || m->message_class != StunClass::kRequest || m->method != kStunBinding || !m->username) return {};
  const auto colon = m->username->find(':');
  return colon == std::string_view::npos ? std::string_view{} : m->username->substr(0, colon);
}

void IceAgent::Generations::renew(const IceCredentials& next) {
  if (next.ufrag == current.ufrag && next.password == current.password) return;
  // A restart on top of one that nobody used yet: what the peer still speaks is the older pair.
  if (used || !previous) previous = current;
  current = next;
  used = false;
}

const IceCredentials* IceAgent::Generations::find(std::string_view ufrag) const {
  if (ufrag == current.ufrag) return &current;
  if (previous && ufrag == previous->ufrag) return &*previous;
  return nullptr;
}

void IceAgent::Generations::mark_used(const IceCredentials& credentials) {
  if (&credentials != &current) return;
  used = true;
  previous.reset();
}

IceAgent::IceAgent(Role role, IceCredentials local, IceListener& listener, base::Random& random)
    : role_(role),
      listener_(listener),
      random_(random),
      tie_breaker_(random.u64()),
      local_{std::move(local), std::nullopt, false} {}

void IceAgent::set_remote(const IceCredentials& remote) {
  if (!remote_) {
    remote_ = Generations{remote, std::nullopt, false};
    return;
  }
  if (remote_->current.ufrag == remote.ufrag && remote_->current.password == remote.password) return;
  remote_->renew(remote);
  check_succeeded_ = false;
  next_check_ = {};
}

void IceAgent::set_candidate(const base::SocketAddress& address) {
  if (candidate_ == address) return;
  candidate_ = address;
  check_succeeded_ = false;
  next_check_ = {};
}

void IceAgent::restart(const IceCredentials& local) {
  local_.renew(local);
  check_succeeded_ = false;
  next_check_ = {};
  failed_ = false;
  alive_at_.reset();  // whoever restarts gets the whole time to come back
}

bool IceAgent::handle(base::Bytes datagram, const base::SocketAddress& from, base::SteadyTime now) {
  if (!remote_ || failed_) return false;
  const auto m = StunMessage::parse(datagram);
  if (!m || m->method != kStunBinding) return false;
  switch (m->message_class) {
    case StunClass::kRequest:
      return handle_request(datagram, *m, from, now);
    case StunClass::kSuccess:
    case StunClass::kError:
      return role_ == Role::kControlling && handle_response(datagram, *m, from, now);
    case StunClass::kIndication:
      break;
  }
  return false;
}

// RFC 8445 §7.3.1.1. A lite agent cannot take over the controlling role (it sends no checks), so a peer that
// claims to be controlled is always told to switch, whatever the tie-breakers say; the same for a second
// controlling agent, as our client never gives the role up.
bool IceAgent::role_conflict(const StunMessage& m) const {
  return role_ == Role::kLite ? m.controlled.has_value() : m.controlling.has_value();
}

bool IceAgent::handle_request(base::Bytes datagram, const StunMessage& m, const base::SocketAddress& from,
                              base::SteadyTime now) {
  if (!m.username) return false;
  const auto colon = m.username->find(':');
  if (colon == std::string_view::npos) return false;
  const auto* local = local_.find(m.username->substr(0, colon));
  const auto* remote = remote_->find(m.username->substr(colon + 1));
  if (local == nullptr || remote == nullptr || !verify_stun_integrity(datagram, m, local->password))
    return false;
  const std::string password = local->password;

  if (m.unknown_required) {
    StunWriter reply(StunClass::kError, kStunBinding, m.transaction);
    reply.error(420, "Unknown Attribute");
    reply.unknown_attribute(*m.unknown_required);
    listener_.on_ice_send(reply.finish(password), from);
    return true;
  }
  if (role_conflict(m)) {
    StunWriter reply(StunClass::kError, kStunBinding, m.transaction);
    reply.error(487, "Role Conflict");
    listener_.on_ice_send(reply.finish(password), from);
    return true;
  }
  local_.mark_used(*local);
  remote_->mark_used(*remote);

  StunWriter reply(StunClass::kSuccess, kStunBinding, m.transaction);
  reply.xor_mapped(from);
  listener_.on_ice_send(reply.finish(password), from);
  if (role_ == Role::kLite) {
    alive_at_ = now;
    remember(from);
    if (!selected_ || m.use_candidate) select(from, now);
  }
  return true;
}

bool IceAgent::handle_response(base::Bytes datagram, const StunMessage& m, const base::SocketAddress& from,
                               base::SteadyTime now) {
  // §7.2.5.2.1: the response must come from where the check went.
  if (!candidate_ || from != *candidate_) return false;
  const auto check = std::find_if(checks_.begin(), checks_.end(),
                                  [&](const Check& c) { return c.open && c.transaction == m.transaction; });
  if (check == checks_.end()) return false;
  if (!verify_stun_integrity(datagram, m, remote_->current.password)) return false;
  check->open = false;
  if (m.message_class == StunClass::kError || !m.xor_mapped || m.unknown_required) return true;

  alive_at_ = now;
  local_.mark_used(local_.current);
  remote_->mark_used(remote_->current);
  check_succeeded_ = true;
  next_check_ = now + kConsentInterval;
  remember(from);
  select(from, now);
  return true;
}

void IceAgent::select(const base::SocketAddress& address, base::SteadyTime now) {
  if (selected_ == address) return;
  selected_ = address;
  listener_.on_ice_selected(address, now);
}

void IceAgent::remember(const base::SocketAddress& address) {
  auto end = checked_.begin() + static_cast<std::ptrdiff_t>(checked_count_);
  auto it = std::find(checked_.begin(), end, address);
  if (it == end) {
    if (checked_count_ < checked_.size()) {
      ++checked_count_;
    } else {
      // Full: the one not seen for longest goes, but never the one in use.
      it = checked_.end() - 1;
      if (selected_ == *it) --it;
    }
    *it = address;
  }
  std::rotate(checked_.begin(), it, it + 1);
}

bool IceAgent::is_checked(const base::SocketAddress& address) const {
  if (selected_ == address) return true;
  const auto end = checked_.begin() + static_cast<std::ptrdiff_t>(checked_count_);
  return std::find(checked_.begin(), end, address) != end;
}

void IceAgent::handle_timeout(base::SteadyTime now) {
  if (!remote_ || failed_) return;
  if (!alive_at_) alive_at_ = now;
  if (now - *alive_at_ >= kConsentTimeout) {
    failed_ = true;
    listener_.on_ice_consent_lost();
    return;
  }
  if (role_ == Role::kControlling && candidate_ && now >= next_check_) send_check(now);
}

void IceAgent::send_check(base::SteadyTime now) {
  auto& check = checks_[next_check_slot_];
  next_check_slot_ = (next_check_slot_ + 1) % checks_.size();
  random_.fill(check.transaction);
  check.open = true;

  StunWriter request(StunClass::kRequest, kStunBinding, check.transaction);
  request.username(remote_->current.ufrag, local_.current.ufrag);
  request.priority(kPeerReflexivePriority);
  request.controlling(tie_breaker_);
  request.use_candidate();
  next_check_ =
      now + (check_succeeded_ ? kConsentRetry : kCheckInterval);  // a response moves it to kConsentInterval
  listener_.on_ice_send(request.finish(remote_->current.password), *candidate_);
}

base::SteadyTime IceAgent::next_timeout() const {
  if (!remote_ || failed_) return kNever;
  if (!alive_at_) return {};
  auto next = *alive_at_ + kConsentTimeout;
  if (role_ == Role::kControlling && candidate_) next = std::min(next, next_check_);
  return next;
}

}  // namespace rtc
