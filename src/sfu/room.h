// One media room on a worker: its peers, who gets which track, active speakers. Worker thread only. Calls for
// an unknown peer do nothing (publish_offer answers "not_found").
#pragma once

#include <functional>
#include <map>
#include <memory>

#include "sfu/publish_connection.h"
#include "sfu/speaker_detector.h"
#include "sfu/subscribe_connection.h"

namespace sfu {

class Room {
 public:
  Room(WorkerContext& context, RoomId id) : context_(context), id_(std::move(id)) {}
  ~Room();

  bool empty() const { return peers_.empty(); }
  std::size_t size() const { return peers_.size(); }

  void add_peer(const PeerId& id, PeerPolicy policy);
  void set_policy(const PeerId& id, PeerPolicy policy);
  void remove_peer(const PeerId& id);
  void reset_peer(const PeerId& id);
  void publish_offer(const PeerId& id, const std::string& sdp, const std::vector<PublishedTrack>& tracks,
                     const std::function<void(base::Result<std::string>)>& done);
  void start_subscribe(const PeerId& id);
  void subscribe_answer(const PeerId& id, const std::string& sdp);
  void restart_subscribe(const PeerId& id);
  void set_muted(const PeerId& id, const TrackId& track, bool muted);
  bool prefer_video(const PeerId& subscriber, const TrackId& track, Layer layer);
  bool prefer_audio(const PeerId& subscriber, const TrackId& track, bool subscribed);
  void send_api_message(const PeerId& id, const std::string& text);

  void tick(base::SteadyTime now);

 private:
  struct Peer {
    PeerId id;
    PeerPolicy policy;
    std::unique_ptr<PublishConnection> publish;
    std::unique_ptr<SubscribeConnection> subscribe;
    bool subscribe_wanted = false;
    std::map<TrackId, Loudness> loudness;
  };

  Peer* find(const PeerId& id);
  void detach(const Track& track);
  void drop_publish(Peer& peer);
  void start_subscribe_if_due(Peer& peer);
  // Makes the peer's subscribed tracks what the policies say, and offers.
  void reconcile(Peer& peer);
  void reconcile_all();
  void report_failures(Peer& peer, base::SteadyTime now);
  void detect_speakers(base::SteadyTime now);
  base::SteadyTime now() const { return context_.clock.steady(); }

  WorkerContext& context_;
  RoomId id_;
  std::map<PeerId, std::unique_ptr<Peer>> peers_;
  SpeakerReporter speakers_;
  base::SteadyTime next_speakers_;
  base::SteadyTime next_subscribers_;
};

}  // namespace sfu
