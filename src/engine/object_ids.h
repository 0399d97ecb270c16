// Ids of 100ms objects (100ms-server-api.md §8.4): 4 bytes of seconds, 5 random bytes of this process, 3
// bytes of counter, as 24 lower-case hex digits. Descending order is newest first. Thread-safe.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

namespace engine {

class ObjectIds {
 public:
  ObjectIds(const base::Clock& clock, base::Random& random) : clock_(clock) {
    random.fill(process_);
    counter_ = random.u32() & 0x3fffff;  // leaves room to count before it wraps
  }

  std::string next() {
    const auto seconds = static_cast<std::uint32_t>(clock_.wall().to_seconds());
    const std::uint32_t count = counter_.fetch_add(1);
    std::array<std::uint8_t, 12> bytes{};
    for (std::size_t i = 0; i < 4; ++i) bytes[i] = static_cast<std::uint8_t>(seconds >> (24 - 8 * i));
    for (std::size_t i = 0; i < 5; ++i) bytes[4 + i] = process_[i];
    for (std::size_t i = 0; i < 3; ++i) bytes[9 + i] = static_cast<std::uint8_t>(count >> (16 - 8 * i));
    return base::to_hex(bytes);
  }

 private:
  const base::Clock& clock_;
  std::array<std::uint8_t, 5> process_{};
  std::atomic<std::uint32_t> counter_{0};
};

}  // namespace engine
