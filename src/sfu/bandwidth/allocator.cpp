#include "sfu/bandwidth/allocator.h"

#include <algorithm>

namespace sfu {
namespace {

std::int64_t cost(const Demand& d, int index) {
  return index < 0 ? 0 : d.qualities[static_cast<std::size_t>(index)].kbps;
}

bool affordable(const Demand& d, int index, std::int64_t kbps) {
  auto percent = index <= d.current ? kKeepPercent : kClimbPercent;
  if (index == 0 && d.current >= 0) percent = kLastPercent;
  return cost(d, index) * percent <= kbps * 100;
}

}  // namespace

std::int64_t allocate(std::span<Demand> demands, std::int64_t kbps) {
  for (auto& d : demands) d.chosen = -1;
  constexpr std::array kRanks{Demand::Rank::kScreen, Demand::Rank::kSpeaker, Demand::Rank::kOther};
  for (const auto rank : kRanks) {
    for (auto& d : demands) {
      if (d.rank != rank || d.count == 0 || !affordable(d, 0, kbps)) continue;
      d.chosen = 0;
      kbps -= cost(d, 0);
    }
  }
  for (const auto rank : kRanks) {
    for (auto& d : demands) {
      if (d.rank != rank || d.chosen < 0) continue;
      kbps += cost(d, 0);
      for (int i = static_cast<int>(d.count) - 1; i > 0; --i) {
        if (!affordable(d, i, kbps)) continue;
        d.chosen = i;
        break;
      }
      kbps -= cost(d, d.chosen);
    }
  }
  return kbps;
}

std::int64_t next_step_kbps(std::span<const Demand> demands) {
  std::int64_t least = 0;
  for (const auto& d : demands) {
    if (d.chosen + 1 >= static_cast<int>(d.count)) continue;
    const auto step = cost(d, d.chosen + 1) - cost(d, d.chosen);
    if (step > 0 && (least == 0 || step < least)) least = step;
  }
  return least;
}

}  // namespace sfu
