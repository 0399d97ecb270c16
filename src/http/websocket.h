// A WebSocket as a plain object (RFC 6455). Text frames; binary frames end the connection with 1003.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace http {

// Thread-safe. Frames go out in the order of send(). The queue is bounded (WebSocketLimits::max_queued);
// beyond it the connection is closed with 1013.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  virtual void send(std::string text) = 0;
  virtual void close(std::uint16_t code, std::string reason) = 0;
};

// All calls come from the connection's io thread, in order, and must not block: post to a queue.
struct WebSocketEvents {
  std::function<void(std::string text)> on_text;
  // Exactly once, also when the peer vanished (1006). After it nothing else is called.
  std::function<void(std::uint16_t code)> on_close;
};

struct WebSocketLimits {
  std::size_t max_message = 1024 * 1024;
  std::size_t max_queued = 8 * 1024 * 1024;
  base::Duration idle = base::Duration::seconds(60);  // nothing received for so long: closed
};

// Decides about an upgrade request, on an io thread; must not block. An error refuses the upgrade with
// `status` and the body's text.
struct WebSocketRefusal {
  int status = 403;
  std::string body;
};
using WebSocketAcceptor = std::function<tl::expected<WebSocketEvents, WebSocketRefusal>(
    const Request&, std::shared_ptr<WebSocket>)>;

}  // namespace http
