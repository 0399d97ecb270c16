// Joining and publishing: join, offer, track-update (100ms-client-protocol.md §3.5, §4.2, §4.7, §5).
#include <algorithm>

#include "engine/rooms/live_room.h"
#include "telemetry/log.h"

namespace engine {

namespace {

constexpr std::size_t kDefaultRoomSize = 2500, kLargeRoomSize = 20000;

std::vector<sfu::PublishedTrack> to_media(const std::map<std::string, Track>& tracks) {
  std::vector<sfu::PublishedTrack> out;
  for (const auto& [id, track] : tracks) {
    sfu::PublishedTrack published;
    published.id = sfu::TrackId(id);
    published.stream_id = track.info.stream_id;
    published.kind = track.info.type == "audio" ? sfu::MediaKind::kAudio : sfu::MediaKind::kVideo;
    published.source = track.info.source;
    published.muted = track.info.mute;
    out.push_back(std::move(published));
  }
  return out;
}

}  // namespace

Outcome<void> LiveRoom::may_join(const VerifiedToken& token) {
  if (!room_->enabled) return refuse(403, "room is not active");
  const Role* role = book_.find(token.role);
  if (!role) return refuse(401, kRoleInvalid);
  std::size_t size = room_->large_room ? kLargeRoomSize : kDefaultRoomSize;
  if (room_->size.value_or(0) > 0) size = static_cast<std::size_t>(*room_->size);
  if (peers_.size() >= size) return refuse(403, "room is full");
  return room_for_role(token.role, nullptr);
}

Outcome<void> LiveRoom::open_session() {
  if (session_) return {};
  Session session;
  session.id = services_.ids.next();
  session.workspace_id = workspace_id_;
  session.room_id = room_id_;
  session.created_at = session.updated_at = services_.clock.wall();
  session_ = std::move(session);
  const auto opened = event("session.open.success", session_facts(room_facts(), *session_));
  if (auto stored = services_.store.insert_session(*session_, {opened}); !stored) {
    session_.reset();
    return refuse(503, "service unavailable");
  }
  services_.outbox_filled();
  telemetry::info("session opened", {{"room", room_id_}, {"session", session_->id}});
  return {};
}

void LiveRoom::join(const ConnectionPtr& connection, const Frame& frame) {
  if (connection->state != Connection::State::kPreview)
    return connection->fail(frame.id, 400, "already joining");
  auto read = json::read<params::Join>(frame.params);
  const bool data_is_text = !read.value.data || read.value.data->is_string();
  if (!read.ok() || !data_is_text) return connection->fail(frame.id, 400, "join params are invalid");
  std::string data = read.value.data ? std::string(read.value.data->as_string()) : std::string();
  if (data.size() > params::kMaxData) return connection->fail(frame.id, 400, "metadata is too long");
  const std::string sdp = params::sdp_in(frame.params, "offer");
  if (json::object_at(frame.params, "offer") && sdp.empty())
    return connection->fail(frame.id, 400, "offer has no sdp");
  if (auto loaded = load(); !loaded)
    return connection->fail(frame.id, loaded.error().code, loaded.error().message);
  if (auto known = peers_.find(connection->peer_id()); known != peers_.end()) {
    // The same client joins anew on another socket: the newest one counts.
    if (known->second.self.user_id != connection->token().user_id)
      return refuse_join(connection, frame, {403, std::string(kPeerIdInUse)});
    if (known->second.connection) known->second.connection->close(1000, "replaced by a newer connection");
    remove_peer(connection->peer_id(), "client request");
  }
  if (auto allowed = may_join(connection->token()); !allowed)
    return refuse_join(connection, frame, allowed.error());

  Peer peer;
  peer.self = newcomer(connection, read.value.name, std::move(data));
  peer.connection = connection;
  const Role* role = book_.find(peer.self.role);
  services_.media->add_peer(media_room(), media_peer(peer.self.peer_id), role->media_policy());
  peers_[peer.self.peer_id] = std::move(peer);
  connection->state = Connection::State::kJoining;
  if (sdp.empty()) return finish_join(connection, frame.id, std::string(), false);
  services_.media->publish_offer(
      media_room(), media_peer(connection->peer_id()), sdp, {},
      [self = shared_from_this(), connection, id = frame.id](base::Result<std::string> answer) {
        self->post([connection, id, answer = std::move(answer)](LiveRoom& room) {
          room.finish_join(connection, id, answer, true);
        });
      });
}

void LiveRoom::finish_join(const ConnectionPtr& connection, const json::Value& id,
                           const base::Result<std::string>& answer, bool with_sdp) {
  Peer* peer = peer_of(connection);
  if (!peer || connection->state != Connection::State::kJoining) return;
  auto give_up = [&](const Refusal& why) {
    connection->fail(id, why.code, why.message);
    remove_peer(connection->peer_id(), "join failed");
    connection->state = Connection::State::kPreview;
  };
  if (!answer) return give_up({400, "the offer is not a valid session description"});
  if (auto opened = open_session(); !opened) return give_up(opened.error());
  peer->self.session_id = session_->id;
  if (auto stored = services_.store.peer_joined(
          peer->self, {event("peer.join.success", peer_facts(room_facts(), *session_, peer->self))});
      !stored) {
    telemetry::error("a join was not stored", {{"room", room_id_}, {"code", stored.error().code}});
    if (joined_count() == 0) close_session(services_.clock.wall());
    return give_up({503, "service unavailable"});
  }
  services_.outbox_filled();
  peer->joined = true;
  connection->state = Connection::State::kJoined;
  json::Object result;
  if (with_sdp) result = {{"type", "answer"}, {"sdp", *answer}};
  result["sfu_node_id"] = services_.node_id;
  connection->reply(id, std::move(result));
  send_room_view(*peer);
  services_.media->start_subscribe(media_room(), media_peer(peer->self.peer_id));
  json::Object presence = peer->presence();
  presence["tracks"] = json::Object();
  tell_all("on-peer-join", presence, peer);
  send_session_info();
  send_room_state();
  services_.metrics.counter("engine_joins_total", "Peers that joined a room").add();
  telemetry::info("peer joined", {{"room", room_id_},
                                  {"session", session_->id},
                                  {"peer", peer->self.peer_id},
                                  {"role", peer->self.role}});
}

void LiveRoom::offer(Peer& peer, const Frame& frame) {
  const ConnectionPtr connection = peer.connection;
  auto read = json::read<params::Offer>(frame.params);
  const std::string sdp = params::sdp_in(frame.params, "desc");
  if (!read.ok() || sdp.empty()) return connection->fail(frame.id, 400, "offer params are invalid");
  const auto& node = read.value.sfu_node_id;
  if (node ? *node != services_.node_id : peer.must_migrate) {
    connection->fail(frame.id, 421, "another media node is in charge");
    if (peer.must_migrate) tell_new_node(peer);
    return;
  }
  const Role* role = role_of(peer);
  std::map<std::string, Track> tracks;
  for (const auto& [key, value] : read.value.tracks) {
    if (!value.is_object()) return connection->fail(frame.id, 400, "tracks must hold objects");
    auto track = json::read<params::Track>(value.as_object());
    if (!track.ok() || track.value.track_id != std::string_view(key))
      return connection->fail(frame.id, 400, "a track is invalid");
    // What the role forbids is not announced; the media plane answers its m-line inactive.
    if (!role || !role->may_publish(track.value.type, track.value.source)) continue;
    const auto known = peer.tracks.find(track.value.track_id);
    const auto since = known == peer.tracks.end() ? services_.clock.wall() : known->second.started_at;
    tracks.emplace(std::string(key), Track{std::move(track.value), since});
  }
  if (peer.must_migrate) {
    services_.media->add_peer(media_room(), media_peer(peer.self.peer_id),
                              role ? role->media_policy() : sfu::PeerPolicy());
  }
  auto media_tracks = to_media(tracks);
  services_.media->publish_offer(
      media_room(), media_peer(peer.self.peer_id), sdp, std::move(media_tracks),
      [self = shared_from_this(), connection, id = frame.id,
       tracks = std::move(tracks)](base::Result<std::string> answer) {
        self->post([connection, id, answer = std::move(answer), tracks](LiveRoom& room) {
          room.finish_offer(connection, id, answer, tracks);
        });
      });
}

void LiveRoom::finish_offer(const ConnectionPtr& connection, const json::Value& id,
                            const base::Result<std::string>& answer, std::map<std::string, Track> tracks) {
  if (!answer) return connection->fail(id, 400, "the offer is not a valid session description");
  connection->reply(id, {{"type", "answer"}, {"sdp", *answer}});
  Peer* peer = peer_named(connection->peer_id());
  if (!peer || !peer->joined) return;
  if (peer->must_migrate) {
    peer->must_migrate = false;
    services_.media->start_subscribe(media_room(), media_peer(peer->self.peer_id));
    // §4.9: the client has forgotten what it knew of the others' tracks.
    for (Peer* publisher : others(*peer)) tell_tracks(*peer, "on-track-add", *publisher, publisher->tracks);
    telemetry::info("peer migrated",
                    {{"room", room_id_}, {"peer", peer->self.peer_id}, {"node", services_.node_id}});
  }
  // A role change may have come between the offer and its answer.
  const Role* role = role_of(*peer);
  std::erase_if(tracks, [&](const auto& t) {
    return !role || !role->may_publish(t.second.info.type, t.second.info.source);
  });
  adopt_tracks(*peer, std::move(tracks));
}

// `tracks` is the complete set; the difference to what was known is what the others hear.
void LiveRoom::adopt_tracks(Peer& peer, std::map<std::string, Track> tracks) {
  std::map<std::string, Track> added, removed, changed;
  for (const auto& [id, track] : tracks) {
    const auto known = peer.tracks.find(id);
    if (known == peer.tracks.end()) {
      added[id] = track;
    } else if (known->second.info.mute != track.info.mute) {
      changed[id] = track;
    }
  }
  for (const auto& [id, track] : peer.tracks) {
    if (!tracks.contains(id)) removed[id] = track;
  }
  peer.tracks = std::move(tracks);
  tell_track_watchers(peer, "on-track-remove", removed);
  tell_track_watchers(peer, "on-track-add", added);
  tell_track_watchers(peer, "on-track-update", changed);
  if (!added.empty() || !removed.empty()) send_session_info();
}

void LiveRoom::track_update(Peer& peer, const json::Object& given) {
  auto read = json::read<params::TrackUpdate>(given);
  if (!read.ok()) return;
  std::map<std::string, Track> changed;
  for (const auto& [key, value] : read.value.tracks) {
    const auto known = peer.tracks.find(std::string(key));
    if (known == peer.tracks.end() || !value.is_object()) continue;
    const auto* mute = json::find(value.as_object(), "mute");
    if (!mute || !mute->is_bool()) continue;
    // The media plane is told even when we know no difference: it must never forward a muted track.
    services_.media->set_muted(media_room(), media_peer(peer.self.peer_id), sfu::TrackId(known->first),
                               mute->get_bool());
    if (known->second.info.mute == mute->get_bool()) continue;
    known->second.info.mute = mute->get_bool();
    changed[known->first] = known->second;
  }
  tell_track_watchers(peer, "on-track-update", changed);
}

}  // namespace engine
