#include "engine/store/store.h"

namespace engine {

namespace {

base::Result<json::Object> object_of(const std::string& text) {
  auto value = json::parse_tolerant(text);
  if (!value) return base::fail(value.error());
  if (!value->is_object()) return base::fail("storage_invalid", "a stored JSON object is of another type");
  return std::move(value->as_object());
}

}  // namespace

base::Result<std::vector<Template>> Store::templates_where(const std::string& condition,
                                                           storage::Params params) {
  auto rows = db_.query(
      "SELECT id, workspace_id, name, is_default, roles, settings, destinations, plugins, recordings, "
      "created_at, updated_at "
      "FROM templates WHERE " +
          condition,
      params);
  if (!rows) return base::fail(rows.error());
  std::vector<Template> all;
  for (const auto& row : rows->rows) {
    Template t;
    t.id = row.text("id");
    t.workspace_id = row.text("workspace_id");
    t.name = row.text("name");
    t.is_default = row.boolean("is_default");
    t.created_at = row.time("created_at");
    t.updated_at = row.time("updated_at");
    if (auto value = json::parse_tolerant(row.text("recordings")); value && value->is_array())
      t.recordings = std::move(value->as_array());
    for (auto [column, member] :
         {std::pair{"roles", &Template::roles}, std::pair{"settings", &Template::settings},
          std::pair{"destinations", &Template::destinations}, std::pair{"plugins", &Template::plugins}}) {
      auto object = object_of(row.text(column));
      if (!object) return base::fail(object.error());
      t.*member = std::move(*object);
    }
    all.push_back(std::move(t));
  }
  return all;
}

base::Result<std::optional<Template>> Store::template_by_id(const std::string& workspace_id,
                                                            const std::string& id) {
  auto found = templates_where("workspace_id = $1 AND id = $2", {workspace_id, id});
  if (!found) return base::fail(found.error());
  if (found->empty()) return std::optional<Template>();
  return std::optional<Template>(std::move(found->front()));
}

base::Result<std::optional<Template>> Store::template_by_name(const std::string& workspace_id,
                                                              const std::string& name) {
  auto found = templates_where("workspace_id = $1 AND name = $2", {workspace_id, name});
  if (!found) return base::fail(found.error());
  if (found->empty()) return std::optional<Template>();
  return std::optional<Template>(std::move(found->front()));
}

base::Result<std::vector<Template>> Store::list_templates(const std::string& workspace_id, const Page& page) {
  storage::Params params{workspace_id, page.limit};
  std::string condition = "workspace_id = $1";
  if (!page.start.empty()) {
    condition += " AND id < $3";
    params.emplace_back(page.start);
  }
  return templates_where(condition + " ORDER BY id DESC LIMIT $2", std::move(params));
}

base::Result<void> Store::put_template(const Template& t) {
  auto rows = db_.query(
      "INSERT INTO templates (id, workspace_id, name, is_default, roles, settings, destinations, plugins, "
      "created_at, updated_at, recordings) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) "
      "ON CONFLICT (id) DO UPDATE SET name = excluded.name, roles = excluded.roles, settings = "
      "excluded.settings, "
      "destinations = excluded.destinations, plugins = excluded.plugins, recordings = excluded.recordings, "
      "updated_at = excluded.updated_at "
      "WHERE templates.workspace_id = excluded.workspace_id",
      {t.id, t.workspace_id, t.name, t.is_default, json::serialize(t.roles), json::serialize(t.settings),
       json::serialize(t.destinations), json::serialize(t.plugins), t.created_at, t.updated_at,
       json::serialize(json::Value(t.recordings))});
  if (!rows && rows.error().code == storage::kUnique)
    return base::fail("name_taken", "template name already exists");
  if (!rows) return base::fail(rows.error());
  return {};
}

}  // namespace engine
