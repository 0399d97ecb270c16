#include "engine/store/store.h"

namespace engine {

namespace {

std::string secret_place(const std::string& workspace_id) {
  return "televisit/v1/workspaces/" + workspace_id + "/" + workspace_id + "/secret";
}

constexpr std::string_view kSelect =
    "SELECT id, name, customer_id, app_id, access_key, secret, default_template_id, created_at FROM "
    "workspaces ";

}  // namespace

base::Result<Workspace> Store::read_workspace(const storage::Row& row) const {
  Workspace w;
  w.id = row.text("id");
  w.name = row.text("name");
  w.customer_id = row.text("customer_id");
  w.app_id = row.text("app_id");
  w.access_key = row.text("access_key");
  w.default_template_id = row.text("default_template_id");
  w.created_at = row.time("created_at");
  auto secret = keys_.open(row.text("secret"), secret_place(w.id));
  if (!secret) return base::fail(secret.error());
  w.secret = std::move(*secret);
  return w;
}

base::Result<void> Store::insert_workspace(const Workspace& w, const Template& t) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows = (*tx)->query(
      "INSERT INTO workspaces (id, name, customer_id, app_id, access_key, secret, default_template_id, "
      "created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {w.id, w.name, w.customer_id, w.app_id, w.access_key, keys_.seal(w.secret, secret_place(w.id), random_),
       w.default_template_id, w.created_at});
  if (!rows) return base::fail(rows.error());
  rows = (*tx)->query(
      "INSERT INTO templates (id, workspace_id, name, is_default, roles, settings, destinations, plugins, "
      "created_at, "
      "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
      {t.id, t.workspace_id, t.name, t.is_default, json::serialize(t.roles), json::serialize(t.settings),
       json::serialize(t.destinations), json::serialize(t.plugins), t.created_at, t.updated_at});
  if (!rows) return base::fail(rows.error());
  return (*tx)->commit();
}

base::Result<std::vector<Workspace>> Store::workspaces() {
  auto rows = db_.query(std::string(kSelect) + "ORDER BY id");
  if (!rows) return base::fail(rows.error());
  std::vector<Workspace> all;
  for (const auto& row : rows->rows) {
    auto w = read_workspace(row);
    if (!w) return base::fail(w.error());
    all.push_back(std::move(*w));
  }
  return all;
}

base::Result<std::optional<Workspace>> Store::workspace_by_access_key(const std::string& access_key) {
  auto rows = db_.query(std::string(kSelect) + "WHERE access_key = $1", {access_key});
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<Workspace>();
  auto w = read_workspace(rows->rows.front());
  if (!w) return base::fail(w.error());
  return std::optional<Workspace>(std::move(*w));
}

}  // namespace engine
