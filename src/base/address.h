// An IP address and port as a value: hashable, comparable, no allocation.
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// IPv4 is stored as IPv4-mapped IPv6 (RFC 4291 2.5.5.2), so one comparison serves both.
struct SocketAddress {
  std::array<std::uint8_t, 16> ip{};
  std::uint16_t port = 0;  // host byte order

  static SocketAddress v4(std::uint32_t host_order_ip, std::uint16_t port);
  bool is_v4() const;
  std::uint32_t v4_host_order() const;  // only when is_v4()
  bool is_loopback() const;
  std::string ip_text() const;  // "192.0.2.1", "2001:db8::1"
  std::string text() const;     // "192.0.2.1:80", "[2001:db8::1]:80"
  static std::optional<SocketAddress> parse(std::string_view ip, std::uint16_t port);

  friend auto operator<=>(const SocketAddress&, const SocketAddress&) = default;
};

}  // namespace base

template <>
struct std::hash<base::SocketAddress> {
  std::size_t operator()(const base::SocketAddress& a) const noexcept {
    std::uint64_t h = 0xcbf29ce484222325ULL ^ a.port;
    for (auto b : a.ip) h = (h ^ b) * 0x100000001b3ULL;
    return static_cast<std::size_t>(h ^ (h >> 29));
  }
};
