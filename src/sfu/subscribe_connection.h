// The connection a client receives on: we offer, it answers (100ms-client-protocol.md §4.4, §4.5). M-lines
// are appended: 0 is the data channel, then one per track; a removed track leaves its line inactive, and
// lines are used again once there are many. Worker thread only.
#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "sfu/bandwidth/allocator.h"
#include "sfu/bandwidth/bandwidth_estimator.h"
#include "sfu/connection.h"
#include "sfu/subscriber_track.h"

namespace sfu {

class SubscribeConnection final : public Connection {
 public:
  static constexpr base::Duration kAnswerTimeout = base::Duration::seconds(10);
  static constexpr std::size_t kReuseAbove = 50;

  SubscribeConnection(WorkerContext& context, RoomId room, PeerId peer);
  ~SubscribeConnection() override;

  void add_track(Track& track);
  void remove_track(const Track& track);
  SubscriberTrack* find(const TrackId& id) const;
  bool has(const Track& track) const;

  // Sends what has changed, unless an answer is outstanding.
  void offer_if_needed(base::SteadyTime now);
  void offer_again();  // the same text once more, when one is outstanding (the signalling link was replaced)
  // True when it belonged to the outstanding offer.
  bool answer(const rtc::SessionDescription& description, base::SteadyTime now);
  void request_ice_restart(base::SteadyTime now);

  void send_api_message(std::string_view text);
  void tick(base::SteadyTime now);
  // The padding of a probe, when one runs; every 10 ms.
  void send_padding(base::SteadyTime now);
  const BandwidthEstimator& bandwidth() const { return bandwidth_; }

  // For SubscriberTrack.
  std::uint16_t next_transport_sequence() { return transport_sequence_++; }
  // `plain` carries transport number `number`.
  bool send_rtp(base::Bytes plain, std::uint16_t number, base::SteadyTime now);
  // A packet that was sent before, byte for byte.
  bool send_again(base::Bytes plain);
  void tell_layer(const SubscriberTrack& track, Layer flowing, Layer wanted);
  void send_report(base::Bytes plain) { send_rtcp(plain); }
  // A share of the budget for retransmissions; false when a subscriber asks for more than any real loss
  // explains.
  bool take_retransmission(std::size_t bytes);
  // The same packet is not sent again while the last copy may be under way.
  base::Duration retransmit_interval() const;
  Counters& counters() { return context_.counters; }

 private:
  struct Line {
    rtc::SdpKind kind = rtc::SdpKind::kApplication;
    std::unique_ptr<SubscriberTrack> track;
    bool offered = false;  // its present state is in the outstanding offer
    bool agreed = false;   // … and was answered
  };

  void on_rtp(base::MutableBytes, base::SteadyTime) override {}
  void on_rtcp(base::MutableBytes packet, base::SteadyTime now) override;
  void on_channel_open(std::uint16_t stream, std::string_view label) override;
  void on_channel_message(std::uint16_t stream, base::Bytes message, bool is_text) override;
  void on_up() override;

  // Bandwidth (subscribe_bandwidth.cpp).
  void share_bandwidth(base::SteadyTime now);
  SubscriberTrack* padding_track() const;

  std::string build_offer();
  rtc::MediaSection describe_line(const Line& line, std::size_t index) const;
  std::uint32_t new_ssrc();
  SubscriberTrack* find_ssrc(std::uint32_t ssrc) const;

  RoomId room_;
  PeerId peer_;
  std::uint64_t session_id_;
  std::uint64_t version_ = 0;
  std::vector<Line> lines_;
  bool changed_ = true;
  std::optional<base::SteadyTime> outstanding_since_;
  std::size_t outstanding_lines_ = 0;
  std::string outstanding_text_;
  bool restart_wanted_ = false;

  std::optional<std::uint16_t> channel_;
  std::uint16_t transport_sequence_ = 0;
  BandwidthEstimator bandwidth_;
  std::vector<Demand> demands_;  // kept for its memory
  std::vector<SubscriberTrack*> demanders_;
  std::int64_t retransmit_budget_;
  base::SteadyTime budget_at_;
};

}  // namespace sfu
