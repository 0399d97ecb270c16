// WebSocket frames at every split; what the reader delivers must be valid UTF-8 within its limit.
#include <cstdlib>
#include <vector>

#include "base/text.h"
#include "http/websocket_codec.h"

namespace {

constexpr std::size_t kLimit = 4096;

std::vector<std::string> read(std::string_view input, std::size_t step, http::WebSocketRole role) {
  std::vector<std::string> seen;
  http::WebSocketFrameEvents events;
  events.on_text = [&](std::string text) {
    if (text.size() > kLimit || !base::is_valid_utf8(text)) std::abort();
    seen.push_back("t" + text);
  };
  events.on_ping = [&](std::string payload) { seen.push_back("p" + payload); };
  events.on_pong = [&] { seen.push_back("o"); };
  events.on_close = [&](std::uint16_t code, const std::string& reason) {
    seen.push_back("c" + std::to_string(code) + reason);
  };
  http::WebSocketReader reader(role, kLimit);
  for (std::size_t at = 0; at < input.size(); at += step) {
    if (const auto code = reader.feed(input.substr(at, step), events)) {
      seen.push_back("e" + std::to_string(*code));
      break;
    }
  }
  return seen;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  for (auto role : {http::WebSocketRole::kServer, http::WebSocketRole::kClient}) {
    const auto whole = read(input, size == 0 ? 1 : size, role);
    if (read(input, 1, role) != whole || read(input, 5, role) != whole) std::abort();
  }
  return 0;
}
