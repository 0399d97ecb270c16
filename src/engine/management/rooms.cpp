// Rooms (100ms-server-api.md §2). There is no delete.
#include <algorithm>

#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/bodies.h"
#include "telemetry/log.h"

namespace engine {

namespace {

constexpr std::int64_t kMinDuration = 120, kMaxDuration = 43200;

std::optional<bool> bool_of(std::optional<std::string_view> text) {
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

bool is_strict_room_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '-' || c == ':' || c == '_';
  });
}

// §2.3. A Response says what is wrong.
std::optional<http::Response> wrong_recording(const json::Object& info) {
  const auto* upload_value = json::find(info, "upload_info");
  if (!upload_value || upload_value->is_null()) return std::nullopt;
  if (!upload_value->is_object()) return invalid_body("recording_info.upload_info must be an object");
  const auto& upload = upload_value->as_object();
  const auto type = json::text_or(upload, "type");
  if (type != "s3" && type != "gs" && type != "oss" && type != "azure") {
    return error_answer(400, "Invalid upload configuration",
                        {"recording_info.upload_info.type must be one of s3, gs, oss, azure"});
  }
  if (json::text_or(upload, "location").empty())
    return error_answer(400, "Bucket location is missing",
                        {"recording_info.upload_info.location is required"});
  if (const auto* credentials = json::object_at(upload, "credentials")) {
    if (json::text_or(*credentials, "key").empty() || json::text_or(*credentials, "secret").empty()) {
      return error_answer(400, "Invalid upload configuration",
                          {"recording_info.upload_info.credentials needs key and secret"});
    }
  }
  return std::nullopt;
}

json::Value without_secret(const std::optional<json::Object>& recording) {
  if (!recording) return nullptr;
  json::Object shown = *recording;
  if (auto* upload = shown.if_contains("upload_info"); upload && upload->is_object()) {
    if (auto* credentials = upload->as_object().if_contains("credentials");
        credentials && credentials->is_object()) {
      credentials->as_object()["secret"] = "********";
    }
  }
  return shown;
}

// The body's members applied to a room; the first thing that is wrong is the answer.
std::optional<http::Response> apply(const bodies::Room& body, bool strict_names, Room& room) {
  if (body.name && !body.name->empty()) {
    if (strict_names && !is_strict_room_name(*body.name))
      return invalid_body("name may hold letters, digits and . - : _ only");
    room.name = *body.name;
  }
  if (body.description) room.description = *body.description;
  if (body.enabled) room.enabled = *body.enabled;
  if (body.region) {
    const auto& r = *body.region;
    if (r != "us" && r != "eu" && r != "in" && r != "auto" && !r.empty())
      return error_answer(400, "region not supported", {"region must be one of us, eu, in, auto"});
    if (!r.empty()) room.region = r;
  }
  if (body.large_room) room.large_room = *body.large_room;
  if (body.size) {
    if (*body.size < 0) return invalid_body("size less than 0");
    if (room.large_room && *body.size > 20000) return invalid_body("size greater than 20000");
    if (!room.large_room && *body.size > 2500) return invalid_body("size greater than 2500 needs large_room");
    room.size = body.size;
  }
  if (body.max_duration_seconds) {
    if (*body.max_duration_seconds < kMinDuration)
      return invalid_body("max_duration_seconds less than 120 seconds");
    if (*body.max_duration_seconds > kMaxDuration)
      return invalid_body("max_duration_seconds greater than 43200 seconds");
    room.max_duration_seconds = body.max_duration_seconds;
  }
  if (body.recording_info) {
    if (auto wrong = wrong_recording(*body.recording_info)) return wrong;
    room.recording_info = body.recording_info;
  }
  if (body.polls) {
    json::Array polls;
    for (const auto& p : *body.polls) polls.emplace_back(p);
    room.polls = std::move(polls);
  }
  if (body.webhook) {
    if (auto wrong = wrong_webhook(*body.webhook)) return wrong;
    room.webhook = body.webhook;
  }
  return std::nullopt;
}

}  // namespace

json::Object room_document(const Room& room, const Workspace& w) {
  json::Object out{
      {"id", room.id}, {"name", room.name}, {"enabled", room.enabled}, {"description", room.description}};
  out["customer_id"] = w.customer_id;
  out["customer"] = w.customer_id;
  out["app_id"] = w.app_id;
  out["recording_source_template"] = !room.recording_info.has_value();
  out["enabled_source_template"] = true;
  out["recording_info"] = without_secret(room.recording_info);
  out["template_id"] = room.template_id;
  out["template"] = room.template_name;
  out["region"] = room.region;
  out["large_room"] = room.large_room;
  if (room.size) out["size"] = *room.size;
  if (room.max_duration_seconds) out["max_duration_seconds"] = *room.max_duration_seconds;
  if (room.polls) out["polls"] = *room.polls;
  if (room.webhook) out["webhook"] = *room.webhook;
  out["created_at"] = base::format_rfc3339(room.created_at);
  out["updated_at"] = base::format_rfc3339(room.updated_at);
  return out;
}

tl::expected<Room, http::Response> ManagementApi::room_of(const http::Request& request, const Workspace& w) {
  const std::string id(request.param("room_id"));
  if (!base::is_object_id(id)) return tl::unexpected(invalid_room_id(id));
  auto room = services_.store.room_by_id(w.id, id);
  if (!room) return tl::unexpected(storage_failure(room.error()));
  if (!*room) return tl::unexpected(error_answer(404, "room not found"));
  return std::move(**room);
}

http::Response ManagementApi::create_room(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  if (body->contains("template")) return invalid_body("template is not allowed, use template_id");
  auto read = json::read<bodies::Room>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  const auto now = services_.clock.wall();
  std::optional<Room> known;
  if (read.value.name && !read.value.name->empty()) {
    auto found = services_.store.room_by_name(w.id, *read.value.name);
    if (!found) return storage_failure(found.error());
    known = std::move(*found);
  }
  Room room;
  if (known) {
    room = std::move(*known);
    room.updated_at = std::max(now, room.updated_at + base::Duration::millis(1));
  } else {
    room.id = services_.ids.next();
    room.workspace_id = w.id;
    room.name = services_.random.uuid();
    room.template_id = w.default_template_id;
    room.created_at = room.updated_at = now;
  }
  const bool is_new = room.created_at == room.updated_at;
  if (read.value.template_id && !read.value.template_id->empty()) room.template_id = *read.value.template_id;
  auto found = services_.store.template_by_id(w.id, room.template_id);
  if (!found) return storage_failure(found.error());
  if (!*found)
    return error_answer(400, "template not found", {"template not found: " + shown(room.template_id)});
  room.template_name = (*found)->name;
  if (auto wrong = apply(read.value, services_.strict_room_names, room)) return *wrong;
  auto stored = is_new ? services_.store.insert_room(room) : services_.store.update_room(room);
  if (!stored && stored.error().code == "name_taken") {
    return is_new ? create_room(request, w)  // somebody else was faster: now it exists
                  : invalid_body("room name already exists");
  }
  if (!stored) return storage_failure(stored.error());
  telemetry::info(is_new ? "room created" : "room updated",
                  {{"room", room.id}, {"workspace", w.id}, {"template", room.template_id}});
  return ok(room_document(room, w));
}

http::Response ManagementApi::get_room(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  return room ? ok(room_document(*room, w)) : room.error();
}

http::Response ManagementApi::update_room(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto body = body_of(request);
  if (!body) return body.error();
  if (body->contains("template")) return invalid_body("template is not allowed, use template_id");
  auto read = json::read<bodies::Room>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  if (read.value.template_id && !read.value.template_id->empty()) {
    auto found = services_.store.template_by_id(w.id, *read.value.template_id);
    if (!found) return storage_failure(found.error());
    if (!*found)
      return error_answer(400, "template not found",
                          {"template not found: " + shown(*read.value.template_id)});
    room->template_id = (*found)->id;
    room->template_name = (*found)->name;
  }
  if (auto wrong = apply(read.value, services_.strict_room_names, *room)) return *wrong;
  room->updated_at = std::max(services_.clock.wall(), room->updated_at + base::Duration::millis(1));
  auto stored = services_.store.update_room(*room);
  if (!stored && stored.error().code == "name_taken") return invalid_body("room name already exists");
  if (!stored) return storage_failure(stored.error());
  return ok(room_document(*room, w));
}

http::Response ManagementApi::list_rooms(const http::Request& request, const Workspace& w) {
  RoomFilter filter;
  filter.enabled = bool_of(request.query_value("enabled")).value_or(true);
  if (auto name = request.query_value("name"); name && !name->empty()) filter.name = std::string(*name);
  if (auto id = request.query_value("template_id"); id && !id->empty()) filter.template_id = std::string(*id);
  for (auto [name, member] :
       {std::pair{"after", &RoomFilter::after}, std::pair{"before", &RoomFilter::before}}) {
    auto text = request.query_value(name);
    if (!text || text->empty()) continue;
    filter.*member = base::parse_rfc3339(*text);
    if (!(filter.*member))
      return error_answer(400, "Invalid query param", {std::string(name) + " must be an RFC 3339 time"});
  }
  const Page page = page_of(request);
  auto rooms = services_.store.list_rooms(w.id, filter, page);
  if (!rooms) return storage_failure(rooms.error());
  json::Array data;
  for (const auto& room : *rooms) {
    json::Object document = room_document(room, w);
    document["recording"] = document["recording_info"];
    document["key"] = w.customer_id + ":" + room.name;
    data.push_back(std::move(document));
  }
  return page_answer(page, std::move(data));
}

}  // namespace engine
