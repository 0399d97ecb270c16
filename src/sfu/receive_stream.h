// One received RTP stream (one SSRC: an audio track, a video track or one simulcast layer): statistics for
// receiver reports (RFC 3550 §6.4.1, §A.3, §A.8), loss detection, the packet cache and the last sender
// report.
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "rtc/rtcp/rtcp.h"
#include "rtc/rtp/packet.h"
#include "rtc/rtp/sequence.h"
#include "sfu/bandwidth/rate_meter.h"
#include "sfu/key_frame_requester.h"
#include "sfu/media_packet.h"
#include "sfu/nack_generator.h"
#include "sfu/sfu.h"

namespace sfu {

class ReceiveStream {
 public:
  ReceiveStream(MediaKind kind, Layer layer) : kind_(kind), layer_(layer) {}

  // A new SSRC for the same layer (RFC 8852: the rid stays): all state starts anew and generation() changes.
  void bind(std::uint32_t ssrc);
  void bind_rtx(std::uint32_t ssrc) { rtx_ssrc_ = ssrc; }

  // The extended sequence number; nullopt for a duplicate or a packet too old to matter.
  std::optional<std::int64_t> on_packet(const rtc::RtpView& view, bool retransmitted, base::SteadyTime now);
  void on_sender_report(const rtc::SenderInfo& info, base::SteadyTime now);
  rtc::ReportBlock report(base::SteadyTime now);

  std::uint32_t ssrc() const { return ssrc_; }
  std::uint32_t rtx_ssrc() const { return rtx_ssrc_; }
  bool bound() const { return bound_; }
  Layer layer() const { return layer_; }
  MediaKind kind() const { return kind_; }
  std::uint32_t clock_rate() const { return kind_ == MediaKind::kAudio ? 48000 : 90000; }
  std::uint32_t generation() const { return generation_; }
  std::int64_t newest() const { return sequences_.last(); }
  bool started() const { return sequences_.started(); }
  bool live(base::SteadyTime now, base::Duration within) const {
    return started() && now - last_packet_ <= within;
  }
  bool take_need_key_frame() { return std::exchange(need_key_frame_, false); }

  // What it costs to forward the temporal layers up to `temporal` (all of them: 3), measured over two
  // seconds.
  static constexpr std::uint8_t kTemporalLayers = 4;
  static constexpr std::size_t kWireOverhead = 44;  // IPv4, UDP, the tag of SRTP
  void on_media(const MediaPacket& packet, base::SteadyTime now) {
    rates_[packet.has_vp8 && packet.vp8.has_temporal_id ? packet.vp8.temporal_id : 0].add(
        now.us, packet.size + kWireOverhead);
  }
  std::int64_t kbps(std::uint8_t temporal, base::SteadyTime now) {
    std::int64_t sum = 0;
    for (std::uint8_t t = 0; t <= temporal && t < kTemporalLayers; ++t) sum += rates_[t].kbps(now.us);
    return sum;
  }

  NackGenerator& nack() { return nack_; }
  KeyFrameRequester& key_frames() { return key_frames_; }
  PacketCache& cache() {
    if (!cache_) cache_.emplace();
    return *cache_;
  }

  // out - in of `other`'s timestamps that lines them up with ours, when both have sender reports.
  std::optional<std::uint32_t> align(const ReceiveStream& other, std::uint32_t our_offset) const;
  // The publisher's NTP time and our RTP timestamp of the instant `now`.
  struct Instant {
    rtc::NtpTime ntp = 0;
    std::uint32_t timestamp = 0;
  };
  std::optional<Instant> instant(base::SteadyTime now) const;

 private:
  MediaKind kind_;
  Layer layer_;
  bool bound_ = false;
  std::uint32_t ssrc_ = 0;
  std::uint32_t rtx_ssrc_ = 0;
  std::uint32_t generation_ = 0;

  rtc::Unwrapper<std::uint16_t> sequences_;
  std::array<std::uint64_t, 16> seen_{};  // a bit per recent number, to drop duplicates
  std::int64_t base_sequence_ = 0;
  std::int64_t received_ = 0;
  std::int64_t expected_prior_ = 0;
  std::int64_t received_prior_ = 0;
  std::int64_t transit_ = 0;
  std::int64_t jitter_q4_ = 0;
  base::SteadyTime last_packet_;
  bool need_key_frame_ = false;

  std::optional<rtc::SenderInfo> sender_;
  base::SteadyTime sender_at_;

  std::array<RateMeter<20, 100'000>, kTemporalLayers> rates_;
  NackGenerator nack_;
  KeyFrameRequester key_frames_;
  std::optional<PacketCache> cache_;
};

}  // namespace sfu
