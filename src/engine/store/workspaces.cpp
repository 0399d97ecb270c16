#include "engine/store/store.h"

namespace engine {

namespace {

std::string member_place(const std::string& workspace_id, std::string_view member) {
  return "televisit/v1/workspaces/" + workspace_id + "/" + workspace_id + "/" + std::string(member);
}

constexpr std::string_view kSelect =
    "SELECT id, name, customer_id, app_id, access_key, secret, default_template_id, created_at, "
    "webhook, previous_secret, previous_secret_until FROM "
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
  auto secret = keys_.open(row.text("secret"), member_place(w.id, "secret"));
  if (!secret) return base::fail(secret.error());
  w.secret = std::move(*secret);
  if (auto envelope = row.maybe_text("previous_secret")) {
    auto previous = keys_.open(*envelope, member_place(w.id, "previous_secret"));
    if (!previous) return base::fail(previous.error());
    w.previous_secret = std::move(*previous);
    w.previous_secret_until = row.maybe_time("previous_secret_until");
  }
  if (auto envelope = row.maybe_text("webhook")) {
    auto plain = keys_.open(*envelope, member_place(w.id, "webhook"));
    if (!plain) return base::fail(plain.error());
    auto value = json::parse_tolerant(plain->reveal());
    if (value && value->is_object()) w.webhook = std::move(value->as_object());
  }
  return w;
}

base::Result<void> Store::insert_workspace(const Workspace& w, const Template& t) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows = (*tx)->query(
      "INSERT INTO workspaces (id, name, customer_id, app_id, access_key, secret, default_template_id, "
      "created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
      {w.id, w.name, w.customer_id, w.app_id, w.access_key,
       keys_.seal(w.secret, member_place(w.id, "secret"), random_), w.default_template_id, w.created_at});
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

base::Result<std::optional<Workspace>> Store::workspace_by_id(const std::string& id) {
  auto rows = db_.query(std::string(kSelect) + "WHERE id = $1", {id});
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<Workspace>();
  auto w = read_workspace(rows->rows.front());
  if (!w) return base::fail(w.error());
  return std::optional<Workspace>(std::move(*w));
}

}  // namespace engine
