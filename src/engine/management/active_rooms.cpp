// Active rooms and sessions (100ms-server-api.md §5, §6.1).
#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/bodies.h"
#include "telemetry/log.h"

namespace engine {

namespace {

json::Object peer_document(const Peer& peer, bool with_tracks) {
  json::Object out{{"id", peer.self.peer_id},      {"name", peer.self.name},
                   {"user_id", peer.self.user_id}, {"metadata", peer.self.data},
                   {"role", peer.self.role},       {"joined_at", base::format_rfc3339(peer.self.joined_at)}};
  if (!with_tracks) return out;
  json::Object tracks;
  for (const auto& [id, track] : peer.tracks) {
    tracks[id] = json::Object{{"id", id},
                              {"stream_id", track.info.stream_id},
                              {"mute", track.info.mute},
                              {"type", track.info.type},
                              {"source", track.info.source},
                              {"started_at", base::format_rfc3339(track.started_at)},
                              {"description", track.info.description}};
  }
  out["tracks"] = std::move(tracks);
  return out;
}

json::Object session_document(const Session& s, const Workspace& w) {
  json::Object peers;
  for (const auto& p : s.peers) {
    json::Object peer{{"id", p.peer_id},      {"session_id", s.id},
                      {"name", p.name},       {"role", p.role},
                      {"user_id", p.user_id}, {"joined_at", base::format_rfc3339(p.joined_at)}};
    if (p.left_at) peer["left_at"] = base::format_rfc3339(*p.left_at);
    peers[p.peer_id] = std::move(peer);
  }
  json::Object out{{"id", s.id},
                   {"room_id", s.room_id},
                   {"customer_id", w.customer_id},
                   {"app_id", w.app_id},
                   {"active", !s.closed_at.has_value()}};
  out["peers"] = std::move(peers);
  out["created_at"] = base::format_rfc3339(s.created_at);
  out["updated_at"] = base::format_rfc3339(s.updated_at);
  return out;
}

http::Response no_session() {
  return error_answer(404, "session not found");
}

http::Response refused(const Refusal& refusal) {
  return error_answer(refusal.code, refusal.message);
}

}  // namespace

http::Response ManagementApi::active_room(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto session = services_.live.ask(w.id, room->id, [](LiveRoom& live) -> std::optional<json::Object> {
    const auto snapshot = live.snapshot();
    if (!snapshot || snapshot->peers.empty()) return std::nullopt;
    json::Array ids;
    for (const Peer* peer : snapshot->peers) ids.emplace_back(peer->self.peer_id);
    return json::Object{{"id", snapshot->session.id},
                        {"created_at", base::format_rfc3339(snapshot->session.created_at)},
                        {"peers", std::move(ids)}};
  });
  if (!session || !*session) return no_session();
  json::Object out{{"id", room->id}, {"name", room->name}, {"customer_id", w.customer_id}};
  out["session"] = std::move(**session);
  return ok(out);
}

http::Response ManagementApi::active_peers(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  const std::string user(request.query_value("user_id").value_or("")),
      role(request.query_value("role").value_or(""));
  auto peers =
      services_.live.ask(w.id, room->id, [user, role](LiveRoom& live) -> std::optional<json::Object> {
        const auto snapshot = live.snapshot();
        if (!snapshot) return std::nullopt;
        json::Object found;
        for (const Peer* peer : snapshot->peers) {
          if ((user.empty() || peer->self.user_id == user) && (role.empty() || peer->self.role == role))
            found[peer->self.peer_id] = peer_document(*peer, false);
        }
        return found;
      });
  if (!peers || !*peers) return no_session();
  json::Object out;
  out["peers"] = std::move(**peers);
  return ok(out);
}

http::Response ManagementApi::active_peer(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto found = services_.live.ask(
      w.id, room->id, [id = std::string(request.param("peer_id"))](LiveRoom& live) -> Outcome<json::Object> {
        if (!live.snapshot()) return refuse(404, "session not found");
        const Peer* peer = live.find_peer(id);
        if (!peer) return refuse(404, "peer not found");
        return peer_document(*peer, true);
      });
  if (!found) return no_session();
  return *found ? ok(**found) : refused(found->error());
}

http::Response ManagementApi::update_peer(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::PeerUpdate>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  auto& given = read.value;
  if (given.role && given.role->empty()) given.role.reset();
  auto updated = services_.live.ask(
      w.id, room->id,
      [id = std::string(request.param("peer_id")), given](LiveRoom& live) -> Outcome<json::Object> {
        if (!live.snapshot()) return refuse(404, "session not found");
        auto peer = live.update_peer(id, given.name, given.role, given.metadata);
        if (!peer) return tl::unexpected(peer.error());
        return peer_document(**peer, true);
      });
  if (!updated) return no_session();
  return *updated ? ok(**updated) : refused(updated->error());
}

http::Response ManagementApi::send_message(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::Message>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  if (body->contains("peerId"))
    telemetry::info("send-message with peerId, read as peer_id", {{"room", room->id}});
  auto sent = services_.live.ask(w.id, room->id, [given = std::move(read.value)](LiveRoom& live) {
    return live.send_server_message(given.message, given.type.value_or("chat"), given.peer_id.value_or(""),
                                    given.role.value_or(""));
  });
  if (!sent) return no_session();
  return *sent ? ok({{"message", "message sent"}}) : refused(sent->error());
}

http::Response ManagementApi::remove_peers(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::RemovePeers>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  if (read.value.peer_id.value_or("").empty() && read.value.role.value_or("").empty())
    return invalid_body("peer_id or role is required");
  auto removed = services_.live.ask(w.id, room->id, [given = std::move(read.value)](LiveRoom& live) {
    return live.remove_by_server(given.peer_id.value_or(""), given.role.value_or(""),
                                 given.reason.value_or(""));
  });
  if (!removed) return no_session();
  return *removed ? ok({{"message", "peer remove request submitted"}}) : refused(removed->error());
}

http::Response ManagementApi::end_room(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::EndRoom>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  auto active =
      services_.live.ask(w.id, room->id, [](LiveRoom& live) { return live.snapshot().has_value(); });
  if (!active.value_or(false)) return no_session();
  if (read.value.lock.value_or(false)) {
    room->enabled = false;  // before anybody is sent away, so that nobody comes back in between
    room->updated_at = std::max(services_.clock.wall(), room->updated_at + base::Duration::millis(1));
    if (auto stored = services_.store.update_room(*room); !stored) return storage_failure(stored.error());
  }
  services_.live.ask(
      w.id, room->id,
      [reason = read.value.reason.value_or(""), lock = read.value.lock.value_or(false)](LiveRoom& live) {
        live.end_session({{}, reason, lock});
        return true;
      });
  return ok({{"message", "session is ending"}});
}

http::Response ManagementApi::session_page(const SessionFilter& filter, const Page& page,
                                           const Workspace& w) {
  auto sessions = services_.store.list_sessions(w.id, filter, page);
  if (!sessions) return storage_failure(sessions.error());
  json::Array data;
  for (const auto& s : *sessions) data.push_back(session_document(s, w));
  return page_answer(page, std::move(data));
}

http::Response ManagementApi::list_sessions(const http::Request& request, const Workspace& w) {
  SessionFilter filter;
  if (auto active = request.query_value("active"); active && !active->empty()) {
    if (*active != "true" && *active != "false")
      return error_answer(400, "Invalid query param", {"active must be true or false"});
    filter.active = *active == "true";
  }
  if (auto id = request.query_value("room_id"); id && !id->empty()) {
    if (!base::is_object_id(*id)) return invalid_room_id(*id);
    filter.room_id = std::string(*id);
  }
  for (auto [name, member] :
       {std::pair{"after", &SessionFilter::after}, std::pair{"before", &SessionFilter::before}}) {
    auto text = request.query_value(name);
    if (!text || text->empty()) continue;
    filter.*member = base::parse_rfc3339(*text);
    if (!(filter.*member))
      return error_answer(400, "Invalid query param", {std::string(name) + " must be an RFC 3339 time"});
  }
  return session_page(filter, page_of(request), w);
}

http::Response ManagementApi::sessions_of_active_room(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  SessionFilter filter;
  filter.room_id = room->id;
  return session_page(filter, page_of(request), w);
}

http::Response ManagementApi::get_session(const http::Request& request, const Workspace& w) {
  auto session = services_.store.session_by_id(w.id, std::string(request.param("session_id")));
  if (!session) return storage_failure(session.error());
  return *session ? ok(session_document(**session, w)) : error_answer(404, "session not found");
}

}  // namespace engine
