// One track on its way to one subscriber: which layer flows, the rewriting, the answers to NACKs and the
// sender reports. Worker thread only; the packet path neither allocates nor locks.
#pragma once

#include <array>
#include <memory>
#include <string>

#include "rtc/rtcp/rtcp.h"
#include "sfu/bandwidth/allocator.h"
#include "sfu/published_track.h"
#include "sfu/stream_rewriter.h"

namespace sfu {

class SubscribeConnection;

class SubscriberTrack {
 public:
  // Registers with the track; the destructor takes it back.
  SubscriberTrack(SubscribeConnection& connection, Track& track, std::uint32_t ssrc, std::uint32_t rtx_ssrc,
                  std::uint16_t first_sequence);
  ~SubscriberTrack();
  SubscriberTrack(const SubscriberTrack&) = delete;
  SubscriberTrack& operator=(const SubscriberTrack&) = delete;

  Track& track() const { return track_; }
  std::uint32_t ssrc() const { return ssrc_; }
  std::uint32_t rtx_ssrc() const { return rtx_ssrc_; }

  // What the subscriber's answer accepted; nothing flows before.
  void set_accepted(bool opus, bool vp8, bool h264, bool rtx);
  void set_wanted(Layer layer, base::SteadyTime now);
  void set_audio_wanted(bool wanted);

  // The bandwidth's side of it: what there is to choose from (false: nothing wanted or nothing there), and
  // what was chosen. kNone pauses.
  static constexpr std::uint8_t kAllTemporal = 3;
  bool demand(Demand& out, base::SteadyTime now) const;
  void set_allowed(Layer layer, std::uint8_t temporal, base::SteadyTime now);
  std::int64_t audio_kbps(base::SteadyTime now) const;
  bool can_pad() const;
  bool send_padding(base::SteadyTime now);

  // From the publisher. `packet` is patched in place.
  void on_packet(MediaPacket& packet, ReceiveStream& stream, base::SteadyTime now);
  void on_skip(const ReceiveStream& stream, std::int64_t sequence);
  // The gate closed or opened: what comes next starts a new piece, video at a key frame.
  void interrupt();

  // From the subscriber.
  void on_nack(base::Bytes fci, base::SteadyTime now);
  void on_key_frame_request(base::SteadyTime now);

  // About every 50 ms: choice of layer, key-frame requests while one is awaited, sender reports.
  void tick(base::SteadyTime now);

 private:
  struct Sent {
    std::int64_t out = -1;
    std::int64_t in = 0;
    ReceiveStream* stream = nullptr;
    std::uint32_t generation = 0;
    std::uint32_t timestamp = 0;
    std::uint16_t picture_id = 0;
    std::uint8_t tl0 = 0;
    std::uint16_t transport_sequence = 0;
    base::SteadyTime sent_at;
    base::SteadyTime last_retransmit;
  };
  static constexpr std::size_t kSent = 512;

  bool accepts(rtc::Codec codec) const;
  bool accepted() const;
  bool wants() const;
  Layer goal() const { return std::min(wanted_, allowed_); }
  bool leave_out(const MediaPacket& packet);
  void tell_layer();
  void choose_target(base::SteadyTime now);
  void start_on(ReceiveStream& stream);
  void forward(MediaPacket& packet, ReceiveStream& stream, base::SteadyTime now);
  void retransmit(std::uint16_t sequence, base::SteadyTime now);
  void send_report(base::SteadyTime now);

  SubscribeConnection& connection_;
  Track& track_;
  const std::uint32_t ssrc_;
  const std::uint32_t rtx_ssrc_;
  bool opus_ = false, vp8_ = false, h264_ = false, rtx_ = false;
  bool ready_ = false;
  bool audio_wanted_ = true;
  Layer wanted_ = Layer::kNone;
  Layer allowed_ = Layer::kHigh;
  std::uint8_t temporal_goal_ = kAllTemporal;  // on the target layer
  std::uint8_t temporal_ = kAllTemporal;       // highest that flows now
  std::uint16_t last_picture_in_ = 0;
  Layer told_ = Layer::kNone;
  base::SteadyTime climbed_at_;
  base::Duration climb_pause_{};
  base::SteadyTime
      climb_after_;  // a layer that was left is not tried again at once: each switch costs a key frame

  ReceiveStream* current_ = nullptr;
  ReceiveStream* target_ = nullptr;
  std::uint32_t generation_ = 0;
  bool synced_ = false;
  StreamRewriter rewriter_;
  std::unique_ptr<std::array<Sent, kSent>> sent_;  // video only
  std::uint16_t rtx_sequence_ = 0;

  std::uint32_t packets_ = 0;
  std::uint32_t octets_ = 0;
  base::SteadyTime next_report_;
};

}  // namespace sfu
