// When to ask a publisher for a key frame: requests of all subscribers are merged, at most one goes out per
// interval, and one that came too early is kept and sent later unless a key frame arrived meanwhile.
#pragma once

#include <optional>

#include "base/clock.h"

namespace sfu {

class KeyFrameRequester {
 public:
  static constexpr base::Duration kInterval = base::Duration::millis(300);

  // True: send one now.
  bool request(base::SteadyTime now) {
    if (last_sent_ && now - *last_sent_ < kInterval) {
      pending_ = true;
      return false;
    }
    last_sent_ = now;
    pending_ = false;
    return true;
  }
  // True: a kept request is due.
  bool due(base::SteadyTime now) { return pending_ && request(now); }
  void on_key_frame() { pending_ = false; }

 private:
  std::optional<base::SteadyTime> last_sent_;
  bool pending_ = false;
};

}  // namespace sfu
