// The connection a client publishes on: it offers, we answer. Receives RTP, keeps its statistics, asks for
// what is missing and hands packets to the subscribers of each track. Worker thread only; the packet path
// neither allocates nor locks.
#pragma once

#include <memory>
#include <vector>

#include "rtc/rtcp/transport_cc.h"
#include "sfu/connection.h"
#include "sfu/published_track.h"

namespace sfu {

class PublishConnection final : public Connection {
 public:
  PublishConnection(WorkerContext& context, RoomId room, PeerId peer);
  ~PublishConnection() override;

  // Answers an offer whose tracks are `tracks`: binds m-lines to tracks, creates the missing ones. Tracks no
  // longer named must have been removed with remove_track(). A repeated offer gives the same answer; new ICE
  // credentials in it are answered with new ones.
  std::string answer(const rtc::SessionDescription& offer, const std::vector<PublishedTrack>& tracks,
                     const PeerPolicy& policy);
  void set_policy(const PeerPolicy& policy);

  const std::vector<std::unique_ptr<Track>>& tracks() const { return tracks_; }
  Track* find_track(const TrackId& id) const;
  // Its subscribers must be gone.
  void remove_track(const TrackId& id);
  void set_muted(Track& track, bool muted);

  void request_key_frame(ReceiveStream& stream, base::SteadyTime now);
  void tick(base::SteadyTime now);
  const PeerId& peer() const { return peer_; }
  const RoomId& room() const { return room_; }

 private:
  // An m-line of the last offer.
  struct Section {
    std::string mid;
    MediaKind kind = MediaKind::kAudio;
    TrackId track_id;
    Track* track = nullptr;
    std::vector<rtc::NegotiatedCodec> codecs;
  };
  struct Binding {
    std::uint32_t ssrc = 0;
    Track* track = nullptr;
    ReceiveStream* stream = nullptr;
    bool rtx = false;
  };

  void on_rtp(base::MutableBytes packet, base::SteadyTime now) override;
  void on_rtcp(base::MutableBytes packet, base::SteadyTime now) override;
  void on_channel_open(std::uint16_t, std::string_view) override {}
  void on_channel_message(std::uint16_t, base::Bytes, bool) override {}
  void on_up() override;

  const Binding* find_binding(std::uint32_t ssrc) const;
  const Binding* discover(const rtc::RtpView& view);
  const Binding* bind(Track& track, ReceiveStream& stream, std::uint32_t ssrc, bool rtx);
  void forward(Track& track, ReceiveStream& stream, const rtc::RtpView& view, std::int64_t sequence,
               rtc::Codec codec, base::SteadyTime now);
  void send_pli(const ReceiveStream& stream);
  void send_nacks(base::SteadyTime now);
  void send_transport_feedback();
  void send_reports(base::SteadyTime now);

  // Negotiation (publish_negotiation.cpp).
  void match_tracks(const rtc::SessionDescription& offer, const std::vector<PublishedTrack>& tracks,
                    std::vector<const PublishedTrack*>& out) const;
  rtc::MediaSection answer_section(const rtc::MediaSection& offered, const PublishedTrack* info,
                                   const PeerPolicy& policy);
  void bind_section(const rtc::MediaSection& offered, const rtc::MediaSection& answered,
                    const PublishedTrack& info, const PeerPolicy& policy);
  void learn_extensions(const rtc::MediaSection& answered);

  RoomId room_;
  PeerId peer_;
  std::uint64_t session_id_;
  std::uint64_t version_ = 0;
  std::vector<Section> sections_;
  std::vector<std::unique_ptr<Track>> tracks_;
  std::vector<Binding> bindings_;
  PublisherExtensions extensions_;
  rtc::TransportCcRecorder arrivals_;
  std::uint32_t feedback_media_ssrc_ = 0;
  base::SteadyTime next_feedback_;
  base::SteadyTime next_report_;
};

// Whether the role may publish it: screen tracks by publish_screen whatever their kind, everything else by
// kind.
bool may_publish(const PeerPolicy& policy, MediaKind kind, const std::string& source);

}  // namespace sfu
