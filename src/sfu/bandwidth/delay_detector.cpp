#include "sfu/bandwidth/delay_detector.h"

#include <algorithm>
#include <cmath>

namespace sfu {
namespace {

constexpr double kSmoothing = 0.9;
constexpr double kGain = 4;  // brings the slope times the number of groups to the scale of the threshold
constexpr double kOverForMs = 10;              // §5.4: the gradient must stay high this long
constexpr double kUp = 0.0087, kDown = 0.039;  // §5.4: K_u, K_d per ms
constexpr double kMinThreshold = 6, kMaxThreshold = 600;
constexpr double kOutlier = 15;              // §5.4: no adaption to a sudden spike
constexpr std::int64_t kJumpUs = 3'000'000;  // the receiver's clock or the path was changed

}  // namespace

void DelayDetector::on_packet(base::SteadyTime sent, std::int64_t arrival_us) {
  if (!current_.valid) {
    current_ = {sent, sent, arrival_us, true};
    first_arrival_us_ = arrival_us;
    return;
  }
  if (std::abs(arrival_us - current_.last_arrival_us) > kJumpUs) {
    reset();
    return on_packet(sent, arrival_us);
  }
  if (sent < current_.first_sent) return;  // reordered: of a group that is closed
  if ((sent - current_.first_sent).us <= kGroupUs) {
    current_.last_sent = std::max(current_.last_sent, sent);
    current_.last_arrival_us = std::max(current_.last_arrival_us, arrival_us);
    return;
  }
  if (previous_.valid) on_group(current_);
  previous_ = current_;
  current_ = {sent, sent, arrival_us, true};
}

void DelayDetector::on_group(const Group& group) {
  const double between_sent = static_cast<double>((group.last_sent - previous_.last_sent).us) / 1000;
  const double between_arrival =
      static_cast<double>(group.last_arrival_us - previous_.last_arrival_us) / 1000;
  accumulated_ms_ += between_arrival - between_sent;
  smoothed_ms_ = kSmoothing * smoothed_ms_ + (1 - kSmoothing) * accumulated_ms_;
  const double arrival_ms = static_cast<double>(group.last_arrival_us - first_arrival_us_) / 1000;
  points_[count_ % kWindow] = {arrival_ms, smoothed_ms_};
  ++count_;
  if (count_ < kWindow) return;
  const double trend = slope() * static_cast<double>(std::min<std::size_t>(count_, 60)) * kGain;
  judge(trend, between_sent);
  adapt(trend, arrival_ms);
}

double DelayDetector::slope() const {
  double x = 0, y = 0;
  for (const auto& p : points_) {
    x += p.arrival_ms;
    y += p.delay_ms;
  }
  x /= kWindow;
  y /= kWindow;
  double top = 0, bottom = 0;
  for (const auto& p : points_) {
    top += (p.arrival_ms - x) * (p.delay_ms - y);
    bottom += (p.arrival_ms - x) * (p.arrival_ms - x);
  }
  return bottom > 0 ? top / bottom : 0;
}

void DelayDetector::judge(double trend, double between_ms) {
  if (trend > threshold_ms_) {
    over_for_ms_ = over_for_ms_ < 0 ? between_ms / 2 : over_for_ms_ + between_ms;
    if (over_for_ms_ > kOverForMs && trend >= last_trend_) use_ = PathUse::kOver;
  } else {
    over_for_ms_ = -1;
    use_ = trend < -threshold_ms_ ? PathUse::kUnder : PathUse::kNormal;
  }
  last_trend_ = trend;
}

void DelayDetector::adapt(double trend, double arrival_ms) {
  if (last_adapted_ms_ < 0) last_adapted_ms_ = arrival_ms;
  const double size = std::abs(trend);
  if (size <= threshold_ms_ + kOutlier) {
    const double elapsed = std::clamp(arrival_ms - last_adapted_ms_, 0.0, 100.0);
    threshold_ms_ += (size < threshold_ms_ ? kDown : kUp) * (size - threshold_ms_) * elapsed;
    threshold_ms_ = std::clamp(threshold_ms_, kMinThreshold, kMaxThreshold);
  }
  last_adapted_ms_ = arrival_ms;
}

}  // namespace sfu
