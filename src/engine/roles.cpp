#include "engine/roles.h"

#include <algorithm>

namespace engine {

namespace {

Role read_role(const std::string& name, const json::Object& document) {
  Role role;
  role.name = name;
  role.max_peer_count = json::int_or(document, "maxPeerCount", 0);
  if (const auto* publish = json::object_at(document, "publishParams")) {
    if (const auto* allowed = json::array_at(*publish, "allowed")) {
      for (const auto& kind : *allowed) {
        if (!kind.is_string()) continue;
        role.audio |= kind.as_string() == "audio";
        role.video |= kind.as_string() == "video";
        role.screen |= kind.as_string() == "screen";
      }
    }
    if (const auto* video = json::object_at(*publish, "video"))
      role.video_kbps = json::int_or(*video, "bitRate", 0);
  }
  if (const auto* subscribe = json::object_at(document, "subscribeParams")) {
    if (const auto* roles = json::array_at(*subscribe, "subscribeToRoles")) {
      for (const auto& r : *roles) {
        if (r.is_string()) role.subscribe_to.emplace_back(r.as_string());
      }
    }
  }
  if (const auto* permissions = json::object_at(document, "permissions")) {
    role.permissions.end_room = json::bool_or(*permissions, "endRoom", false);
    role.permissions.remove_others = json::bool_or(*permissions, "removeOthers", false);
    role.permissions.mute = json::bool_or(*permissions, "mute", false);
    role.permissions.unmute = json::bool_or(*permissions, "unmute", false);
    role.permissions.change_role = json::bool_or(*permissions, "changeRole", false);
  }
  return role;
}

}  // namespace

bool Role::hears(const std::string& role) const {
  return std::find(subscribe_to.begin(), subscribe_to.end(), role) != subscribe_to.end();
}

bool Role::may_publish(std::string_view type, std::string_view source) const {
  if (source == "screen") return screen;
  return type == "audio" ? audio : video;
}

sfu::PeerPolicy Role::media_policy() const {
  sfu::PeerPolicy policy;
  policy.publish_audio = audio;
  policy.publish_video = video;
  policy.publish_screen = screen;
  policy.subscribe_to_roles = subscribe_to;
  policy.role = name;
  policy.max_publish_video_kbps = static_cast<int>(video_kbps);
  return policy;
}

RoleBook::RoleBook(const Template& t) : template_id_(t.id), known_roles_(t.roles), plugins_(t.plugins) {
  for (const auto& [name, document] : t.roles) {
    if (document.is_object()) roles_.emplace(name, read_role(name, document.as_object()));
  }
  if (const auto* state = json::object_at(t.settings, "roomState")) {
    state_enabled_ = json::bool_or(*state, "enabled", false);
    state_has_peers_ = json::bool_or(*state, "sendPeerList", false);
  }
}

const Role* RoleBook::find(const std::string& name) const {
  const auto it = roles_.find(name);
  return it == roles_.end() ? nullptr : &it->second;
}

json::Object RoleBook::policy_for(const std::string& role) const {
  return {{"name", role},
          {"known_roles", known_roles_},
          {"plugins", plugins_},
          {"template_id", template_id_},
          {"app_data", json::Object()}};
}

json::Object bare_policy(const std::string& role) {
  json::Object publish{{"allowed", json::Array()}};
  json::Object document{{"name", role},
                        {"publishParams", std::move(publish)},
                        {"subscribeParams", json::Object()},
                        {"permissions", json::Object()}};
  json::Object known;
  known[role] = std::move(document);
  return {{"name", role}, {"known_roles", std::move(known)}, {"plugins", json::Object()}};
}

}  // namespace engine
