#include "http/router.h"

#include "base/text.h"
#include "http/problem.h"
#include "http/router_impl.h"
#include "telemetry/log.h"

namespace http {
namespace {

using Impl = Router::Impl;

std::vector<std::string_view> pattern_segments(std::string_view pattern) {
  if (pattern.starts_with('/')) pattern.remove_prefix(1);
  if (pattern.ends_with('/')) pattern.remove_suffix(1);
  if (pattern.empty()) return {};
  return base::split(pattern, '/');
}

// Walks to the leaf of a pattern, growing the tree, and collects its parameter names.
Impl::Leaf& leaf_of(Impl::Node& root, std::string_view pattern, std::vector<std::string>& names) {
  Impl::Node* node = &root;
  for (std::string_view segment : pattern_segments(pattern)) {
    if (segment.starts_with('*')) {
      names.emplace_back(segment.substr(1));
      return node->rest;
    }
    std::unique_ptr<Impl::Node>* next = nullptr;
    if (segment.starts_with(':')) {
      names.emplace_back(segment.substr(1));
      next = &node->parameter;
    } else {
      next = &node->literals[std::string(segment)];
    }
    if (!*next) *next = std::make_unique<Impl::Node>();
    node = next->get();
  }
  return node->leaf;
}

template <class F>
void for_each_route(Impl::Node& node, const F& f) {
  for (Impl::Leaf* leaf : {&node.leaf, &node.rest}) {
    for (auto& entry : leaf->by_method) f(entry.second);
    if (leaf->websocket) f(*leaf->websocket);
  }
  for (auto& entry : node.literals) for_each_route(*entry.second, f);
  if (node.parameter) for_each_route(*node.parameter, f);
}

// One search: literal before parameter before rest, going back where the method does not fit.
class Search {
 public:
  Search(Method method, bool websocket, std::size_t group, const std::vector<std::string>& segments)
      : method_(method), websocket_(websocket), group_(group), segments_(segments) {}

  const Route* visit(const Impl::Node& node, std::size_t depth) {
    if (depth == segments_.size()) {
      if (const Route* route = at_leaf(node.leaf)) return route;
    } else {
      const std::string& segment = segments_[depth];
      if (const auto it = node.literals.find(segment); it != node.literals.end())
        if (const Route* route = visit(*it->second, depth + 1)) return route;
      if (node.parameter && !segment.empty()) {
        values_.push_back(segment);
        if (const Route* route = visit(*node.parameter, depth + 1)) return route;
        values_.pop_back();
      }
    }
    if (node.rest.by_method.empty() && !node.rest.websocket) return nullptr;
    std::string tail;
    for (std::size_t i = depth; i < segments_.size(); ++i) {
      if (i > depth) tail += '/';
      tail += segments_[i];
    }
    values_.push_back(std::move(tail));
    if (const Route* route = at_leaf(node.rest)) return route;
    values_.pop_back();
    return nullptr;
  }

  const std::vector<std::string>& values() const { return values_; }

  bool speaks_websocket() const { return speaks_websocket_; }

  // Empty when nothing but preflights is served here.
  std::string allow() const {
    if (!useful_) return {};
    std::string out;
    for (Method m : allowed_) {
      if (!out.empty()) out += ", ";
      out += to_string(m);
    }
    return out;
  }

 private:
  const Route* at_leaf(const Impl::Leaf& leaf) {
    if (leaf.websocket && leaf.websocket->group == group_) {
      if (websocket_) return leaf.websocket.get();
      speaks_websocket_ = speaks_websocket_ || method_ == Method::kGet;
    }
    const Route* found = nullptr;
    for (const auto& [method, route] : leaf.by_method) {
      if (route.group != group_) continue;
      allowed_.insert(method);
      if (method == Method::kGet) allowed_.insert(Method::kHead);
      useful_ = useful_ || method != Method::kOptions;
      if (method == method_ || (method == Method::kGet && method_ == Method::kHead && found == nullptr))
        found = &route;
    }
    return found;
  }

  const Method method_;
  const bool websocket_;
  const std::size_t group_;
  const std::vector<std::string>& segments_;
  std::vector<std::string> values_;
  std::set<Method> allowed_;
  bool useful_ = false;
  bool speaks_websocket_ = false;
};

std::string_view title_of(int status) {
  switch (status) {
    case 400:
      return "The request is malformed";
    case 404:
      return "No such path";
    case 405:
      return "This method is not served here";
    case 408:
      return "The request did not arrive in time";
    case 413:
      return "The body is too large";
    case 414:
      return "The request target is too long";
    case 417:
      return "The expectation cannot be met";
    case 426:
      return "This path speaks WebSocket";
    case 431:
      return "The header fields are too large";
    case 501:
      return "This method is not known";
    case 503:
      return "The server is busy";
    default:
      return "The request failed inside the server";
  }
}

std::string_view code_of(int status) {
  switch (status) {
    case 400:
      return "request_invalid";
    case 404:
      return "route_not_found";
    case 405:
      return "method_not_allowed";
    case 408:
      return "request_timeout";
    case 413:
      return "body_too_large";
    case 414:
      return "uri_too_long";
    case 417:
      return "request_invalid";
    case 426:
      return "request_invalid";
    case 431:
      return "headers_too_large";
    case 501:
      return "not_implemented";
    case 503:
      return "server_busy";
    default:
      return "internal_error";
  }
}

void log_throw(const Request& request, std::string_view what) {
  telemetry::error("a handler threw", {{"method", to_string(request.method)},
                                       {"path", request.path},
                                       {"request_id", request.request_id},
                                       {"what", what}});
}

void run_after(const RouteGroup& group, const Request& request, Response& response) {
  if (group.after) group.after(request, response);
}

}  // namespace

Router::Router() : impl_(std::make_unique<Impl>()) {
  impl_->groups.push_back({"", {}});
}
Router::~Router() = default;
Router::Router(Router&&) noexcept = default;
Router& Router::operator=(Router&&) noexcept = default;

void Router::group(std::string prefix, RouteGroup group) {
  if (prefix == "/") prefix.clear();
  if (prefix.ends_with('/')) prefix.pop_back();
  auto& groups = impl_->groups;
  const auto known =
      std::find_if(groups.begin(), groups.end(), [&](const Impl::Group& g) { return g.prefix == prefix; });
  if (known != groups.end()) {
    known->rules = std::move(group);
  } else {
    groups.push_back({std::move(prefix), std::move(group)});
  }
  for_each_route(impl_->root, [this](Route& r) { r.group = impl_->group_of(r.pattern); });
}

void Router::add(Method method, std::string pattern, Handler handler) {
  Route route;
  Impl::Leaf& leaf = leaf_of(impl_->root, pattern, route.names);
  route.group = impl_->group_of(pattern);
  route.pattern = std::move(pattern);
  route.handler = std::move(handler);
  leaf.by_method.insert_or_assign(method, std::move(route));
}

void Router::websocket(std::string pattern, WebSocketAcceptor acceptor, WebSocketLimits limits) {
  auto route = std::make_unique<Route>();
  Impl::Leaf& leaf = leaf_of(impl_->root, pattern, route->names);
  route->group = impl_->group_of(pattern);
  route->pattern = std::move(pattern);
  route->websocket = std::make_unique<WebSocketRoute>(WebSocketRoute{std::move(acceptor), limits});
  leaf.websocket = std::move(route);
}

std::size_t Router::Impl::group_of(std::string_view path) const {
  std::size_t best = 0;
  for (std::size_t i = 1; i < groups.size(); ++i) {
    const std::string& prefix = groups[i].prefix;
    if (prefix.size() <= groups[best].prefix.size() || !path.starts_with(prefix)) continue;
    if (path.size() == prefix.size() || path[prefix.size()] == '/') best = i;
  }
  return best;
}

RouteMatch Router::Impl::find(Method method, std::string_view path, const std::vector<std::string>& segments,
                              bool websocket) const {
  RouteMatch out;
  Search search(method, websocket, group_of(path), segments);
  out.route = search.visit(root, 0);
  if (out.route == nullptr) {
    out.allow = search.allow();
    out.status = search.speaks_websocket() ? 426 : out.allow.empty() ? 404 : 405;
    return out;
  }
  for (std::size_t i = 0; i < out.route->names.size(); ++i)
    out.params.emplace_back(out.route->names[i], search.values()[i]);
  return out;
}

Response plain_error(int status, std::string_view detail, const std::string& request_id) {
  Request request;
  request.request_id = request_id;
  Problem problem;
  problem.status = status;
  problem.code = std::string(code_of(status));
  problem.title = std::string(title_of(status));
  problem.detail = std::string(detail);
  return problem_response(problem, request);
}

Response run_error(const RouteGroup& group, const Request& request, int status, std::string_view allow) {
  Response response;
  try {
    if (group.on_error) {
      response = group.on_error(request, status, allow);
    } else {
      response = plain_error(status, {}, request.request_id);
    }
    run_after(group, request, response);
  } catch (const std::exception& e) {
    log_throw(request, e.what());
    response = plain_error(500, {}, request.request_id);
  } catch (...) {
    log_throw(request, "not a std::exception");
    response = plain_error(500, {}, request.request_id);
  }
  const bool has_allow = std::any_of(response.headers.begin(), response.headers.end(), [](const Header& h) {
    return base::equals_ignore_case(h.first, "allow");
  });
  if (status == 405 && !allow.empty() && !has_allow) response.set("allow", std::string(allow));
  return response;
}

Response run_handler(const RouteGroup& group, const Handler& handler, Request& request) {
  try {
    std::optional<Response> early;
    if (group.before) early = group.before(request);
    Response response = early ? std::move(*early) : handler(request);
    run_after(group, request, response);
    return response;
  } catch (const std::exception& e) {
    log_throw(request, e.what());
  } catch (...) {
    log_throw(request, "not a std::exception");
  }
  return run_error(group, request, 500, {});
}

}  // namespace http
