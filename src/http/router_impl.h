// What the connections see of a Router. Read-only once the server runs, hence without a lock.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "http/router.h"

namespace http {

struct WebSocketRoute {
  WebSocketAcceptor acceptor;
  WebSocketLimits limits;
};

struct Route {
  std::string pattern;
  std::vector<std::string> names;  // of parameters, in order; the last may be the "*rest"
  std::size_t group = 0;           // index in Router::Impl::groups
  Handler handler;                 // or
  std::unique_ptr<WebSocketRoute> websocket;
};

struct RouteMatch {
  const Route* route = nullptr;  // null: see status
  int status = 404;              // 404, 405 or 426
  std::string allow;             // "GET, HEAD, POST", for 405
  std::vector<std::pair<std::string, std::string>> params;
};

struct Router::Impl {
  struct Group {
    std::string prefix;
    RouteGroup rules;
  };
  // Where one pattern ends, its routes by method and perhaps a WebSocket.
  struct Leaf {
    std::map<Method, Route> by_method;
    std::unique_ptr<Route> websocket;
  };
  struct Node {
    std::map<std::string, std::unique_ptr<Node>, std::less<>> literals;
    std::unique_ptr<Node> parameter;
    Leaf leaf;
    Leaf rest;  // of "*name" here
  };

  std::vector<Group> groups;  // [0] is the default for paths no prefix covers
  Node root;

  // The group with the longest prefix that covers `path` at a segment border.
  std::size_t group_of(std::string_view path) const;
  // `segments` are decoded; `path` decides the group: a route of another group does not match.
  RouteMatch find(Method method, std::string_view path, const std::vector<std::string>& segments,
                  bool websocket) const;
};

// Runs an exchange's handler with its group's before and after; never throws. Used on the pool.
Response run_handler(const RouteGroup& group, const Handler& handler, Request& request);
// The group's answer to an error, or a plain problem when it has none; never throws.
Response run_error(const RouteGroup& group, const Request& request, int status, std::string_view allow);
// A problem+json body without a group: for requests that could not be parsed.
Response plain_error(int status, std::string_view detail, const std::string& request_id);

}  // namespace http
