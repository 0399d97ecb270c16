#include "rtc/rtp/payload.h"

namespace rtc {

std::optional<Vp8Descriptor> parse_vp8(base::Bytes payload) {
  base::ByteReader in(payload);
  Vp8Descriptor d;
  const auto first = in.u8();
  d.non_reference = (first & 0x20) != 0;
  d.start_of_frame = (first & 0x10) != 0 && (first & 0x07) == 0;
  if ((first & 0x80) != 0) {
    const auto flags = in.u8();
    if ((flags & 0x80) != 0) {
      d.picture_id_offset = static_cast<std::uint8_t>(in.position());
      const auto high = in.u8();
      d.picture_id_bits = (high & 0x80) != 0 ? 15 : 7;
      d.picture_id = high & 0x7F;
      if (d.picture_id_bits == 15) d.picture_id = static_cast<std::uint16_t>(d.picture_id << 8 | in.u8());
    }
    if ((flags & 0x40) != 0) {
      d.has_tl0 = true;
      d.tl0_offset = static_cast<std::uint8_t>(in.position());
      d.tl0 = in.u8();
    }
    if ((flags & 0x30) != 0) {
      const auto last = in.u8();
      d.has_temporal_id = (flags & 0x20) != 0;
      if (d.has_temporal_id) {
        d.temporal_id = static_cast<std::uint8_t>(last >> 6);
        d.layer_sync = (last & 0x20) != 0;
      }
    }
  }
  if (!in.ok() || in.remaining() == 0) return std::nullopt;
  // RFC 7741 §4.3: the P bit of the payload header is 0 for a key frame.
  if (d.start_of_frame) d.key_frame = (in.u8() & 0x01) == 0;
  return d;
}

void rewrite_vp8(base::MutableBytes payload, const Vp8Descriptor& d, std::uint16_t picture_id,
                 std::uint8_t tl0) {
  if (d.picture_id_bits == 15 && payload.size() > d.picture_id_offset + 1u) {
    payload[d.picture_id_offset] = static_cast<std::uint8_t>(0x80 | (picture_id >> 8 & 0x7F));
    payload[d.picture_id_offset + 1u] = static_cast<std::uint8_t>(picture_id);
  } else if (d.picture_id_bits == 7 && payload.size() > d.picture_id_offset) {
    payload[d.picture_id_offset] = static_cast<std::uint8_t>(picture_id & 0x7F);
  }
  if (d.has_tl0 && payload.size() > d.tl0_offset) payload[d.tl0_offset] = tl0;
}

bool h264_starts_key_frame(base::Bytes payload) {
  constexpr std::uint8_t kIdr = 5, kSps = 7, kStapA = 24, kFuA = 28;
  base::ByteReader in(payload);
  const auto type = static_cast<std::uint8_t>(in.u8() & 0x1F);
  if (!in.ok()) return false;
  if (type == kStapA) {
    while (in.ok() && in.remaining() >= 3) {
      const std::size_t size = in.u16();
      const auto unit = in.bytes(size);
      if (unit.empty()) return false;
      const auto inner = static_cast<std::uint8_t>(unit[0] & 0x1F);
      if (inner == kIdr || inner == kSps) return true;
    }
    return false;
  }
  if (type == kFuA) {
    const auto header = in.u8();
    return in.ok() && (header & 0x80) != 0 && (header & 0x1F) == kIdr;
  }
  return type == kIdr || type == kSps;
}

}  // namespace rtc
