// The webhook outbox and its history, and the workspace's own webhook.
#include "engine/store/store.h"

namespace engine {

namespace {

std::string workspace_place(const std::string& workspace_id, std::string_view member) {
  return "televisit/v1/workspaces/" + workspace_id + "/" + workspace_id + "/" + std::string(member);
}

constexpr std::string_view kDelivery =
    "SELECT seq, id, workspace_id, room_id, session_id, type, body, created_at, status, attempts, "
    "last_status, "
    "last_error, finished_at, replay_id FROM webhook_events e ";

WebhookDelivery read_delivery(const storage::Row& row) {
  WebhookDelivery d;
  d.seq = row.integer("seq");
  d.id = row.text("id");
  d.workspace_id = row.text("workspace_id");
  d.room_id = row.text("room_id");
  d.session_id = row.text("session_id");
  d.type = row.text("type");
  d.body = row.text("body");
  d.created_at = row.time("created_at");
  d.status = row.text("status");
  d.attempts = row.integer("attempts");
  if (!row.is_null("last_status")) d.last_status = row.integer("last_status");
  d.last_error = row.text("last_error");
  d.finished_at = row.maybe_time("finished_at");
  d.replay_id = row.text("replay_id");
  return d;
}

std::pair<std::string, storage::Params> condition_of(const std::string& workspace_id,
                                                     const DeliveryFilter& filter) {
  storage::Params params{workspace_id, filter.from, filter.to};
  std::string sql = "WHERE workspace_id = $1 AND created_at >= $2 AND created_at <= $3";
  auto mark = [&](storage::Param value) {
    params.push_back(std::move(value));
    return "$" + std::to_string(params.size());
  };
  if (!filter.room_id.empty()) sql += " AND room_id = " + mark(filter.room_id);
  if (!filter.status.empty()) sql += " AND status = " + mark(filter.status);
  std::string types;
  for (const auto& type : filter.types) types += (types.empty() ? "" : ", ") + mark(type);
  if (!types.empty()) sql += " AND type IN (" + types + ")";
  return {std::move(sql), std::move(params)};
}

constexpr std::string_view kInsert =
    "INSERT INTO webhook_events (id, workspace_id, room_id, session_id, type, body, created_at, "
    "next_attempt_at, "
    "replay_id) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)";

}  // namespace

base::Result<void> Store::put_events(storage::Transaction& tx, const std::vector<WebhookEvent>& events) {
  if (events.empty()) return {};
  auto wanted = tx.query(
      "SELECT w.customer_id AS customer_id, w.app_id AS app_id FROM rooms r JOIN workspaces w ON w.id = "
      "r.workspace_id WHERE r.id = $1 AND r.workspace_id = $2 AND (r.webhook IS NOT NULL OR w.webhook IS NOT "
      "NULL)",
      {events.front().room_id, events.front().workspace_id});
  if (!wanted) return base::fail(wanted.error());
  if (wanted->empty()) return {};
  const auto& row = wanted->rows.front();
  for (const auto& e : events) {
    auto rows =
        tx.query(kInsert, {e.id, e.workspace_id, e.room_id, e.session_id, e.type,
                           webhook_body(e, row.text("customer_id"), row.text("app_id")), e.at, e.at, ""});
    if (!rows) return base::fail(rows.error());
  }
  return {};
}

base::Result<void> Store::add_events(const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

// The first of each room, of live events and of replays apart: a long replay holds nothing up.
base::Result<std::vector<WebhookDelivery>> Store::due_deliveries(base::WallTime now, std::int64_t limit) {
  auto rows =
      db_.query(std::string(kDelivery) +
                    "WHERE e.status = 'pending' AND e.next_attempt_at <= $1 AND NOT EXISTS (SELECT 1 FROM "
                    "webhook_events p WHERE p.room_id = e.room_id AND p.status = 'pending' AND p.seq < e.seq "
                    "AND (p.replay_id = '') = (e.replay_id = '')) ORDER BY e.next_attempt_at, e.seq LIMIT $2",
                {now, limit});
  if (!rows) return base::fail(rows.error());
  std::vector<WebhookDelivery> all;
  for (const auto& row : rows->rows) all.push_back(read_delivery(row));
  return all;
}

base::Result<std::optional<base::WallTime>> Store::next_delivery_at() {
  auto rows = db_.query(
      "SELECT next_attempt_at FROM webhook_events WHERE status = 'pending' ORDER BY next_attempt_at LIMIT 1");
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<base::WallTime>();
  return std::optional<base::WallTime>(rows->rows.front().time("next_attempt_at"));
}

base::Result<std::optional<WebhookTarget>> Store::webhook_target(const std::string& workspace_id,
                                                                 const std::string& room_id) {
  auto room = room_by_id(workspace_id, room_id);
  if (!room) return base::fail(room.error());
  auto workspace = workspace_by_id(workspace_id);
  if (!workspace) return base::fail(workspace.error());
  if (!*room || !*workspace) return std::optional<WebhookTarget>();
  const auto& given = (*room)->webhook ? (*room)->webhook : (*workspace)->webhook;
  if (!given) return std::optional<WebhookTarget>();
  WebhookTarget target;
  target.url = std::string(json::text_or(*given, "url"));
  target.secret = (*workspace)->secret;
  if (const auto* headers = json::object_at(*given, "headers")) {
    for (const auto& [name, value] : *headers) {
      if (value.is_string()) target.headers.emplace_back(std::string(name), std::string(value.as_string()));
    }
  }
  return std::optional<WebhookTarget>(std::move(target));
}

base::Result<void> Store::put_outcome(const DeliveryOutcome& o) {
  auto rows = db_.query(
      "UPDATE webhook_events SET status = $2, attempts = $3, next_attempt_at = COALESCE($4, "
      "next_attempt_at), "
      "last_status = $5, last_error = $6, finished_at = $7 WHERE seq = $1",
      {o.seq, o.status, o.attempts, o.next_attempt_at, o.last_status, o.last_error, o.finished_at});
  if (!rows) return base::fail(rows.error());
  return {};
}

base::Result<std::vector<WebhookDelivery>> Store::deliveries(const std::string& workspace_id,
                                                             const DeliveryFilter& filter, std::int64_t limit,
                                                             std::int64_t offset) {
  auto [sql, params] = condition_of(workspace_id, filter);
  params.emplace_back(limit);
  params.emplace_back(offset);
  auto rows = db_.query(std::string(kDelivery) + sql + " ORDER BY seq DESC LIMIT $" +
                            std::to_string(params.size() - 1) + " OFFSET $" + std::to_string(params.size()),
                        params);
  if (!rows) return base::fail(rows.error());
  std::vector<WebhookDelivery> all;
  for (const auto& row : rows->rows) all.push_back(read_delivery(row));
  return all;
}

base::Result<std::int64_t> Store::count_deliveries(const std::string& workspace_id,
                                                   const DeliveryFilter& filter) {
  const auto [sql, params] = condition_of(workspace_id, filter);
  auto rows = db_.query("SELECT count(*) AS n FROM webhook_events " + sql, params);
  if (!rows) return base::fail(rows.error());
  return rows->rows.front().integer("n");
}

base::Result<std::int64_t> Store::replay(const std::string& workspace_id, const DeliveryFilter& filter,
                                         std::int64_t limit, std::int64_t offset,
                                         const std::string& replay_id, base::WallTime now,
                                         base::Duration apart) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto [sql, params] = condition_of(workspace_id, filter);
  params.emplace_back(limit);
  params.emplace_back(offset);
  auto rows = (*tx)->query(
      std::string(kDelivery) + sql + " AND replay_id = '' AND status <> 'pending' ORDER BY seq LIMIT $" +
          std::to_string(params.size() - 1) + " OFFSET $" + std::to_string(params.size()),
      params);
  if (!rows) return base::fail(rows.error());
  std::int64_t count = 0;
  for (const auto& row : rows->rows) {
    const auto d = read_delivery(row);
    auto put = (*tx)->query(kInsert, {d.id, d.workspace_id, d.room_id, d.session_id, d.type,
                                      replayed_body(d.body), now, now + apart * count, replay_id});
    if (!put) return base::fail(put.error());
    ++count;
  }
  if (auto done = (*tx)->commit(); !done) return base::fail(done.error());
  return count;
}

base::Result<std::map<std::string, std::int64_t>> Store::replay_counts(const std::string& workspace_id,
                                                                       const std::string& replay_id) {
  auto rows = db_.query(
      "SELECT status, count(*) AS n FROM webhook_events WHERE workspace_id = $1 AND replay_id = $2 GROUP BY "
      "status",
      {workspace_id, replay_id});
  if (!rows) return base::fail(rows.error());
  std::map<std::string, std::int64_t> counts;
  for (const auto& row : rows->rows) counts[row.text("status")] = row.integer("n");
  return counts;
}

base::Result<std::string> Store::running_replay(const std::string& workspace_id) {
  auto rows = db_.query(
      "SELECT replay_id FROM webhook_events WHERE workspace_id = $1 AND replay_id <> '' AND status = "
      "'pending' ORDER "
      "BY seq LIMIT 1",
      {workspace_id});
  if (!rows) return base::fail(rows.error());
  return rows->empty() ? std::string() : rows->rows.front().text("replay_id");
}

base::Result<void> Store::forget_deliveries(base::WallTime before) {
  auto rows = db_.query("DELETE FROM webhook_events WHERE created_at < $1 AND status <> 'pending'", {before});
  if (!rows) return base::fail(rows.error());
  return {};
}

base::Result<void> Store::put_workspace_webhook(const std::string& workspace_id,
                                                const std::optional<json::Object>& webhook) {
  storage::Param sealed_webhook = storage::Null{};
  if (webhook) {
    sealed_webhook = keys_.seal(base::Secret(json::serialize(*webhook)),
                                workspace_place(workspace_id, "webhook"), random_);
  }
  auto rows = db_.query("UPDATE workspaces SET webhook = $2 WHERE id = $1", {workspace_id, sealed_webhook});
  if (!rows) return base::fail(rows.error());
  return {};
}

base::Result<void> Store::put_secret(const Workspace& w) {
  auto rows = db_.query(
      "UPDATE workspaces SET secret = $2, previous_secret = $3, previous_secret_until = $4 WHERE id = $1",
      {w.id, keys_.seal(w.secret, workspace_place(w.id, "secret"), random_),
       keys_.seal(w.previous_secret, workspace_place(w.id, "previous_secret"), random_),
       w.previous_secret_until});
  if (!rows) return base::fail(rows.error());
  return {};
}

}  // namespace engine
