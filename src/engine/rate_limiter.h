// Token buckets by key (a client's address). Thread-safe; remembers a bounded number of keys.
#pragma once

#include <algorithm>
#include <map>
#include <mutex>
#include <string>

#include "base/clock.h"

namespace engine {

// One bucket: `rate` a second, at most `burst` at once. Used by one thread at a time.
class TokenBucket {
 public:
  TokenBucket(double rate, double burst) : rate_(rate), burst_(burst), tokens_(burst) {}
  bool take(base::SteadyTime now) {
    if (last_.us != 0)
      tokens_ = std::min(burst_, tokens_ + rate_ * static_cast<double>((now - last_).us) / 1e6);
    last_ = now;
    if (tokens_ < 1) return false;
    tokens_ -= 1;
    return true;
  }

 private:
  double rate_, burst_, tokens_;
  base::SteadyTime last_;
};

class RateLimiter {
 public:
  RateLimiter(double rate, double burst, const base::Clock& clock)
      : rate_(rate), burst_(burst), clock_(clock) {}
  bool allow(const std::string& key) {
    const std::lock_guard lock(mutex_);
    if (buckets_.size() > 10000) buckets_.clear();
    return buckets_.try_emplace(key, rate_, burst_).first->second.take(clock_.steady());
  }

 private:
  const double rate_, burst_;
  const base::Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, TokenBucket> buckets_;  // guarded by mutex_
};

}  // namespace engine
