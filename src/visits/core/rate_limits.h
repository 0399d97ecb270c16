// Sliding windows in memory (visit-api.md §12.2): how often an address may look up and join, and how often an
// integration is tested. Thread-safe.
#pragma once

#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "base/clock.h"
#include "visits/failure.h"
#include "visits/visits.h"

namespace visits {

struct Allowance {
  int limit = 0;
  int remaining = 0;
  int reset_s = 0;
};

class RateLimits {
 public:
  explicit RateLimits(LobbyLimits limits) : limits_(limits) {}

  // Counts one call `what` ("look-up", "join") of an address for a code. Codes rate_limited,
  // code_lookup_locked.
  Outcome<Allowance> enter_lobby(const std::string& what, const std::string& address, const std::string& code,
                                 base::SteadyTime now);
  void note_unknown_code(const std::string& address, base::SteadyTime now);
  // 6 per minute.
  Outcome<void> test_integration(const std::string& integration_id, base::SteadyTime now);

 private:
  struct Window {
    std::deque<base::SteadyTime> hits;
    base::Duration length{};
  };
  // Seconds to wait when the window is full.
  std::optional<int> full(const std::string& key, int limit, base::Duration length, base::SteadyTime now);
  void hit(const std::string& key, base::Duration length, base::SteadyTime now);
  void forget_old(base::SteadyTime now);

  const LobbyLimits limits_;
  std::mutex mutex_;
  std::map<std::string, Window> windows_;
  std::map<std::string, base::SteadyTime> locked_until_;
};

}  // namespace visits
