// Who speaks, from RFC 6464 audio levels, smoothed: quick to rise, slow to fall, so that a cough is no
// speaker and a pause between words is no end.
#pragma once

#include <algorithm>
#include <vector>

#include "base/clock.h"
#include "sfu/sfu.h"

namespace sfu {

// The smoothed loudness of one track. Fed every kStep with the loudest packet of that time.
class Loudness {
 public:
  static constexpr int kStart = 77;  // 127 - 50: louder than -50 dBov
  static constexpr int kStop = 67;

  void step(int loudest) {
    const int weight = loudest * 256 > level_q8_ ? 128 : 40;
    level_q8_ += (loudest * 256 - level_q8_) * weight / 256;
    speaking_ = level_q8_ / 256 >= (speaking_ ? kStop : kStart);
  }
  bool speaking() const { return speaking_; }
  // 0..100
  int level() const { return std::clamp((level_q8_ / 256 - kStop) * 100 / (127 - kStop), 0, 100); }

 private:
  int level_q8_ = 0;
  bool speaking_ = false;
};

// Decides when a list is worth telling.
class SpeakerReporter {
 public:
  static constexpr base::Duration kInterval = base::Duration::millis(500);
  static constexpr int kLevelStep = 10;

  // True when `list` (any order; sorted here, loudest first) must be sent now.
  bool update(std::vector<Speaker>& list, base::SteadyTime now) {
    std::sort(list.begin(), list.end(), [](const Speaker& a, const Speaker& b) {
      return a.level != b.level ? a.level > b.level : a.track < b.track;
    });
    if (told_at_.us != 0 && now - told_at_ < kInterval) return false;
    const bool same = std::equal(
        list.begin(), list.end(), told_.begin(), told_.end(), [](const Speaker& a, const Speaker& b) {
          return a.peer == b.peer && a.track == b.track &&
                 std::max(a.level, b.level) - std::min(a.level, b.level) < kLevelStep;
        });
    if (same) return false;
    told_ = list;
    told_at_ = now;
    return true;
  }

 private:
  std::vector<Speaker> told_;
  base::SteadyTime told_at_;
};

}  // namespace sfu
