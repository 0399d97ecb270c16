// Listeners. One io thread accepts; connections are spread over the io threads. The limits of visit-api.md §12 are enforced here: target 8 KiB, headers
// 32 KiB or 100 fields, slow header or body 408 after 15 s, 60 s idle keep-alive, request smuggling shapes 400 and close, TRACE/CONNECT 405.
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

struct ServerConfig {
  std::vector<ListenerConfig> listeners;
  int io_threads = 1;
  std::vector<std::string> trusted_proxies;  // addresses whose X-Forwarded-For is believed
};

class Server {
 public:
  static base::Result<std::unique_ptr<Server>> start(const ServerConfig& config, base::Random& random);
  virtual ~Server() = default;  // closes every connection (WebSockets with 1012), joins the io threads
  // The address a listener is bound to (port 0 resolved).
  virtual base::SocketAddress address(std::string_view listener_name) const = 0;
};

// Serves files below `folder` with content types, ETag, immutable caching of hashed names, .br and .gz twins, and `fallback` (index.html) for unknown
// paths without a dot. Never leaves the folder.
Handler static_files(std::string folder, std::string fallback);

}  // namespace http
