#include "base/text.h"
#include "engine/store/store.h"

namespace engine {

namespace {

// Upload credentials and webhook headers hold secrets: both members are kept as envelopes bound to their
// room.
std::string place_of(const std::string& workspace_id, const std::string& room_id, std::string_view member) {
  return "televisit/v1/rooms/" + workspace_id + "/" + room_id + "/" + std::string(member);
}

base::Result<void> name_taken_or(const base::Result<storage::Rows>& rows) {
  if (rows) return {};
  if (rows.error().code == storage::kUnique) return base::fail("name_taken", "room name already exists");
  return base::fail(rows.error());
}

// SQL conditions with their parameters, numbered as they come.
class Where {
 public:
  explicit Where(storage::Param workspace) { add("r.workspace_id = ", std::move(workspace)); }
  void add(const std::string& before, storage::Param value) {
    params_.push_back(std::move(value));
    if (!text_.empty()) text_ += " AND ";
    text_ += before + "$" + std::to_string(params_.size());
  }
  std::string ordered(const Page& page) {
    if (!page.start.empty()) add("r.id < ", page.start);
    params_.emplace_back(page.limit);
    return text_ + " ORDER BY r.id DESC LIMIT $" + std::to_string(params_.size());
  }
  storage::Params params() { return std::move(params_); }

 private:
  std::string text_;
  storage::Params params_;
};

}  // namespace

storage::Param Store::sealed(const std::optional<json::Object>& value, const Room& room,
                             std::string_view member) {
  if (!value) return storage::Null{};
  return keys_.seal(base::Secret(json::serialize(*value)), place_of(room.workspace_id, room.id, member),
                    random_);
}

base::Result<Room> Store::read_room(const storage::Row& row) const {
  Room room;
  room.id = row.text("id");
  room.workspace_id = row.text("workspace_id");
  room.name = row.text("name");
  room.description = row.text("description");
  room.enabled = row.boolean("enabled");
  room.template_id = row.text("template_id");
  room.template_name = row.text("template_name");
  room.region = row.text("region");
  room.large_room = row.boolean("large_room");
  if (!row.is_null("size")) room.size = row.integer("size");
  if (!row.is_null("max_duration_seconds")) room.max_duration_seconds = row.integer("max_duration_seconds");
  room.created_at = row.time("created_at");
  room.updated_at = row.time("updated_at");
  if (auto polls = row.maybe_text("polls")) {
    auto value = json::parse_tolerant(*polls);
    if (value && value->is_array()) room.polls = std::move(value->as_array());
  }
  for (auto [column, member] :
       {std::pair{"recording_info", &Room::recording_info}, std::pair{"webhook", &Room::webhook}}) {
    auto envelope = row.maybe_text(column);
    if (!envelope) continue;
    auto plain = keys_.open(*envelope, place_of(room.workspace_id, room.id, column));
    if (!plain) return base::fail(plain.error());
    auto value = json::parse_tolerant(plain->reveal());
    if (value && value->is_object()) room.*member = std::move(value->as_object());
  }
  return room;
}

base::Result<std::vector<Room>> Store::rooms_where(const std::string& condition, storage::Params params) {
  auto rows = db_.query(
      "SELECT r.id AS id, r.workspace_id AS workspace_id, r.name AS name, r.description AS description, "
      "r.enabled AS enabled, r.template_id AS template_id, t.name AS template_name, r.region AS region, "
      "r.large_room AS large_room, r.size AS size, r.max_duration_seconds AS max_duration_seconds, "
      "r.recording_info AS recording_info, r.polls AS polls, r.webhook AS webhook, r.created_at AS "
      "created_at, "
      "r.updated_at AS updated_at FROM rooms r JOIN templates t ON t.id = r.template_id WHERE " +
          condition,
      params);
  if (!rows) return base::fail(rows.error());
  std::vector<Room> all;
  for (const auto& row : rows->rows) {
    auto room = read_room(row);
    if (!room) return base::fail(room.error());
    all.push_back(std::move(*room));
  }
  return all;
}

base::Result<std::optional<Room>> Store::room_by_id(const std::string& workspace_id, const std::string& id) {
  auto found = rooms_where("r.workspace_id = $1 AND r.id = $2", {workspace_id, id});
  if (!found) return base::fail(found.error());
  if (found->empty()) return std::optional<Room>();
  return std::optional<Room>(std::move(found->front()));
}

base::Result<std::optional<Room>> Store::room_by_name(const std::string& workspace_id,
                                                      const std::string& name) {
  auto found = rooms_where("r.workspace_id = $1 AND r.name_key = $2", {workspace_id, base::to_lower(name)});
  if (!found) return base::fail(found.error());
  if (found->empty()) return std::optional<Room>();
  return std::optional<Room>(std::move(found->front()));
}

base::Result<std::vector<Room>> Store::list_rooms(const std::string& workspace_id, const RoomFilter& filter,
                                                  const Page& page) {
  Where where(workspace_id);
  if (filter.enabled) where.add("r.enabled = ", *filter.enabled);
  if (filter.name) where.add("r.name_key = ", base::to_lower(*filter.name));
  if (filter.template_id) where.add("r.template_id = ", *filter.template_id);
  if (filter.after) where.add("r.created_at >= ", *filter.after);
  if (filter.before) where.add("r.created_at <= ", *filter.before);
  const std::string condition = where.ordered(page);
  return rooms_where(condition, where.params());
}

base::Result<void> Store::insert_room(const Room& room) {
  auto rows = db_.query(
      "INSERT INTO rooms (id, workspace_id, name, name_key, description, enabled, template_id, region, "
      "large_room, size, "
      "max_duration_seconds, recording_info, polls, webhook, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)",
      {room.id, room.workspace_id, room.name, base::to_lower(room.name), room.description, room.enabled,
       room.template_id, room.region, room.large_room, room.size, room.max_duration_seconds,
       sealed(room.recording_info, room, "recording_info"),
       room.polls ? storage::Param(json::serialize(json::Value(*room.polls)))
                  : storage::Param(storage::Null{}),
       sealed(room.webhook, room, "webhook"), room.created_at, room.updated_at});
  return name_taken_or(rows);
}

base::Result<void> Store::update_room(const Room& room) {
  auto rows = db_.query(
      "UPDATE rooms SET name = $3, name_key = $4, description = $5, enabled = $6, template_id = $7, region = "
      "$8, "
      "large_room = $9, size = $10, max_duration_seconds = $11, recording_info = $12, polls = $13, webhook = "
      "$14, "
      "updated_at = $15 WHERE workspace_id = $1 AND id = $2",
      {room.workspace_id, room.id, room.name, base::to_lower(room.name), room.description, room.enabled,
       room.template_id, room.region, room.large_room, room.size, room.max_duration_seconds,
       sealed(room.recording_info, room, "recording_info"),
       room.polls ? storage::Param(json::serialize(json::Value(*room.polls)))
                  : storage::Param(storage::Null{}),
       sealed(room.webhook, room, "webhook"), room.updated_at});
  if (rows && rows->affected == 0) return base::fail("not_found", "room not found");
  return name_taken_or(rows);
}

base::Result<void> Store::insert_room_code(const RoomCode& c) {
  auto rows = db_.query(
      "INSERT INTO room_codes (code, workspace_id, room_id, role, enabled, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {c.code, c.workspace_id, c.room_id, c.role, c.enabled, c.created_at, c.updated_at});
  if (!rows) return base::fail(rows.error());
  return {};
}

namespace {

RoomCode read_code(const storage::Row& row) {
  RoomCode c;
  c.code = row.text("code");
  c.workspace_id = row.text("workspace_id");
  c.room_id = row.text("room_id");
  c.role = row.text("role");
  c.enabled = row.boolean("enabled");
  c.created_at = row.time("created_at");
  c.updated_at = row.time("updated_at");
  return c;
}

}  // namespace

base::Result<std::optional<RoomCode>> Store::room_code(const std::string& code) {
  auto rows = db_.query(
      "SELECT code, workspace_id, room_id, role, enabled, created_at, updated_at FROM room_codes WHERE code "
      "= $1",
      {code});
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<RoomCode>();
  return std::optional<RoomCode>(read_code(rows->rows.front()));
}

base::Result<std::vector<RoomCode>> Store::room_codes(const std::string& workspace_id,
                                                      const std::string& room_id) {
  auto rows = db_.query(
      "SELECT code, workspace_id, room_id, role, enabled, created_at, updated_at FROM room_codes "
      "WHERE workspace_id = $1 AND room_id = $2 ORDER BY created_at DESC, code DESC",
      {workspace_id, room_id});
  if (!rows) return base::fail(rows.error());
  std::vector<RoomCode> all;
  for (const auto& row : rows->rows) all.push_back(read_code(row));
  return all;
}

base::Result<void> Store::set_room_code_enabled(const RoomCode& c) {
  auto rows =
      db_.query("UPDATE room_codes SET enabled = $3, updated_at = $4 WHERE workspace_id = $1 AND code = $2",
                {c.workspace_id, c.code, c.enabled, c.updated_at});
  if (!rows) return base::fail(rows.error());
  return {};
}

}  // namespace engine
