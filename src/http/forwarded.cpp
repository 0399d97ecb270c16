#include "http/forwarded.h"

#include "base/text.h"

namespace http {
namespace {

// "192.0.2.1", "192.0.2.1:80", "2001:db8::1", "[2001:db8::1]:80".
std::optional<base::SocketAddress> parse_entry(std::string_view text) {
  text = base::trim(text);
  if (text.starts_with('[')) {
    const std::size_t end = text.find(']');
    if (end == std::string_view::npos) return std::nullopt;
    return base::SocketAddress::parse(text.substr(1, end - 1), 0);
  }
  const std::size_t colon = text.find(':');
  if (colon != std::string_view::npos && text.find(':', colon + 1) == std::string_view::npos)
    text = text.substr(0, colon);
  return base::SocketAddress::parse(text, 0);
}

}  // namespace

base::Result<TrustedProxies> TrustedProxies::parse(const std::vector<std::string>& entries) {
  TrustedProxies out;
  for (const std::string& entry : entries) {
    const std::size_t slash = entry.find('/');
    const auto address = base::SocketAddress::parse(std::string_view(entry).substr(0, slash), 0);
    if (!address) return base::fail("proxy_invalid", "not an address or network: " + entry);
    Network network{*address, 128};
    if (slash != std::string::npos) {
      const auto bits = base::parse_u64(std::string_view(entry).substr(slash + 1));
      if (!bits || *bits > (address->is_v4() ? 32U : 128U))
        return base::fail("proxy_invalid", "bad prefix length: " + entry);
      network.bits = static_cast<int>(*bits) + (address->is_v4() ? 96 : 0);
    }
    out.networks_.push_back(network);
  }
  return out;
}

bool TrustedProxies::contains(const base::SocketAddress& address) const {
  for (const Network& n : networks_) {
    bool same = true;
    for (int bit = 0; bit < n.bits && same; bit += 8) {
      const int left = std::min(8, n.bits - bit);
      const auto mask = static_cast<std::uint8_t>(0xff << (8 - left));
      const auto i = static_cast<std::size_t>(bit / 8);
      same = (n.address.ip[i] & mask) == (address.ip[i] & mask);
    }
    if (same) return true;
  }
  return false;
}

std::string TrustedProxies::client_ip(const base::SocketAddress& peer,
                                      const std::vector<Header>& headers) const {
  base::SocketAddress client = peer;
  if (networks_.empty() || !contains(peer)) return client.ip_text();
  std::vector<std::string_view> hops;
  for (const auto& [name, value] : headers) {
    if (name != "x-forwarded-for") continue;
    for (std::string_view hop : base::split(value, ',')) hops.push_back(hop);
  }
  for (auto it = hops.rbegin(); it != hops.rend(); ++it) {
    const auto address = parse_entry(*it);
    if (!address) break;  // what lies left of rubbish was written by who wrote the rubbish
    client = *address;
    if (!contains(client)) break;
  }
  return client.ip_text();
}

}  // namespace http
