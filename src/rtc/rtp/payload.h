// What a forwarder must know of video payloads: where a key frame starts, and VP8's counters that continue
// across a switch of layers.
//
// VP8 payload descriptor, RFC 7741 §4.2:
//    |X|R|N|S|R| PID |   X: extension byte follows, S: start of partition, N: non-reference
//    |I|L|T|K| RSV   |   I: picture id, L: TL0PICIDX, T: TID, K: KEYIDX
//    |M| PictureID   |   M: 15-bit picture id
//    |   TL0PICIDX   |
//    |TID|Y| KEYIDX  |
#pragma once

#include <cstdint>
#include <optional>

#include "base/bytes.h"

namespace rtc {

struct Vp8Descriptor {
  bool start_of_frame = false;  // first packet of a frame (S and partition 0)
  bool key_frame = false;       // only on the first packet of a frame
  bool non_reference = false;
  std::uint8_t picture_id_bits = 0;  // 0, 7 or 15
  std::uint16_t picture_id = 0;
  bool has_tl0 = false;
  std::uint8_t tl0 = 0;
  bool has_temporal_id = false;
  std::uint8_t temporal_id = 0;
  bool layer_sync =
      false;  // Y: refers to nothing above temporal layer 0, so that its layer can be joined here
  std::uint8_t picture_id_offset = 0;  // from the start of the payload
  std::uint8_t tl0_offset = 0;
};

std::optional<Vp8Descriptor> parse_vp8(base::Bytes payload);
// Overwrites the counters found by parse_vp8() in the same payload.
void rewrite_vp8(base::MutableBytes payload, const Vp8Descriptor& descriptor, std::uint16_t picture_id,
                 std::uint8_t tl0);

// True when a decoder can start at this packet: an IDR slice or a parameter set in a single NAL unit, STAP-A
// or the first FU-A (RFC 6184 §5).
bool h264_starts_key_frame(base::Bytes payload);

}  // namespace rtc
