// Names, groups, roles, removal: what a request of a peer and a call of the REST API share.
#include <algorithm>

#include "engine/rooms/live_room.h"
#include "telemetry/log.h"

namespace engine {

namespace {

constexpr base::Duration kKickGrace = base::Duration::seconds(5);
constexpr std::size_t kMaxGroups = 20;

}  // namespace

// To everybody, the peer itself included: its own raised hand comes from here alone (quirk 22).
void LiveRoom::announce_update(Peer& peer, const std::vector<WebhookEvent>& events) {
  if (auto stored = services_.store.peer_changed(peer.self, events); !stored) {
    telemetry::error("a peer's change was not stored",
                     {{"room", room_id_}, {"peer", peer.self.peer_id}, {"code", stored.error().code}});
  }
  if (!events.empty()) services_.outbox_filled();
  tell_all("on-peer-update", peer.presence());
}

Outcome<void> LiveRoom::rename(Peer& peer, const std::optional<std::string>& name,
                               const std::optional<std::string>& data) {
  if (data && data->size() > params::kMaxData) return refuse(400, "metadata is too long");
  if (name) peer.self.name = *name;
  if (data) peer.self.data = *data;
  if (name || data) announce_update(peer);
  return {};
}

Outcome<void> LiveRoom::set_group(Peer& peer, const std::string& group, bool member) {
  auto& groups = peer.self.groups;
  const auto it = std::find(groups.begin(), groups.end(), group);
  if (member == (it != groups.end())) return {};
  if (member && groups.size() >= kMaxGroups) return refuse(400, "too many groups");
  if (member) {
    groups.push_back(group);
  } else {
    groups.erase(it);
  }
  announce_update(peer);
  return {};
}

Outcome<void> LiveRoom::room_for_role(const std::string& name, const Peer* mover) const {
  const Role* role = book_.find(name);
  if (!role) return refuse(404, "role not found");
  if (role->max_peer_count == 0) return {};
  const auto count = std::count_if(peers_.begin(), peers_.end(), [&](const auto& p) {
    return &p.second != mover && p.second.self.role == name;
  });
  if (role->max_peer_count < 0 || count >= role->max_peer_count) return refuse(403, kRoleLimit);
  return {};
}

// §4.10. The policy goes first, the update second: in the other order the client keeps publishing (quirk 9).
Outcome<void> LiveRoom::change_role(Peer& peer, const std::string& name, const std::string& requested_by) {
  if (peer.self.role == name) return {};
  if (auto fits = room_for_role(name, &peer); !fits) return fits;
  const Role* role = book_.find(name);
  std::map<std::string, bool> saw, seen_by;
  for (Peer* other : others(peer)) {
    saw[other->self.peer_id] = sees_tracks(peer, *other);
    seen_by[other->self.peer_id] = sees_tracks(*other, peer);
  }
  // What the new role forbids is gone for the others at once, whether or not the client unpublishes it.
  std::map<std::string, Track> forbidden;
  for (const auto& [id, track] : peer.tracks) {
    if (!role->may_publish(track.info.type, track.info.source)) forbidden[id] = track;
  }
  tell_track_watchers(peer, "on-track-remove", forbidden);
  for (const auto& [id, track] : forbidden) peer.tracks.erase(id);

  const auto gone_tracks = [&](Peer& viewer, const Peer& publisher) {
    if (publisher.tracks.empty()) return;
    json::Object tracks;
    for (const auto& [id, track] : publisher.tracks) tracks[id] = track.describe();
    tell(viewer, "on-track-remove", {{"peer", publisher.info()}, {"tracks", std::move(tracks)}});
  };
  const std::string previous = std::exchange(peer.self.role, name);
  services_.media->set_policy(media_room(), media_peer(peer.self.peer_id), role->media_policy());
  tell(peer, "on-policy-change", book_.policy_for(name));
  announce_update(peer, {role_event(peer, previous, requested_by)});
  for (Peer* other : others(peer)) {
    const bool sees = sees_tracks(peer, *other), is_seen = sees_tracks(*other, peer);
    if (sees && !saw[other->self.peer_id]) tell_tracks(peer, "on-track-add", *other, other->tracks);
    if (!sees && saw[other->self.peer_id]) gone_tracks(peer, *other);
    if (is_seen && !seen_by[other->self.peer_id]) tell_tracks(*other, "on-track-add", peer, peer.tracks);
    if (!is_seen && seen_by[other->self.peer_id]) gone_tracks(*other, peer);
  }
  if (!forbidden.empty()) send_session_info();
  telemetry::info("role changed", {{"room", room_id_}, {"peer", peer.self.peer_id}, {"role", name}});
  return {};
}

// The client leaves by itself without a word (§3.7); its socket is closed when it does not.
void LiveRoom::kick(Peer& peer, const std::string& requested_by, const std::string& reason, bool room_end) {
  json::Object params{{"reason", reason}, {"room_end", room_end}};
  if (!requested_by.empty()) params["requested_by"] = requested_by;
  tell(peer, "on-peer-leave-request", params);
  if (peer.connection) peer.connection->close_at = services_.clock.steady() + kKickGrace;
}

Outcome<const Peer*> LiveRoom::update_peer(const std::string& peer_id, const std::optional<std::string>& name,
                                           const std::optional<std::string>& role,
                                           const std::optional<std::string>& metadata) {
  Peer* peer = peer_named(peer_id);
  if (!peer || !peer->joined) return refuse(404, "peer not found");
  if (role) {
    if (!book_.find(*role)) return refuse(400, "role is invalid");
    if (auto changed = change_role(*peer, *role, {}); !changed) return refuse(400, changed.error().message);
  }
  if (auto renamed = rename(*peer, name, metadata); !renamed)
    return refuse(renamed.error().code, renamed.error().message);
  return peer;
}

Outcome<void> LiveRoom::send_server_message(const std::string& message, const std::string& type,
                                            const std::string& peer_id, const std::string& role) {
  if (!session_) return refuse(404, "session not found");
  json::Object params{{"message_id", services_.random.uuid()},
                      {"timestamp", services_.clock.wall().ms},
                      {"private", !peer_id.empty()},
                      {"info", json::Object{{"message", message}, {"type", type}}}};
  if (!peer_id.empty()) {
    const Peer* peer = find_peer(peer_id);
    if (!peer) return refuse(404, "peer not found");
    tell(*peer, "on-broadcast", params);
    return {};
  }
  if (!role.empty()) params["roles"] = json::Array{json::Value(role)};
  for (const auto& [id, peer] : peers_) {
    if (role.empty() || peer.self.role == role) tell(peer, "on-broadcast", params);
  }
  return {};
}

Outcome<void> LiveRoom::remove_by_server(const std::string& peer_id, const std::string& role,
                                         const std::string& reason) {
  if (!session_) return refuse(404, "session not found");
  std::vector<std::string> ids;
  for (auto& [id, peer] : peers_) {
    if (peer.joined && (peer_id.empty() ? peer.self.role == role : id == peer_id)) ids.push_back(id);
  }
  if (ids.empty() && !peer_id.empty()) return refuse(404, "peer not found");
  for (const auto& id : ids) {
    kick(peers_.at(id), {}, reason, false);
    remove_peer(id, "peer kicked", reason);
  }
  return {};
}

}  // namespace engine
