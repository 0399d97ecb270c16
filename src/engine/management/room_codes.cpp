// Room codes and their exchange for an app token (100ms-server-api.md §1.4, §3).
#include <algorithm>

#include "crypto/jwt.h"
#include "engine/management/api.h"
#include "engine/management/bodies.h"

namespace engine {

namespace {

constexpr std::size_t kMaxCodes = 100;
constexpr std::int64_t kTokenSeconds = 24 * 3600;

json::Object code_document(const RoomCode& c) {
  return {{"code", c.code},
          {"room_id", c.room_id},
          {"role", c.role},
          {"enabled", c.enabled},
          {"created_at", base::format_rfc3339(c.created_at)},
          {"updated_at", base::format_rfc3339(c.updated_at)}};
}

// '>', '?' and '~' become base64url letters that plain atob cannot read (100ms-client-protocol.md §1).
bool fits_in_token(std::string_view user_id) {
  return std::all_of(user_id.begin(), user_id.end(),
                     [](char c) { return c >= 0x20 && c < 0x7f && c != '>' && c != '?' && c != '~'; });
}

}  // namespace

base::Result<RoomCode> ManagementApi::new_code(const Room& room, const std::string& role) {
  constexpr std::string_view kLetters = "abcdefghijklmnopqrstuvwxyz";
  RoomCode code;
  code.workspace_id = room.workspace_id;
  code.room_id = room.id;
  code.role = role;
  code.created_at = code.updated_at = services_.clock.wall();
  base::Result<void> stored;
  for (int attempt = 0; attempt < 5; ++attempt) {
    auto& random = services_.random;
    code.code = random.text(kLetters, 3) + "-" + random.text(kLetters, 4) + "-" + random.text(kLetters, 3);
    stored = services_.store.insert_room_code(code);
    if (stored) return code;
    if (stored.error().code != storage::kUnique) break;
  }
  return base::fail(stored.error());
}

tl::expected<Template, http::Response> ManagementApi::roles_for_codes(const Room& room) {
  if (!room.enabled) return tl::unexpected(error_answer(403, "Room is disabled"));
  auto found = services_.store.template_by_id(room.workspace_id, room.template_id);
  if (!found) return tl::unexpected(storage_failure(found.error()));
  if (!*found) return tl::unexpected(error_answer(404, "template not found"));
  return std::move(**found);
}

http::Response ManagementApi::create_codes(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto t = roles_for_codes(*room);
  if (!t) return t.error();
  auto codes = services_.store.room_codes(w.id, room->id);
  if (!codes) return storage_failure(codes.error());
  for (auto& code : *codes) {
    if (!code.enabled || t->roles.contains(code.role)) continue;
    code.enabled = false;
    code.updated_at = services_.clock.wall();
    if (auto stored = services_.store.set_room_code_enabled(code); !stored)
      return storage_failure(stored.error());
  }
  for (const auto& [role, document] : t->roles) {
    const bool served = std::any_of(codes->begin(), codes->end(), [&](const RoomCode& c) {
      return c.enabled && c.role == std::string_view(role);
    });
    if (served) continue;
    if (codes->size() >= kMaxCodes)
      return error_answer(400, "too many room codes", {"a room may have at most 100 codes"});
    auto code = new_code(*room, std::string(role));
    if (!code) return storage_failure(code.error());
    codes->push_back(std::move(*code));
  }
  json::Array data;
  for (const auto& code : *codes) data.push_back(code_document(code));
  return ok({{"data", std::move(data)}});
}

http::Response ManagementApi::create_code_for_role(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto t = roles_for_codes(*room);
  if (!t) return t.error();
  const std::string role(request.param("role"));
  if (!t->roles.contains(role)) return error_answer(404, "Role not found");
  auto codes = services_.store.room_codes(w.id, room->id);
  if (!codes) return storage_failure(codes.error());
  if (codes->size() >= kMaxCodes)
    return error_answer(400, "too many room codes", {"a room may have at most 100 codes"});
  auto code = new_code(*room, role);
  return code ? ok(code_document(*code)) : storage_failure(code.error());
}

http::Response ManagementApi::list_codes(const http::Request& request, const Workspace& w) {
  auto room = room_of(request, w);
  if (!room) return room.error();
  auto t = roles_for_codes(*room);
  if (!t) return t.error();
  const auto role = request.query_value("role");
  if (role && !role->empty() && !t->roles.contains(*role)) return error_answer(404, "Role not found");
  const auto enabled = request.query_value("enabled");
  if (enabled && *enabled != "true" && *enabled != "false")
    return error_answer(400, "invalid query parameter", {"enabled must be true or false"});
  Page page = page_of(request);
  if (!request.query_value("limit")) page.limit = 20;
  auto codes = services_.store.room_codes(w.id, room->id);
  if (!codes) return storage_failure(codes.error());
  json::Array data;
  bool started = page.start.empty();
  for (const auto& code : *codes) {
    if (!started) {
      started = code.code == page.start;
      continue;
    }
    if (role && !role->empty() && code.role != *role) continue;
    if (enabled && code.enabled != (*enabled == "true")) continue;
    if (static_cast<std::int64_t>(data.size()) == page.limit) break;
    data.push_back(code_document(code));
  }
  return page_answer(page, std::move(data), "code");
}

http::Response ManagementApi::update_code(const http::Request& request, const Workspace& w) {
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::RoomCodeUpdate>(*body, json::Unknown::kRefuse);
  if (!read.ok()) return invalid_body(read.errors);
  auto code = services_.store.room_code(read.value.code);
  if (!code) return storage_failure(code.error());
  if (!*code || (*code)->workspace_id != w.id) return error_answer(404, "Code not found");
  if (read.value.enabled) {
    auto room = services_.store.room_by_id(w.id, (*code)->room_id);
    if (!room) return storage_failure(room.error());
    auto t =
        *room ? roles_for_codes(**room)
              : tl::expected<Template, http::Response>(tl::unexpected(error_answer(404, "Room not found")));
    if (!t || !t->roles.contains((*code)->role))
      return error_answer(403, "Code cannot be enabled", {"its room or role is gone or disabled"});
  }
  (*code)->enabled = read.value.enabled;
  (*code)->updated_at = std::max(services_.clock.wall(), (*code)->updated_at + base::Duration::millis(1));
  if (auto stored = services_.store.set_room_code_enabled(**code); !stored)
    return storage_failure(stored.error());
  return ok(code_document(**code));
}

// Called by browsers, without an Authorization header and usually as text/plain.
http::Response ManagementApi::exchange_code(const http::Request& request) {
  if (!code_attempts_.allow(request.client_ip))
    return error_answer(429, "too many requests").set("retry-after", "1");
  auto body = body_of(request);
  if (!body) return body.error();
  auto read = json::read<bodies::TokenByCode>(*body);
  if (!read.ok()) return invalid_body(read.errors);
  if (read.value.user_id && !fits_in_token(*read.value.user_id))
    return invalid_body("user_id may hold printable ASCII without > ? ~ only");
  auto found = services_.store.room_code(read.value.code);
  if (!found) return storage_failure(found.error());
  const auto workspace = *found ? services_.workspaces.by_id((*found)->workspace_id) : nullptr;
  if (!workspace) return error_answer(404, "room code not found");
  const RoomCode& code = **found;
  if (!code.enabled) return error_answer(403, "room code is disabled");
  auto room = services_.store.room_by_id(code.workspace_id, code.room_id);
  if (!room) return storage_failure(room.error());
  if (!*room || !(*room)->enabled) return error_answer(403, "room is not active");
  const std::int64_t now = services_.clock.wall().to_seconds();
  json::Object claims{{"access_key", workspace->access_key},
                      {"type", "app"},
                      {"version", 2},
                      {"room_id", code.room_id},
                      {"role", code.role}};
  if (read.value.user_id) claims["user_id"] = *read.value.user_id;
  claims["iat"] = now;
  claims["nbf"] = now;
  claims["exp"] = now + kTokenSeconds;
  const auto token = crypto::sign_browser_jwt(std::move(claims), workspace->secret, services_.random);
  return ok({{"token", token.reveal()}, {"expiresAt", base::format_rfc3339({(now + kTokenSeconds) * 1000})}})
      .set("cache-control", "no-store");
}

}  // namespace engine
