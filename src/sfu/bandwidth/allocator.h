// Spends one subscriber's bandwidth on its videos: everyone's lowest quality first, then the best for the
// most important, then for the next. Pure functions.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "sfu/sfu.h"

namespace sfu {

// One quality of a track: a spatial layer up to a temporal one. Rising in cost.
struct Quality {
  Layer layer = Layer::kNone;
  std::uint8_t temporal = 0;
  std::int64_t kbps = 0;
};

struct Demand {
  enum class Rank { kScreen, kSpeaker, kOther };
  static constexpr std::size_t kQualities = 12;
  Rank rank = Rank::kOther;
  std::array<Quality, kQualities> qualities{};  // rising
  std::size_t count = 0;
  int current = -1;  // the index that flows now; -1: none
  int chosen = -1;   // the answer; -1: paused
};

// In percent of its cost, what must be there before a better quality is worth a switch, and what keeps the
// present one.
inline constexpr std::int64_t kClimbPercent = 115;
inline constexpr std::int64_t kKeepPercent = 95;
// A lowest quality is kept down to this share: a slow picture is better than none, and the estimate may be
// wrong.
inline constexpr std::int64_t kLastPercent = 60;

// `kbps` is what is left after audio. Returns what is not spent (negative when kept qualities cost more). The
// order of `demands` breaks ties.
std::int64_t allocate(std::span<Demand> demands, std::int64_t kbps);
// Of the cheapest step up that was not taken; 0 when everything wanted flows.
std::int64_t next_step_kbps(std::span<const Demand> demands);

}  // namespace sfu
