// One direction of a bad network for tests: seeded loss (single or in bursts), delay, jitter with or without
// reordering, duplicates, and a rate with a queue in front of it. Sans-IO and turned by the test's clock, so
// every run is the same.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

namespace sfu::testing {

struct Impairment {
  double loss = 0;        // share of packets
  double mean_burst = 1;  // packets lost in a row, on average
  double duplicates = 0;
  base::Duration delay{};
  base::Duration jitter{};                             // uniform, on top of the delay
  bool reorder = false;                                // false: jitter keeps the order
  std::int64_t rate_kbps = 0;                          // 0: no limit
  base::Duration queue = base::Duration::millis(300);  // what does not fit is dropped
};

class ImpairedLink {
 public:
  ImpairedLink(std::uint64_t seed, Impairment first) : impairment(first), random_(seed) {}

  void push(base::Bytes datagram, base::SteadyTime now);
  // What is due, in order of arrival.
  void pop(base::SteadyTime now, const std::function<void(base::MutableBytes)>& deliver);

  Impairment impairment;  // may be changed at any time
  std::uint64_t dropped = 0;
  std::uint64_t passed = 0;

 private:
  double chance() { return static_cast<double>(random_.u32()) / 4294967296.0; }
  bool lost();
  void deliver_at(base::Bytes datagram, base::SteadyTime due);

  base::SeededRandom random_;
  bool in_burst_ = false;
  base::SteadyTime free_at_;
  base::SteadyTime last_due_;
  std::uint64_t order_ = 0;
  std::map<std::pair<base::SteadyTime, std::uint64_t>, std::vector<std::uint8_t>> waiting_;
};

}  // namespace sfu::testing
