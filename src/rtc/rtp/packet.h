// A view of one RTP packet (RFC 3550 §5.1) and of its header extensions, one- and two-byte form (RFC 8285).
// No copy, no allocation; parse() checks every bound once, so the accessors need none. Valid as long as the
// bytes are.
//
//    0                   1                   2                   3
//   |V=2|P|X|  CC   |M|     PT      |       sequence number         |
//   |                           timestamp                           |
//   |                             SSRC                              |
//   |                        CSRC (CC words)                        |
//   |   0xBEDE | 0x100x | words     |  extension elements …         |
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace rtc {

inline constexpr std::size_t kRtpHeaderSize = 12;

struct RtpView {
  base::MutableBytes bytes;
  std::uint8_t payload_type = 0;
  bool marker = false;
  std::uint16_t sequence = 0;
  std::uint32_t timestamp = 0;
  std::uint32_t ssrc = 0;
  std::uint16_t extension_profile = 0;  // 0 = no extension block
  std::size_t extension_offset = 0;     // of the first element
  std::size_t extension_size = 0;
  std::size_t payload_offset = 0;
  std::size_t payload_size = 0;  // without padding
  std::uint8_t padding = 0;

  static std::optional<RtpView> parse(base::MutableBytes packet);

  base::MutableBytes payload() const { return bytes.subspan(payload_offset, payload_size); }
  // The element's data; empty when it is absent (or has no data).
  base::MutableBytes extension(std::uint8_t id) const;
};

// Calls `visit(id, data)` for each element. Stops at a malformed one.
template <class Visit>
void for_each_extension(const RtpView& view, Visit&& visit) {
  const auto block = view.bytes.subspan(view.extension_offset, view.extension_size);
  const bool one_byte = view.extension_profile == 0xBEDE;
  if (!one_byte && (view.extension_profile & 0xFFF0) != 0x1000) return;
  std::size_t at = 0;
  while (at < block.size()) {
    if (block[at] == 0) {  // padding
      ++at;
      continue;
    }
    std::size_t id = 0, length = 0;
    if (one_byte) {
      id = block[at] >> 4;
      length = (block[at] & 0x0Fu) + 1u;
      at += 1;
      if (id == 15) return;  // RFC 8285 §4.2: stop
    } else {
      if (block.size() - at < 2) return;
      id = block[at];
      length = block[at + 1];
      at += 2;
    }
    if (length > block.size() - at) return;
    if (id != 0) visit(static_cast<std::uint8_t>(id), block.subspan(at, length));
    at += length;
  }
}

// In-place changes of the fixed header; `packet` is at least kRtpHeaderSize long.
void set_sequence(base::MutableBytes packet, std::uint16_t sequence);
void set_timestamp(base::MutableBytes packet, std::uint32_t timestamp);
void set_ssrc(base::MutableBytes packet, std::uint32_t ssrc);
void set_payload_type(base::MutableBytes packet, std::uint8_t payload_type);

// 6.18 fixed point seconds of the abs-send-time extension.
constexpr std::uint32_t abs_send_time(std::int64_t microseconds) {
  const auto us = static_cast<std::uint64_t>(microseconds);
  return static_cast<std::uint32_t>((((us / 1'000'000) << 18) + ((us % 1'000'000) << 18) / 1'000'000) &
                                    0xFFFFFF);
}

// RFC 4588 §4. Puts the two bytes of the original sequence number in front of the payload. `packet` is a
// parsed plain packet without padding; the result has the given ssrc, sequence and payload type. Returns the
// length, 0 when `out` is too small.
std::size_t wrap_rtx(base::Bytes packet, std::size_t payload_offset, std::uint32_t ssrc,
                     std::uint16_t sequence, std::uint8_t payload_type, base::MutableBytes out);
// Undoes it in place by moving the header two bytes up; nullopt when the payload holds no original sequence
// number (a padding probe).
std::optional<RtpView> unwrap_rtx(const RtpView& rtx, std::uint32_t ssrc, std::uint8_t payload_type);

// RFC 6464: level in -dBov, 0 loudest, 127 silence.
struct AudioLevel {
  std::uint8_t level = 127;
  bool voice = false;
};
std::optional<AudioLevel> read_audio_level(base::Bytes extension);

}  // namespace rtc
