// Request and Response as plain values: no Beast type in sight. Handlers are synchronous functions on a
// worker pool.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/address.h"
#include "base/clock.h"

namespace http {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
std::string_view to_string(Method m);

using Header = std::pair<std::string, std::string>;

struct Request {
  Method method = Method::kGet;
  std::string path;  // as sent, without the query; absolute-form targets reduced to it
  std::vector<std::pair<std::string, std::string>> query;  // decoded, in order, repeats kept
  std::vector<Header> headers;                             // names lower-case
  std::string body;
  base::SocketAddress remote;  // socket peer
  std::string client_ip;       // after trusted proxies
  std::string request_id;
  std::string listener;                                     // name given to the listener: "api", "web"
  std::vector<std::pair<std::string, std::string>> params;  // of the route, decoded

  std::string_view header(std::string_view lower_name) const;  // "" when absent
  std::optional<std::string_view> query_value(std::string_view name) const;
  std::string_view param(std::string_view name) const;  // "" when absent
};

// An open text/event-stream answer. Thread-safe; send() never blocks and returns false once the client is
// gone or too slow (1 MiB queued).
class EventStream {
 public:
  virtual ~EventStream() = default;
  virtual bool send(std::string_view event, std::string_view id, std::string_view data) = 0;
  virtual bool comment(std::string_view text) = 0;
  virtual void close() = 0;
};

struct Response {
  int status = 200;
  std::vector<Header> headers;
  std::string body;
  // Set to answer with an event stream; called once the header is written, on an io thread.
  std::function<void(std::shared_ptr<EventStream>)> on_stream;
  // Set to answer with a file (static files, recordings); Range is honoured.
  std::string file_path;

  Response& set(std::string name, std::string value);
};

Response json_response(int status, std::string body);  // content-type: application/json

using Handler = std::function<Response(const Request&)>;

}  // namespace http
