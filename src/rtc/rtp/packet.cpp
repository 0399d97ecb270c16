#include "rtc/rtp/packet.h"

#include <cstring>

namespace rtc {

std::optional<RtpView> RtpView::parse(base::MutableBytes packet) {
  if (packet.size() < kRtpHeaderSize || packet[0] >> 6 != 2) return std::nullopt;
  base::ByteReader in(packet);
  RtpView v;
  v.bytes = packet;
  const auto first = in.u8();
  const auto second = in.u8();
  v.marker = (second & 0x80) != 0;
  v.payload_type = second & 0x7F;
  v.sequence = in.u16();
  v.timestamp = in.u32();
  v.ssrc = in.u32();
  in.skip(std::size_t{4} * (first & 0x0Fu));
  if ((first & 0x10) != 0) {
    v.extension_profile = in.u16();
    v.extension_size = std::size_t{4} * in.u16();
    v.extension_offset = in.position();
    in.skip(v.extension_size);
  }
  if (!in.ok()) return std::nullopt;
  v.payload_offset = in.position();
  v.payload_size = in.remaining();
  if ((first & 0x20) != 0) {
    if (v.payload_size == 0) return std::nullopt;
    v.padding = packet[packet.size() - 1];
    if (v.padding == 0 || v.padding > v.payload_size) return std::nullopt;
    v.payload_size -= v.padding;
  }
  return v;
}

base::MutableBytes RtpView::extension(std::uint8_t id) const {
  base::MutableBytes found;
  if (id == 0) return found;
  for_each_extension(*this, [&](std::uint8_t element, base::MutableBytes data) {
    if (element == id && found.empty()) found = data;
  });
  return found;
}

namespace {
void put(base::MutableBytes packet, std::size_t at, std::uint32_t value, std::size_t n) {
  for (std::size_t i = 0; i < n; ++i) packet[at + i] = static_cast<std::uint8_t>(value >> (8 * (n - 1 - i)));
}
}  // namespace

void set_sequence(base::MutableBytes packet, std::uint16_t sequence) {
  put(packet, 2, sequence, 2);
}
void set_timestamp(base::MutableBytes packet, std::uint32_t timestamp) {
  put(packet, 4, timestamp, 4);
}
void set_ssrc(base::MutableBytes packet, std::uint32_t ssrc) {
  put(packet, 8, ssrc, 4);
}
void set_payload_type(base::MutableBytes packet, std::uint8_t payload_type) {
  packet[1] = static_cast<std::uint8_t>((packet[1] & 0x80) | (payload_type & 0x7F));
}

std::size_t wrap_rtx(base::Bytes packet, std::size_t payload_offset, std::uint32_t ssrc,
                     std::uint16_t sequence, std::uint8_t payload_type, base::MutableBytes out) {
  if (packet.size() < kRtpHeaderSize || payload_offset > packet.size() || packet.size() + 2 > out.size())
    return 0;
  std::memcpy(out.data(), packet.data(), payload_offset);
  out[payload_offset] = packet[2];
  out[payload_offset + 1] = packet[3];
  std::memcpy(out.data() + payload_offset + 2, packet.data() + payload_offset,
              packet.size() - payload_offset);
  set_ssrc(out, ssrc);
  set_sequence(out, sequence);
  set_payload_type(out, payload_type);
  return packet.size() + 2;
}

std::optional<RtpView> unwrap_rtx(const RtpView& rtx, std::uint32_t ssrc, std::uint8_t payload_type) {
  if (rtx.payload_size < 3) return std::nullopt;
  const auto payload = rtx.payload();
  const auto original = static_cast<std::uint16_t>(payload[0] << 8 | payload[1]);
  std::memmove(rtx.bytes.data() + 2, rtx.bytes.data(), rtx.payload_offset);
  auto out = rtx;
  out.bytes = rtx.bytes.subspan(2);
  set_ssrc(out.bytes, ssrc);
  set_sequence(out.bytes, original);
  set_payload_type(out.bytes, payload_type);
  out.ssrc = ssrc;
  out.sequence = original;
  out.payload_type = payload_type;
  out.payload_size -= 2;
  return out;
}

std::optional<AudioLevel> read_audio_level(base::Bytes extension) {
  if (extension.empty()) return std::nullopt;
  return AudioLevel{static_cast<std::uint8_t>(extension[0] & 0x7F), (extension[0] & 0x80) != 0};
}

}  // namespace rtc
