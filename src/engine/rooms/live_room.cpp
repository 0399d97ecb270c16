#include "engine/rooms/live_room.h"

#include <algorithm>

#include "engine/rooms/gate.h"
#include "engine/rooms/requests.h"
#include "telemetry/log.h"

namespace engine {

namespace {

// §4.9: the client has 60 s from the loss and needs up to 12 s to notice it.
constexpr base::Duration kGrace = base::Duration::seconds(75);
constexpr base::Duration kTabClosedGrace = base::Duration::seconds(5);
constexpr base::Duration kRefusedGrace = base::Duration::seconds(15);
// A reconnecting SDK sends its offer at once; without connections it sends none.
constexpr base::Duration kNodeNewsDelay = base::Duration::millis(1500);
constexpr base::Duration kRestartPause = base::Duration::seconds(2);
constexpr std::int64_t kSessionCapSeconds = 12 * 3600;  // 100ms-server-api.md §8.7
constexpr std::size_t kMaxSockets = 5000;

}  // namespace

LiveRoom::LiveRoom(std::string room_id, std::string workspace_id, RoomServices& services,
                   net::WorkerPool::SerialQueue queue)
    : room_id_(std::move(room_id)),
      workspace_id_(std::move(workspace_id)),
      services_(services),
      queue_(std::move(queue)) {}

bool LiveRoom::post(Task task) {
  return services_.gate.pass([&] {
    queue_.post([self = shared_from_this(), task = std::move(task)] {
      task(*self);
      self->update_idle();
    });
  });
}

void LiveRoom::update_idle() {
  idle_ = peers_.empty() && connections_.empty();
}

// Reads the room and its template: at every new socket, so that a changed template counts for whoever comes
// next.
Outcome<void> LiveRoom::load() {
  auto room = services_.store.room_by_id(workspace_id_, room_id_);
  if (!room) return refuse(503, "service unavailable");
  if (!*room) return refuse(401, "invalid room id: " + room_id_);
  auto found = services_.store.template_by_id(workspace_id_, (*room)->template_id);
  if (!found) return refuse(503, "service unavailable");
  if (!*found) return refuse(401, "template not found");
  room_ = std::move(**room);
  book_ = RoleBook(**found);
  return {};
}

void LiveRoom::attach(const ConnectionPtr& connection) {
  if (connections_.size() >= kMaxSockets) return connection->close(1013, "room is full");
  connections_.push_back(connection);
  if (Peer* known = peer_named(connection->peer_id()); known && known->joined) {
    const auto& token = connection->token();
    if (token.user_id != known->self.user_id || token.role != known->self.token_role) {
      return refuse_connection(connection, {403, std::string(kPeerIdInUse)});
    }
    if (!room_) {
      if (auto loaded = load(); !loaded) return refuse_connection(connection, loaded.error());
    }
    return admit_returning(connection, *known);
  }
  if (auto loaded = load(); !loaded) return refuse_connection(connection, loaded.error());
  if (auto allowed = may_join(connection->token()); !allowed)
    return refuse_connection(connection, allowed.error());
  connection->notify("on-policy-change", book_.policy_for(connection->token().role));
  send_room_state(&connection);
}

// §4.9: no join comes. Policy and peer list again; the media went on meanwhile.
void LiveRoom::admit_returning(const ConnectionPtr& connection, Peer& peer) {
  if (peer.connection) {
    peer.connection->state = Connection::State::kGone;
    peer.connection->close(1000, "replaced by a newer connection");
  }
  peer.connection = connection;
  peer.gone_at = base::SteadyTime{INT64_MAX};
  connection->state = Connection::State::kJoined;
  const bool role_exists = book_.find(peer.self.role) != nullptr;
  connection->notify("on-policy-change",
                     role_exists ? book_.policy_for(peer.self.role) : bare_policy(peer.self.role));
  if (peer.must_migrate) peer.tell_node_at = services_.clock.steady() + kNodeNewsDelay;
  send_room_view(peer);
  if (!peer.open_offer.empty()) {
    connection->notify("offer",
                       {{"type", "offer"}, {"sdp", peer.open_offer}, {"sfu_node_id", services_.node_id}});
  }
  telemetry::info("peer is back",
                  {{"room", room_id_}, {"peer", peer.self.peer_id}, {"migrates", peer.must_migrate}});
}

void LiveRoom::tell_new_node(Peer& peer) {
  peer.tell_node_at = base::SteadyTime{INT64_MAX};
  tell(peer, "node-info", {{"sfu_node_id", services_.node_id}});
}

// §8.1: the SDK shows a refusal only as the answer to `join`, and it sends `join` only after a policy.
void LiveRoom::refuse_connection(const ConnectionPtr& connection, const Refusal& refusal) {
  connection->state = Connection::State::kRefused;
  connection->refusal_code = refusal.code;
  connection->refusal = refusal.message;
  connection->close_at = services_.clock.steady() + kRefusedGrace;
  const auto& role = connection->token().role;
  connection->notify("on-policy-change", bare_policy(role.empty() ? "none" : role));
  telemetry::info("socket refused",
                  {{"room", room_id_}, {"peer", connection->peer_id()}, {"code", refusal.code}});
}

void LiveRoom::answer_refused(const ConnectionPtr& connection, const Frame& frame) {
  if (frame.method == "analytics" || frame.method == "leave") return;
  if (frame.method == "join") {
    refuse_join(connection, frame, {connection->refusal_code, connection->refusal});
  } else {
    connection->fail(frame.id, connection->refusal_code, connection->refusal);
  }
  if (frame.method != "join") {
    // A returning client sends no join; on-error is what ends its attempts (§4.9).
    connection->notify("on-error", {{"code", connection->refusal_code}, {"message", connection->refusal}});
  }
  connection->close_at = services_.clock.steady() + base::Duration::seconds(2);
}

void LiveRoom::lost_peer(const ConnectionPtr& connection, const Frame& frame) {
  connection->fail(frame.id, 410, "session lost");
  connection->notify("on-error", {{"code", 410}, {"message", "session lost"}});
  connection->state = Connection::State::kRefused;
  connection->refusal_code = 410;
  connection->refusal = "session lost";
  connection->close_at = services_.clock.steady() + base::Duration::seconds(2);
}

void LiveRoom::receive(const ConnectionPtr& connection, const std::string& text) {
  if (connection->state == Connection::State::kGone) return;
  auto frame = read_frame(text);
  if (!frame) return connection->close(1007, "a frame must be one JSON object");
  if (frame->method.empty()) return;
  if (frame->method == "ping") {
    const auto* stamp = json::find(frame->params, "timestamp");
    return connection->reply(
        frame->id,
        {{"timestamp", stamp && stamp->is_int64() ? stamp->get_int64() : services_.clock.wall().ms}});
  }
  switch (connection->state) {
    case Connection::State::kRefused:
      return answer_refused(connection, *frame);
    case Connection::State::kPreview:
    case Connection::State::kJoining:
      if (frame->method == "join") return join(connection, *frame);
      if (frame->method == "analytics" || frame->method == "leave" || frame->method == "trickle") return;
      if (frame->method == "offer" || frame->method == "track-update") return lost_peer(connection, *frame);
      return connection->fail(frame->id, 400, "join the room first");
    case Connection::State::kJoined:
      if (Peer* peer = peer_of(connection)) return Requests(*this, *peer).handle(*frame);
      return lost_peer(connection, *frame);
    case Connection::State::kGone:
      return;
  }
}

void LiveRoom::detach(const ConnectionPtr& connection, std::uint16_t close_code) {
  std::erase(connections_, connection);
  const bool joining = connection->state == Connection::State::kJoining;
  const bool joined = connection->state == Connection::State::kJoined;
  connection->state = Connection::State::kGone;
  Peer* peer = joined || joining ? peer_named(connection->peer_id()) : nullptr;
  if (!peer || peer->connection != connection) return;
  if (joining || close_code == 1000) return remove_peer(connection->peer_id(), "client request");
  peer->connection.reset();
  peer->gone_at = services_.clock.steady() + (close_code == 1001 ? kTabClosedGrace : kGrace);
  telemetry::info("socket lost",
                  {{"room", room_id_}, {"peer", connection->peer_id()}, {"close_code", close_code}});
}

void LiveRoom::restore(const Session& session, std::vector<LivePeer> peers) {
  session_ = session;
  // For the room's name in the events of those who do not come back; read again at the next socket if it
  // failed.
  (void)load();
  for (auto& stored : peers) {
    Peer peer;
    peer.self = std::move(stored);
    peer.joined = true;
    peer.must_migrate = true;
    peer.gone_at = services_.clock.steady() + kGrace;
    peers_[peer.self.peer_id] = std::move(peer);
  }
  if (auto values = services_.store.stored_values(room_id_)) {
    for (auto& v : *values) values_[v.name] = std::move(v);
  }
  telemetry::info("session restored",
                  {{"room", room_id_}, {"session", session.id}, {"peers", peers_.size()}});
}

void LiveRoom::remove_peer(const std::string& peer_id, std::string_view reason, std::string_view message) {
  const auto it = peers_.find(peer_id);
  if (it == peers_.end()) return;
  const Peer peer = std::move(it->second);
  peers_.erase(it);
  if (peer.connection) peer.connection->state = Connection::State::kGone;
  services_.media->remove_peer(media_room(), media_peer(peer_id));
  if (!peer.joined) return;
  const auto now = services_.clock.wall();
  if (auto left = services_.store.peer_left(
          peer.self, now,
          {event("peer.leave.success",
                 peer_left_facts(room_facts(), *session_, peer.self, now, reason, message))});
      !left) {
    telemetry::error("a leave was not stored",
                     {{"room", room_id_}, {"peer", peer_id}, {"code", left.error().code}});
  }
  services_.outbox_filled();
  telemetry::info("peer left", {{"room", room_id_}, {"peer", peer_id}, {"reason", reason}});
  tell_all("on-peer-leave", peer.info());
  if (joined_count() == 0) {
    close_session(now);
  } else {
    send_session_info();
  }
  send_room_state();
}

void LiveRoom::close_session(base::WallTime at) {
  if (!session_) return;
  if (auto closed = services_.store.close_session(
          room_id_, session_->id, at,
          {event("session.close.success", session_closed_facts(room_facts(), *session_, at))});
      !closed) {
    telemetry::error("a session's end was not stored",
                     {{"room", room_id_}, {"session", session_->id}, {"code", closed.error().code}});
  }
  services_.outbox_filled();
  telemetry::info("session closed", {{"room", room_id_}, {"session", session_->id}});
  session_.reset();
  values_.clear();
}

void LiveRoom::end_session(const EndOrder& order) {
  if (session_) {
    json::Object facts = session_facts(room_facts(), *session_);
    const Peer* by = find_peer(order.peer_id);
    facts["peer_id"] = order.peer_id;
    facts["user_id"] = by ? by->self.user_id : std::string();
    facts["user_name"] = by ? by->self.name : std::string();
    facts["role"] = by ? by->self.role : std::string();
    facts["lock_room"] = order.lock;
    facts["reason"] = order.reason;
    facts["source"] = order.peer_id.empty() ? "api" : "peer";
    if (auto stored = services_.store.add_events({event("room.end.success", std::move(facts))}); !stored) {
      telemetry::error("a room's end was not stored", {{"room", room_id_}, {"code", stored.error().code}});
    }
  }
  send_away(order.peer_id, order.reason);
}

void LiveRoom::end_overdue_session() {
  send_away({}, "max duration reached");
}

void LiveRoom::send_away(const std::string& requested_by, const std::string& reason) {
  std::vector<std::string> ids;
  for (auto& [peer_id, peer] : peers_) {
    if (peer_id != requested_by) kick(peer, requested_by, reason, true);
    ids.push_back(peer_id);
  }
  for (const auto& peer_id : ids) remove_peer(peer_id, "server removed peer", reason);
}

void LiveRoom::tick() {
  const auto now = services_.clock.steady();
  std::vector<std::string> gone;
  for (auto& [peer_id, peer] : peers_) {
    if (!peer.connection && peer.gone_at <= now) gone.push_back(peer_id);
    if (peer.connection && peer.must_migrate && peer.tell_node_at <= now) tell_new_node(peer);
  }
  for (const auto& peer_id : gone) remove_peer(peer_id, "websocket closed");
  for (const auto& connection : connections_) {
    if (connection->close_at > now) continue;
    connection->close_at = base::SteadyTime{INT64_MAX};
    connection->close(1000, "Normal Close");
  }
  if (!session_) return;
  if (!room_ && !load()) return;
  const auto cap = std::min(room_->max_duration_seconds.value_or(kSessionCapSeconds), kSessionCapSeconds);
  if (services_.clock.wall() - session_->created_at >= base::Duration::seconds(cap)) end_overdue_session();
}

void LiveRoom::media_offer(const std::string& peer_id, std::string sdp) {
  Peer* peer = peer_named(peer_id);
  if (!peer || !peer->joined) return;
  peer->open_offer = std::move(sdp);
  // No id: with one the SDK would ignore the offer (quirk 5).
  tell(*peer, "offer", {{"type", "offer"}, {"sdp", peer->open_offer}, {"sfu_node_id", services_.node_id}});
}

void LiveRoom::media_speakers(const std::vector<sfu::Speaker>& speakers) {
  for (const auto& [viewer_id, viewer] : peers_) {
    if (!viewer.connection || !viewer.joined) continue;
    json::Array list;
    for (const auto& speaker : speakers) {
      const Peer* publisher = peer_named(speaker.peer.str());
      if (!publisher || (publisher != &viewer && !sees_tracks(viewer, *publisher))) continue;
      list.push_back(json::Object{
          {"peer_id", speaker.peer.str()}, {"track_id", speaker.track.str()}, {"level", speaker.level}});
    }
    json::Object params;
    params["speaker-list"] = std::move(list);
    tell(viewer, "active-speakers", params);
  }
}

// A failed publish connection is restarted by the client; a failed subscribe connection makes no sound on the
// wire, so we act (§4.8).
void LiveRoom::media_state(const std::string& peer_id, sfu::Target target, bool connected) {
  Peer* peer = peer_named(peer_id);
  if (!peer || connected || target != sfu::Target::kSubscribe) return;
  const auto now = services_.clock.steady();
  if (now < peer->restart_allowed_at) return;
  peer->restart_allowed_at = now + kRestartPause;
  services_.media->restart_subscribe(media_room(), media_peer(peer_id));
}

Peer* LiveRoom::peer_of(const ConnectionPtr& connection) {
  Peer* peer = peer_named(connection->peer_id());
  return peer && peer->connection == connection ? peer : nullptr;
}

Peer* LiveRoom::peer_named(const std::string& peer_id) {
  const auto it = peers_.find(peer_id);
  return it == peers_.end() ? nullptr : &it->second;
}

const Peer* LiveRoom::find_peer(const std::string& peer_id) const {
  const auto it = peers_.find(peer_id);
  return it == peers_.end() || !it->second.joined ? nullptr : &it->second;
}

std::size_t LiveRoom::joined_count() const {
  return static_cast<std::size_t>(
      std::count_if(peers_.begin(), peers_.end(), [](const auto& p) { return p.second.joined; }));
}

std::optional<LiveRoom::Snapshot> LiveRoom::snapshot() const {
  if (!session_) return std::nullopt;
  Snapshot out{*session_, {}};
  for (const auto& [peer_id, peer] : peers_) {
    if (peer.joined) out.peers.push_back(&peer);
  }
  return out;
}

}  // namespace engine
