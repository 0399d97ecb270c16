#include <gtest/gtest.h>

#include "http/forwarded.h"
#include "http/router_impl.h"
#include "http/uri.h"

namespace http {
namespace {

Handler named(std::string name) {
  return [name](const Request&) { return json_response(200, name); };
}

std::string find(const Router& router, Method method, const std::string& path, bool websocket = false) {
  const auto segments = split_path(path);
  const RouteMatch match = router.impl().find(method, path, *segments, websocket);
  if (match.route == nullptr)
    return std::to_string(match.status) + (match.allow.empty() ? "" : " " + match.allow);
  std::string out = match.route->websocket ? "ws" : match.route->handler(Request{}).body;
  for (const auto& [name, value] : match.params) out += " " + name + "=" + value;
  return out;
}

Router make() {
  Router r;
  r.add(Method::kGet, "/v2/rooms", named("list"));
  r.add(Method::kPost, "/v2/rooms", named("create"));
  r.add(Method::kGet, "/v2/rooms/:room_id", named("get"));
  r.add(Method::kPost, "/v2/rooms/active", named("active"));
  r.add(Method::kGet, "/v2/rooms/:id/peers/:peer", named("peer"));
  r.add(Method::kOptions, "/v2/*rest", named("preflight"));
  r.add(Method::kGet, "/*path", named("file"));
  r.add(Method::kGet, "/api/me", named("me"));
  r.websocket(
      "/ws",
      [](const Request&, std::shared_ptr<WebSocket>) -> tl::expected<WebSocketEvents, WebSocketRefusal> {
        return tl::unexpected<WebSocketRefusal>(WebSocketRefusal{});
      });
  r.group("/", {});
  r.group("/v2", {});
  r.group("/api", {});
  return r;
}

TEST(Router, LiteralsWinOverParametersAndTrailingSlashesDoNotMatter) {
  const Router r = make();
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms"), "list");
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms/"), "list");
  EXPECT_EQ(find(r, Method::kHead, "/v2/rooms"), "list");
  EXPECT_EQ(find(r, Method::kPost, "/v2/rooms/active"), "active");
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms/66d1"), "get room_id=66d1");
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms/a%2Fb"), "get room_id=a/b");
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms/7/peers/lead%20nurse"), "peer id=7 peer=lead nurse");
}

TEST(Router, AMethodAbsentAtTheLiteralIsLookedForAtTheParameter) {
  EXPECT_EQ(find(make(), Method::kGet, "/v2/rooms/active"), "get room_id=active");
}

TEST(Router, PreflightsCatchAllButHideNothing) {
  const Router r = make();
  EXPECT_EQ(find(r, Method::kOptions, "/v2/rooms/x"), "preflight rest=rooms/x");
  EXPECT_EQ(find(r, Method::kOptions, "/v2"), "preflight rest=");
  EXPECT_EQ(find(r, Method::kGet, "/v2/unknown"), "404");
  EXPECT_EQ(find(r, Method::kPut, "/v2/rooms/x"), "405 GET, HEAD, OPTIONS");
  EXPECT_EQ(find(r, Method::kDelete, "/v2/rooms"), "405 GET, HEAD, POST, OPTIONS");
}

TEST(Router, ACatchAllStaysInsideItsGroup) {
  const Router r = make();
  EXPECT_EQ(find(r, Method::kGet, "/"), "file path=");
  EXPECT_EQ(find(r, Method::kGet, "/join/ABC"), "file path=join/ABC");
  EXPECT_EQ(find(r, Method::kGet, "/api/me"), "me");
  EXPECT_EQ(find(r, Method::kGet, "/api/unknown"), "404");
  EXPECT_EQ(find(r, Method::kGet, "/apis"), "file path=apis");
  EXPECT_EQ(find(r, Method::kPost, "/api/unknown"), "404");
}

TEST(Router, EmptySegmentsMatchNoParameter) {
  EXPECT_EQ(find(make(), Method::kGet, "/v2/rooms//peers/x"), "404");
}

TEST(Router, WebSocketsAreFoundForUpgradesOnly) {
  const Router r = make();
  EXPECT_EQ(find(r, Method::kGet, "/ws", true), "ws");
  EXPECT_EQ(find(r, Method::kGet, "/v2/rooms", true), "list");
  EXPECT_EQ(find(r, Method::kGet, "/ws"), "file path=ws");
}

TEST(Forwarded, OnlyTrustedProxiesAreBelieved) {
  const auto proxies = TrustedProxies::parse({"10.0.0.0/8", "192.168.1.1", "2001:db8::/32"});
  ASSERT_TRUE(proxies);
  const auto peer = *base::SocketAddress::parse("10.1.2.3", 5);
  const auto stranger = *base::SocketAddress::parse("203.0.113.9", 5);
  const std::vector<Header> chain{{"x-forwarded-for", "1.1.1.1, 198.51.100.7"},
                                  {"x-forwarded-for", "192.168.1.1"}};
  EXPECT_EQ(proxies->client_ip(peer, chain), "198.51.100.7");
  EXPECT_EQ(proxies->client_ip(stranger, chain), "203.0.113.9");
  EXPECT_EQ(proxies->client_ip(peer, {}), "10.1.2.3");
  EXPECT_EQ(proxies->client_ip(peer, {{"x-forwarded-for", "1.1.1.1, junk, 10.9.9.9"}}), "10.9.9.9");
  EXPECT_EQ(proxies->client_ip(peer, {{"x-forwarded-for", "[2001:db9::1]:443"}}), "2001:db9::1");
  EXPECT_EQ(proxies->client_ip(peer, {{"x-forwarded-for", "198.51.100.7:8080"}}), "198.51.100.7");
  EXPECT_FALSE(proxies->contains(*base::SocketAddress::parse("11.0.0.1", 0)));
  EXPECT_FALSE(TrustedProxies::parse({"10.0.0.0/33"}));
  EXPECT_FALSE(TrustedProxies::parse({"proxy.example"}));
}

}  // namespace
}  // namespace http
