// Routes: method + pattern -> handler on a worker pool. Patterns are "/v2/rooms/:room_id"; ":name" matches
// one non-empty segment, "*rest" the tail. A literal segment wins over a parameter. A trailing slash in the
// request is ignored. HEAD is served by GET. Immutable once the server runs.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "http/message.h"
#include "http/websocket.h"
#include "net/worker_pool.h"

namespace http {

// What a group of routes shares.
struct RouteGroup {
  net::WorkerPool* pool = nullptr;  // null: the handler runs on the io thread and must not block
  std::size_t body_limit = 256 * 1024;
  // Called when no handler produced an answer: unknown path (404), wrong method (405, `allow` filled), body
  // over the limit (413), a handler that threw (500), a full pool (503), bad escapes in the path or query
  // (400), a plain GET of a WebSocket path (426). Runs on the io thread but for the 500. Requests that are no
  // HTTP at all (visit-api.md §12.1) never reach a group: they get a plain problem and the connection ends.
  // Groups answer in their own style: problem+json for /api, 100ms's for /v2.
  std::function<Response(const Request&, int status, std::string_view allow)> on_error;
  // Runs before the handler on the pool: authentication, origin, rate limits. A Response ends the request.
  std::function<std::optional<Response>(Request&)> before;
  // Runs after: CORS and security headers.
  std::function<void(const Request&, Response&)> after;
};

class Router {
 public:
  Router();
  ~Router();
  Router(Router&&) noexcept;
  Router& operator=(Router&&) noexcept;

  // `prefix` decides which group answers an unknown path ("/api", "/v2", "/"); the longest wins.
  void group(std::string prefix, RouteGroup group);
  // The group with the longest matching prefix applies.
  void add(Method method, std::string pattern, Handler handler);
  void websocket(std::string pattern, WebSocketAcceptor acceptor, WebSocketLimits limits = {});

  struct Impl;
  Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
