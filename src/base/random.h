// Chance is injected. The real source is crypto::SystemRandom; tests use SeededRandom.
#pragma once

#include <atomic>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace base {

// Thread-safe.
class Random {
 public:
  virtual ~Random() = default;
  virtual void fill(std::span<std::uint8_t> out) = 0;

  std::uint32_t u32();
  std::uint64_t u64();
  // Uniform in [0, bound); bound > 0.
  std::uint32_t below(std::uint32_t bound);
  // `length` characters drawn uniformly from `alphabet` (1..256 characters).
  std::string text(std::string_view alphabet, std::size_t length);
  // RFC 9562 version 4, lower case.
  std::string uuid();
};

// Repeatable; never for anything a stranger must not guess.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed * 2 + 1) {}
  void fill(std::span<std::uint8_t> out) override;

 private:
  std::atomic<std::uint64_t> state_;
};

}  // namespace base
