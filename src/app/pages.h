// What the listeners serve beside the two halves: the web app with its Content-Security-Policy, the API's
// front page, metrics.
#pragma once

#include <string>

#include "http/router.h"
#include "net/worker_pool.h"
#include "telemetry/metrics.h"

namespace engine {
class Engine;
}

namespace app {

// The policy allows our own origin only: the 100ms SDK otherwise posts tokens to its vendor's telemetry host
// on failures (100ms-client-protocol.md §7).
void mount_web_app(http::Router& router, net::WorkerPool& pool, const std::string& web_root);
void mount_api_front(http::Router& router, net::WorkerPool& pool, const std::string& web_url);
// Prometheus text; answered to loopback callers that came without a proxy. `engine` may be null.
void mount_metrics(http::Router& router, net::WorkerPool& pool, telemetry::Metrics& metrics,
                   engine::Engine* engine);

}  // namespace app
