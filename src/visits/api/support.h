// What every endpoint of the visits API shares: answers, bodies, principals, origins, ids, cursors
// (visit-api.md §3.1, §3.2).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "http/router.h"
#include "json/fields.h"
#include "visits/core/core.h"
#include "visits/core/scopes.h"
#include "visits/meetings/presence.h"
#include "visits/store/rows.h"

namespace visits::api {

struct Api {
  Core& core;
  PresenceWatch& presence;
};

http::Response answer(int status, const json::Value& body);
http::Response problem(const Failure& failure, const http::Request& request);

// One call of a signed-in principal.
struct Call {
  Core& core;
  PresenceWatch& presence;
  const http::Request& request;
  Principal principal;
};
using StaffHandler = std::function<Outcome<http::Response>(const Call&)>;
using PublicHandler = std::function<Outcome<http::Response>(const http::Request&)>;
// A route of signed-in principals; the tables of these stand beside their handlers, and no such route exists
// outside them.
struct StaffRoute {
  http::Method method;
  std::string path;
  Scope scope;
  StaffHandler handler;
  // How a Failure looks; none: a problem reply.
  std::function<http::Response(const Failure&, const http::Request&)> refusal = {};
};
// Origin, principal and scope are checked before the handler; a Failure becomes a refusal.
void mount_staff(const Api& api, http::Router& router, const StaffRoute& route);
std::vector<StaffRoute> integration_routes();
std::vector<StaffRoute> visit_routes();
std::vector<StaffRoute> chart_routes();
std::vector<StaffRoute> key_routes();
std::vector<StaffRoute> staff_routes();  // all of them
// Checks the origin alone.
http::Handler open_to_all(const Api& api, PublicHandler handler);

// An API key, or the open-on-loopback mode, §3.2. Codes unauthenticated, org_mismatch, org_required,
// open_mode_refused.
Outcome<Principal> authenticate(Core& core, const http::Request& request);
bool open_mode_configured(const Config& config);
// publicWebUrl, or the request's own origin on loopback.
bool origin_allowed(const Config& config, const http::Request& request);
std::string banner(const Core& core, const std::string& org_id);

// The body as an object; empty counts as {}. Codes json_invalid, media_type_unsupported, validation_failed,
// body_too_large.
Outcome<json::Object> body_object(const http::Request& request);

template <class T>
struct Body {
  T value;
  std::string ignored;  // for the header televisit-ignored
};
template <class T>
Outcome<Body<T>> read_body(const http::Request& request) {
  auto object = body_object(request);
  if (!object) return refuse(std::move(object.error()));
  json::Read<T> read = json::read<T>(*object);
  if (!read.ok()) {
    Failure failure("validation_failed", "a member of the body breaks a rule");
    failure.errors = std::move(read.errors);
    return refuse(std::move(failure));
  }
  std::string ignored;
  for (const std::string& pointer : read.ignored) ignored += (ignored.empty() ? "" : ", ") + pointer;
  return Body<T>{std::move(read.value), std::move(ignored)};
}
void note_ignored(http::Response& response, const std::string& ignored);

// A path member that must be a UUID; code route_not_found otherwise. Lower case.
Outcome<std::string> path_uuid(const http::Request& request, std::string_view name);
Failure bad_query(std::string_view name, std::string message);
// limit 1-200 (50).
Outcome<std::int64_t> query_number(const http::Request& request, std::string_view name, std::int64_t low,
                                   std::int64_t high, std::int64_t fallback);
Outcome<OptionalTime> query_time(const http::Request& request, std::string_view name);

struct Position {
  base::WallTime created;
  std::string id;
};
std::string make_cursor(const Core& core, const Position& position);
Outcome<std::optional<Position>> read_cursor(const Core& core, const http::Request& request);

void mount_service(const Api& api, http::Router& router);
void mount_joining(const Api& api, http::Router& router);

}  // namespace visits::api
