// What the room reports to webhooks (100ms-server-api.md §7.3).
#include "engine/rooms/live_room.h"
#include "telemetry/log.h"

namespace engine {

WebhookEvent LiveRoom::event(std::string type, json::Object data) const {
  return {services_.random.uuid(),
          workspace_id_,
          room_id_,
          session_ ? session_->id : std::string(),
          std::move(type),
          services_.clock.wall(),
          std::move(data)};
}

// After a restart the room is read at the first socket or tick; before that its name is not known.
const Room& LiveRoom::room_facts() const {
  static const Room kUnread;
  return room_ ? *room_ : kUnread;
}

WebhookEvent LiveRoom::role_event(const Peer& peer, const std::string& previous,
                                  const std::string& requested_by) const {
  json::Object facts = peer_facts(room_facts(), *session_, peer.self);
  facts["previous_role"] = previous;
  facts["role_changed_at"] = base::format_rfc3339(services_.clock.wall());
  if (!requested_by.empty()) facts["role_change_requested_by"] = requested_by;
  return event("role.change.success", std::move(facts));
}

LivePeer LiveRoom::newcomer(const ConnectionPtr& connection, std::string name, std::string data) const {
  const auto& token = connection->token();
  return {
      room_id_,   workspace_id_, {}, connection->peer_id(), std::move(name), std::move(data), token.user_id,
      token.role, token.role,    {}, services_.clock.wall()};
}

// Answers a join that is not allowed; the documented ones are events too.
void LiveRoom::refuse_join(const ConnectionPtr& connection, const Frame& join, const Refusal& refusal) {
  connection->fail(join.id, refusal.code, refusal.message);
  const bool duplicate = refusal.message == kPeerIdInUse;
  if (!room_ || (!duplicate && refusal.message != kRoleLimit && refusal.message != kRoleInvalid)) return;
  auto read = json::read<params::Join>(join.params);
  Session none;
  none.room_id = room_id_;
  json::Object facts = peer_facts(
      *room_, none, newcomer(connection, read.ok() ? read.value.name : std::string(), std::string()));
  facts.erase("session_id");
  facts.erase("session_started_at");
  facts["joined_at"] = "0001-01-01T00:00:00Z";
  facts["error_message"] = duplicate ? "duplicate peer id" : "role not allowed";
  if (auto stored = services_.store.add_events({event("peer.join.failure", std::move(facts))}); !stored) {
    telemetry::error("a refused join was not stored", {{"room", room_id_}, {"code", stored.error().code}});
  }
  services_.outbox_filled();
}

}  // namespace engine
