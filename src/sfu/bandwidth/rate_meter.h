// Bytes per time over a sliding window. Fixed memory; times may come slightly out of order.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>

namespace sfu {

template <std::size_t kBuckets, std::int64_t kBucketUs>
class RateMeter {
 public:
  void add(std::int64_t at_us, std::size_t bytes) {
    const auto n = at_us / kBucketUs;
    if (newest_ < 0) {
      first_ = newest_ = n;
    } else if (n > newest_) {
      move_to(n);
    } else if (n <= newest_ - static_cast<std::int64_t>(kBuckets)) {
      return;
    }
    buckets_[static_cast<std::size_t>(n) % kBuckets] += bytes;
    total_ += bytes;
  }
  // kbit/s of the window that ends at `at_us`; of the part of it that was measured. 0 before a fifth of the
  // window.
  std::int64_t kbps(std::int64_t at_us) {
    if (newest_ < 0) return 0;
    if (at_us / kBucketUs > newest_) move_to(at_us / kBucketUs);
    const auto measured = std::min(static_cast<std::int64_t>(kBuckets), newest_ - first_ + 1);
    if (measured * 5 < static_cast<std::int64_t>(kBuckets)) return 0;
    return static_cast<std::int64_t>(total_) * 8000 / (measured * kBucketUs);
  }

 private:
  void move_to(std::int64_t n) {
    if (n - newest_ >= static_cast<std::int64_t>(kBuckets)) {
      buckets_.fill(0);
      total_ = 0;
      first_ = n;  // after a pause as long as the window, measuring starts anew
    } else {
      for (auto i = newest_ + 1; i <= n; ++i) {
        auto& b = buckets_[static_cast<std::size_t>(i) % kBuckets];
        total_ -= b;
        b = 0;
      }
    }
    newest_ = n;
  }

  std::array<std::uint64_t, kBuckets> buckets_{};
  std::uint64_t total_ = 0;
  std::int64_t newest_ = -1;
  std::int64_t first_ = 0;
};

}  // namespace sfu
