// What the engine keeps, as values. Names, metadata and session values belong to people: never into a log
// line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/sensitive.h"
#include "json/json.h"

namespace engine {

struct Workspace {
  std::string id;
  std::string name;
  std::string customer_id;
  std::string app_id;
  std::string access_key;
  base::Secret secret;
  std::string default_template_id;
  base::WallTime created_at;
  std::optional<json::Object> webhook;  // url and headers; for rooms without one of their own
  // The secret before the last rotation: tokens made with it count until then.
  base::Secret previous_secret;
  std::optional<base::WallTime> previous_secret_until;
};

struct Template {
  std::string id;
  std::string workspace_id;
  std::string name;
  bool is_default = false;
  json::Object roles;  // role name -> role, normalised (100ms-server-api.md §4.2)
  json::Object settings;
  json::Object destinations;
  json::Object plugins;
  json::Array recordings;  // at most one configuration (§4.5)
  base::WallTime created_at;
  base::WallTime updated_at;
};

struct Room {
  std::string id;
  std::string workspace_id;
  std::string name;
  std::string description;
  bool enabled = true;
  std::string template_id;
  std::string template_name;  // read only: of the joined template
  std::string region = "auto";
  bool large_room = false;
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> max_duration_seconds;
  std::optional<json::Object> recording_info;  // absent: inherited from the template
  std::optional<json::Array> polls;
  std::optional<json::Object> webhook;
  base::WallTime created_at;
  base::WallTime updated_at;
};

struct RoomCode {
  std::string code;
  std::string workspace_id;
  std::string room_id;
  std::string role;
  bool enabled = true;
  base::WallTime created_at;
  base::WallTime updated_at;
};

struct SessionPeer {
  std::string peer_id;
  std::string name;
  std::string role;
  std::string user_id;
  base::WallTime joined_at;
  std::optional<base::WallTime> left_at;
};

struct Session {
  std::string id;
  std::string workspace_id;
  std::string room_id;
  base::WallTime created_at;
  base::WallTime updated_at;
  std::optional<base::WallTime> closed_at;
  std::vector<SessionPeer> peers;
};

// A peer inside a running session, as a restarted process must find it.
struct LivePeer {
  std::string room_id;
  std::string workspace_id;
  std::string session_id;
  std::string peer_id;
  std::string name;
  std::string data;
  std::string user_id;
  std::string token_role;  // of the token that created it; `role` may have changed since
  std::string role;
  std::vector<std::string> groups;
  base::WallTime joined_at;
};

// One key of the session store. No data: deleted, kept so that its version goes on counting.
struct StoredValue {
  std::string name;
  std::optional<std::string> data;  // JSON text
  std::string updated_by;
  base::WallTime updated_at;
  std::int64_t change_version = 0;
};

// One row of the webhook outbox, which is also its history.
struct WebhookDelivery {
  std::int64_t seq = 0;
  std::string id;
  std::string workspace_id;
  std::string room_id;
  std::string session_id;
  std::string type;
  std::string body;
  base::WallTime created_at;
  std::string status;  // pending, success, failed
  std::int64_t attempts = 0;
  std::optional<std::int64_t> last_status;
  std::string last_error;
  std::optional<base::WallTime> finished_at;
  std::string replay_id;  // empty: sent when it happened
};

struct DeliveryOutcome {
  std::int64_t seq = 0;
  std::string status;
  std::int64_t attempts = 0;
  std::optional<base::WallTime> next_attempt_at;
  std::optional<std::int64_t> last_status;
  std::string last_error;
  std::optional<base::WallTime> finished_at;
};

struct DeliveryFilter {
  base::WallTime from, to;
  std::string room_id;  // empty: every room
  std::string status;   // empty: every status
  std::vector<std::string> types;
};

struct WebhookTarget {
  std::string url;
  std::vector<std::pair<std::string, std::string>> headers;
  base::Secret secret;  // the workspace's: what deliveries are signed with
};

struct Page {
  std::int64_t limit = 10;
  std::string start;  // exclusive; empty = from the newest
};

struct RoomFilter {
  std::optional<bool> enabled;
  std::optional<std::string> name;
  std::optional<std::string> template_id;
  std::optional<base::WallTime> after, before;
};

struct SessionFilter {
  std::optional<bool> active;
  std::optional<std::string> room_id;
  std::optional<base::WallTime> after, before;
};

}  // namespace engine
