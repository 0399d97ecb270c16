#include "probe/web_socket.h"

#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

#include "base/text.h"
#include "probe/udp_socket.h"

namespace probe {
namespace {

// RFC 6455 §4.2.2.
std::string accept_value(const std::string& key) {
  const auto text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, 20> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  return base::to_base64(digest);
}

std::string_view header_value(std::string_view head, std::string_view name) {
  for (const auto line : base::split(head, '\n')) {
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && base::equals_ignore_case(line.substr(0, colon), name))
      return base::trim(line.substr(colon + 1));
  }
  return {};
}

}  // namespace

std::optional<WebSocketAddress> parse_websocket_url(std::string_view url) {
  WebSocketAddress out;
  if (url.starts_with("wss://")) {
    out.tls = true;
    url.remove_prefix(6);
  } else if (url.starts_with("ws://")) {
    url.remove_prefix(5);
  } else {
    return std::nullopt;
  }
  const auto end = url.find_first_of("/?#");
  out.authority = url.substr(0, end);
  if (end != std::string_view::npos) url.remove_prefix(end);
  out.target = end == std::string_view::npos || url.front() != '/' ? "/" : "";
  if (end != std::string_view::npos && url.front() != '#') out.target += url.substr(0, url.find('#'));
  for (const std::string_view text : {std::string_view(out.authority), std::string_view(out.target)}) {
    for (const char c : text) {
      if (c <= ' ' || c == 0x7f) return std::nullopt;
    }
  }
  std::string_view host = out.authority, port;
  if (host.empty() || host.find('@') != std::string_view::npos) return std::nullopt;
  const auto bracket = host.front() == '[' ? host.find(']') : 0;
  if (bracket == std::string_view::npos) return std::nullopt;
  if (const auto colon = host.find(':', bracket); colon != std::string_view::npos) {
    port = host.substr(colon + 1);
    host = host.substr(0, colon);
  }
  if (host.starts_with('[')) host = host.substr(1, host.size() - 2);
  out.host = host;
  const auto number = port.empty() ? std::optional<std::uint64_t>(out.tls ? 443 : 80) : base::parse_u64(port);
  if (out.host.empty() || !number || *number == 0 || *number > 65535) return std::nullopt;
  out.port = static_cast<std::uint16_t>(*number);
  return out;
}

base::Result<base::SocketAddress> resolve(const std::string& host, std::uint16_t port) {
  if (const auto literal = base::SocketAddress::parse(host, port)) return *literal;
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int error = ::getaddrinfo(host.c_str(), nullptr, &hints, &found); error != 0)
    return base::fail("name_unknown", host + ": " + ::gai_strerror(error));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> owner(found, ::freeaddrinfo);
  // IPv4 first: what listens on localhost here often listens on 127.0.0.1 alone.
  for (const int family : {AF_INET, AF_INET6}) {
    for (const auto* a = found; a != nullptr; a = a->ai_next) {
      if (a->ai_family != family) continue;
      std::array<char, NI_MAXHOST> text{};
      if (::getnameinfo(a->ai_addr, a->ai_addrlen, text.data(), text.size(), nullptr, 0, NI_NUMERICHOST) != 0)
        continue;
      if (const auto address = base::SocketAddress::parse(text.data(), port)) return *address;
    }
  }
  return base::fail("name_unknown", host + " has no IP address");
}

WebSocketClient::WebSocketClient(Loop& loop, base::Random& random, Handlers handlers)
    : loop_(loop),
      random_(random),
      handlers_(std::move(handlers)),
      reader_(http::WebSocketRole::kClient, kMaxMessage),
      tls_context_(nullptr, SSL_CTX_free),
      tls_(nullptr, SSL_free) {
  events_.on_text = [this](std::string text) { handlers_.on_text(std::move(text)); };
  events_.on_ping = [this](std::string payload) {
    out_ += http::encode_frame(http::WebSocketOpcode::kPong, payload, random_.u32());
    flush();
  };
  events_.on_pong = [] {};
  events_.on_close = [this](std::uint16_t code, std::string reason) {
    fail("the server closed the WebSocket: " + std::to_string(code) + " " + base::escape_controls(reason));
  };
}

WebSocketClient::~WebSocketClient() {
  shut();
}

base::Result<void> WebSocketClient::connect(const WebSocketAddress& address, const base::SocketAddress& to,
                                            const WebSocketOptions& options) {
  address_ = address;
  protocol_ = options.protocol;
  const bool v6 = !to.is_v4();
  fd_ = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd_ < 0) return base::fail("socket_unavailable", std::string("socket: ") + std::strerror(errno));
  const int on = 1;
  (void)::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  if (address.tls) {
    tls_context_.reset(SSL_CTX_new(TLS_client_method()));
    const bool trusted =
        tls_context_ && (options.ca_file.empty()
                             ? SSL_CTX_set_default_verify_paths(tls_context_.get()) == 1
                             : SSL_CTX_load_verify_file(tls_context_.get(), options.ca_file.c_str()) == 1);
    if (trusted) tls_.reset(SSL_new(tls_context_.get()));
    if (!tls_) return base::fail("tls_unavailable", "the certificates to trust could not be loaded");
    SSL_set_verify(tls_.get(), SSL_VERIFY_PEER, nullptr);
    SSL_set_mode(tls_.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    if (base::SocketAddress::parse(address.host, 0)) {
      X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls_.get()), address.host.c_str());
    } else {
      SSL_set1_host(tls_.get(), address.host.c_str());
      SSL_set_tlsext_host_name(tls_.get(), address.host.c_str());
    }
    SSL_set_fd(tls_.get(), fd_);
    SSL_set_connect_state(tls_.get());
  }
  sockaddr_storage native;
  const auto length = to_native(to, v6, native);
  if (::connect(fd_, reinterpret_cast<const sockaddr*>(&native), length) != 0 && errno != EINPROGRESS)
    return base::fail("socket_unavailable", std::string("connect: ") + std::strerror(errno));
  state_ = State::kConnecting;
  want_write_ = true;
  loop_.watch(fd_, *this, true);
  return {};
}

void WebSocketClient::on_ready(bool readable, bool writable, base::SteadyTime) {
  if (state_ == State::kConnecting && (readable || writable)) finish_connect();
  if (state_ == State::kTls) shake_hands();
  if (writable && (state_ == State::kUpgrading || state_ == State::kOpen)) flush();
  if (readable && (state_ == State::kUpgrading || state_ == State::kOpen)) read();
}

void WebSocketClient::finish_connect() {
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd_, SOL_SOCKET, SO_ERROR, &error, &size);
  if (error != 0) return fail(std::string("connect: ") + std::strerror(error));
  if (tls_) {
    state_ = State::kTls;
  } else {
    start_upgrade();
  }
}

void WebSocketClient::shake_hands() {
  const int result = SSL_do_handshake(tls_.get());
  if (result == 1) return start_upgrade();
  const int error = SSL_get_error(tls_.get(), result);
  if (error == SSL_ERROR_WANT_READ) return want_write(false);
  if (error == SSL_ERROR_WANT_WRITE) return want_write(true);
  const auto verify = SSL_get_verify_result(tls_.get());
  fail(verify == X509_V_OK
           ? "the TLS handshake failed"
           : std::string("the server's certificate: ") + X509_verify_cert_error_string(verify));
}

void WebSocketClient::start_upgrade() {
  state_ = State::kUpgrading;
  std::array<std::uint8_t, 16> nonce{};
  random_.fill(nonce);
  key_ = base::to_base64(nonce);
  out_ = "GET " + address_.target + " HTTP/1.1\r\nHost: " + address_.authority +
         "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " +
         key_ + "\r\n";
  if (!protocol_.empty()) out_ += "Sec-WebSocket-Protocol: " + protocol_ + "\r\n";
  out_ += "\r\n";
  flush();
}

int WebSocketClient::read_some(char* data, int size) {
  if (tls_) {
    const int n = SSL_read(tls_.get(), data, size);
    if (n > 0) return n;
    const int error = SSL_get_error(tls_.get(), n);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  const auto n = ::recv(fd_, data, static_cast<std::size_t>(size), 0);
  if (n > 0) return static_cast<int>(n);
  return n < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : -1;
}

int WebSocketClient::write_some(const char* data, int size) {
  if (tls_) {
    const int n = SSL_write(tls_.get(), data, size);
    if (n > 0) return n;
    const int error = SSL_get_error(tls_.get(), n);
    return error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE ? 0 : -1;
  }
  const auto n = ::send(fd_, data, static_cast<std::size_t>(size), MSG_NOSIGNAL);
  if (n >= 0) return static_cast<int>(n);
  return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

void WebSocketClient::read() {
  std::array<char, 16 * 1024> buffer;
  while (state_ == State::kUpgrading || state_ == State::kOpen) {
    const int n = read_some(buffer.data(), static_cast<int>(buffer.size()));
    if (n == 0) return;
    if (n < 0) return fail("the server ended the connection");
    take({buffer.data(), static_cast<std::size_t>(n)});
  }
}

void WebSocketClient::take(std::string_view bytes) {
  if (state_ == State::kUpgrading) {
    head_ += bytes;
    return end_upgrade();
  }
  if (const auto code = reader_.feed(bytes, events_); code && state_ == State::kOpen) {
    close(*code, "");
    handlers_.on_closed("the server broke the WebSocket protocol (" + std::to_string(*code) + ")");
  }
}

void WebSocketClient::end_upgrade() {
  const auto end = head_.find("\r\n\r\n");
  if (end == std::string::npos) {
    if (head_.size() > kMaxHead) fail("the answer to the WebSocket upgrade has no end");
    return;
  }
  const std::string_view head(head_.data(), end + 2);
  const auto status = head.substr(0, head.find('\r'));
  if (!status.starts_with("HTTP/1.1 101"))
    return fail("the WebSocket was refused: " + base::escape_controls(status));
  if (header_value(head, "sec-websocket-accept") != accept_value(key_))
    return fail("the WebSocket upgrade was answered with a wrong key");
  state_ = State::kOpen;
  const auto rest = head_.substr(end + 4);
  head_.clear();
  handlers_.on_open();
  if (!rest.empty() && state_ == State::kOpen) take(rest);
}

void WebSocketClient::send_text(std::string_view text) {
  if (state_ != State::kOpen) return;
  out_ += http::encode_frame(http::WebSocketOpcode::kText, text, random_.u32());
  flush();
}

void WebSocketClient::flush() {
  while (!out_.empty()) {
    const auto size = static_cast<int>(std::min<std::size_t>(out_.size(), 64 * 1024));
    const int n = write_some(out_.data(), size);
    if (n < 0) return fail("the server ended the connection");
    if (n == 0) return want_write(true);
    out_.erase(0, static_cast<std::size_t>(n));
  }
  want_write(false);
}

void WebSocketClient::want_write(bool wanted) {
  if (want_write_ == wanted) return;
  want_write_ = wanted;
  loop_.watch_writable(fd_, *this, wanted);
}

void WebSocketClient::close(std::uint16_t code, std::string_view reason) {
  if (state_ == State::kOpen) {
    out_ += http::encode_close(code, reason, random_.u32());
    // What the socket does not take at once is not waited for.
    (void)write_some(out_.data(), static_cast<int>(out_.size()));
  }
  shut();
}

void WebSocketClient::fail(std::string reason) {
  if (state_ == State::kClosed) return;
  shut();
  handlers_.on_closed(std::move(reason));
}

void WebSocketClient::shut() {
  state_ = State::kClosed;
  tls_.reset();
  if (fd_ < 0) return;
  loop_.forget(fd_);
  ::close(fd_);
  fd_ = -1;
}

}  // namespace probe
