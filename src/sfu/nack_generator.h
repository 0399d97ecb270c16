// Which packets of one received stream to ask for again. Extended sequence numbers in, due numbers out.
// Bounded memory; no allocation after construction.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/clock.h"

namespace sfu {

class NackGenerator {
 public:
  static constexpr std::size_t kMaxMissing = 512;
  static constexpr int kMaxTries = 10;
  static constexpr std::int64_t kMaxGap = 300;  // a longer hole is healed by a key frame
  static constexpr base::Duration kReorderDelay = base::Duration::millis(5);  // a packet may just be late
  static constexpr base::Duration kMaxAge = base::Duration::millis(1000);
  static constexpr base::Duration kMinInterval = base::Duration::millis(20);

  NackGenerator() { missing_.reserve(kMaxMissing); }

  // Every arrival, retransmissions included. False: the hole is too large; the list was emptied and a key
  // frame should be asked for.
  bool on_packet(std::int64_t sequence, base::SteadyTime now);
  // Fills `out` with the numbers due now, rising; returns how many.
  std::size_t collect(base::SteadyTime now, base::Duration round_trip, std::span<std::uint16_t> out);
  // True once after packets were given up on (age or tries).
  bool take_gave_up();
  void clear() { missing_.clear(); }
  std::size_t missing() const { return missing_.size(); }

 private:
  struct Entry {
    std::int64_t sequence;
    base::SteadyTime since;
    base::SteadyTime last_asked;
    int tries;
  };
  std::vector<Entry> missing_;  // rising
  std::int64_t newest_ = 0;
  bool started_ = false;
  bool gave_up_ = false;
};

}  // namespace sfu
