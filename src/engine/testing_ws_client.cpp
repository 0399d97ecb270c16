#include "engine/testing_ws_client.h"

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <stdexcept>
#include <vector>

#include "base/text.h"

namespace engine::testing {

namespace {

constexpr int kDeadlineMs = 5000;

}  // namespace

WsClient::WsClient(const base::SocketAddress& server, const std::string& target) {
  fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(server.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&to), sizeof to) != 0)
    throw std::runtime_error("connect");
  const std::string head = "GET " + target + " HTTP/1.1\r\nHost: localhost:" + std::to_string(server.port) +
                           "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
  if (::send(fd_, head.data(), head.size(), MSG_NOSIGNAL) < 0) throw std::runtime_error("send");
  while (in_.find("\r\n\r\n") == std::string::npos && fill(kDeadlineMs)) {
  }
  const auto end = in_.find("\r\n\r\n");
  if (end == std::string::npos || in_.size() < 12) throw std::runtime_error("no upgrade answer");
  status_ = std::stoi(in_.substr(9, 3));
  const std::string lower = base::to_lower(in_.substr(0, end));
  in_.erase(0, end + 4);
  if (status_ == 101) return;
  if (const auto at = lower.find("content-length: "); at != std::string::npos) {
    const auto length = static_cast<std::size_t>(std::stoul(lower.substr(at + 16)));
    while (in_.size() < length && fill(kDeadlineMs)) {
    }
  }
  refusal_ = in_;
}

WsClient::~WsClient() {
  vanish();
}

void WsClient::vanish() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

bool WsClient::fill(int timeout_ms) {
  if (fd_ < 0) return false;
  pollfd poll{fd_, POLLIN, 0};
  if (::poll(&poll, 1, timeout_ms) <= 0) return false;
  char buffer[16384];
  const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
  if (n <= 0) {
    if (!closed_) closed_ = 1006;
    return false;
  }
  in_.append(buffer, static_cast<std::size_t>(n));
  return true;
}

void WsClient::send_frame(std::uint8_t opcode, const std::string& payload) {
  std::string frame(1, static_cast<char>(0x80 | opcode));
  const std::size_t n = payload.size();
  if (n < 126) {
    frame += static_cast<char>(0x80 | n);
  } else if (n < 65536) {
    frame += static_cast<char>(0x80 | 126);
    frame += static_cast<char>(n >> 8);
    frame += static_cast<char>(n & 0xff);
  } else {
    frame += static_cast<char>(0x80 | 127);
    for (int shift = 56; shift >= 0; shift -= 8) frame += static_cast<char>((n >> shift) & 0xff);
  }
  const char mask[4] = {0x12, 0x34, 0x56, 0x78};
  frame.append(mask, 4);
  for (std::size_t i = 0; i < n; ++i) frame += static_cast<char>(payload[i] ^ mask[i % 4]);
  std::size_t sent = 0;
  while (fd_ >= 0 && sent < frame.size()) {
    const auto k = ::send(fd_, frame.data() + sent, frame.size() - sent, MSG_NOSIGNAL);
    if (k <= 0) return;
    sent += static_cast<std::size_t>(k);
  }
}

void WsClient::send_text(const std::string& text) {
  send_frame(1, text);
}

void WsClient::notify(const std::string& method, const json::Object& params) {
  json::Object frame{{"method", method}};
  frame["params"] = params;
  send_text(json::serialize(frame));
}

std::optional<json::Object> WsClient::read_frame(int timeout_ms) {
  for (;;) {
    if (closed_) return std::nullopt;
    std::size_t header = 2, length = 0;
    if (in_.size() >= 2) {
      length = static_cast<std::uint8_t>(in_[1]) & 0x7f;
      const std::size_t extra = length == 126 ? 2 : length == 127 ? 8 : 0;
      header += extra;
      if (in_.size() >= header && extra) {
        length = 0;
        for (std::size_t i = 0; i < extra; ++i) length = length << 8 | static_cast<std::uint8_t>(in_[2 + i]);
      }
      if (in_.size() >= header && in_.size() >= header + length) {
        const auto opcode = static_cast<std::uint8_t>(in_[0]) & 0x0f;
        std::string payload = in_.substr(header, length);
        in_.erase(0, header + length);
        if (opcode == 9) send_frame(10, payload);
        if (opcode == 8) {
          closed_ = payload.size() >= 2
                        ? static_cast<std::uint16_t>(static_cast<std::uint8_t>(payload[0]) << 8 |
                                                     static_cast<std::uint8_t>(payload[1]))
                        : 1005;
          send_frame(8, payload);
          return std::nullopt;
        }
        if (opcode != 1) continue;
        auto value = json::parse(payload, {4 * 1024 * 1024, 32, 5000, 5000, 256});
        if (!value || !value->is_object()) throw std::runtime_error("the server sent no JSON object");
        return std::move(value->as_object());
      }
    }
    if (!fill(timeout_ms)) return std::nullopt;
  }
}

json::Object WsClient::request(const std::string& method, const json::Object& params) {
  const std::string id = "r" + std::to_string(next_id_++);
  json::Object out{{"method", method}, {"id", id}, {"jsonrpc", "2.0"}};
  out["params"] = params;
  send_text(json::serialize(out));
  while (auto frame = read_frame(kDeadlineMs)) {
    if (json::text_or(*frame, "id") == id) return std::move(*frame);
    waiting_.push_back(std::move(*frame));
  }
  return {};
}

json::Object WsClient::wait_for(const std::string& method, int timeout_ms) {
  for (;;) {
    if (waiting_.empty()) {
      auto frame = read_frame(timeout_ms);
      if (!frame) return {};
      waiting_.push_back(std::move(*frame));
    }
    json::Object frame = std::move(waiting_.front());
    waiting_.pop_front();
    if (json::text_or(frame, "method") != method) continue;
    const auto* params = json::object_at(frame, "params");
    return params ? *params : json::Object();
  }
}

std::vector<std::string> WsClient::drain() {
  request("ping", {{"timestamp", 1}});
  std::vector<std::string> names;
  drained_.clear();
  while (!waiting_.empty()) {
    names.emplace_back(json::text_or(waiting_.front(), "method"));
    drained_.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return names;
}

json::Object WsClient::last_drained(const std::string& method) const {
  for (auto it = drained_.rbegin(); it != drained_.rend(); ++it) {
    if (json::text_or(*it, "method") != method) continue;
    const auto* params = json::object_at(*it, "params");
    return params ? *params : json::Object();
  }
  return {};
}

std::uint16_t WsClient::wait_close() {
  while (!closed_) {
    if (auto frame = read_frame(kDeadlineMs)) {
      waiting_.push_back(std::move(*frame));
    } else if (!closed_) {
      return 0;
    }
  }
  return *closed_;
}

void WsClient::close(std::uint16_t code) {
  std::string payload;
  payload += static_cast<char>(code >> 8);
  payload += static_cast<char>(code & 0xff);
  send_frame(8, payload);
  wait_close();
  vanish();
}

}  // namespace engine::testing
