// Who the client is behind proxies we trust (visit-api.md §3.1 "Client address").
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"
#include "http/message.h"

namespace http {

class TrustedProxies {
 public:
  // "10.0.0.7", "10.0.0.0/8", "2001:db8::/32". Error: "proxy_invalid".
  static base::Result<TrustedProxies> parse(const std::vector<std::string>& entries);
  bool contains(const base::SocketAddress& address) const;
  // The socket peer, or the right-most X-Forwarded-For entry that is not a trusted proxy when the peer is
  // one.
  std::string client_ip(const base::SocketAddress& peer, const std::vector<Header>& headers) const;

 private:
  struct Network {
    base::SocketAddress address;
    int bits = 128;  // of the IPv4-mapped form
  };
  std::vector<Network> networks_;
};

}  // namespace http
