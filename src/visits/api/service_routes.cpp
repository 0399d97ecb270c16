#include "base/text.h"
#include "visits/api/support.h"
#include "visits/core/names.h"
#include "visits/integrations/endpoint_policy.h"
#include "visits/problems.h"
#include "visits/store/organizations.h"

namespace visits::api {
namespace {

std::string_view code_of(int status) {
  switch (status) {
    case 400:
      return "request_invalid";
    case 404:
      return "route_not_found";
    case 405:
      return "method_not_allowed";
    case 413:
      return "body_too_large";
    case 414:
      return "uri_too_long";
    case 431:
      return "headers_too_large";
    case 408:
      return "request_timeout";
    case 503:
      return "shutting_down";
    default:
      return "internal_error";
  }
}

std::string detail_of(int status) {
  switch (status) {
    case 400:
      return "the path or the query is not well formed";
    case 404:
      return "there is no such path";
    case 405:
      return "this path does not take this method";
    case 413:
      return "the body is larger than this path takes";
    case 503:
      return "the server is stopping or has too much to do";
    default:
      return "an unexpected error; nothing was committed";
  }
}

http::Response on_error(const http::Request& request, int status, std::string_view allow) {
  if (status == 405 && request.method == http::Method::kOptions) {
    http::Response preflight;
    preflight.status = 204;
    preflight.set("allow", std::string(allow));
    preflight.set("access-control-allow-methods", "GET, POST, PUT, PATCH, DELETE");
    preflight.set(
        "access-control-allow-headers",
        "authorization, content-type, x-org-id, x-request-id, x-csrf-token, idempotency-key, if-match");
    preflight.set("access-control-max-age", "600");
    return preflight;
  }
  http::Response response = problem(Failure(code_of(status), detail_of(status)), request);
  if (status == 405) response.set("allow", std::string(allow));
  return response;
}

void add_headers(const Core& core, const http::Request& request, http::Response& response) {
  response.set("cache-control", "no-store");
  response.set("x-content-type-options", "nosniff");
  response.set("referrer-policy", "no-referrer");
  const std::string_view origin = request.header("origin");
  if (origin.empty()) return;
  response.set("vary", "origin");
  if (!origin_allowed(core.config, request)) return;
  response.set("access-control-allow-origin", std::string(origin));
  response.set("access-control-allow-credentials", "true");
  response.set("access-control-expose-headers",
               "etag, location, retry-after, x-request-id, idempotent-replayed, ratelimit-limit, "
               "ratelimit-remaining, ratelimit-reset");
}

http::Response ready(Core& core) {
  const auto pinged = read(core, [](storage::Transaction& t) { return store::ping(t); });
  json::Object body;
  body["status"] = pinged ? "ok" : "unavailable";
  if (!pinged) body["failing"] = "database";
  return answer(pinged ? 200 : 503, body);
}

http::Response problem_page_response(const http::Request& request) {
  const ProblemKind* kind = find_problem_kind(request.param("code"));
  http::Response response;
  if (!kind) return problem(Failure("route_not_found", "there is no such problem"), request);
  response.set("content-type", "text/html; charset=utf-8");
  response.set("content-security-policy", "default-src 'none'");
  response.body = problem_page(*kind);
  return response;
}

// A public look at which organisation the page may act for; only while the open mode would let the request
// through.
Outcome<http::Response> demo(Core& core, const http::Request& request) {
  http::Request as_demo = request;
  auto org = read(core, [](storage::Transaction& t) { return store::find_demo_organization(t); });
  if (!org) return refuse(Failure(org.error()));
  if (!*org) return refuse("not_found", "there is no demo organisation");
  std::erase_if(as_demo.headers, [](const http::Header& h) { return h.first == "x-org-id"; });
  as_demo.headers.emplace_back("x-org-id", (*org)->id);
  if (auto principal = authenticate(core, as_demo); !principal) return refuse(std::move(principal.error()));
  auto rows = read(core, [&](storage::Transaction& t) { return store::list_integrations(t, (*org)->id); });
  if (!rows) return refuse(Failure(rows.error()));
  json::Object body;
  body["orgId"] = (*org)->id;
  body["orgName"] = (*org)->name;
  body["integrationId"] = nullptr;
  for (const Integration& row : *rows)
    if (row.vendor_id == "100ms") {
      body["integrationId"] = row.id;
      break;
    }
  body["banner"] = banner(core, (*org)->id);
  return answer(200, body);
}

}  // namespace

void mount_service(const Api& api, http::Router& router) {
  Core& core = api.core;
  http::RouteGroup group;
  group.pool = &core.pool;
  group.on_error = on_error;
  group.after = [&core](const http::Request& request, http::Response& response) {
    add_headers(core, request, response);
  };
  for (const char* prefix : {"/api", "/fhir", "/problems", "/healthz", "/readyz", "/join"})
    router.group(prefix, group);

  router.add(http::Method::kGet, "/healthz", [](const http::Request&) {
    json::Object body;
    body["status"] = "ok";
    return answer(200, body);
  });
  router.add(http::Method::kGet, "/readyz", [&core](const http::Request&) { return ready(core); });
  router.add(http::Method::kGet, "/problems/:code", problem_page_response);
  router.add(http::Method::kGet, "/api/demo",
             open_to_all(api, [&core](const http::Request& request) { return demo(core, request); }));
  router.add(http::Method::kGet, "/join/:code", [&core](const http::Request& request) {
    const auto code = normalise_code(request.param("code"));
    http::Response response;
    response.status = 308;
    response.set("location", core.config.public_web_url + "/meeting/" + code.value_or("unknown"));
    return response;
  });
}

}  // namespace visits::api
