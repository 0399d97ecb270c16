// The documented ranges of a template (100ms-server-api.md §4.1 to §4.4) and the defaults that fill what was
// left out. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"

namespace engine {

// What is wrong, one sentence per member: "Invalid body param: roles.host.publishParams.audio.bitRate must be
// 16 to 128".
using Details = std::vector<std::string>;

// Every role filled with its defaults: publishParams, subscribeParams (default: all roles given),
// permissions, priority, maxPeerCount.
json::Object normalise_roles(const json::Object& roles, Details& details);
// One role of a template whose role names are `names` (its own included).
json::Object normalise_role(const std::string& name, const json::Object& role,
                            const std::vector<std::string>& names, Details& details);
json::Object normalise_settings(const json::Object& settings, Details& details);
json::Object normalise_plugins(const json::Object& plugins, const std::vector<std::string>& roles,
                               Details& details);
// Names of templates and roles: letters, digits, space, - . _ : (§4.1); 1 to 100 characters.
bool is_template_name(std::string_view name);

// The roles and settings of the template every workspace starts with (§4.6, "default_telehealth").
json::Object default_roles();
json::Object default_settings();

}  // namespace engine
