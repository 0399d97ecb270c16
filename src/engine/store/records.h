// What the engine keeps, as values. Names, metadata and session values belong to people: never into a log
// line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
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
