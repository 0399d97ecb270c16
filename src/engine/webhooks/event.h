// The webhook events of a room (100ms-server-api.md §7.2, §7.3) as values: what happened, before it is known
// whether anybody wants to hear it. Pure functions.
#pragma once

#include <string>

#include "engine/store/records.h"

namespace engine {

struct WebhookEvent {
  std::string id;  // UUID, the same over retries and replays
  std::string workspace_id;
  std::string room_id;
  std::string session_id;
  std::string type;
  base::WallTime at;
  json::Object data;
};

// The body that is sent and signed.
std::string webhook_body(const WebhookEvent& event, const std::string& customer_id,
                         const std::string& app_id);
// The same body marked as sent anew.
std::string replayed_body(const std::string& body);

// What every event of a session says.
json::Object session_facts(const Room& room, const Session& session);
json::Object session_closed_facts(const Room& room, const Session& session, base::WallTime at);
json::Object peer_facts(const Room& room, const Session& session, const LivePeer& peer);
json::Object peer_left_facts(const Room& room, const Session& session, const LivePeer& peer,
                             base::WallTime at, std::string_view reason, std::string_view message);

}  // namespace engine
