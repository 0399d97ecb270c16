#include "app/pages.h"

#include <optional>
#include <sstream>

#include "engine/engine.h"
#include "http/server.h"

namespace app {

namespace {

constexpr std::string_view kContentSecurityPolicy =
    "default-src 'self'; connect-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data: "
    "blob:; "
    "media-src 'self' blob:; worker-src 'self' blob:; font-src 'self'; object-src 'none'; base-uri 'none'; "
    "form-action 'self'; frame-ancestors 'none'";

void add_page_headers(const http::Request&, http::Response& response) {
  response.set("content-security-policy", std::string(kContentSecurityPolicy));
  response.set("permissions-policy",
               "camera=(self), microphone=(self), display-capture=(self), geolocation=()");
  response.set("cross-origin-opener-policy", "same-origin");
}

http::Response plain(int status, std::string text) {
  http::Response response;
  response.status = status;
  response.set("content-type", "text/plain; charset=utf-8");
  response.body = std::move(text);
  return response;
}

http::RouteGroup page_group(net::WorkerPool& pool) {
  http::RouteGroup group;
  group.pool = &pool;
  group.body_limit = 0;
  group.on_error = [](const http::Request&, int status, std::string_view allow) {
    auto response =
        plain(status, status == 404 ? "There is no such page.\n" : "This request cannot be served.\n");
    if (!allow.empty()) response.set("allow", std::string(allow));
    return response;
  };
  group.after = add_page_headers;
  return group;
}

bool came_through_proxy(const http::Request& request) {
  return !request.header("forwarded").empty() || !request.header("x-forwarded-for").empty() ||
         !request.header("via").empty();
}

std::string media_metrics(const engine::Engine& engine) {
  const sfu::WorkerStats stats = engine.media_stats();
  std::ostringstream out;
  const auto line = [&](const char* name, const char* type, const char* help, std::uint64_t value) {
    out << "# HELP televisit_media_" << name << ' ' << help << "\n# TYPE televisit_media_" << name << ' '
        << type << "\ntelevisit_media_" << name << ' ' << value << '\n';
  };
  line("packets_in_total", "counter", "Datagrams received", stats.packets_in);
  line("packets_out_total", "counter", "Datagrams sent", stats.packets_out);
  line("bytes_in_total", "counter", "Bytes received", stats.bytes_in);
  line("bytes_out_total", "counter", "Bytes sent", stats.bytes_out);
  line("audio_forwarded_total", "counter", "Audio packets forwarded to subscribers", stats.audio_forwarded);
  line("video_forwarded_total", "counter", "Video packets forwarded to subscribers", stats.video_forwarded);
  line("dropped_muted_total", "counter", "Packets of muted or forbidden tracks that were not forwarded",
       stats.dropped_muted);
  line("dropped_unauthenticated_total", "counter", "Datagrams of strangers", stats.dropped_unauthenticated);
  line("srtp_failures_total", "counter", "Packets that failed authentication", stats.srtp_failures);
  line("nacks_in_total", "counter", "Packets subscribers asked for again", stats.nacks_in);
  line("retransmitted_total", "counter", "Packets sent again", stats.retransmitted);
  line("keyframe_requests_total", "counter", "Key frames asked of publishers", stats.keyframe_requests);
  line("rooms", "gauge", "Rooms with media now", stats.rooms);
  line("peers", "gauge", "Peers with media now", stats.peers);
  return out.str();
}

}  // namespace

void mount_web_app(http::Router& router, net::WorkerPool& pool, const std::string& web_root) {
  router.group("/", page_group(pool));
  router.add(http::Method::kGet, "/join/:code", [](const http::Request& request) {
    http::Response response = plain(308, "");
    response.set("location", "/meeting/" + std::string(request.param("code")));
    return response;
  });
  router.add(http::Method::kGet, "/*path", http::static_files(web_root, "index.html"));
  router.add(http::Method::kGet, "/", http::static_files(web_root, "index.html"));
}

void mount_api_front(http::Router& router, net::WorkerPool& pool, const std::string& web_url) {
  router.group("/", page_group(pool));
  router.add(http::Method::kGet, "/", [web_url](const http::Request&) {
    return plain(200, "Televisit API.\nClinic console: " + web_url +
                          "/\nEHR API: /api   100ms-compatible REST: /v2   Health: /healthz\n");
  });
}

void mount_metrics(http::Router& router, net::WorkerPool& pool, telemetry::Metrics& metrics,
                   engine::Engine* engine) {
  router.group("/metrics", page_group(pool));
  router.add(http::Method::kGet, "/metrics", [&metrics, engine](const http::Request& request) {
    if (!request.remote.is_loopback() || came_through_proxy(request))
      return plain(404, "There is no such page.\n");
    auto response = plain(200, metrics.text() + (engine != nullptr ? media_metrics(*engine) : ""));
    return response;
  });
}

}  // namespace app
