// Outbound HTTP on libcurl. Synchronous; call it from a worker thread. Thread-safe; connections are kept and shared.
#pragma once

#include <memory>
#include <string>
#include <vector>

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

class Client {
 public:
  Client();
  ~Client();
  tl::expected<ClientResponse, ClientError> send(const ClientRequest& request);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace http
