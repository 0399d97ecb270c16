// Bounded cursors over bytes, network byte order. A reader never reads past its end: the first overrun makes
// it fail for good, every later read returns zeros, and the caller asks ok() once at the end of a structure.
#pragma once

#include <cstdint>
#include <cstring>
#include <span>
#include <string_view>

namespace base {

using Bytes = std::span<const std::uint8_t>;
using MutableBytes = std::span<std::uint8_t>;

inline Bytes as_bytes(std::string_view s) {
  return {reinterpret_cast<const std::uint8_t*>(s.data()), s.size()};
}
inline std::string_view as_text(Bytes b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

class ByteReader {
 public:
  explicit ByteReader(Bytes data) : data_(data) {}

  bool ok() const { return ok_; }
  std::size_t remaining() const { return data_.size() - at_; }
  std::size_t position() const { return at_; }
  bool at_end() const { return remaining() == 0; }

  std::uint8_t u8() { return static_cast<std::uint8_t>(number(1)); }
  std::uint16_t u16() { return static_cast<std::uint16_t>(number(2)); }
  std::uint32_t u24() { return static_cast<std::uint32_t>(number(3)); }
  std::uint32_t u32() { return static_cast<std::uint32_t>(number(4)); }
  std::uint64_t u64() { return number(8); }
  // Empty on overrun.
  Bytes bytes(std::size_t n) {
    if (!take(n)) return {};
    return data_.subspan(at_ - n, n);
  }
  void skip(std::size_t n) { take(n); }
  Bytes rest() { return bytes(remaining()); }

 private:
  bool take(std::size_t n) {
    if (!ok_ || n > remaining()) {
      ok_ = false;
      at_ = data_.size();
      return false;
    }
    at_ += n;
    return true;
  }
  std::uint64_t number(std::size_t n) {
    if (!take(n)) return 0;
    std::uint64_t v = 0;
    for (std::size_t i = at_ - n; i < at_; ++i) v = v << 8 | data_[i];
    return v;
  }

  Bytes data_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

class ByteWriter {
 public:
  explicit ByteWriter(MutableBytes out) : out_(out) {}

  bool ok() const { return ok_; }
  std::size_t size() const { return at_; }
  Bytes written() const { return out_.first(at_); }

  void u8(std::uint8_t v) { number(v, 1); }
  void u16(std::uint16_t v) { number(v, 2); }
  void u24(std::uint32_t v) { number(v, 3); }
  void u32(std::uint32_t v) { number(v, 4); }
  void u64(std::uint64_t v) { number(v, 8); }
  void bytes(Bytes b) {
    if (b.empty() || !fits(b.size())) return;
    std::memcpy(out_.data() + at_, b.data(), b.size());
    at_ += b.size();
  }
  void zeros(std::size_t n) {
    if (n == 0 || !fits(n)) return;
    std::memset(out_.data() + at_, 0, n);
    at_ += n;
  }
  // Overwrites two bytes written earlier (a length field); `position` + 2 <= size().
  void patch_u16(std::size_t position, std::uint16_t v) {
    if (position + 2 > at_) return;
    out_[position] = static_cast<std::uint8_t>(v >> 8);
    out_[position + 1] = static_cast<std::uint8_t>(v);
  }

 private:
  bool fits(std::size_t n) {
    if (!ok_ || n > out_.size() - at_) ok_ = false;
    return ok_;
  }
  void number(std::uint64_t v, std::size_t n) {
    if (!fits(n)) return;
    for (std::size_t i = 0; i < n; ++i) out_[at_ + i] = static_cast<std::uint8_t>(v >> (8 * (n - 1 - i)));
    at_ += n;
  }

  MutableBytes out_;
  std::size_t at_ = 0;
  bool ok_ = true;
};

}  // namespace base
