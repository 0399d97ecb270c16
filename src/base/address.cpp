#include "base/address.h"

#include <arpa/inet.h>

#include <algorithm>

namespace base {

namespace {
constexpr std::array<std::uint8_t, 12> kMapped = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
}

SocketAddress SocketAddress::v4(std::uint32_t host_order_ip, std::uint16_t port) {
  SocketAddress a;
  std::copy(kMapped.begin(), kMapped.end(), a.ip.begin());
  for (std::size_t i = 0; i < 4; ++i) a.ip[12 + i] = static_cast<std::uint8_t>(host_order_ip >> (24 - 8 * i));
  a.port = port;
  return a;
}

bool SocketAddress::is_v4() const {
  return std::equal(kMapped.begin(), kMapped.end(), ip.begin());
}

std::uint32_t SocketAddress::v4_host_order() const {
  return static_cast<std::uint32_t>(ip[12]) << 24 | static_cast<std::uint32_t>(ip[13]) << 16 |
         static_cast<std::uint32_t>(ip[14]) << 8 | ip[15];
}

bool SocketAddress::is_loopback() const {
  if (is_v4()) return ip[12] == 127;
  return std::all_of(ip.begin(), ip.end() - 1, [](auto b) { return b == 0; }) && ip[15] == 1;
}

std::string SocketAddress::ip_text() const {
  std::array<char, INET6_ADDRSTRLEN> buffer{};
  if (is_v4()) return inet_ntop(AF_INET, ip.data() + 12, buffer.data(), buffer.size());
  return inet_ntop(AF_INET6, ip.data(), buffer.data(), buffer.size());
}

std::string SocketAddress::text() const {
  const std::string host = ip_text();
  return (is_v4() ? host : "[" + host + "]") + ":" + std::to_string(port);
}

std::optional<SocketAddress> SocketAddress::parse(std::string_view ip, std::uint16_t port) {
  const std::string text(ip);
  SocketAddress a;
  a.port = port;
  if (inet_pton(AF_INET, text.c_str(), a.ip.data() + 12) == 1) {
    std::copy(kMapped.begin(), kMapped.end(), a.ip.begin());
    return a;
  }
  if (inet_pton(AF_INET6, text.c_str(), a.ip.data()) == 1) return a;
  return std::nullopt;
}

}  // namespace base
