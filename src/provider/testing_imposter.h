// A 100ms server played by a script on loopback: it behaves, records what it was asked, and misbehaves where
// a test says so. Header only, for the tests of provider and visits. Real HTTP, real token checks.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/jwt.h"
#include "http/server.h"
#include "json/json.h"

namespace provider::testing {

inline constexpr const char* kAppId = "66a0000000000000000000ac";
inline constexpr const char* kSecret = "canary-app-secret-of-the-workspace";
inline constexpr const char* kTemplate = "66c0aa11bb22cc33dd44ee55";
inline constexpr const char* kDefaultTemplate =
    R"({"id":"66c0aa11bb22cc33dd44ee55","name":"default_telehealth","roles":{
 "host":{"publishParams":{"allowed":["audio","video","screen"]},"subscribeParams":{"subscribeToRoles":["host","guest","waiting-room"]},
  "permissions":{"endRoom":true,"removeOthers":true,"mute":true,"changeRole":true}},
 "guest":{"publishParams":{"allowed":["audio","video"]},"subscribeParams":{"subscribeToRoles":["host","guest"]},
  "permissions":{"browserRecording":false,"rtmpStreaming":false,"hlsStreaming":false}},
 "waiting-room":{"publishParams":{"allowed":[]},"subscribeParams":{"subscribeToRoles":[]},
  "permissions":{"browserRecording":false,"rtmpStreaming":false,"hlsStreaming":false}}}})";

class Imposter {
 public:
  struct Asked {
    std::string method;
    std::string path;
    std::string body;
  };
  struct FakePeer {
    std::string id;
    std::string user_id;
    std::string role;
  };
  // Returns a response to misbehave with, nothing to behave.
  using Script = std::function<std::optional<http::Response>(const http::Request&)>;

  Imposter() {
    http::RouteGroup group;
    group.pool = &pool_;
    group.on_error = [](const http::Request&, int status, std::string_view) {
      return error(status, "no such path");
    };
    router_.group("/", group);
    for (const auto method : {http::Method::kGet, http::Method::kPost})
      router_.add(method, "/v2/*rest", [this](const http::Request& request) { return serve(request); });
    http::ServerConfig config;
    config.listeners.push_back({"imposter", base::SocketAddress::v4(0x7f000001, 0), &router_, "", ""});
    auto server = http::Server::start(config, random_);
    if (!server) throw std::runtime_error(server.error().detail);
    server_ = std::move(*server);
  }
  ~Imposter() { server_.reset(); }

  std::string endpoint() const {
    return "http://127.0.0.1:" + std::to_string(server_->address("imposter").port) + "/v2";
  }

  void misbehave(Script script) {
    std::lock_guard lock(mutex_);
    script_ = std::move(script);
  }
  void behave() { misbehave({}); }
  std::vector<Asked> asked(const std::string& method, const std::string& start) const {
    std::lock_guard lock(mutex_);
    std::vector<Asked> out;
    for (const Asked& a : asked_)
      if (a.method == method && a.path.rfind(start, 0) == 0) out.push_back(a);
    return out;
  }
  std::size_t enabled_rooms() const {
    std::lock_guard lock(mutex_);
    std::size_t n = 0;
    for (const auto& [id, room] : rooms_) n += room.at("enabled").as_bool();
    return n;
  }
  void set_enabled(const std::string& room_id, bool enabled) {
    std::lock_guard lock(mutex_);
    rooms_.at(room_id)["enabled"] = enabled;
  }
  void set_peers(const std::string& room_id, std::vector<FakePeer> peers) {
    std::lock_guard lock(mutex_);
    peers_[room_id] = std::move(peers);
  }
  void set_template(const std::string& text) {
    std::lock_guard lock(mutex_);
    template_ = text;
  }

  static http::Response error(int status, const std::string& message) {
    json::Object body;
    body["code"] = status;
    body["message"] = message;
    return http::json_response(status, json::serialize(body));
  }

 private:
  http::Response serve(const http::Request& request) {
    std::optional<http::Response> bad;
    Script script;
    {
      std::lock_guard lock(mutex_);
      asked_.push_back({std::string(http::to_string(request.method)), request.path, request.body});
      script = script_;
    }
    if (script) bad = script(request);
    if (bad) return std::move(*bad);
    const std::string_view credential = request.header("authorization");
    if (credential.rfind("Bearer ", 0) != 0) return error(401, "Authentication error");
    auto claims = crypto::verify_jwt(credential.substr(7), base::Secret(kSecret));
    if (!claims || json::text_or(*claims, "access_key") != kAppId ||
        json::text_or(*claims, "type") != "management")
      return error(401, "Token validation error");
    std::lock_guard lock(mutex_);
    return behaved(request);
  }

  http::Response behaved(const http::Request& request) {
    const auto parts = base::split(std::string_view(request.path).substr(4), '/');
    const bool post = request.method == http::Method::kPost;
    if (parts[0] == "templates") return templates(parts);
    if (parts[0] == "rooms" && parts.size() == 1 && post) return create(request.body);
    if (parts.size() < 2) return error(404, "no such path");
    const auto room = rooms_.find(std::string(parts[1]));
    if (room == rooms_.end()) return error(404, "room not found");
    if (parts[0] == "rooms") {
      if (post)
        if (auto body = json::parse_object(request.body))
          room->second["enabled"] = json::bool_or(*body, "enabled", true);
      return http::json_response(200, json::serialize(room->second));
    }
    return active(request, room->second, parts);
  }

  http::Response templates(const std::vector<std::string_view>& parts) {
    if (parts.size() > 1)
      return parts[1] == kTemplate ? http::json_response(200, template_) : error(404, "template not found");
    return http::json_response(200,
                               "{\"limit\":10,\"data\":[" + template_ + "],\"last\":\"" + kTemplate + "\"}");
  }

  http::Response create(const std::string& text) {
    auto body = json::parse_object(text);
    if (!body) return error(400, "Invalid body");
    const std::string name(json::text_or(*body, "name"));
    for (auto& [id, room] : rooms_)
      if (json::text_or(room, "name") == name) return http::json_response(200, json::serialize(room));
    json::Object room;
    const std::string id = random_.text("0123456789abcdef", 24);
    room["id"] = id;
    room["name"] = name;
    room["enabled"] = true;
    room["template_id"] = json::text_or(*body, "template_id", kTemplate);
    room["region"] = json::text_or(*body, "region");
    rooms_[id] = room;
    return http::json_response(200, json::serialize(room));
  }

  http::Response active(const http::Request& request, json::Object& room,
                        const std::vector<std::string_view>& parts) {
    const std::string id(parts[1]);
    if (parts.size() < 3) return error(404, "no such path");
    if (parts[2] == "end-room") {
      const bool running = !peers_[id].empty();
      peers_[id].clear();
      if (!running) return error(404, "session not found");
      if (auto body = json::parse_object(request.body); body && json::bool_or(*body, "lock", false))
        room["enabled"] = false;
      return http::json_response(200, R"({"message":"session is ending"})");
    }
    if (peers_[id].empty()) return error(404, "session not found");
    json::Object peers;
    for (const FakePeer& p : peers_[id]) {
      json::Object peer;
      peer["id"] = p.id;
      peer["user_id"] = p.user_id;
      peer["role"] = p.role;
      peers[p.id] = std::move(peer);
    }
    json::Object out;
    out["peers"] = std::move(peers);
    return http::json_response(200, json::serialize(out));
  }

  mutable std::mutex mutex_;
  Script script_;
  std::vector<Asked> asked_;
  std::map<std::string, json::Object> rooms_;
  std::map<std::string, std::vector<FakePeer>> peers_;
  std::string template_ = kDefaultTemplate;
  crypto::SystemRandom random_;
  net::WorkerPool pool_{"imposter", 2};
  http::Router router_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace provider::testing
