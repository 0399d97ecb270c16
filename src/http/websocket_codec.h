// WebSocket frames, sans-IO (RFC 6455 §5-7). Both roles: a server reads masked frames, a client unmasked
// ones. Not thread-safe.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace http {

enum class WebSocketRole { kServer, kClient };

struct WebSocketFrameEvents {
  std::function<void(std::string text)> on_text;  // a whole message, valid UTF-8
  std::function<void(std::string payload)> on_ping;
  std::function<void()> on_pong;
  std::function<void(std::uint16_t code, std::string reason)>
      on_close;  // 1005 when the frame carried no code
};

class WebSocketReader {
 public:
  WebSocketReader(WebSocketRole role, std::size_t max_message) : role_(role), max_message_(max_message) {}

  // Calls the events for every whole frame or message in the stream so far. Returns the close code to fail
  // the connection with (1002 protocol, 1003 binary, 1007 not UTF-8, 1009 too big) or nullopt. After a
  // failure or a close frame, further input is ignored.
  std::optional<std::uint16_t> feed(std::string_view input, const WebSocketFrameEvents& events);
  bool closed() const { return closed_; }

 private:
  struct FrameHead {
    bool fin = false;
    std::uint8_t opcode = 0;
    std::uint64_t length = 0;
    std::uint32_t mask = 0;
    std::size_t size = 0;  // of the head itself
  };
  // size 0 = not all here yet.
  std::optional<std::uint16_t> parse_frame_head(std::string_view input, FrameHead& head) const;
  std::optional<std::uint16_t> check_frame_head(const FrameHead& head) const;
  std::optional<std::uint16_t> end_frame(const WebSocketFrameEvents& events);
  std::optional<std::uint16_t> close_frame(const WebSocketFrameEvents& events);

  WebSocketRole role_;
  std::size_t max_message_;
  std::string head_bytes_;          // of a frame head that is not complete
  std::optional<FrameHead> frame_;  // whose payload is being read
  std::uint64_t payload_seen_ = 0;
  std::string control_;      // payload of a control frame
  std::string message_;      // payload of the text message so far
  bool in_message_ = false;  // a fragmented message has begun
  bool closed_ = false;
};

enum class WebSocketOpcode : std::uint8_t {
  kContinuation = 0,
  kText = 1,
  kBinary = 2,
  kClose = 8,
  kPing = 9,
  kPong = 10
};

// One final frame. A client must give a mask (RFC 6455 §5.3), a server none.
std::string encode_frame(WebSocketOpcode opcode, std::string_view payload,
                         std::optional<std::uint32_t> mask = std::nullopt);
std::string encode_close(std::uint16_t code, std::string_view reason,
                         std::optional<std::uint32_t> mask = std::nullopt);

// Whether a peer may send this code (RFC 6455 §7.4).
bool is_valid_close_code(std::uint16_t code);

}  // namespace http
