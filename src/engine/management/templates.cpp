// Templates, roles, settings (100ms-server-api.md §4). Unlike the rest this resource is camelCase.
#include <algorithm>

#include "engine/management/api.h"
#include "engine/management/bodies.h"
#include "engine/management/template_rules.h"

namespace engine {

namespace {

std::vector<std::string> names_of(const json::Object& roles) {
  std::vector<std::string> names;
  for (const auto& [name, role] : roles) names.emplace_back(name);
  return names;
}

// Gives every role that hears `from` the name `to` instead; nothing when `to` is empty.
void rename_subscriptions(json::Object& roles, const std::string& from, const std::string& to) {
  for (auto& [name, role] : roles) {
    auto* subscribe = role.as_object().if_contains("subscribeParams");
    auto* list = subscribe ? subscribe->as_object().if_contains("subscribeToRoles") : nullptr;
    if (!list || !list->is_array()) continue;
    json::Array kept;
    for (const auto& entry : list->as_array()) {
      if (entry.is_string() && entry.as_string() == from) {
        if (!to.empty()) kept.emplace_back(to);
      } else {
        kept.push_back(entry);
      }
    }
    *list = std::move(kept);
  }
}

// Everything a template holds, read and normalised into `t`.
std::optional<http::Response> apply(const bodies::Template& body, Template& t) {
  Details details;
  t.roles = normalise_roles(body.roles, details);
  t.settings = normalise_settings(body.settings.value_or(json::Object()), details);
  t.plugins = normalise_plugins(body.plugins.value_or(json::Object()), names_of(t.roles), details);
  t.destinations = body.destinations.value_or(json::Object());
  if (!details.empty()) return error_answer(400, "Invalid body param", details);
  return std::nullopt;
}

}  // namespace

json::Object template_document(const Template& t, const Workspace& w) {
  json::Object out{{"id", t.id},
                   {"_id", t.id},
                   {"name", t.name},
                   {"customerId", w.customer_id},
                   {"customer", w.customer_id}};
  out["appId"] = w.app_id;
  out["default"] = t.is_default;
  out["roles"] = t.roles;
  out["settings"] = t.settings;
  out["destinations"] = t.destinations;
  if (!t.plugins.empty()) out["plugins"] = t.plugins;
  out["createdAt"] = base::format_rfc3339(t.created_at);
  out["updatedAt"] = base::format_rfc3339(t.updated_at);
  return out;
}

tl::expected<Template, http::Response> ManagementApi::template_of(const http::Request& request,
                                                                  const Workspace& w) {
  auto found = services_.store.template_by_id(w.id, std::string(request.param("template_id")));
  if (!found) return tl::unexpected(storage_failure(found.error()));
  if (!*found) return tl::unexpected(error_answer(404, "template not found"));
  return std::move(**found);
}

http::Response ManagementApi::create_template(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::Template>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  Template t;
  t.workspace_id = w.id;
  t.name = read.value.name && !read.value.name->empty() ? *read.value.name : services_.random.uuid();
  if (!is_template_name(t.name)) return invalid_body("name may hold letters, digits, space and - . _ : only");
  auto known = services_.store.template_by_name(w.id, t.name);
  if (!known) return storage_failure(known.error());
  t.updated_at = t.created_at = services_.clock.wall();
  if (*known) {
    t.id = (*known)->id;
    t.is_default = (*known)->is_default;
    t.created_at = (*known)->created_at;
  } else {
    t.id = services_.ids.next();
  }
  if (auto wrong = apply(read.value, t)) return *wrong;
  auto stored = services_.store.put_template(t);
  if (!stored && stored.error().code == "name_taken") return invalid_body("template name already exists");
  if (!stored) return storage_failure(stored.error());
  return ok(template_document(t, w));
}

http::Response ManagementApi::list_templates(const http::Request& request, const Workspace& w) {
  const Page page = page_of(request);
  auto all = services_.store.list_templates(w.id, page);
  if (!all) return storage_failure(all.error());
  json::Array data;
  for (const auto& t : *all) data.push_back(template_document(t, w));
  return page_answer(page, std::move(data));
}

http::Response ManagementApi::get_template(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  return t ? ok(template_document(*t, w)) : t.error();
}

http::Response ManagementApi::replace_template(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::Template>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  if (read.value.name && !read.value.name->empty()) t->name = *read.value.name;
  if (!is_template_name(t->name))
    return invalid_body("name may hold letters, digits, space and - . _ : only");
  if (auto wrong = apply(read.value, *t)) return *wrong;
  t->updated_at = services_.clock.wall();
  auto stored = services_.store.put_template(*t);
  if (!stored && stored.error().code == "name_taken")
    return error_answer(400, "template name already exists", {"overwriting another template is not allowed"});
  if (!stored) return storage_failure(stored.error());
  return ok(template_document(*t, w));
}

http::Response ManagementApi::get_role(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  const auto* role = t->roles.if_contains(request.param("role"));
  return role && role->is_object() ? ok(role->as_object()) : error_answer(404, "role not found");
}

http::Response ManagementApi::put_role(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  auto body = body_of(request);
  if (!body) return body.error();
  const std::string old_name(request.param("role"));
  const auto given = json::text_or(*body, "name");
  const std::string name = given.empty() ? old_name : std::string(given);
  if (!is_template_name(name)) return invalid_body("name may hold letters, digits, space and - . _ : only");
  if (name != old_name && t->roles.contains(name))
    return error_answer(400, "role name already exists", {"another role of this template is called so"});
  if (name != old_name && t->roles.contains(old_name)) {
    t->roles.erase(old_name);
    rename_subscriptions(t->roles, old_name, name);
  }
  auto names = names_of(t->roles);
  if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  Details details;
  json::Object role = normalise_role(name, *body, names, details);
  if (!details.empty()) return error_answer(400, "Invalid body param", details);
  t->roles[name] = role;
  t->updated_at = services_.clock.wall();
  if (auto stored = services_.store.put_template(*t); !stored) return storage_failure(stored.error());
  return ok(role);
}

http::Response ManagementApi::delete_role(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  const std::string name(request.param("role"));
  if (!t->roles.contains(name)) return error_answer(404, "role not found");
  if (t->roles.size() == 1)
    return error_answer(400, "Invalid request", {"a template needs at least one role"});
  t->roles.erase(name);
  rename_subscriptions(t->roles, name, {});
  t->updated_at = services_.clock.wall();
  if (auto stored = services_.store.put_template(*t); !stored) return storage_failure(stored.error());
  http::Response none;
  none.status = 204;
  return none;
}

http::Response ManagementApi::get_settings(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  return t ? ok(t->settings) : t.error();
}

http::Response ManagementApi::put_settings(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  auto body = body_of(request);
  if (!body) return body.error();
  json::Object merged = t->settings;
  for (const auto& [name, value] : *body) merged[name] = value;
  Details details;
  t->settings = normalise_settings(merged, details);
  if (!details.empty()) return error_answer(400, "Invalid body param", details);
  t->updated_at = services_.clock.wall();
  if (auto stored = services_.store.put_template(*t); !stored) return storage_failure(stored.error());
  return ok(t->settings);
}

}  // namespace engine
