// A WebSocket client (RFC 6455) on a Loop: ws and wss, text messages, masked frames, one connection, no
// reconnecting. Loop thread only; the handlers run inside the loop's turns, and may close() but not destroy
// the socket.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/random.h"
#include "base/result.h"
#include "http/websocket_codec.h"
#include "probe/loop.h"

struct ssl_st;
struct ssl_ctx_st;

namespace probe {

struct WebSocketAddress {
  bool tls = false;
  std::string host;       // for the certificate
  std::string authority;  // host[:port] of the Host field
  std::string target;     // path and query
  std::uint16_t port = 0;
};
// ws://host[:port]/path?query or wss://…; nullopt for anything else.
std::optional<WebSocketAddress> parse_websocket_url(std::string_view url);
// The first address of the name; blocks on DNS. Errors: "name_unknown".
base::Result<base::SocketAddress> resolve(const std::string& host, std::uint16_t port);

struct WebSocketOptions {
  std::string protocol;  // Sec-WebSocket-Protocol; empty: none
  std::string ca_file;   // PEM bundle to trust instead of the system's
};

class WebSocketClient final : private Pollable {
 public:
  struct Handlers {
    std::function<void()> on_open;
    std::function<void(std::string text)> on_text;
    // Once, and nothing follows. `reason` is for people; it never holds the target (which carries a token).
    std::function<void(std::string reason)> on_closed;
  };
  WebSocketClient(Loop& loop, base::Random& random, Handlers handlers);
  ~WebSocketClient() override;
  WebSocketClient(const WebSocketClient&) = delete;
  WebSocketClient& operator=(const WebSocketClient&) = delete;

  // Errors: "socket_unavailable", "tls_unavailable". What goes wrong later comes by on_closed.
  base::Result<void> connect(const WebSocketAddress& address, const base::SocketAddress& to,
                             const WebSocketOptions& options = {});
  bool open() const { return state_ == State::kOpen; }
  void send_text(std::string_view text);
  // Sends a close frame and ends; on_closed is not called.
  void close(std::uint16_t code, std::string_view reason);

 private:
  enum class State { kIdle, kConnecting, kTls, kUpgrading, kOpen, kClosed };
  static constexpr std::size_t kMaxMessage = 8 * 1024 * 1024;
  static constexpr std::size_t kMaxHead = 16 * 1024;

  void on_ready(bool readable, bool writable, base::SteadyTime now) override;
  void finish_connect();
  void shake_hands();
  void start_upgrade();
  void read();
  void take(std::string_view bytes);
  void end_upgrade();
  void flush();
  void fail(std::string reason);
  void shut();
  // > 0 bytes, 0 = nothing now, -1 = ended.
  int read_some(char* data, int size);
  int write_some(const char* data, int size);
  void want_write(bool wanted);

  Loop& loop_;
  base::Random& random_;
  Handlers handlers_;
  http::WebSocketReader reader_;
  http::WebSocketFrameEvents events_;
  State state_ = State::kIdle;
  WebSocketAddress address_;
  std::string protocol_, key_, head_, out_;
  int fd_ = -1;
  bool want_write_ = false;
  std::unique_ptr<ssl_ctx_st, void (*)(ssl_ctx_st*)> tls_context_;
  std::unique_ptr<ssl_st, void (*)(ssl_st*)> tls_;
};

}  // namespace probe
