// ICE for one connection with one component: the lite side of a server (RFC 8445 §2.5, controlled, never
// checks) or the controlling side of a client with exactly one remote candidate (§7). Sans-IO: datagrams and
// time in, datagrams and three events out. One thread.
//
// Nothing is answered, learned or kept alive by a request whose USERNAME is not ours or whose
// MESSAGE-INTEGRITY does not verify.
#pragma once

#include <array>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "rtc/ice/stun.h"
#include "rtc/transport.h"

namespace rtc {

inline constexpr base::SteadyTime kNever{std::numeric_limits<std::int64_t>::max()};

class IceListener {
 public:
  virtual ~IceListener() = default;
  virtual void on_ice_send(base::Bytes datagram, const base::SocketAddress& to) = 0;
  // The address to send to from now on.
  virtual void on_ice_selected(const base::SocketAddress& address, base::SteadyTime now) = 0;
  virtual void on_ice_consent_lost() = 0;
};

class IceAgent {
 public:
  enum class Role { kLite, kControlling };
  static constexpr base::Duration kCheckInterval = base::Duration::millis(50);
  static constexpr base::Duration kConsentInterval = base::Duration::seconds(5);
  static constexpr base::Duration kConsentRetry = base::Duration::millis(500);
  static constexpr base::Duration kConsentTimeout = base::Duration::seconds(30);  // RFC 7675 §5.1

  IceAgent(Role role, IceCredentials local, IceListener& listener, base::Random& random);

  void set_remote(const IceCredentials& remote);
  void set_candidate(const base::SocketAddress& address);
  // New local credentials; the pair in use stays valid until the new one was used. Revives an agent that lost
  // consent; the time until it is lost (again) starts anew.
  void restart(const IceCredentials& local);
  const IceCredentials& local() const { return local_.current; }

  // False: dropped because it is malformed, not ours or not authenticated.
  bool handle(base::Bytes datagram, const base::SocketAddress& from, base::SteadyTime now);
  void handle_timeout(base::SteadyTime now);
  // The past while the agent waits to learn the time (after set_remote or restart), kNever when it waits for
  // the peer's description.
  base::SteadyTime next_timeout() const;

  // Whether an authenticated check (or, controlling, an authenticated response) came from there.
  bool is_checked(const base::SocketAddress& address) const;
  const std::optional<base::SocketAddress>& selected() const { return selected_; }

 private:
  // The pair of an ICE restart: `previous` is valid until `current` was used once.
  struct Generations {
    IceCredentials current;
    std::optional<IceCredentials> previous;
    bool used = false;
    void renew(const IceCredentials& next);
    const IceCredentials* find(std::string_view ufrag) const;
    void mark_used(const IceCredentials& credentials);
  };
  struct Check {
    StunTransaction transaction{};
    bool open = false;
  };

  bool handle_request(base::Bytes datagram, const StunMessage& m, const base::SocketAddress& from,
                      base::SteadyTime now);
  bool handle_response(base::Bytes datagram, const StunMessage& m, const base::SocketAddress& from,
                       base::SteadyTime now);
  bool role_conflict(const StunMessage& m) const;
  void send_check(base::SteadyTime now);
  void remember(const base::SocketAddress& address);
  void select(const base::SocketAddress& address, base::SteadyTime now);

  const Role role_;
  IceListener& listener_;
  base::Random& random_;
  const std::uint64_t tie_breaker_;

  Generations local_;
  std::optional<Generations> remote_;
  std::optional<base::SocketAddress> candidate_;
  std::optional<base::SocketAddress> selected_;
  std::array<base::SocketAddress, 16> checked_{};  // most recent first
  std::size_t checked_count_ = 0;
  std::array<Check, 32> checks_{};  // ring of checks that may still be answered
  std::size_t next_check_slot_ = 0;
  std::optional<base::SteadyTime> alive_at_;  // last proof of consent, or when waiting for the first began
  base::SteadyTime next_check_{};
  bool check_succeeded_ = false;  // with the current credentials and candidate
  bool failed_ = false;
};

}  // namespace rtc
