// A WebSocket client (RFC 6455) for tests: one socket, text frames, everything synchronous with a deadline.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/address.h"
#include "json/json.h"

namespace engine::testing {

class WsClient {
 public:
  // `target` with its query. status() is 101 when the upgrade succeeded, else the refusal's status and body.
  WsClient(const base::SocketAddress& server, const std::string& target);
  ~WsClient();
  WsClient(const WsClient&) = delete;
  WsClient& operator=(const WsClient&) = delete;

  int status() const { return status_; }
  const std::string& refusal() const { return refusal_; }

  void send_text(const std::string& text);
  void notify(const std::string& method, const json::Object& params);
  // Sends a request and waits for the reply with its id; notifications that come before it stay for next().
  json::Object request(const std::string& method, const json::Object& params);
  // The next notification of this method, whatever else comes before it (dropped). Empty object: none within
  // the deadline.
  json::Object wait_for(const std::string& method, int timeout_ms = 5000);
  // The names of all notifications that have come, in order, up to an answered ping: proof that nothing else
  // is on its way.
  std::vector<std::string> drain();
  // What came and was not asked for yet, replies of unknown ids included.
  std::deque<json::Object> take_waiting() { return std::exchange(waiting_, {}); }
  // Waits for the server's close frame (or the end of the stream: 1006).
  std::uint16_t wait_close();
  void close(std::uint16_t code);
  void vanish();  // the TCP connection ends without a word

  json::Object last_drained(const std::string& method) const;

 private:
  std::optional<json::Object> read_frame(int timeout_ms);
  bool fill(int timeout_ms);
  void send_frame(std::uint8_t opcode, const std::string& payload);

  int fd_ = -1;
  int status_ = 0;
  int next_id_ = 1;
  std::string refusal_, in_;
  std::optional<std::uint16_t> closed_;
  std::deque<json::Object> waiting_;
  std::deque<json::Object> drained_;
};

}  // namespace engine::testing
