// Serial number arithmetic (RFC 1982 in spirit, RFC 3550 §A.1): which of two wrapping numbers is newer, and
// their unwrapping to 64 bits.
#pragma once

#include <cstdint>
#include <optional>
#include <type_traits>

namespace rtc {

// Signed distance a - b for 16- and 32-bit counters.
constexpr std::int16_t sequence_diff(std::uint16_t a, std::uint16_t b) {
  return static_cast<std::int16_t>(static_cast<std::uint16_t>(a - b));
}
constexpr std::int32_t timestamp_diff(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::int32_t>(a - b);
}
constexpr bool sequence_newer(std::uint16_t a, std::uint16_t b) {
  return sequence_diff(a, b) > 0;
}

// Extends a wrapping counter; the value nearest to the last one is chosen. Starts one cycle up, so that older
// numbers stay positive.
template <class T>
class Unwrapper {
 public:
  std::int64_t unwrap(T value) {
    const auto result = peek(value);
    if (!last_ || result > *last_) last_ = result;
    return result;
  }
  // Without moving the reference.
  std::int64_t peek(T value) const {
    using Signed = std::make_signed_t<T>;
    if (!last_) return (std::int64_t{1} << (8 * sizeof(T))) + value;
    return *last_ + static_cast<Signed>(static_cast<T>(value - static_cast<T>(*last_)));
  }
  bool started() const { return last_.has_value(); }
  std::int64_t last() const { return last_.value_or(0); }
  void reset() { last_.reset(); }

 private:
  std::optional<std::int64_t> last_;
};

}  // namespace rtc
