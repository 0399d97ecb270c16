#include "engine/management/api.h"

#include <algorithm>

#include "engine/management/bodies.h"

namespace engine {

ManagementApi::ManagementApi(ApiServices services)
    : services_(services),
      code_attempts_(5, 20, services.clock),
      workspace_calls_(services.requests_per_second, 2 * services.requests_per_second, services.clock) {}

void ManagementApi::route(http::Router& router, http::Method method, const std::string& pattern, Call call,
                          json::Object body) {
  const bool known = std::any_of(described_.begin(), described_.end(),
                                 [&](const auto& d) { return d.method == method && d.pattern == pattern; });
  if (!known) described_.push_back({method, pattern, std::move(body)});
  serve(router, method, pattern, call);
}

void ManagementApi::serve(http::Router& router, http::Method method, const std::string& pattern, Call call) {
  router.add(method, "/v2" + pattern, [this, call](const http::Request& request) {
    auto verified =
        services_.tokens.verify(Tokens::bearer(request.header("authorization")), TokenType::kManagement,
                                [this](const std::string& key) { return services_.workspaces.find(key); });
    if (!verified) {
      const bool missing = verified.error().code == "token_missing";
      return error_answer(401, missing ? "Authentication error" : "Token validation error",
                          {verified.error().detail});
    }
    if (services_.requests_per_second > 0 && !workspace_calls_.allow(verified->workspace->id)) {
      auto response = error_answer(429, "Too many requests", {"retry after 1 seconds"});
      response.set("retry-after", "1");
      return response;
    }
    return (this->*call)(request, *verified->workspace);
  });
}

void ManagementApi::mount(http::Router& router) {
  using enum http::Method;
  using Api = ManagementApi;
  route(router, kPost, "/rooms", &Api::create_room, json::schema<bodies::Room>());
  route(router, kGet, "/rooms", &Api::list_rooms);
  route(router, kGet, "/rooms/:room_id", &Api::get_room);
  route(router, kPost, "/rooms/:room_id", &Api::update_room, json::schema<bodies::Room>());

  route(router, kPost, "/templates", &Api::create_template, json::schema<bodies::Template>());
  route(router, kGet, "/templates", &Api::list_templates);
  route(router, kGet, "/templates/:template_id", &Api::get_template);
  route(router, kPost, "/templates/:template_id", &Api::replace_template, json::schema<bodies::Template>());
  route(router, kGet, "/templates/:template_id/roles/:role", &Api::get_role);
  route(router, kPost, "/templates/:template_id/roles/:role", &Api::put_role);
  route(router, kDelete, "/templates/:template_id/roles/:role", &Api::delete_role);
  route(router, kGet, "/templates/:template_id/settings", &Api::get_settings);
  route(router, kPost, "/templates/:template_id/settings", &Api::put_settings);

  route(router, kPost, "/room-codes/room/:room_id", &Api::create_codes);
  route(router, kGet, "/room-codes/room/:room_id", &Api::list_codes);
  route(router, kPost, "/room-codes/room/:room_id/role/:role", &Api::create_code_for_role);
  route(router, kPost, "/room-codes/code", &Api::update_code, json::schema<bodies::RoomCodeUpdate>());
  router.add(kPost, "/v2/token", [this](const http::Request& request) { return exchange_code(request); });

  route(router, kGet, "/active-rooms/:room_id", &Api::active_room);
  route(router, kGet, "/active-rooms/:room_id/peers", &Api::active_peers);
  route(router, kGet, "/active-rooms/:room_id/peers/:peer_id", &Api::active_peer);
  route(router, kPost, "/active-rooms/:room_id/peers/:peer_id", &Api::update_peer,
        json::schema<bodies::PeerUpdate>());
  route(router, kPost, "/active-rooms/:room_id/send-message", &Api::send_message,
        json::schema<bodies::Message>());
  route(router, kPost, "/active-rooms/:room_id/remove-peers", &Api::remove_peers,
        json::schema<bodies::RemovePeers>());
  route(router, kPost, "/active-rooms/:room_id/end-room", &Api::end_room, json::schema<bodies::EndRoom>());
  if (services_.lenient_paths) {
    route(router, kPost, "/active-rooms/:room_id/end", &Api::end_room, json::schema<bodies::EndRoom>());
    route(router, kGet, "/active-rooms/:room_id/sessions", &Api::sessions_of_active_room);
  }
  route(router, kGet, "/sessions", &Api::list_sessions);
  route(router, kGet, "/sessions/:session_id", &Api::get_session);

  // Of this server alone: 100ms has them on its dashboard.
  route(router, kGet, "/workspace/webhook", &Api::get_webhook);
  route(router, kPost, "/workspace/webhook", &Api::put_webhook, json::schema<bodies::Webhook>());
  route(router, kPost, "/workspace/rotate-secret", &Api::rotate_secret, json::schema<bodies::RotateSecret>());
  route(router, kGet, "/analytics/webhooks", &Api::webhook_history);
  route(router, kPost, "/analytics/webhooks/replay", &Api::replay_webhooks);
  route(router, kGet, "/analytics/webhooks/replay/:workflow_id", &Api::replay_state);
  for (const char* path : {"/analytics/events", "/analytics/peer-stats"})
    serve(router, kGet, path, &Api::not_implemented);
  route(router, kGet, "/templates/:template_id/recordings", &Api::get_recordings);
  route(router, kPost, "/templates/:template_id/recordings", &Api::put_recordings);
  route(router, kGet, "/templates/:template_id/destinations", &Api::get_destinations);
  route(router, kPost, "/templates/:template_id/destinations", &Api::put_destinations);

  router.add(kGet, "/v2/openapi.json", [this](const http::Request& request) { return openapi(request); });

  // Documented by 100ms and not part of this server: a clear word instead of "not found" (§9.1).
  for (const char* later : {"/recordings", "/recording-assets", "/live-streams", "/external-streams",
                            "/stream-keys", "/polls", "/sip"}) {
    for (auto method : {kGet, kPost, kDelete}) {
      serve(router, method, later, &Api::not_implemented);
      serve(router, method, std::string(later) + "/*rest", &Api::not_implemented);
    }
  }
}

http::Response ManagementApi::not_implemented(const http::Request&, const Workspace&) {
  return error_answer(501, "not implemented");
}

}  // namespace engine
