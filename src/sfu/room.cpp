#include "sfu/room.h"

#include <algorithm>

namespace sfu {
namespace {
constexpr auto kSpeakerStep = base::Duration::millis(100);
constexpr auto kSubscriberStep = base::Duration::millis(50);
}  // namespace

Room::~Room() {
  // Subscriber tracks point at published ones: they go first.
  for (auto& [id, peer] : peers_) peer->subscribe.reset();
  context_.counters.peers.subtract(peers_.size());
}

Room::Peer* Room::find(const PeerId& id) {
  const auto at = peers_.find(id);
  return at == peers_.end() ? nullptr : at->second.get();
}

void Room::add_peer(const PeerId& id, PeerPolicy policy) {
  if (find(id)) {
    set_policy(id, std::move(policy));
    return;
  }
  auto peer = std::make_unique<Peer>();
  peer->id = id;
  peer->policy = std::move(policy);
  peers_.emplace(id, std::move(peer));
  context_.counters.peers.add();
}

void Room::set_policy(const PeerId& id, PeerPolicy policy) {
  auto* peer = find(id);
  if (!peer) return;
  peer->policy = std::move(policy);
  if (peer->publish) peer->publish->set_policy(peer->policy);
  reconcile_all();
}

void Room::remove_peer(const PeerId& id) {
  auto* peer = find(id);
  if (!peer) return;
  peer->subscribe.reset();
  drop_publish(*peer);
  peers_.erase(id);
  context_.counters.peers.subtract();
  reconcile_all();
}

void Room::reset_peer(const PeerId& id) {
  auto* peer = find(id);
  if (!peer) return;
  peer->subscribe.reset();
  drop_publish(*peer);
  reconcile_all();
}

void Room::detach(const Track& track) {
  for (auto& [id, peer] : peers_) {
    if (peer->subscribe) peer->subscribe->remove_track(track);
  }
}

void Room::drop_publish(Peer& peer) {
  if (!peer.publish) return;
  for (const auto& t : peer.publish->tracks()) detach(*t);
  peer.publish.reset();
  peer.loudness.clear();
}

void Room::publish_offer(const PeerId& id, const std::string& sdp, const std::vector<PublishedTrack>& tracks,
                         const std::function<void(base::Result<std::string>)>& done) {
  auto* peer = find(id);
  if (!peer) return done(base::fail("not_found", "The peer is not in this media room."));
  const auto offer = rtc::parse_sdp(sdp);
  if (!offer) return done(base::fail(offer.error()));
  const auto keyed = std::find_if(offer->media.begin(), offer->media.end(), [](const auto& m) {
    return !m.fingerprint.empty() && !m.ice_ufrag.empty();
  });
  if (keyed == offer->media.end())
    return done(
        base::fail("sdp_invalid", "The offer has no m-line with ice-ufrag and a sha-256 fingerprint."));

  // Another certificate is another peer connection: the client made a new one.
  if (peer->publish && peer->publish->remote_fingerprint() != keyed->fingerprint) drop_publish(*peer);
  if (!peer->publish) peer->publish = std::make_unique<PublishConnection>(context_, id_, id);
  auto& publish = *peer->publish;

  std::vector<TrackId> gone;
  for (const auto& t : publish.tracks()) {
    const auto kept = std::any_of(tracks.begin(), tracks.end(),
                                  [&](const PublishedTrack& p) { return p.id == t->info.id; });
    if (!kept) gone.push_back(t->info.id);
  }
  for (const auto& track_id : gone) {
    detach(*publish.find_track(track_id));
    publish.remove_track(track_id);
    peer->loudness.erase(track_id);
  }
  done(publish.answer(*offer, tracks, peer->policy));
  start_subscribe_if_due(*peer);
  reconcile_all();
}

void Room::start_subscribe(const PeerId& id) {
  auto* peer = find(id);
  if (!peer) return;
  peer->subscribe_wanted = true;
  if (peer->subscribe) return peer->subscribe->offer_again();
  start_subscribe_if_due(*peer);
}

void Room::start_subscribe_if_due(Peer& peer) {
  if (peer.subscribe || !peer.subscribe_wanted || !peer.publish) return;
  peer.subscribe = std::make_unique<SubscribeConnection>(context_, id_, peer.id);
  reconcile(peer);
}

void Room::reconcile(Peer& peer) {
  if (!peer.subscribe) return;
  const auto& roles = peer.policy.subscribe_to_roles;
  for (auto& [id, other] : peers_) {
    if (other.get() == &peer || !other->publish) continue;
    const bool gets = std::find(roles.begin(), roles.end(), other->policy.role) != roles.end();
    for (const auto& t : other->publish->tracks()) {
      if (gets) {
        peer.subscribe->add_track(*t);
      } else {
        peer.subscribe->remove_track(*t);
      }
    }
  }
  peer.subscribe->offer_if_needed(now());
}

void Room::reconcile_all() {
  for (auto& [id, peer] : peers_) reconcile(*peer);
}

void Room::subscribe_answer(const PeerId& id, const std::string& sdp) {
  auto* peer = find(id);
  if (!peer || !peer->subscribe) return;
  if (const auto answer = rtc::parse_sdp(sdp)) peer->subscribe->answer(*answer, now());
}

void Room::restart_subscribe(const PeerId& id) {
  auto* peer = find(id);
  if (peer && peer->subscribe) peer->subscribe->request_ice_restart(now());
}

void Room::set_muted(const PeerId& id, const TrackId& track_id, bool muted) {
  auto* peer = find(id);
  if (!peer || !peer->publish) return;
  if (auto* track = peer->publish->find_track(track_id)) peer->publish->set_muted(*track, muted);
}

bool Room::prefer_video(const PeerId& subscriber, const TrackId& track_id, Layer layer) {
  auto* peer = find(subscriber);
  auto* track = peer && peer->subscribe ? peer->subscribe->find(track_id) : nullptr;
  if (!track || track->track().info.kind != MediaKind::kVideo) return false;
  track->set_wanted(layer, now());
  return true;
}

bool Room::prefer_audio(const PeerId& subscriber, const TrackId& track_id, bool subscribed) {
  auto* peer = find(subscriber);
  auto* track = peer && peer->subscribe ? peer->subscribe->find(track_id) : nullptr;
  if (!track || track->track().info.kind != MediaKind::kAudio) return false;
  track->set_audio_wanted(subscribed);
  return true;
}

void Room::send_api_message(const PeerId& id, const std::string& text) {
  auto* peer = find(id);
  if (peer && peer->subscribe) peer->subscribe->send_api_message(text);
}

void Room::report_failures(Peer& peer, base::SteadyTime at) {
  std::string reason;
  if (peer.publish && peer.publish->take_failure(reason)) {
    context_.events.on_connection_state(id_, peer.id, Target::kPublish, false, reason);
  }
  if (peer.subscribe && peer.subscribe->take_failure(reason)) {
    context_.events.on_connection_state(id_, peer.id, Target::kSubscribe, false, reason);
    // The client waits for us to act (100ms-client-protocol.md §4.8).
    if (reason == "consent") peer.subscribe->request_ice_restart(at);
  }
}

void Room::tick(base::SteadyTime at) {
  const bool subscribers_due = at >= next_subscribers_;
  if (subscribers_due) next_subscribers_ = at + kSubscriberStep;
  for (auto& [id, peer] : peers_) {
    report_failures(*peer, at);
    if (peer->publish) peer->publish->tick(at);
    if (!peer->subscribe) continue;
    if (subscribers_due) peer->subscribe->tick(at);
    peer->subscribe->send_padding(at);
  }
  if (at >= next_speakers_) {
    next_speakers_ = at + kSpeakerStep;
    detect_speakers(at);
  }
}

void Room::detect_speakers(base::SteadyTime at) {
  std::vector<Speaker> list;
  for (auto& [id, peer] : peers_) {
    if (!peer->publish) continue;
    for (const auto& t : peer->publish->tracks()) {
      if (t->info.kind != MediaKind::kAudio) continue;
      auto& loudness = peer->loudness[t->info.id];
      loudness.step(std::exchange(t->loudest, 0));
      if (t->open() && loudness.speaking()) list.push_back({id, t->info.id, loudness.level()});
    }
  }
  if (!list.empty()) {
    const auto loudest = std::max_element(
        list.begin(), list.end(), [](const Speaker& x, const Speaker& y) { return x.level < y.level; });
    for (auto& [id, peer] : peers_) {
      if (!peer->publish) continue;
      for (const auto& t : peer->publish->tracks()) t->speaking = id == loudest->peer;
    }
  }
  if (speakers_.update(list, at)) context_.events.on_active_speakers(id_, std::move(list));
}

}  // namespace sfu
