#include "engine/webhooks/event.h"

#include "base/clock.h"

namespace engine {

namespace {

std::int64_t seconds_between(base::WallTime from, base::WallTime to) {
  return (to.ms - from.ms) / 1000;
}

}  // namespace

std::string webhook_body(const WebhookEvent& event, const std::string& customer_id,
                         const std::string& app_id) {
  json::Object out{{"version", "2.0"}, {"id", event.id}, {"account_id", customer_id}, {"app_id", app_id}};
  out["timestamp"] = base::format_rfc3339(event.at);
  out["type"] = event.type;
  out["data"] = event.data;
  return json::serialize(out);
}

std::string replayed_body(const std::string& body) {
  auto value = json::parse_tolerant(body);
  if (!value || !value->is_object()) return body;
  value->as_object()["is_replay"] = true;
  return json::serialize(*value);
}

json::Object session_facts(const Room& room, const Session& session) {
  json::Object out{{"room_id", session.room_id},
                   {"room_name", room.name},
                   {"session_id", session.id},
                   {"template_id", room.template_id}};
  out["session_started_at"] = base::format_rfc3339(session.created_at);
  return out;
}

json::Object session_closed_facts(const Room& room, const Session& session, base::WallTime at) {
  json::Object out = session_facts(room, session);
  out["session_stopped_at"] = base::format_rfc3339(at);
  out["session_duration"] = seconds_between(session.created_at, at);
  return out;
}

json::Object peer_facts(const Room& room, const Session& session, const LivePeer& peer) {
  json::Object out = session_facts(room, session);
  out["peer_id"] = peer.peer_id;
  out["user_id"] = peer.user_id;
  out["user_name"] = peer.name;
  out["user_data"] = peer.data;
  out["role"] = peer.role;
  out["type"] = "regular";
  out["joined_at"] = base::format_rfc3339(peer.joined_at);
  return out;
}

json::Object peer_left_facts(const Room& room, const Session& session, const LivePeer& peer,
                             base::WallTime at, std::string_view reason, std::string_view message) {
  json::Object out = peer_facts(room, session, peer);
  out["left_at"] = base::format_rfc3339(at);
  out["duration"] = seconds_between(peer.joined_at, at);
  out["reason"] = reason;
  out["message"] = message;
  return out;
}

}  // namespace engine
