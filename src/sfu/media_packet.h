// A packet as it is sent on: laid out once per received packet with our extension ids, then only patched per
// subscriber. Kept in the stream's cache for retransmission.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"
#include "base/clock.h"
#include "rtc/rtp/packet.h"
#include "rtc/rtp/payload.h"
#include "rtc/sdp/codecs.h"
#include "sfu/stream_rewriter.h"

namespace sfu {

// Extension ids of the publisher; 0 = not negotiated.
struct PublisherExtensions {
  std::uint8_t audio_level = 0, transport_cc = 0, mid = 0, rid = 0, repaired_rid = 0;
  std::uint8_t time_offset = 0, video_orientation = 0, playout_delay = 0;
};

struct MediaPacket {
  // Leaves room for two bytes of RTX and for SRTP within a datagram of 1500 bytes.
  static constexpr std::size_t kCapacity = 1472;

  std::int64_t sequence = -1;  // extended, of the publisher; -1 = empty
  std::uint32_t timestamp = 0;
  rtc::Codec codec = rtc::Codec::kNone;
  bool starts_key_frame = false;
  bool has_vp8 = false;
  rtc::Vp8Descriptor vp8;
  std::uint16_t size = 0;
  std::uint8_t payload_offset = 0;
  std::uint8_t transport_cc_offset = 0;
  std::uint8_t abs_send_time_offset = 0;
  std::array<std::uint8_t, kCapacity> bytes;

  // False when the packet does not fit.
  bool assign(const rtc::RtpView& view, std::int64_t extended_sequence, rtc::Codec packet_codec,
              const PublisherExtensions& ids);
  // Everything that differs between subscribers; absolute values, so the order of subscribers does not
  // matter: the same arguments give the same bytes.
  void patch(std::uint32_t ssrc, std::uint8_t payload_type, const RewrittenFields& fields,
             std::uint16_t transport_sequence, base::SteadyTime now);
  base::Bytes view() const { return base::Bytes(bytes).first(size); }
};

// Sets the transport-wide number and the sending time in any packet that carries the layout of
// MediaPacket::assign().
void patch_send_extensions(base::MutableBytes packet, const MediaPacket& layout,
                           std::uint16_t transport_sequence, base::SteadyTime now);

// The last kPackets packets of a stream by sequence number.
class PacketCache {
 public:
  static constexpr std::size_t kPackets = 256;  // about a second at 2.5 Mbit/s

  PacketCache() : slots_(std::make_unique<std::array<MediaPacket, kPackets>>()) {}
  // The slot for `sequence`; null when a newer packet holds it.
  MediaPacket* slot(std::int64_t sequence);
  MediaPacket* find(std::int64_t sequence);
  void clear();

 private:
  std::unique_ptr<std::array<MediaPacket, kPackets>> slots_;
};

}  // namespace sfu
