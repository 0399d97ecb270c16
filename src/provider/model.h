// What the 100ms REST API tells us, reduced to what is used (100ms-server-api.md §2.2, §4, §5).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"

namespace provider {

struct RoomWebhook {
  std::string url;
  std::string header_name;
  std::string header_value;
};

struct RoomSpec {
  std::string name;
  std::string description = "Telehealth consultation";
  std::string template_id;  // empty: the workspace's default template (only when the clinic allowed it)
  std::string region = "auto";
  std::optional<std::int64_t> size;
  std::optional<std::int64_t> max_duration_seconds;
  std::optional<RoomWebhook> webhook;
};

struct Room {
  std::string id;  // 24 lower-case hex digits, checked
  std::string name;
  bool enabled = false;
  std::string template_id;
  std::string region;
};

struct Peer {
  std::string id;
  std::string user_id;
  std::string role;
};

struct Role {
  std::string name;
  std::vector<std::string> publishes;       // audio, video, screen
  std::vector<std::string> subscribes_to;   // role names
  std::map<std::string, bool> permissions;  // as sent; an absent one is absent
  bool publishes_kind(const std::string& kind) const;
  bool subscribes(const std::string& role) const;
  // Documented defaults: the streaming and recording rights are true when absent, all others false.
  bool may(const std::string& permission) const;
};

struct Template {
  std::string id;
  std::string name;
  std::map<std::string, Role> roles;
};

}  // namespace provider
