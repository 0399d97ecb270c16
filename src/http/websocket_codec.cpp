#include "http/websocket_codec.h"

#include "base/bytes.h"
#include "base/text.h"

namespace http {
namespace {

constexpr std::uint16_t kProtocolError = 1002;
constexpr std::uint16_t kUnsupported = 1003;
constexpr std::uint16_t kNoCode = 1005;
constexpr std::uint16_t kNotUtf8 = 1007;
constexpr std::uint16_t kTooBig = 1009;
constexpr std::size_t kMaxControl = 125;
constexpr std::size_t kMaxHead = 14;

bool is_control(std::uint8_t opcode) {
  return (opcode & 0x8) != 0;
}

void unmask(std::string& data, std::size_t from, std::uint64_t offset, std::uint32_t mask) {
  for (std::size_t i = from; i < data.size(); ++i, ++offset) {
    const auto key = static_cast<std::uint8_t>(mask >> (24 - 8 * (offset % 4)));
    data[i] = static_cast<char>(static_cast<std::uint8_t>(data[i]) ^ key);
  }
}

}  // namespace

bool is_valid_close_code(std::uint16_t code) {
  if (code >= 3000 && code <= 4999) return true;
  return code >= 1000 && code <= 1014 && code != 1004 && code != 1005 && code != 1006;
}

std::optional<std::uint16_t> WebSocketReader::parse_frame_head(std::string_view input,
                                                               FrameHead& head) const {
  base::ByteReader in(base::as_bytes(input));
  const std::uint8_t b0 = in.u8();
  const std::uint8_t b1 = in.u8();
  if (!in.ok()) return std::nullopt;
  if ((b0 & 0x70) != 0) return kProtocolError;  // no extension was agreed
  const bool masked = (b1 & 0x80) != 0;
  if (masked != (role_ == WebSocketRole::kServer)) return kProtocolError;
  head.fin = (b0 & 0x80) != 0;
  head.opcode = b0 & 0x0f;
  head.length = b1 & 0x7f;
  if (head.length == 126) {
    head.length = in.u16();
    if (in.ok() && head.length < 126) return kProtocolError;  // the shortest form is required
  } else if (head.length == 127) {
    head.length = in.u64();
    if (in.ok() && (head.length <= 0xffff || head.length >> 63 != 0)) return kProtocolError;
  }
  head.mask = masked ? in.u32() : 0;
  if (in.ok()) head.size = in.position();
  return std::nullopt;
}

std::optional<std::uint16_t> WebSocketReader::check_frame_head(const FrameHead& head) const {
  switch (static_cast<WebSocketOpcode>(head.opcode)) {
    case WebSocketOpcode::kContinuation:
      if (!in_message_) return kProtocolError;
      break;
    case WebSocketOpcode::kText:
      if (in_message_) return kProtocolError;
      break;
    case WebSocketOpcode::kBinary:
      return in_message_ ? kProtocolError : kUnsupported;
    case WebSocketOpcode::kClose:
    case WebSocketOpcode::kPing:
    case WebSocketOpcode::kPong:
      if (!head.fin || head.length > kMaxControl) return kProtocolError;
      return std::nullopt;
    default:
      return kProtocolError;
  }
  if (head.length > max_message_ || message_.size() + head.length > max_message_) return kTooBig;
  return std::nullopt;
}

std::optional<std::uint16_t> WebSocketReader::close_frame(const WebSocketFrameEvents& events) {
  if (control_.size() == 1) return kProtocolError;
  std::uint16_t code = kNoCode;
  std::string reason;
  if (!control_.empty()) {
    base::ByteReader in(base::as_bytes(control_));
    code = in.u16();
    if (!is_valid_close_code(code)) return kProtocolError;
    reason = control_.substr(2);
    if (!base::is_valid_utf8(reason)) return kNotUtf8;
  }
  closed_ = true;
  events.on_close(code, std::move(reason));
  return std::nullopt;
}

std::optional<std::uint16_t> WebSocketReader::end_frame(const WebSocketFrameEvents& events) {
  const FrameHead head = *frame_;
  frame_.reset();
  payload_seen_ = 0;
  switch (static_cast<WebSocketOpcode>(head.opcode)) {
    case WebSocketOpcode::kClose:
      return close_frame(events);
    case WebSocketOpcode::kPing:
      events.on_ping(std::exchange(control_, {}));
      return std::nullopt;
    case WebSocketOpcode::kPong:
      control_.clear();
      events.on_pong();
      return std::nullopt;
    default:
      break;
  }
  in_message_ = !head.fin;
  if (in_message_) return std::nullopt;
  if (!base::is_valid_utf8(message_)) return kNotUtf8;
  events.on_text(std::exchange(message_, {}));
  return std::nullopt;
}

std::optional<std::uint16_t> WebSocketReader::feed(std::string_view input,
                                                   const WebSocketFrameEvents& events) {
  auto fail = [this](std::uint16_t code) {
    closed_ = true;
    return std::optional<std::uint16_t>(code);
  };
  while (!closed_) {
    if (!frame_) {
      if (input.empty()) break;
      const std::size_t had = head_bytes_.size();
      head_bytes_.append(input.substr(0, kMaxHead - had));
      FrameHead head;
      if (auto code = parse_frame_head(head_bytes_, head)) return fail(*code);
      if (head.size == 0) break;  // all of input is in head_bytes_ now
      if (auto code = check_frame_head(head)) return fail(*code);
      input.remove_prefix(head.size - had);
      head_bytes_.clear();
      control_.clear();
      frame_ = head;
    }
    std::string& payload = is_control(frame_->opcode) ? control_ : message_;
    const std::size_t from = payload.size();
    const std::size_t n =
        static_cast<std::size_t>(std::min<std::uint64_t>(frame_->length - payload_seen_, input.size()));
    payload.append(input.substr(0, n));
    unmask(payload, from, payload_seen_, frame_->mask);
    payload_seen_ += n;
    input.remove_prefix(n);
    if (payload_seen_ < frame_->length) break;
    if (auto code = end_frame(events)) return fail(*code);
  }
  return std::nullopt;
}

std::string encode_frame(WebSocketOpcode opcode, std::string_view payload,
                         std::optional<std::uint32_t> mask) {
  std::string out;
  out.reserve(payload.size() + kMaxHead);
  const auto put = [&out](std::uint64_t v, int bytes) {
    for (int i = bytes - 1; i >= 0; --i) out += static_cast<char>(v >> (8 * i) & 0xff);
  };
  put(0x80U | static_cast<std::uint8_t>(opcode), 1);
  const std::uint64_t mask_bit = mask ? 0x80 : 0;
  if (payload.size() < 126) {
    put(mask_bit | payload.size(), 1);
  } else if (payload.size() <= 0xffff) {
    put(mask_bit | 126, 1);
    put(payload.size(), 2);
  } else {
    put(mask_bit | 127, 1);
    put(payload.size(), 8);
  }
  if (mask) put(*mask, 4);
  const std::size_t from = out.size();
  out += payload;
  if (mask) unmask(out, from, 0, *mask);
  return out;
}

std::string encode_close(std::uint16_t code, std::string_view reason, std::optional<std::uint32_t> mask) {
  std::string payload;
  if (code != kNoCode) {
    payload += static_cast<char>(code >> 8);
    payload += static_cast<char>(code & 0xff);
    std::size_t n = std::min<std::size_t>(reason.size(), kMaxControl - 2);
    while (n > 0 && n < reason.size() && (static_cast<std::uint8_t>(reason[n]) & 0xc0) == 0x80)
      --n;  // not inside a character
    payload += reason.substr(0, n);
  }
  return encode_frame(WebSocketOpcode::kClose, payload, mask);
}

}  // namespace http
