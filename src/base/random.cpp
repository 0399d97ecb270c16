#include "base/random.h"

#include <array>

namespace base {

std::uint32_t Random::u32() {
  std::array<std::uint8_t, 4> b{};
  fill(b);
  return static_cast<std::uint32_t>(b[0]) | static_cast<std::uint32_t>(b[1]) << 8 |
         static_cast<std::uint32_t>(b[2]) << 16 | static_cast<std::uint32_t>(b[3]) << 24;
}

std::uint64_t Random::u64() {
  const std::uint64_t high = u32();
  return high << 32 | u32();
}

std::uint32_t Random::below(std::uint32_t bound) {
  // Values past the last whole multiple of the bound would favour small results.
  const std::uint32_t limit = bound * (UINT32_MAX / bound);
  std::uint32_t v = u32();
  while (v >= limit) v = u32();
  return v % bound;
}

std::string Random::text(std::string_view alphabet, std::size_t length) {
  std::string out;
  out.reserve(length);
  for (std::size_t i = 0; i < length; ++i)
    out += alphabet[below(static_cast<std::uint32_t>(alphabet.size()))];
  return out;
}

std::string Random::uuid() {
  std::array<std::uint8_t, 16> b{};
  fill(b);
  b[6] = static_cast<std::uint8_t>((b[6] & 0x0f) | 0x40);
  b[8] = static_cast<std::uint8_t>((b[8] & 0x3f) | 0x80);
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(36);
  for (std::size_t i = 0; i < b.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += digits[b[i] >> 4];
    out += digits[b[i] & 15];
  }
  return out;
}

void SeededRandom::fill(std::span<std::uint8_t> out) {
  for (auto& byte : out) {  // splitmix64
    constexpr std::uint64_t kStep = 0x9e3779b97f4a7c15ULL;
    std::uint64_t z = state_.fetch_add(kStep, std::memory_order_relaxed) + kStep;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    byte = static_cast<std::uint8_t>(z >> 56);
  }
}

}  // namespace base
