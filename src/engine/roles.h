// The roles of a template as the live room uses them: what a peer may publish, whom it hears, what it may ask
// of others (100ms-client-protocol.md §6, 100ms-server-api.md §4.2). A value; read once from a stored,
// normalised template.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "engine/store/records.h"
#include "json/json.h"
#include "sfu/sfu.h"

namespace engine {

struct Permissions {
  bool end_room = false;
  bool remove_others = false;
  bool mute = false;
  bool unmute = false;
  bool change_role = false;
};

struct Role {
  std::string name;
  bool audio = false, video = false, screen = false;
  std::int64_t video_kbps = 0;
  std::vector<std::string> subscribe_to;
  Permissions permissions;
  std::int64_t max_peer_count = 0;  // 0 = no limit, -1 = nobody

  bool hears(const std::string& role) const;
  // May it publish a track of this type ("audio", "video") and source ("screen" or anything else)?
  bool may_publish(std::string_view type, std::string_view source) const;
  sfu::PeerPolicy media_policy() const;
};

class RoleBook {
 public:
  RoleBook() = default;
  explicit RoleBook(const Template& t);

  const Role* find(const std::string& name) const;
  // The params of on-policy-change for a peer of this role; the role must be in the book, else the SDK waits
  // for ever.
  json::Object policy_for(const std::string& role) const;

  bool state_enabled() const { return state_enabled_; }
  bool state_has_peers() const { return state_has_peers_; }

 private:
  std::string template_id_;
  std::map<std::string, Role> roles_;
  json::Object known_roles_;
  json::Object plugins_;
  bool state_enabled_ = false;
  bool state_has_peers_ = false;
};

// The smallest policy that lets the SDK go on to `join`, where it can be told a refusal it shows (§5, §6):
// for sockets that will be turned away.
json::Object bare_policy(const std::string& role);

}  // namespace engine
