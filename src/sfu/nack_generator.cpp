#include "sfu/nack_generator.h"

#include <algorithm>
#include <utility>

namespace sfu {

bool NackGenerator::on_packet(std::int64_t sequence, base::SteadyTime now) {
  if (!started_) {
    started_ = true;
    newest_ = sequence;
    return true;
  }
  if (sequence <= newest_) {
    const auto at = std::lower_bound(missing_.begin(), missing_.end(), sequence,
                                     [](const Entry& e, std::int64_t s) { return e.sequence < s; });
    if (at != missing_.end() && at->sequence == sequence) missing_.erase(at);
    return true;
  }
  const auto hole = sequence - newest_ - 1;
  const auto first = newest_ + 1;
  newest_ = sequence;
  if (hole > kMaxGap || missing_.size() + static_cast<std::size_t>(hole) > kMaxMissing) {
    missing_.clear();
    return false;
  }
  for (auto s = first; s < sequence; ++s) missing_.push_back({s, now, {}, 0});
  return true;
}

std::size_t NackGenerator::collect(base::SteadyTime now, base::Duration round_trip,
                                   std::span<std::uint16_t> out) {
  const auto given_up = std::erase_if(
      missing_, [&](const Entry& e) { return now - e.since > kMaxAge || e.tries >= kMaxTries; });
  if (given_up > 0) gave_up_ = true;
  const auto interval = std::max(round_trip, kMinInterval);
  std::size_t n = 0;
  for (auto& e : missing_) {
    if (n == out.size()) break;
    if (e.tries == 0 ? now - e.since < kReorderDelay : now - e.last_asked < interval) continue;
    ++e.tries;
    e.last_asked = now;
    out[n++] = static_cast<std::uint16_t>(e.sequence);
  }
  return n;
}

bool NackGenerator::take_gave_up() {
  return std::exchange(gave_up_, false);
}

}  // namespace sfu
