// A circuit breaker per (organisation, integration): five availability failures in a row open it for 30 s
// (visit-api.md §3.7 provider_circuit_open). After the pause calls pass again; one more failure opens it
// anew. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace provider {

class Breaker {
 public:
  static constexpr int kFailures = 5;
  static constexpr base::Duration kPause = base::Duration::seconds(30);

  // Zero when a call may go out, else the time left.
  base::Duration blocked_for(base::SteadyTime now) const;
  void succeeded();
  void failed(base::SteadyTime now);

 private:
  mutable std::mutex mutex_;
  int failures_ = 0;
  base::SteadyTime open_until_{};
};

class Breakers {
 public:
  std::shared_ptr<Breaker> of(const std::string& org_id, const std::string& integration_id);

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, std::shared_ptr<Breaker>> breakers_;
};

}  // namespace provider
