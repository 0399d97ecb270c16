#include "http/client.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/text.h"
#include "telemetry/log.h"

namespace http {
namespace {

constexpr std::size_t kIdleHandles = 32;  // easy handles kept, each with its own open connections
constexpr long kConnectionsPerHandle = 4;
constexpr std::size_t kMaxHeaderBytes = 64 * 1024;

struct CurlDeleter {
  void operator()(CURL* c) const { curl_easy_cleanup(c); }
};
using Easy = std::unique_ptr<CURL, CurlDeleter>;

struct SlistDeleter {
  void operator()(curl_slist* l) const { curl_slist_free_all(l); }
};
using Slist = std::unique_ptr<curl_slist, SlistDeleter>;

// One call's state, handed to curl's callbacks.
struct Transfer {
  const ClientRequest& request;
  ClientResponse response;
  std::size_t header_bytes = 0;
  bool too_large = false;
  bool headers_too_large = false;
  bool address_refused = false;
};

std::size_t on_body(char* data, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::size_t n = size * count;
  if (n > t.request.max_body - t.response.body.size()) {
    t.too_large = true;
    return 0;
  }
  t.response.body.append(data, n);
  return n;
}

std::size_t on_header(char* data, std::size_t size, std::size_t count, void* user) {
  auto& t = *static_cast<Transfer*>(user);
  const std::size_t n = size * count;
  t.header_bytes += n;
  if (t.header_bytes > kMaxHeaderBytes) {
    t.headers_too_large = true;
    return 0;
  }
  const std::string_view line(data, n);
  if (line.starts_with("HTTP/")) {
    t.response.headers.clear();  // an interim 1xx answer came before
    return n;
  }
  const std::size_t colon = line.find(':');
  if (colon != std::string_view::npos)
    t.response.headers.emplace_back(base::to_lower(base::trim(line.substr(0, colon))),
                                    base::trim(line.substr(colon + 1)));
  return n;
}

base::SocketAddress from_sockaddr(const sockaddr* address) {
  base::SocketAddress out;
  if (address->sa_family == AF_INET) {
    sockaddr_in v4{};
    std::memcpy(&v4, address, sizeof v4);
    return base::SocketAddress::v4(ntohl(v4.sin_addr.s_addr), ntohs(v4.sin_port));
  }
  sockaddr_in6 v6{};
  std::memcpy(&v6, address, sizeof v6);
  std::memcpy(out.ip.data(), &v6.sin6_addr, out.ip.size());
  out.port = ntohs(v6.sin6_port);
  return out;
}

// Before the first packet: the address the resolver gave for this very connection.
curl_socket_t on_open_socket(void* user, curlsocktype, curl_sockaddr* address) {
  auto& t = *static_cast<Transfer*>(user);
  if ((address->family != AF_INET && address->family != AF_INET6) ||
      !t.request.address_allowed(from_sockaddr(&address->addr))) {
    t.address_refused = true;
    return CURL_SOCKET_BAD;
  }
  return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

// A kept connection may have been opened by a call with another rule.
int on_before_request(void* user, char* ip, char*, int port, int) {
  auto& t = *static_cast<Transfer*>(user);
  const auto address = base::SocketAddress::parse(ip, static_cast<std::uint16_t>(port));
  if (address && t.request.address_allowed(*address)) return CURL_PREREQFUNC_OK;
  t.address_refused = true;
  return CURL_PREREQFUNC_ABORT;
}

template <class T>
void set(CURL* c, CURLoption option, T value) {
  curl_easy_setopt(c, option, value);
}

bool has_control(std::string_view text) {
  return std::any_of(text.begin(), text.end(), [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
}

void set_transport(CURL* c, const ClientRequest& r, const ClientOptions& options) {
  set(c, CURLOPT_NOSIGNAL, 1L);
  set(c, CURLOPT_PROTOCOLS_STR, "http,https");
  set(c, CURLOPT_FOLLOWLOCATION, 0L);
  set(c, CURLOPT_PROXY, "");
  set(c, CURLOPT_NOPROXY, "*");
  set(c, CURLOPT_SSL_VERIFYPEER, 1L);
  set(c, CURLOPT_SSL_VERIFYHOST, 2L);
  set(c, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  set(c, CURLOPT_MAXCONNECTS, kConnectionsPerHandle);
  set(c, CURLOPT_CONNECTTIMEOUT_MS,
      static_cast<long>(std::max<std::int64_t>(1, r.connect_timeout.to_millis())));
  set(c, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<std::int64_t>(1, r.total_timeout.to_millis())));
  set(c, CURLOPT_ACCEPT_ENCODING, "gzip, deflate, br");
  set(c, CURLOPT_USERAGENT, "televisit");
  set(c, CURLOPT_NETRC, static_cast<long>(CURL_NETRC_IGNORED));
  if (!options.ca_file.empty()) set(c, CURLOPT_CAINFO, options.ca_file.c_str());
}

void set_callbacks(CURL* c, Transfer& t) {
  set(c, CURLOPT_WRITEFUNCTION, &on_body);
  set(c, CURLOPT_WRITEDATA, static_cast<void*>(&t));
  set(c, CURLOPT_HEADERFUNCTION, &on_header);
  set(c, CURLOPT_HEADERDATA, static_cast<void*>(&t));
  if (!t.request.address_allowed) return;
  set(c, CURLOPT_OPENSOCKETFUNCTION, &on_open_socket);
  set(c, CURLOPT_OPENSOCKETDATA, static_cast<void*>(&t));
  set(c, CURLOPT_PREREQFUNCTION, &on_before_request);
  set(c, CURLOPT_PREREQDATA, static_cast<void*>(&t));
}

Slist set_message(CURL* c, const ClientRequest& r) {
  set(c, CURLOPT_URL, r.url.c_str());
  const bool with_body = !r.body.empty() || r.method == "POST" || r.method == "PUT" || r.method == "PATCH";
  if (with_body) {
    set(c, CURLOPT_POST, 1L);
    set(c, CURLOPT_POSTFIELDS, r.body.data());
    set(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(r.body.size()));
  }
  if (r.method == "HEAD") {
    set(c, CURLOPT_NOBODY, 1L);
  } else {
    set(c, CURLOPT_CUSTOMREQUEST, r.method.c_str());
  }
  Slist list(curl_slist_append(nullptr, "Expect:"));
  bool typed = false;
  for (const auto& [name, value] : r.headers) {
    typed = typed || base::equals_ignore_case(name, "content-type");
    // "Name;" is curl's spelling of a header without a value; "Name:" would remove it.
    const std::string line = value.empty() ? name + ";" : name + ": " + value;
    curl_slist_append(list.get(), line.c_str());
  }
  if (with_body && !typed) curl_slist_append(list.get(), "Content-Type:");  // or curl claims it were a form
  set(c, CURLOPT_HTTPHEADER, list.get());
  return list;
}

ClientFailure classify(CURLcode code, long status, const Transfer& t) {
  if (t.too_large) return ClientFailure::kTooLarge;
  if (t.headers_too_large) return ClientFailure::kBadResponse;
  if (t.address_refused) return ClientFailure::kUnreachable;
  switch (code) {
    case CURLE_OPERATION_TIMEDOUT:
      return ClientFailure::kTimeout;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_SSL_PINNEDPUBKEYNOTMATCH:
    case CURLE_SSL_INVALIDCERTSTATUS:
      return ClientFailure::kTls;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_BAD_CONTENT_ENCODING:
    case CURLE_PARTIAL_FILE:
    case CURLE_UNSUPPORTED_PROTOCOL:  // an HTTP/0.9 answer
    case CURLE_HTTP2:
    case CURLE_HTTP2_STREAM:
    case CURLE_WRITE_ERROR:
      return ClientFailure::kBadResponse;
    // curl reports bad chunking and a reset with the same code; once a status line was seen the answer is
    // what is broken.
    default:
      return status != 0 ? ClientFailure::kBadResponse : ClientFailure::kUnreachable;
  }
}

}  // namespace

std::string_view ClientResponse::header(std::string_view lower_name) const {
  for (const auto& [name, value] : headers)
    if (name == lower_name) return value;
  return {};
}

std::string_view to_string(ClientFailure failure) {
  switch (failure) {
    case ClientFailure::kUnreachable:
      return "unreachable";
    case ClientFailure::kTimeout:
      return "timeout";
    case ClientFailure::kTls:
      return "tls";
    case ClientFailure::kBadResponse:
      return "bad_response";
    case ClientFailure::kTooLarge:
      return "too_large";
  }
  return "unreachable";
}

struct Client::Impl {
  ClientOptions options;
  std::mutex mutex;
  std::vector<Easy> idle;  // guarded by mutex; last used first, so that connections stay warm

  Easy take() {
    {
      const std::lock_guard lock(mutex);
      if (!idle.empty()) {
        Easy easy = std::move(idle.back());
        idle.pop_back();
        return easy;
      }
    }
    return Easy(curl_easy_init());
  }

  void give_back(Easy easy) {
    curl_easy_reset(easy.get());  // keeps connections, forgets everything else
    const std::lock_guard lock(mutex);
    if (idle.size() < kIdleHandles) idle.push_back(std::move(easy));
  }
};

Client::Client() : Client(ClientOptions{}) {}

Client::Client(const ClientOptions& options) : impl_(std::make_unique<Impl>()) {
  static const CURLcode initialised =
      curl_global_init(CURL_GLOBAL_DEFAULT);  // not thread-safe by itself; a local static is
  static_cast<void>(initialised);
  impl_->options = options;
}

Client::~Client() = default;

tl::expected<ClientResponse, ClientError> Client::send(const ClientRequest& request) {
  for (const auto& [name, value] : request.headers)
    if (has_control(name) || has_control(value))
      return tl::unexpected(
          ClientError{ClientFailure::kUnreachable, "a request header holds a line break; nothing was sent"});

  Easy easy = impl_->take();
  if (!easy) return tl::unexpected(ClientError{ClientFailure::kUnreachable, "out of memory"});
  CURL* c = easy.get();
  Transfer transfer{request, {}, 0, false, false, false};
  std::array<char, CURL_ERROR_SIZE> words{};
  set(c, CURLOPT_ERRORBUFFER, words.data());
  set_transport(c, request, impl_->options);
  set_callbacks(c, transfer);
  const Slist headers = set_message(c, request);

  const CURLcode code = curl_easy_perform(c);
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  impl_->give_back(std::move(easy));

  if (code != CURLE_OK) {
    std::string detail = words[0] != '\0' ? words.data() : curl_easy_strerror(code);
    if (transfer.address_refused) detail = "the address of this host is not allowed";
    if (transfer.too_large)
      detail = "the answer is larger than " + std::to_string(request.max_body) + " bytes";
    if (transfer.headers_too_large) detail = "the answer's headers are larger than 64 KiB";
    return tl::unexpected(ClientError{classify(code, status, transfer), telemetry::redact(detail)});
  }
  transfer.response.status = static_cast<int>(status);
  return std::move(transfer.response);
}

}  // namespace http
