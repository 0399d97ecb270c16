// How a client comes in: GET /init and the WebSocket (100ms-client-protocol.md §2, §3.1; failures as §8.1 and
// 100ms-server-api.md §2.7).
#pragma once

#include <string>
#include <vector>

#include "engine/engine.h"
#include "engine/management/api.h"

namespace engine {

class Entrance {
 public:
  Entrance(const Config& config, ApiServices services) : config_(config), services_(services) {}
  void mount(http::Router& router);

 private:
  // On the worker pool. Never 404, always with `config`, always with CORS: anything else hangs the SDK.
  http::Response init(const http::Request& request);
  std::optional<http::Response> refusal(const VerifiedToken& token, const std::string& peer_id);
  std::string endpoint_for(const http::Request& request) const;
  // On an io thread: checks the token by what is in memory and hands the socket to its room.
  tl::expected<http::WebSocketEvents, http::WebSocketRefusal> accept(const http::Request& request,
                                                                     std::shared_ptr<http::WebSocket> socket);

  const Config& config_;
  ApiServices services_;
};

// "host", "host:port" or "[v6]:port"; what a Host header may be to be repeated in an answer.
bool is_host(std::string_view text);

}  // namespace engine
