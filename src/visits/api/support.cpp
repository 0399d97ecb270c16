#include "visits/api/support.h"

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "visits/api/idempotency.h"
#include "visits/api/org_routes.h"
#include "visits/integrations/endpoint_policy.h"
#include "visits/people/api_keys.h"
#include "visits/problems.h"
#include "visits/store/organizations.h"

namespace visits::api {
namespace {

constexpr base::Duration kCursorLife = base::Duration::seconds(24 * 3600);

bool unsafe_method(const http::Request& request) {
  return request.method != http::Method::kGet && request.method != http::Method::kHead &&
         request.method != http::Method::kOptions;
}

bool loopback_host_header(std::string_view host) {
  auto url = parse_url("http://" + std::string(host));
  return url && (url->host == "localhost" || url->host == "127.0.0.1" || url->host == "::1");
}

bool proxied(const http::Request& request) {
  for (const auto& [name, value] : request.headers)
    if (name == "forwarded" || name == "via" || name.rfind("x-forwarded-", 0) == 0) return true;
  return false;
}

std::string signature(const Core& core, const std::string& text) {
  const crypto::Sha256Digest digest =
      crypto::hmac_sha256(base::as_bytes(core.keyring.derive("cursor").reveal()), base::as_bytes(text));
  return base::to_base64url(std::span(digest).first(16));
}

Outcome<void> check_origin(const Core& core, const http::Request& request) {
  if (!unsafe_method(request) || origin_allowed(core.config, request)) return {};
  return refuse("origin_refused", "the page's origin is not listed");
}

Outcome<Principal> by_key(Core& core, const http::Request& request) {
  const std::string_view credential = request.header("authorization");
  if (credential.size() < 7 || !base::equals_ignore_case(credential.substr(0, 7), "Bearer "))
    return refuse("unauthenticated", "the credential is not known");
  const std::string_view key = base::trim(credential.substr(7));
  if (key.rfind("tvk_", 0) != 0) return refuse("unauthenticated", "the credential is not known");
  auto principal = principal_of_key(core, key);
  if (!principal) return principal;
  const std::string_view org_id = base::trim(request.header("x-org-id"));
  if (!org_id.empty() && !base::equals_ignore_case(org_id, principal->org_id))
    return refuse("org_mismatch", "x-org-id names another organisation than the key's");
  return principal;
}

}  // namespace

http::Response answer(int status, const json::Value& body) {
  return http::json_response(status, json::serialize(body));
}

http::Response problem(const Failure& failure, const http::Request& request) {
  return http::problem_response(to_problem(failure), request);
}

bool open_mode_configured(const Config& config) {
  return config.open_loopback != "off" && config.all_listeners_loopback;
}

bool origin_allowed(const Config& config, const http::Request& request) {
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return true;
  auto page = parse_url(origin);
  if (!page || !page->path.empty()) return false;
  if (auto web = parse_url(config.public_web_url); web && web->origin() == page->origin()) return true;
  if (!loopback_host_header(request.header("host"))) return false;
  auto own = parse_url(page->scheme + "://" + std::string(request.header("host")));
  return own && own->origin() == page->origin();
}

std::string banner(const Core& core, const std::string& org_id) {
  if (!open_mode_configured(core.config)) return {};
  return "OPEN ON LOOPBACK: requests without credentials act for demo org " + org_id + ". Not for patients.";
}

Outcome<Principal> authenticate(Core& core, const http::Request& request) {
  if (!request.header("authorization").empty()) return by_key(core, request);
  if (!open_mode_configured(core.config)) return refuse("unauthenticated", "no credential was sent");
  if (!request.remote.is_loopback() || !loopback_host_header(request.header("host")) || proxied(request))
    return refuse("open_mode_refused", "the request does not come straight from this machine");
  if (request.header("sec-fetch-site") == "cross-site" || !origin_allowed(core.config, request))
    return refuse("open_mode_refused", "the request comes from a foreign page");
  const std::string org_id = base::to_lower(base::trim(request.header("x-org-id")));
  if (org_id.empty()) return refuse("org_required", "the header x-org-id is missing");
  if (!base::is_uuid(org_id))
    return refuse("open_mode_refused", "x-org-id does not name a demo organisation");
  auto org = read(core, [&](storage::Transaction& t) { return store::find_organization(t, org_id); });
  if (!org) return refuse(Failure(org.error()));
  if (!*org || !(*org)->demo)
    return refuse("open_mode_refused", "x-org-id does not name a demo organisation");
  return Principal{Principal::Kind::kOpenLoopback, org_id, "open-loopback",
                   Scopes::all().without(Scope::kAdmin)};
}

void mount_staff(const Api& api, http::Router& router, const StaffRoute& route) {
  router.add(route.method, route.path, [api, route](const http::Request& request) {
    const auto refused = [&](const Failure& failure) {
      return route.refusal ? route.refusal(failure, request) : problem(failure, request);
    };
    if (auto origin = check_origin(api.core, request); !origin) return refused(origin.error());
    auto principal = authenticate(api.core, request);
    if (!principal) return refused(principal.error());
    if (!principal->scopes.has(route.scope))
      return refused(
          Failure("forbidden_scope", "this call needs the scope " + std::string(to_string(route.scope))));
    const Call call{api.core, api.presence, request, std::move(*principal)};
    auto response = once(api.core, call.principal, request, [&] {
      auto done = route.handler(call);
      return done ? std::move(*done) : refused(done.error());
    });
    return response ? std::move(*response) : refused(response.error());
  });
}

std::vector<StaffRoute> staff_routes() {
  std::vector<StaffRoute> out;
  for (auto* routes : {integration_routes, visit_routes, chart_routes, key_routes, org_routes})
    for (StaffRoute& route : routes()) out.push_back(std::move(route));
  return out;
}

http::Handler open_to_all(const Api& api, PublicHandler handler) {
  return [api, handler = std::move(handler)](const http::Request& request) {
    if (auto origin = check_origin(api.core, request); !origin) return problem(origin.error(), request);
    auto response = handler(request);
    return response ? std::move(*response) : problem(response.error(), request);
  };
}

Outcome<json::Object> body_object(const http::Request& request) {
  if (base::trim(request.body).empty()) return json::Object{};
  auto parsed = json::parse_object(request.body);
  if (parsed) return std::move(*parsed);
  const std::string type = base::to_lower(request.header("content-type"));
  const bool other_type = type.rfind("application/x-www-form-urlencoded", 0) == 0 ||
                          type.rfind("multipart/", 0) == 0 || type.rfind("text/", 0) == 0;
  if (other_type && parsed.error().code == "json_invalid")
    return refuse("media_type_unsupported", "the body is not JSON");
  return refuse(Failure(parsed.error()));
}

void note_ignored(http::Response& response, const std::string& ignored) {
  if (ignored.empty()) return;
  std::string safe;
  for (const char c : ignored.substr(0, 1000)) safe += c >= 0x20 && c < 0x7f ? c : '?';
  response.set("televisit-ignored", safe);
}

Outcome<std::string> path_uuid(const http::Request& request, std::string_view name) {
  const std::string_view text = request.param(name);
  if (!base::is_uuid(text)) return refuse("route_not_found", "there is no such path");
  return base::to_lower(text);
}

Failure bad_query(std::string_view name, std::string message) {
  Failure failure("request_invalid", "a query parameter breaks a rule");
  failure.errors.push_back({"/" + std::string(name), "format", std::move(message)});
  return failure;
}

Outcome<std::int64_t> query_number(const http::Request& request, std::string_view name, std::int64_t low,
                                   std::int64_t high, std::int64_t fallback) {
  const auto text = request.query_value(name);
  if (!text) return fallback;
  const auto number = base::parse_u64(*text);
  if (!number || *number < static_cast<std::uint64_t>(low) || *number > static_cast<std::uint64_t>(high))
    return refuse(
        bad_query(name, "is a whole number from " + std::to_string(low) + " to " + std::to_string(high)));
  return static_cast<std::int64_t>(*number);
}

Outcome<OptionalTime> query_time(const http::Request& request, std::string_view name) {
  const auto text = request.query_value(name);
  if (!text) return OptionalTime{};
  const auto time = base::parse_rfc3339(*text);
  if (!time) return refuse(bad_query(name, "is a time with an offset, such as 2026-03-02T09:00:00Z"));
  return OptionalTime(*time);
}

std::string make_cursor(const Core& core, const Position& position) {
  const std::string text = base::format_rfc3339(position.created) + "|" + position.id + "|" +
                           std::to_string((core.now() + kCursorLife).ms);
  return base::to_base64url(base::as_bytes(text)) + "." + signature(core, text);
}

Outcome<std::optional<Position>> read_cursor(const Core& core, const http::Request& request) {
  const auto given = request.query_value("cursor");
  if (!given) return std::optional<Position>{};
  const auto invalid = [] {
    return refuse(bad_query("cursor", "is the next of an earlier page, at most 24 h old"));
  };
  const auto dot = given->find('.');
  if (dot == std::string_view::npos) return invalid();
  const auto text = base::from_base64url(given->substr(0, dot));
  if (!text || !crypto::equal_constant_time(base::as_bytes(signature(core, *text)),
                                            base::as_bytes(given->substr(dot + 1))))
    return invalid();
  const auto parts = base::split(*text, '|');
  if (parts.size() != 3) return invalid();
  const auto created = base::parse_rfc3339(parts[0]);
  const auto expires = base::parse_u64(parts[2]);
  if (!created || !expires || core.now().ms > static_cast<std::int64_t>(*expires)) return invalid();
  return std::optional<Position>(Position{*created, std::string(parts[1])});
}

}  // namespace visits::api
