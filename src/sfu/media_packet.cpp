#include "sfu/media_packet.h"

namespace sfu {
namespace {

using Ext = rtc::SubscriberExtensions;

void element(base::ByteWriter& out, std::uint8_t id, base::Bytes data) {
  if (data.empty() || data.size() > 16) return;
  out.u8(static_cast<std::uint8_t>(unsigned{id} << 4 | (data.size() - 1)));
  out.bytes(data);
}

void put16(base::MutableBytes p, std::size_t at, std::uint16_t v) {
  p[at] = static_cast<std::uint8_t>(v >> 8);
  p[at + 1] = static_cast<std::uint8_t>(v);
}

}  // namespace

bool MediaPacket::assign(const rtc::RtpView& view, std::int64_t extended_sequence, rtc::Codec packet_codec,
                         const PublisherExtensions& ids) {
  sequence = -1;
  base::ByteWriter out(bytes);
  out.u8(0x90);
  out.u8(static_cast<std::uint8_t>((view.marker ? 0x80 : 0) | view.payload_type));
  out.u16(view.sequence);
  out.u32(view.timestamp);
  out.u32(view.ssrc);
  out.u16(0xBEDE);
  out.u16(0);
  out.u8(Ext::kTransportCc << 4 | 1);
  transport_cc_offset = static_cast<std::uint8_t>(out.size());
  out.u16(0);
  out.u8(Ext::kAbsSendTime << 4 | 2);
  abs_send_time_offset = static_cast<std::uint8_t>(out.size());
  out.u24(0);
  rtc::for_each_extension(view, [&](std::uint8_t id, base::MutableBytes data) {
    // The copied ones are at most three bytes long each; longer ones are not what their number says.
    if (data.size() > 3) return;
    if (id == ids.audio_level) element(out, Ext::kAudioLevel, data);
    if (id == ids.time_offset) element(out, Ext::kTimeOffset, data);
    if (id == ids.video_orientation) element(out, Ext::kVideoOrientation, data);
    if (id == ids.playout_delay) element(out, Ext::kPlayoutDelay, data);
  });
  out.zeros((4 - out.size() % 4) % 4);
  if (out.size() > 128) return false;  // the same element over and over
  out.patch_u16(14, static_cast<std::uint16_t>((out.size() - 16) / 4));
  payload_offset = static_cast<std::uint8_t>(out.size());
  out.bytes(view.payload());
  if (!out.ok()) return false;

  size = static_cast<std::uint16_t>(out.size());
  timestamp = view.timestamp;
  codec = packet_codec;
  starts_key_frame = false;
  has_vp8 = false;
  if (codec == rtc::Codec::kVp8) {
    if (const auto descriptor = rtc::parse_vp8(view.payload())) {
      has_vp8 = true;
      vp8 = *descriptor;
      starts_key_frame = vp8.key_frame;
    }
  } else if (codec == rtc::Codec::kH264) {
    starts_key_frame = rtc::h264_starts_key_frame(view.payload());
  }
  sequence = extended_sequence;
  return true;
}

void MediaPacket::patch(std::uint32_t ssrc, std::uint8_t payload_type, const RewrittenFields& fields,
                        std::uint16_t transport_sequence, base::SteadyTime now) {
  const auto packet = base::MutableBytes(bytes).first(size);
  rtc::set_payload_type(packet, payload_type);
  rtc::set_sequence(packet, static_cast<std::uint16_t>(fields.sequence));
  rtc::set_timestamp(packet, fields.timestamp);
  rtc::set_ssrc(packet, ssrc);
  patch_send_extensions(packet, *this, transport_sequence, now);
  if (has_vp8) rtc::rewrite_vp8(packet.subspan(payload_offset), vp8, fields.picture_id, fields.tl0);
}

void patch_send_extensions(base::MutableBytes packet, const MediaPacket& layout,
                           std::uint16_t transport_sequence, base::SteadyTime now) {
  put16(packet, layout.transport_cc_offset, transport_sequence);
  const auto time = rtc::abs_send_time(now.us);
  packet[layout.abs_send_time_offset] = static_cast<std::uint8_t>(time >> 16);
  put16(packet, layout.abs_send_time_offset + 1u, static_cast<std::uint16_t>(time));
}

MediaPacket* PacketCache::slot(std::int64_t sequence) {
  auto& slot = (*slots_)[static_cast<std::size_t>(sequence) % kPackets];
  return slot.sequence > sequence ? nullptr : &slot;
}

MediaPacket* PacketCache::find(std::int64_t sequence) {
  if (sequence < 0) return nullptr;
  auto& slot = (*slots_)[static_cast<std::size_t>(sequence) % kPackets];
  return slot.sequence == sequence ? &slot : nullptr;
}

void PacketCache::clear() {
  for (auto& slot : *slots_) slot.sequence = -1;
}

}  // namespace sfu
