// Which provider addresses may be called (visit-api.md §6.3): https with a public unicast host, the engine's
// own listener, and what the operator vouches for. Blocking when names are resolved: worker threads only.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/result.h"
#include "visits/visits.h"

namespace visits {

struct Url {
  std::string scheme;  // lower case
  std::string host;    // lower case, IPv6 without brackets
  std::uint16_t port = 0;
  std::string path;  // "/v2", may be empty
  std::string origin() const;
  bool loopback_host() const;  // localhost, 127.0.0.0/8, ::1
};
// http and https only, no userinfo, fragment, backslash, space or control character. Error
// "endpoint_refused".
base::Result<Url> parse_url(std::string_view text);

enum class ResolveNames { kNo, kYes };
// Error "endpoint_refused". A name that does not resolve is not refused: the call itself will fail.
base::Result<Url> check_endpoint(const Config& config, std::string_view text, ResolveNames resolve);
// Which addresses a connection to `text` may go to: what check_endpoint found at save is checked again with
// the address that is really used, so that a name cannot change its meaning in between. For
// http::ClientRequest.
std::function<bool(const base::SocketAddress&)> address_rule(const Config& config, std::string_view text);
bool is_own_engine(const Config& config, const Url& url);
// Neither loopback, private, link-local, shared, multicast, documentation, nor reserved (RFC 6890).
bool is_public_unicast(const base::SocketAddress& address);

}  // namespace visits
