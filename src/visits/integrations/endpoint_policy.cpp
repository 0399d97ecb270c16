#include "visits/integrations/endpoint_policy.h"

#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <memory>

#include "base/text.h"

namespace visits {
namespace {

tl::unexpected<base::Error> refused(std::string words) {
  return base::fail("endpoint_refused", std::move(words));
}

bool in_v4(std::uint32_t ip, std::uint32_t net, int bits) {
  return (ip >> (32 - bits)) == (net >> (32 - bits));
}

bool public_v4(std::uint32_t ip) {
  struct Block {
    std::uint32_t net;
    int bits;
  };
  static constexpr Block kBlocks[] = {
      {0x00000000, 8},  {0x0A000000, 8},  {0x64400000, 10}, {0x7F000000, 8},  {0xA9FE0000, 16},
      {0xAC100000, 12}, {0xC0000000, 24}, {0xC0000200, 24}, {0xC0586300, 24}, {0xC0A80000, 16},
      {0xC6120000, 15}, {0xC6336400, 24}, {0xCB007100, 24}, {0xE0000000, 3},
  };
  for (const Block& block : kBlocks)
    if (in_v4(ip, block.net, block.bits)) return false;
  return true;
}

std::vector<base::SocketAddress> resolve(const Url& url) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* raw = nullptr;
  if (getaddrinfo(url.host.c_str(), nullptr, &hints, &raw) != 0) return {};
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list(raw, &freeaddrinfo);
  std::vector<base::SocketAddress> out;
  for (const addrinfo* entry = list.get(); entry; entry = entry->ai_next) {
    if (entry->ai_family == AF_INET) {
      sockaddr_in in{};
      std::memcpy(&in, entry->ai_addr, sizeof in);
      out.push_back(base::SocketAddress::v4(ntohl(in.sin_addr.s_addr), url.port));
    } else if (entry->ai_family == AF_INET6) {
      sockaddr_in6 in6{};
      std::memcpy(&in6, entry->ai_addr, sizeof in6);
      base::SocketAddress address;
      std::memcpy(address.ip.data(), &in6.sin6_addr, 16);
      address.port = url.port;
      out.push_back(address);
    }
  }
  return out;
}

bool vouched(const std::vector<std::string>& entries, const Url& url) {
  for (const std::string& entry : entries) {
    auto allowed = parse_url(entry);
    if (!allowed || allowed->origin() != url.origin()) continue;
    if (allowed->path.empty() || allowed->path == "/" || url.path.rfind(allowed->path, 0) == 0) return true;
  }
  return false;
}

}  // namespace

std::string Url::origin() const {
  const bool v6 = host.find(':') != std::string::npos;
  const bool usual = (scheme == "https" && port == 443) || (scheme == "http" && port == 80);
  return scheme + "://" + (v6 ? "[" + host + "]" : host) + (usual ? "" : ":" + std::to_string(port));
}

bool Url::loopback_host() const {
  if (host == "localhost") return true;
  const auto address = base::SocketAddress::parse(host, port);
  return address && address->is_loopback();
}

base::Result<Url> parse_url(std::string_view text) {
  if (text.size() > 2000) return refused("the address is longer than 2000 characters");
  for (const char c : text)
    if (static_cast<unsigned char>(c) <= 0x20 || c == '\\' || c == 0x7f ||
        (static_cast<unsigned char>(c) & 0x80) != 0)
      return refused("the address holds a space, backslash or a character outside ASCII");
  Url out;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return refused("the address has no scheme; use https://");
  out.scheme = base::to_lower(text.substr(0, colon));
  if (out.scheme != "https" && out.scheme != "http") return refused("the scheme must be https");
  std::string_view rest = text.substr(colon + 3);
  if (rest.find('#') != std::string_view::npos) return refused("the address has a fragment");
  if (rest.find('?') != std::string_view::npos) return refused("the address has a query");
  const auto slash = rest.find('/');
  std::string_view authority = rest.substr(0, slash);
  if (slash != std::string_view::npos) out.path = rest.substr(slash);
  if (authority.find('@') != std::string_view::npos)
    return refused("the address holds a user name or password");
  std::string_view port;
  if (!authority.empty() && authority.front() == '[') {
    const auto end = authority.find(']');
    if (end == std::string_view::npos) return refused("the host is malformed");
    out.host = base::to_lower(authority.substr(1, end - 1));
    port = authority.substr(end + 1);
  } else {
    const auto at = authority.find(':');
    out.host = base::to_lower(authority.substr(0, at));
    if (at != std::string_view::npos) port = authority.substr(at);
  }
  if (out.host.empty()) return refused("the address has no host");
  out.port = out.scheme == "https" ? 443 : 80;
  if (!port.empty()) {
    const auto number = port.front() == ':' ? base::parse_u64(port.substr(1)) : std::nullopt;
    if (!number || *number == 0 || *number > 65535)
      return refused("the port is not a number from 1 to 65535");
    out.port = static_cast<std::uint16_t>(*number);
  }
  return out;
}

bool is_public_unicast(const base::SocketAddress& address) {
  if (address.is_v4()) return public_v4(address.v4_host_order());
  const auto& ip = address.ip;
  if ((ip[0] & 0xE0) != 0x20) return false;  // 2000::/3 alone is global unicast
  if (ip[0] == 0x20 && ip[1] == 0x01 && ip[2] == 0x0d && ip[3] == 0xb8) return false;  // documentation
  if (ip[0] == 0x20 && ip[1] == 0x01 && (ip[2] & 0xfe) == 0) return false;  // 2001::/23 protocol assignments
  if (ip[0] == 0x20 && ip[1] == 0x02) return false;  // 6to4 may carry a private address
  return true;
}

bool is_own_engine(const Config& config, const Url& url) {
  for (const std::string& own : config.own_engine_endpoints) {
    auto parsed = parse_url(own);
    if (!parsed || parsed->scheme != url.scheme || parsed->port != url.port) continue;
    if (parsed->host == url.host || (parsed->loopback_host() && url.loopback_host())) return true;
  }
  return false;
}

base::Result<Url> check_endpoint(const Config& config, std::string_view text, ResolveNames names) {
  auto url = parse_url(text);
  if (!url) return url;
  if (is_own_engine(config, *url) || vouched(config.allow_private_endpoints, *url)) return url;
  if (url->scheme != "https") return refused("the scheme must be https");
  if (url->loopback_host()) return refused("the host is this machine");
  if (auto literal = base::SocketAddress::parse(url->host, url->port)) {
    if (!is_public_unicast(*literal)) return refused("the host is not a public address");
    return url;
  }
  // Decimal, hexadecimal and octal spellings of IPv4 addresses are read as such by resolvers; a real name has
  // a letter in its last label.
  const auto dot = url->host.find_last_of('.');
  const std::string_view last = std::string_view(url->host).substr(dot == std::string::npos ? 0 : dot + 1);
  if (last.empty() || (last.front() >= '0' && last.front() <= '9'))
    return refused("the host is not a public name");
  if (names == ResolveNames::kNo) return url;
  for (const base::SocketAddress& address : resolve(*url))
    if (!is_public_unicast(address)) return refused("the host resolves to an address that is not public");
  return url;
}

std::function<bool(const base::SocketAddress&)> address_rule(const Config& config, std::string_view text) {
  auto url = parse_url(text);
  if (!url) return [](const base::SocketAddress&) { return false; };
  if (is_own_engine(config, *url)) {
    if (!url->loopback_host()) return {};
    return [](const base::SocketAddress& address) { return address.is_loopback(); };
  }
  if (vouched(config.allow_private_endpoints, *url)) return {};
  return [](const base::SocketAddress& address) { return is_public_unicast(address); };
}

}  // namespace visits
