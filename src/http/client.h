// Outbound HTTP on libcurl. Synchronous; call it from a worker thread. Thread-safe; connections are kept and
// shared. Only http and https, no redirects, no proxy from the environment, certificates always verified.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/result.h"
#include "http/message.h"

namespace http {

struct ClientRequest {
  std::string method = "GET";
  std::string url;
  std::vector<Header> headers;
  std::string body;
  base::Duration connect_timeout = base::Duration::seconds(3);
  base::Duration total_timeout = base::Duration::seconds(8);
  std::size_t max_body = 1024 * 1024;  // after decompression
  // Asked with every address before a packet goes there and again when a kept connection is used
  // (visit-api.md §6.3); false ends the call with kUnreachable. Empty = every address.
  std::function<bool(const base::SocketAddress&)> address_allowed;
};
struct ClientResponse {
  int status = 0;
  std::vector<Header> headers;  // names lower-case
  std::string body;
  std::string_view header(std::string_view lower_name) const;
};

// What went wrong before a status line was read whole. Redirects are never followed: a 3xx is a response.
enum class ClientFailure { kUnreachable, kTimeout, kTls, kBadResponse, kTooLarge };
struct ClientError {
  ClientFailure failure = ClientFailure::kUnreachable;
  std::string detail;  // curl's words, without credentials
};
// "unreachable", "timeout", "tls", "bad_response", "too_large".
std::string_view to_string(ClientFailure failure);

struct ClientOptions {
  std::string ca_file;  // PEM bundle to trust instead of the system's
};

class Client {
 public:
  Client();
  explicit Client(const ClientOptions& options);
  ~Client();
  tl::expected<ClientResponse, ClientError> send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
