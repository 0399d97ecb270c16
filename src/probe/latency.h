// A histogram of durations: exact to 1 us below 64 us, to 1/32 above, up to about 67 s. Fixed memory,
// mergeable. One thread.
#pragma once

#include <array>
#include <bit>
#include <cstdint>

namespace probe {

class LatencyHistogram {
 public:
  void add(std::int64_t us) {
    ++buckets_[index(us < 0 ? 0 : static_cast<std::uint64_t>(us))];
    ++count_;
  }
  void merge(const LatencyHistogram& other) {
    for (std::size_t i = 0; i < buckets_.size(); ++i) buckets_[i] += other.buckets_[i];
    count_ += other.count_;
  }
  void clear() { *this = {}; }
  std::uint64_t count() const { return count_; }
  // The least duration (in us) that at least `share` (0..1] of the samples do not exceed, up to a bucket's
  // width; 0 without samples.
  std::int64_t quantile(double share) const {
    const auto wanted = share * static_cast<double>(count_);
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < buckets_.size(); ++i) {
      seen += buckets_[i];
      if (seen > 0 && static_cast<double>(seen) >= wanted) return upper_bound(i);
    }
    return 0;
  }

 private:
  static constexpr std::size_t kExact = 64, kPerOctave = 32, kOctaves = 20;

  static std::size_t index(std::uint64_t us) {
    if (us < kExact) return static_cast<std::size_t>(us);
    const auto octave = static_cast<std::size_t>(std::bit_width(us)) - 7;  // 0 for 64..127
    if (octave >= kOctaves) return kExact + kOctaves * kPerOctave - 1;
    return kExact + octave * kPerOctave + static_cast<std::size_t>((us >> (octave + 1)) - kPerOctave);
  }
  static std::int64_t upper_bound(std::size_t i) {
    if (i < kExact) return static_cast<std::int64_t>(i);
    const auto octave = (i - kExact) / kPerOctave, place = (i - kExact) % kPerOctave;
    return static_cast<std::int64_t>(((place + kPerOctave + 1) << (octave + 1)) - 1);
  }

  std::array<std::uint64_t, kExact + kOctaves * kPerOctave> buckets_{};
  std::uint64_t count_ = 0;
};

}  // namespace probe
