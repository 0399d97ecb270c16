// Whether a path's queue grows, from sending and arrival times (draft-ietf-rmcat-gcc-02 §5.1–§5.4, with a
// line fitted by least squares in place of the Kalman filter): the one-way delay gradient of groups of
// packets, against a threshold that adapts to the path. Sans-IO; fixed memory.
#pragma once

#include <array>
#include <cstdint>

#include "base/clock.h"

namespace sfu {

enum class PathUse { kNormal, kOver, kUnder };

class DelayDetector {
 public:
  // In the order of arrival. `arrival_us` counts from any epoch.
  void on_packet(base::SteadyTime sent, std::int64_t arrival_us);
  PathUse use() const { return use_; }
  void reset() { *this = DelayDetector(); }

 private:
  // Packets sent within this time are one group (§5.2: pacers send in bursts).
  static constexpr std::int64_t kGroupUs = 5'000;
  static constexpr std::size_t kWindow = 20;

  struct Group {
    base::SteadyTime first_sent, last_sent;
    std::int64_t last_arrival_us = 0;
    bool valid = false;
  };
  struct Point {
    double arrival_ms;
    double delay_ms;
  };
  void on_group(const Group& group);
  double slope() const;
  void judge(double trend, double between_ms);
  void adapt(double trend, double arrival_ms);

  Group current_, previous_;
  std::array<Point, kWindow> points_{};
  std::size_t count_ = 0;  // of all points so far
  double accumulated_ms_ = 0;
  double smoothed_ms_ = 0;
  std::int64_t first_arrival_us_ = 0;

  double threshold_ms_ = 12.5;
  double last_adapted_ms_ = -1;
  double last_trend_ = 0;
  double over_for_ms_ = -1;
  PathUse use_ = PathUse::kNormal;
};

}  // namespace sfu
