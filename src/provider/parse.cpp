#include "provider/parse.h"

#include "base/text.h"
#include "telemetry/log.h"

namespace provider {
namespace {

constexpr std::size_t kShownCharacters = 300;

// "message" and "details" may each be missing, mistyped or replaced by HTML.
std::string vendor_words(const http::ClientResponse& response) {
  auto parsed = json::parse_tolerant(response.body, {.max_bytes = 64 * 1024});
  if (!parsed || !parsed->is_object()) return {};
  const json::Object& object = parsed->as_object();
  std::string words(json::text_or(object, "message"));
  if (const json::Array* details = json::array_at(object, "details"))
    for (const json::Value& detail : *details) {
      if (!detail.is_string()) continue;
      if (!words.empty()) words += ": ";
      words += std::string_view(detail.as_string());
    }
  return words;
}

std::string sentence(int status, const std::string& words) {
  std::string out = "the provider answered " + std::to_string(status);
  const std::string shown = shown_text(words);
  return shown.empty() ? out : out + ": " + shown;
}

std::optional<int> retry_after(const http::ClientResponse& response) {
  const auto seconds = base::parse_u64(base::trim(response.header("retry-after")));
  if (!seconds || *seconds > 86400) return std::nullopt;
  return static_cast<int>(*seconds);
}

void read_role(const std::string& name, const json::Object& object, Role& role) {
  role.name = name;
  if (const json::Object* publish = json::object_at(object, "publishParams"))
    if (const json::Array* allowed = json::array_at(*publish, "allowed"))
      for (const json::Value& kind : *allowed)
        if (kind.is_string()) role.publishes.emplace_back(std::string_view(kind.as_string()));
  if (const json::Object* subscribe = json::object_at(object, "subscribeParams"))
    if (const json::Array* roles = json::array_at(*subscribe, "subscribeToRoles"))
      for (const json::Value& other : *roles)
        if (other.is_string()) role.subscribes_to.emplace_back(std::string_view(other.as_string()));
  if (const json::Object* permissions = json::object_at(object, "permissions"))
    for (const auto& [key, value] : *permissions)
      if (value.is_bool()) role.permissions[std::string(std::string_view(key))] = value.as_bool();
}

}  // namespace

std::string shown_text(std::string_view vendor_text) {
  if (!base::is_valid_utf8(vendor_text)) return {};
  std::string text = base::escape_controls(telemetry::redact(vendor_text));
  if (base::utf8_length(text) <= kShownCharacters) return text;
  std::size_t at = 0;
  for (std::size_t characters = 0; at < text.size(); ++at)
    if ((static_cast<unsigned char>(text[at]) & 0xC0) != 0x80 && ++characters > kShownCharacters) break;
  return text.substr(0, at);
}

Failure bad_response(std::string detail) {
  return {FailureClass::kAvailability,
          "provider_bad_response",
          std::move(detail),
          "bad response",
          0,
          std::nullopt,
          true};
}

Failure from_transport(const http::ClientError& error) {
  const std::string words = shown_text(error.detail);
  switch (error.failure) {
    case http::ClientFailure::kTimeout:
      return {FailureClass::kAvailability,
              "provider_timeout",
              "the provider did not answer in time",
              "timeout",
              0,
              std::nullopt,
              true};
    case http::ClientFailure::kTls:
      return {FailureClass::kAvailability,
              "provider_tls_invalid",
              "the provider's certificate is not valid: " + words,
              "tls",
              0,
              std::nullopt,
              false};
    case http::ClientFailure::kBadResponse:
    case http::ClientFailure::kTooLarge:
      return bad_response("the provider's answer could not be read: " + words);
    case http::ClientFailure::kUnreachable:
      break;
  }
  return {FailureClass::kAvailability,
          "provider_unreachable",
          "the provider could not be reached: " + words,
          "unreachable",
          0,
          std::nullopt,
          true};
}

Failure from_status(const http::ClientResponse& response) {
  const std::string words = vendor_words(response);
  Failure out;
  out.http_status = response.status;
  out.cause = std::to_string(response.status);
  out.detail = sentence(response.status, words);
  out.retry_after_s = retry_after(response);
  if (response.status >= 300 && response.status < 400) {
    out.code = "provider_bad_response";
    out.detail += " (a redirect; redirects are not followed)";
  } else if (response.status == 429) {
    out.code = "provider_rate_limited";
    out.may_have_acted = false;
  } else if (response.status >= 500) {
    out.code = "provider_error";
  } else if (response.status == 401 || response.status == 403) {
    out.cls = FailureClass::kConfiguration;
    out.code = "integration_credentials_rejected";
    out.may_have_acted = false;
  } else if (response.status >= 400) {
    out.cls = FailureClass::kConfiguration;
    const bool unknown_template = base::to_lower(words).find("template not found") != std::string::npos;
    out.code = unknown_template ? "integration_template_unknown" : "provider_rejected_request";
    out.may_have_acted = false;
  } else {
    out.code = "provider_bad_response";
  }
  return out;
}

Result<json::Object> read_object(const http::ClientResponse& response) {
  auto parsed = json::parse_tolerant(response.body, {.max_bytes = 1024 * 1024});
  if (!parsed) return tl::unexpected(bad_response("the provider answered 200 with a body that is not JSON"));
  if (!parsed->is_object())
    return tl::unexpected(bad_response("the provider answered 200 with JSON that is not an object"));
  return std::move(parsed->as_object());
}

Result<Room> read_room(const json::Object& object) {
  Room room;
  room.id = json::text_or(object, "id");
  if (!base::is_object_id(room.id))
    return tl::unexpected(bad_response(room.id.empty() ? "the provider's answer has no room id"
                                                       : "the provider's room id '" + shown_text(room.id) +
                                                             "' is not 24 hexadecimal digits"));
  const json::Value* enabled = json::find(object, "enabled");
  if (!enabled || !enabled->is_bool())
    return tl::unexpected(bad_response("the provider's answer does not say whether the room is enabled"));
  room.enabled = enabled->as_bool();
  room.name = json::text_or(object, "name");
  room.template_id = json::text_or(object, "template_id");
  room.region = json::text_or(object, "region");
  return room;
}

Result<Template> read_template(const json::Object& object) {
  Template out;
  out.id = json::text_or(object, "id", json::text_or(object, "_id"));
  if (!base::is_object_id(out.id))
    return tl::unexpected(bad_response("a template in the provider's answer has no id"));
  out.name = json::text_or(object, "name");
  const json::Object* roles = json::object_at(object, "roles");
  if (!roles) return tl::unexpected(bad_response("a template in the provider's answer has no roles"));
  for (const auto& [key, value] : *roles)
    if (value.is_object()) {
      const std::string name{std::string_view(key)};
      read_role(name, value.as_object(), out.roles[name]);
    }
  return out;
}

bool Role::publishes_kind(const std::string& kind) const {
  return std::find(publishes.begin(), publishes.end(), kind) != publishes.end();
}
bool Role::subscribes(const std::string& role) const {
  return std::find(subscribes_to.begin(), subscribes_to.end(), role) != subscribes_to.end();
}
bool Role::may(const std::string& permission) const {
  if (auto it = permissions.find(permission); it != permissions.end()) return it->second;
  return permission == "browserRecording" || permission == "rtmpStreaming" || permission == "hlsStreaming";
}

std::optional<base::WallTime> parse_http_date(std::string_view text) {
  // "Sun, 06 Nov 1994 08:49:37 GMT"
  if (text.size() != 29 || text.substr(25) != " GMT") return std::nullopt;
  static constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const auto month = kMonths.find(text.substr(8, 3));
  if (month == std::string_view::npos || month % 3 != 0) return std::nullopt;
  const std::size_t number = month / 3 + 1;
  std::string iso(text.substr(12, 4));
  iso += number < 10 ? "-0" : "-";
  iso += std::to_string(number) + "-" + std::string(text.substr(5, 2)) + "T" +
         std::string(text.substr(17, 8)) + "Z";
  return base::parse_rfc3339(iso);
}

}  // namespace provider
