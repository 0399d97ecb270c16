#include <map>

#include "engine/store/store.h"

namespace engine {

namespace {

std::string groups_text(const std::vector<std::string>& groups) {
  json::Array array;
  for (const auto& g : groups) array.emplace_back(g);
  return json::serialize(json::Value(std::move(array)));
}

std::vector<std::string> groups_of(const std::string& text) {
  std::vector<std::string> groups;
  auto value = json::parse_tolerant(text);
  if (!value || !value->is_array()) return groups;
  for (const auto& g : value->as_array()) {
    if (g.is_string()) groups.emplace_back(g.as_string());
  }
  return groups;
}

Session read_session(const storage::Row& row) {
  Session s;
  s.id = row.text("id");
  s.workspace_id = row.text("workspace_id");
  s.room_id = row.text("room_id");
  s.created_at = row.time("created_at");
  s.updated_at = row.time("updated_at");
  s.closed_at = row.maybe_time("closed_at");
  return s;
}

constexpr std::string_view kSession =
    "SELECT id, workspace_id, room_id, created_at, closed_at, updated_at FROM sessions ";

}  // namespace

base::Result<void> Store::insert_session(const Session& s, const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows = (*tx)->query(
      "INSERT INTO sessions (id, workspace_id, room_id, created_at, updated_at) VALUES ($1, $2, $3, $4, $4)",
      {s.id, s.workspace_id, s.room_id, s.created_at});
  if (!rows) return base::fail(rows.error());
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

base::Result<void> Store::close_session(const std::string& room_id, const std::string& session_id,
                                        base::WallTime at, const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  const std::pair<std::string_view, storage::Params> steps[] = {
      {"UPDATE session_peers SET left_at = $2 WHERE session_id = $1 AND left_at IS NULL", {session_id, at}},
      {"UPDATE sessions SET closed_at = $2, updated_at = $2 WHERE id = $1 AND closed_at IS NULL",
       {session_id, at}},
      {"DELETE FROM live_peers WHERE room_id = $1", {room_id}},
      {"DELETE FROM session_store WHERE room_id = $1", {room_id}},
  };
  for (const auto& [sql, params] : steps) {
    auto rows = (*tx)->query(sql, params);
    if (!rows) return base::fail(rows.error());
  }
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

base::Result<void> Store::peer_joined(const LivePeer& p, const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows = (*tx)->query(
      "INSERT INTO session_peers (session_id, peer_id, workspace_id, name, role, user_id, joined_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (session_id, peer_id) DO UPDATE SET name = "
      "excluded.name, "
      "role = excluded.role, left_at = NULL",
      {p.session_id, p.peer_id, p.workspace_id, p.name, p.role, p.user_id, p.joined_at});
  if (!rows) return base::fail(rows.error());
  rows = (*tx)->query(
      "INSERT INTO live_peers (room_id, peer_id, workspace_id, session_id, name, data, user_id, token_role, "
      "role, groups, "
      "joined_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {p.room_id, p.peer_id, p.workspace_id, p.session_id, p.name, p.data, p.user_id, p.token_role, p.role,
       groups_text(p.groups), p.joined_at});
  if (!rows) return base::fail(rows.error());
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

base::Result<void> Store::peer_changed(const LivePeer& p, const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows = (*tx)->query(
      "UPDATE live_peers SET name = $3, data = $4, role = $5, groups = $6 WHERE room_id = $1 AND peer_id = "
      "$2",
      {p.room_id, p.peer_id, p.name, p.data, p.role, groups_text(p.groups)});
  if (!rows) return base::fail(rows.error());
  rows = (*tx)->query("UPDATE session_peers SET name = $3, role = $4 WHERE session_id = $1 AND peer_id = $2",
                      {p.session_id, p.peer_id, p.name, p.role});
  if (!rows) return base::fail(rows.error());
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

base::Result<void> Store::peer_left(const LivePeer& p, base::WallTime at,
                                    const std::vector<WebhookEvent>& events) {
  auto tx = db_.begin();
  if (!tx) return base::fail(tx.error());
  auto rows =
      (*tx)->query("DELETE FROM live_peers WHERE room_id = $1 AND peer_id = $2", {p.room_id, p.peer_id});
  if (!rows) return base::fail(rows.error());
  rows = (*tx)->query("UPDATE session_peers SET left_at = $3 WHERE session_id = $1 AND peer_id = $2",
                      {p.session_id, p.peer_id, at});
  if (!rows) return base::fail(rows.error());
  if (auto put = put_events(**tx, events); !put) return put;
  return (*tx)->commit();
}

base::Result<std::vector<Session>> Store::list_sessions(const std::string& workspace_id,
                                                        const SessionFilter& filter, const Page& page) {
  storage::Params params{workspace_id};
  std::string sql = std::string(kSession) + "WHERE workspace_id = $1";
  auto add = [&](const std::string& before, storage::Param value) {
    params.push_back(std::move(value));
    sql += " AND " + before + "$" + std::to_string(params.size());
  };
  if (filter.active) sql += *filter.active ? " AND closed_at IS NULL" : " AND closed_at IS NOT NULL";
  if (filter.room_id) add("room_id = ", *filter.room_id);
  if (filter.after) add("created_at >= ", *filter.after);
  if (filter.before) add("created_at <= ", *filter.before);
  if (!page.start.empty()) add("id < ", page.start);
  params.emplace_back(page.limit);
  auto rows = db_.query(sql + " ORDER BY id DESC LIMIT $" + std::to_string(params.size()), params);
  if (!rows) return base::fail(rows.error());
  std::vector<Session> all;
  for (const auto& row : rows->rows) all.push_back(read_session(row));
  if (auto loaded = load_session_peers(all); !loaded) return base::fail(loaded.error());
  return all;
}

base::Result<void> Store::load_session_peers(std::vector<Session>& sessions) {
  if (sessions.empty()) return {};
  std::map<std::string, Session*> by_id;
  storage::Params params;
  std::string marks;
  for (auto& s : sessions) {
    by_id[s.id] = &s;
    params.emplace_back(s.id);
    marks += (marks.empty() ? "$" : ", $") + std::to_string(params.size());
  }
  auto rows = db_.query(
      "SELECT session_id, peer_id, name, role, user_id, joined_at, left_at FROM session_peers "
      "WHERE session_id IN (" +
          marks + ") ORDER BY joined_at, peer_id",
      params);
  if (!rows) return base::fail(rows.error());
  for (const auto& row : rows->rows) {
    SessionPeer p;
    p.peer_id = row.text("peer_id");
    p.name = row.text("name");
    p.role = row.text("role");
    p.user_id = row.text("user_id");
    p.joined_at = row.time("joined_at");
    p.left_at = row.maybe_time("left_at");
    by_id.at(row.text("session_id"))->peers.push_back(std::move(p));
  }
  return {};
}

base::Result<std::optional<Session>> Store::session_by_id(const std::string& workspace_id,
                                                          const std::string& id) {
  auto rows = db_.query(std::string(kSession) + "WHERE workspace_id = $1 AND id = $2", {workspace_id, id});
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<Session>();
  std::vector<Session> one{read_session(rows->rows.front())};
  if (auto loaded = load_session_peers(one); !loaded) return base::fail(loaded.error());
  return std::optional<Session>(std::move(one.front()));
}

base::Result<std::vector<Session>> Store::open_sessions() {
  auto rows = db_.query(std::string(kSession) + "WHERE closed_at IS NULL ORDER BY id");
  if (!rows) return base::fail(rows.error());
  std::vector<Session> all;
  for (const auto& row : rows->rows) all.push_back(read_session(row));
  return all;
}

base::Result<std::vector<LivePeer>> Store::live_peers() {
  auto rows = db_.query(
      "SELECT room_id, peer_id, workspace_id, session_id, name, data, user_id, token_role, role, groups, "
      "joined_at "
      "FROM live_peers ORDER BY room_id, joined_at, peer_id");
  if (!rows) return base::fail(rows.error());
  std::vector<LivePeer> all;
  for (const auto& row : rows->rows) {
    LivePeer p;
    p.room_id = row.text("room_id");
    p.workspace_id = row.text("workspace_id");
    p.session_id = row.text("session_id");
    p.peer_id = row.text("peer_id");
    p.name = row.text("name");
    p.data = row.text("data");
    p.user_id = row.text("user_id");
    p.token_role = row.text("token_role");
    p.role = row.text("role");
    p.groups = groups_of(row.text("groups"));
    p.joined_at = row.time("joined_at");
    all.push_back(std::move(p));
  }
  return all;
}

base::Result<std::vector<StoredValue>> Store::stored_values(const std::string& room_id) {
  auto rows = db_.query(
      "SELECT name, data, updated_by, updated_at, change_version FROM session_store WHERE room_id = $1",
      {room_id});
  if (!rows) return base::fail(rows.error());
  std::vector<StoredValue> all;
  for (const auto& row : rows->rows) {
    all.push_back({row.text("name"), row.maybe_text("data"), row.text("updated_by"), row.time("updated_at"),
                   row.integer("change_version")});
  }
  return all;
}

base::Result<void> Store::put_stored_value(const std::string& workspace_id, const std::string& room_id,
                                           const StoredValue& v) {
  auto rows = db_.query(
      "INSERT INTO session_store (room_id, name, workspace_id, data, updated_by, updated_at, change_version) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (room_id, name) DO UPDATE SET data = excluded.data, "
      "updated_by = excluded.updated_by, updated_at = excluded.updated_at, change_version = "
      "excluded.change_version",
      {room_id, v.name, workspace_id, v.data, v.updated_by, v.updated_at, v.change_version});
  if (!rows) return base::fail(rows.error());
  return {};
}

}  // namespace engine
