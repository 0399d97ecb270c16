// Who is told what (100ms-client-protocol.md §3.7, §3.8).
#include "engine/rooms/live_room.h"

namespace engine {

std::vector<Peer*> LiveRoom::others(const Peer& peer) {
  std::vector<Peer*> out;
  for (auto& [peer_id, other] : peers_) {
    if (&other != &peer && other.joined) out.push_back(&other);
  }
  return out;
}

// Tracks are named only to those whose role subscribes to the publisher's role: the media plane forwards to
// no one else.
bool LiveRoom::sees_tracks(const Peer& viewer, const Peer& publisher) const {
  const Role* role = role_of(viewer);
  return role && role->hears(publisher.self.role);
}

void LiveRoom::tell(const Peer& peer, std::string_view method, const json::Object& params) const {
  if (peer.connection && peer.joined) peer.connection->notify(method, params);
}

void LiveRoom::tell_all(std::string_view method, const json::Object& params, const Peer* except) {
  const std::string frame = notification_frame(method, params);
  for (auto& [peer_id, peer] : peers_) {
    if (&peer != except && peer.joined && peer.connection) peer.connection->send(frame);
  }
}

void LiveRoom::tell_tracks(Peer& viewer, std::string_view method, const Peer& publisher,
                           const std::map<std::string, Track>& tracks) {
  if (tracks.empty() || !sees_tracks(viewer, publisher)) return;
  json::Object described;
  for (const auto& [id, track] : tracks) described[id] = track.describe();
  json::Object params{{"peer", publisher.info()}};
  params["tracks"] = std::move(described);
  tell(viewer, method, params);
}

void LiveRoom::tell_track_watchers(Peer& publisher, std::string_view method,
                                   const std::map<std::string, Track>& tracks) {
  if (tracks.empty()) return;
  for (Peer* viewer : others(publisher)) tell_tracks(*viewer, method, publisher, tracks);
}

json::Object LiveRoom::room_document() const {
  json::Object out{{"name", room_ ? room_->name : std::string()}};
  out["session_id"] = session_ ? session_->id : std::string();
  out["started_at"] = session_ ? session_->created_at.ms : std::int64_t{0};
  const json::Object off{{"enabled", false}, {"state", "none"}};
  out["recording"] = json::Object{{"sfu", off}, {"browser", off}, {"hls", off}};
  out["streaming"] = json::Object{{"enabled", false},
                                  {"rtmp", off},
                                  {"hls", json::Object{{"enabled", false}, {"variants", json::Array()}}}};
  out["transcriptions"] = json::Array();
  return out;
}

json::Object LiveRoom::peer_list_for(const Peer& viewer) const {
  json::Object list;
  for (const auto& [peer_id, peer] : peers_) {
    if (&peer == &viewer || !peer.joined) continue;
    json::Object described = peer.presence();
    json::Object tracks;
    if (sees_tracks(viewer, peer)) {
      for (const auto& [id, track] : peer.tracks) tracks[id] = track.describe();
    }
    described["tracks"] = std::move(tracks);
    list[peer_id] = std::move(described);
  }
  return list;
}

// After join and after every reconnect (§3.8 rule 3).
void LiveRoom::send_room_view(Peer& peer) {
  json::Object params{{"room", room_document()}};
  params["peers"] = peer_list_for(peer);
  tell(peer, "peer-list", params);
  tell(peer, "room-info",
       {{"room_id", room_id_},
        {"name", room_ ? room_->name : std::string()},
        {"description", room_ ? room_->description : std::string()},
        {"max_size", room_ ? room_->size.value_or(0) : 0},
        {"large_room_optimization", false}});
  send_session_info(&peer);
}

// peer_count sticks in the client until the next one (quirk 11): sent at every change.
void LiveRoom::send_session_info(const Peer* only) {
  if (!session_) return;
  std::size_t tracks = 0;
  for (const auto& [peer_id, peer] : peers_) tracks += peer.joined ? peer.tracks.size() : 0;
  const json::Object params{{"session_id", session_->id},
                            {"room_id", room_id_},
                            {"peer_count", joined_count()},
                            {"track_count", tracks}};
  if (only) return tell(*only, "session-info", params);
  tell_all("session-info", params);
}

// For those who only preview (§4.11). Without sendPeerList they learn the count alone.
void LiveRoom::send_room_state(const ConnectionPtr* only) {
  if (!book_.state_enabled()) return;
  json::Object params{{"peer_count", joined_count()}};
  params["room"] = room_document();
  if (book_.state_has_peers()) {
    json::Object list;
    for (const auto& [peer_id, peer] : peers_) {
      if (peer.joined) list[peer_id] = peer.presence();
    }
    params["peers"] = std::move(list);
  }
  const std::string frame = notification_frame("room-state", params);
  if (only) return (*only)->send(frame);
  for (const auto& connection : connections_) {
    if (connection->state == Connection::State::kPreview) connection->send(frame);
  }
}

}  // namespace engine
