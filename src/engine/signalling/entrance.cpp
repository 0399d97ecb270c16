#include "engine/signalling/entrance.h"

#include <algorithm>

#include "base/text.h"
#include "engine/rate_limiter.h"
#include "telemetry/log.h"

namespace engine {

namespace {

// A person sends a few frames a second; the burst covers a reconnect with everything sent again.
constexpr double kFramesPerSecond = 200, kFrameBurst = 500;

bool is_peer_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '_' || c == '.';
  });
}

// §2.2: the body's code wins over the status, so both are the same.
http::Response init_error(int code, const std::string& message) {
  return error_answer(code, message);
}

json::Object ice_document(const std::vector<IceServer>& servers) {
  json::Array list;
  for (const auto& server : servers) {
    json::Array urls;
    for (const auto& url : server.urls) urls.emplace_back(url);
    json::Object entry;
    entry["urls"] = std::move(urls);
    if (!server.username.empty()) entry["username"] = server.username;
    if (!server.credential.empty()) entry["credential"] = server.credential.reveal();
    list.push_back(std::move(entry));
  }
  json::Object out;
  out["ice_servers"] = std::move(list);
  return out;
}

}  // namespace

bool is_host(std::string_view text) {
  if (text.empty() || text.size() > 260) return false;
  std::string_view port;
  if (text.front() == '[') {
    const auto end = text.find(']');
    if (end == std::string_view::npos || end < 3) return false;
    const auto inside = text.substr(1, end - 1);
    if (!std::all_of(inside.begin(), inside.end(),
                     [](unsigned char c) { return std::isxdigit(c) || c == ':' || c == '.'; }))
      return false;
    text.remove_prefix(end + 1);
    if (text.empty()) return true;
    if (text.front() != ':') return false;
    port = text.substr(1);
  } else {
    const auto colon = text.find(':');
    const auto name = text.substr(0, colon);
    if (name.empty() || !std::all_of(name.begin(), name.end(), [](unsigned char c) {
          return std::isalnum(c) || c == '.' || c == '-' || c == '_';
        }))
      return false;
    if (colon == std::string_view::npos) return true;
    port = text.substr(colon + 1);
  }
  const auto number = base::parse_u64(port);
  return number && *number > 0 && *number < 65536;
}

void Entrance::mount(http::Router& router) {
  router.add(http::Method::kGet, "/init", [this](const http::Request& request) { return init(request); });
  auto preflight = [](const http::Request&) {
    http::Response response;
    response.status = 204;
    return response;
  };
  router.add(http::Method::kOptions, "/init", preflight);
  router.add(http::Method::kOptions, "/v2/token", preflight);
  http::WebSocketLimits limits;
  limits.max_message = 1024 * 1024;
  router.websocket(
      "/v2/ws",
      [this](const http::Request& request, std::shared_ptr<http::WebSocket> socket) {
        return accept(request, std::move(socket));
      },
      limits);
}

std::string Entrance::endpoint_for(const http::Request& request) const {
  if (!config_.public_websocket_url.empty()) return config_.public_websocket_url + "/v2/ws";
  const auto host = request.header("host");
  if (!is_host(host)) return {};
  // The header changes the caller's own answer alone, so it needs no trust.
  const bool tls = base::equals_ignore_case(
                       base::trim(base::split(request.header("x-forwarded-proto"), ',').front()), "https") ||
                   std::find(config_.tls_listeners.begin(), config_.tls_listeners.end(), request.listener) !=
                       config_.tls_listeners.end();
  return std::string(tls ? "wss://" : "ws://") + std::string(host) + "/v2/ws";
}

std::optional<http::Response> Entrance::refusal(const VerifiedToken& token, const std::string& peer_id) {
  if (!base::is_object_id(token.room_id)) return init_error(401, "invalid room id: " + shown(token.room_id));
  auto room = services_.store.room_by_id(token.workspace->id, token.room_id);
  if (!room) return storage_failure(room.error());
  if (!*room) return init_error(401, "invalid room id: " + shown(token.room_id));
  // Whoever is inside comes back whatever happened to the room or the template meanwhile: the session goes
  // on.
  auto inside =
      services_.live.ask(token.workspace->id, token.room_id, [peer_id, user = token.user_id](LiveRoom& live) {
        const Peer* peer = live.find_peer(peer_id);
        return peer && peer->self.user_id == user;
      });
  if (inside.value_or(false)) return std::nullopt;
  auto found = services_.store.template_by_id(token.workspace->id, (*room)->template_id);
  if (!found) return storage_failure(found.error());
  if (!*found || !(*found)->roles.contains(token.role)) return init_error(401, "role is invalid");
  if (!(*room)->enabled) return init_error(403, "room is not active");
  return std::nullopt;
}

http::Response Entrance::init(const http::Request& request) {
  auto token =
      services_.tokens.verify(Tokens::bearer(request.header("authorization")), TokenType::kApp,
                              [this](const std::string& key) { return services_.workspaces.find(key); });
  if (!token) return init_error(401, "token error: " + token.error().detail);
  if (auto refused = refusal(*token, std::string(request.query_value("peer_id").value_or(""))))
    return std::move(*refused);
  const std::string endpoint = endpoint_for(request);
  if (endpoint.empty()) return init_error(400, "the Host header is not a host name");
  json::Object out{{"endpoint", endpoint}};
  out["rtcConfiguration"] = ice_document(config_.ice_servers);
  out["config"] = json::Object{
      {"enabledFlags", json::Array{json::Value("simulcast"), json::Value("nonWebRTCDisableOffer")}}};
  return ok(out);
}

tl::expected<http::WebSocketEvents, http::WebSocketRefusal> Entrance::accept(
    const http::Request& request, std::shared_ptr<http::WebSocket> socket) {
  auto refuse = [](int status, const std::string& message) {
    return tl::unexpected(http::WebSocketRefusal{
        status, json::serialize(json::Object{{"code", status}, {"message", message}})});
  };
  const std::string peer_id(request.query_value("peer").value_or(""));
  auto token = services_.tokens.verify(
      request.query_value("token").value_or(""), TokenType::kApp,
      [this](const std::string& key) { return services_.workspaces.by_access_key(key); });
  // The SDK's next /init ends with the same words; a socket for a stranger would only cost.
  if (!token) return refuse(401, "token error: " + token.error().detail);
  if (!base::is_object_id(token->room_id)) return refuse(401, "invalid room id: " + shown(token->room_id));
  if (!is_peer_id(peer_id)) return refuse(400, "peer must be an id of 1 to 64 letters, digits, - _ .");

  const LiveRoomPtr room = services_.live.open(token->workspace->id, token->room_id);
  auto connection = std::make_shared<Connection>(peer_id, std::move(*token), socket);
  if (!room->post([connection](LiveRoom& live) { live.attach(connection); }))
    return refuse(503, "the server is closing");
  http::WebSocketEvents events;
  events.on_text = [room, connection, clock = &services_.clock,
                    bucket = TokenBucket(kFramesPerSecond, kFrameBurst)](std::string text) mutable {
    if (!bucket.take(clock->steady())) return connection->close(1008, "too many messages");
    room->post([connection, text = std::move(text)](LiveRoom& live) { live.receive(connection, text); });
  };
  events.on_close = [room, connection](std::uint16_t code) {
    room->post([connection, code](LiveRoom& live) { live.detach(connection, code); });
  };
  return events;
}

}  // namespace engine
