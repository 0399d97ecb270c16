#include "engine/management/answers.h"

#include <algorithm>

#include "base/text.h"
#include "storage/database.h"
#include "telemetry/log.h"

namespace engine {

http::Response error_answer(int status, std::string_view message, const std::vector<std::string>& details) {
  json::Object body{{"code", status}, {"message", message}};
  if (!details.empty()) {
    json::Array list;
    for (const auto& detail : details) list.emplace_back(detail);
    body["details"] = std::move(list);
  }
  return http::json_response(status, json::serialize(body));
}

http::Response ok(const json::Object& body) {
  return http::json_response(200, json::serialize(body));
}

http::Response page_answer(const Page& page, json::Array data, std::string_view id_member) {
  std::string last;
  if (!data.empty() && data.back().is_object())
    last = std::string(json::text_or(data.back().as_object(), id_member));
  return ok({{"limit", page.limit}, {"data", std::move(data)}, {"last", last}});
}

http::Response storage_failure(const base::Error& error) {
  telemetry::error("engine storage failed", {{"code", error.code}, {"detail", error.detail}});
  const bool passing = error.code == storage::kBusy || error.code == storage::kUnavailable ||
                       error.code == storage::kTimeout || error.code == storage::kFull;
  auto response = error_answer(passing ? 503 : 500, passing ? "service unavailable" : "internal error");
  if (passing) response.set("retry-after", "2");
  return response;
}

http::Response invalid_body(const std::vector<json::FieldError>& errors) {
  std::vector<std::string> details;
  for (const auto& e : errors) {
    std::string path = e.pointer.empty() ? "body" : e.pointer.substr(1);
    std::replace(path.begin(), path.end(), '/', '.');
    details.push_back("Invalid body param: " + shown(path) + " " + e.message);
  }
  return error_answer(400, "Invalid body param", details);
}

http::Response invalid_body(const std::string& detail) {
  return error_answer(400, "Invalid body param", {"Invalid body param: " + detail});
}

Page page_of(const http::Request& request) {
  Page page;
  if (auto limit = request.query_value("limit")) {
    if (auto number = base::parse_u64(*limit))
      page.limit = static_cast<std::int64_t>(std::clamp<std::uint64_t>(*number, 10, 100));
  }
  if (auto start = request.query_value("start")) page.start = std::string(start->substr(0, 64));
  return page;
}

tl::expected<json::Object, http::Response> body_of(const http::Request& request) {
  if (base::trim(request.body).empty()) return json::Object();
  auto value = json::parse(request.body);
  if (!value) return tl::unexpected(error_answer(400, "Invalid request body", {value.error().detail}));
  if (!value->is_object())
    return tl::unexpected(error_answer(400, "Invalid request body", {"the body must be a JSON object"}));
  return std::move(value->as_object());
}

std::string shown(std::string_view value) {
  if (!base::is_valid_utf8(value)) return "(not UTF-8)";
  std::string text = base::escape_controls(value.substr(0, 64));
  while (!text.empty() && !base::is_valid_utf8(text)) text.pop_back();
  return text;
}

http::Response invalid_room_id(std::string_view value) {
  return error_answer(400, "invalid room id: " + shown(value),
                      {"a room id is 24 hexadecimal digits chosen by the server; this looks like a room "
                       "name: create the room with "
                       "POST /v2/rooms and use the id of the answer"});
}

}  // namespace engine
