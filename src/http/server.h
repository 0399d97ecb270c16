// Listeners. One io thread accepts; connections are spread over the io threads. The limits of visit-api.md
// §12 are enforced here: target 8 KiB, headers 32 KiB or 100 fields, slow header or body 408 after 15 s, 60 s
// idle keep-alive, request smuggling shapes 400 and close, TRACE/CONNECT 405.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "base/result.h"
#include "http/router.h"

namespace http {

struct ListenerConfig {
  std::string name;             // "api", "web": appears as Request::listener
  base::SocketAddress address;  // port 0 = any free port
  const Router* router = nullptr;
  std::string tls_certificate_file;  // PEM chain; empty = plain TCP
  std::string tls_key_file;
};

// The defaults are visit-api.md §12; tests shorten the times.
struct ServerLimits {
  base::Duration request = base::Duration::seconds(15);     // first byte to last byte of a request, else 408
  base::Duration keep_alive = base::Duration::seconds(60);  // silence between requests
  base::Duration slow_window =
      base::Duration::seconds(10);  // a peer that moves less than slow_bytes in it is cut off
  std::size_t slow_bytes = 10 * 1024;
  base::Duration linger = base::Duration::seconds(2);  // after a refusal, so that the peer can read it
  base::Duration websocket_close = base::Duration::seconds(5);  // for the peer's close frame
  base::Duration stop = base::Duration::seconds(5);  // for running handlers when the server is destroyed
  std::size_t max_serving = 1024;                    // requests in progress per listener; more get 503
  std::size_t max_connections = 8192;                // open sockets per listener; more wait in the backlog
};

struct ServerConfig {
  std::vector<ListenerConfig> listeners;
  int io_threads = 1;
  std::vector<std::string>
      trusted_proxies;  // addresses ("10.0.0.7") or networks ("10.0.0.0/8") whose X-Forwarded-For is believed
  ServerLimits limits;
};

// Destroy the server before the worker pools, the routers and what their handlers use. A handler still
// running when `stop` is over runs to its end on its pool; its answer is dropped.
class Server {
 public:
  // Errors: "address_in_use", "listen_failed", "proxy_invalid", "tls_*" with the file's name.
  static base::Result<std::unique_ptr<Server>> start(const ServerConfig& config, base::Random& random);
  virtual ~Server() = default;  // closes every connection (WebSockets with 1012), joins the io threads
  // The address a listener is bound to (port 0 resolved).
  virtual base::SocketAddress address(std::string_view listener_name) const = 0;
};

// For a "*rest" route, GET. Serves files below `folder` with content types, ETag, immutable caching of hashed
// names, .br and .gz twins, and `fallback` (index.html) for unknown paths without a dot. Never leaves the
// folder.
Handler static_files(std::string folder, std::string fallback);

}  // namespace http
