#include "http/testing_socket.h"

#include <arpa/inet.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <stdexcept>

#include "base/text.h"
#include "telemetry/log.h"

namespace http::testing {
namespace {

constexpr int kWaitMs = 10'000;

sockaddr_in native(const base::SocketAddress& a) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(a.port);
  out.sin_addr.s_addr = htonl(a.v4_host_order());
  return out;
}

}  // namespace

RawSocket::RawSocket(const base::SocketAddress& to, int receive_buffer)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  if (receive_buffer > 0) setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  const sockaddr_in a = native(to);
  if (connect(fd_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0)
    throw std::runtime_error("connect failed");
}

RawSocket::~RawSocket() {
  if (fd_ >= 0) close(fd_);
}

bool RawSocket::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

bool RawSocket::fill() {
  pollfd p{fd_, POLLIN, 0};
  if (poll(&p, 1, kWaitMs) <= 0) return false;
  std::array<char, 65536> chunk;
  const ssize_t n = recv(fd_, chunk.data(), chunk.size(), 0);
  if (n <= 0) return false;
  buffer_.append(chunk.data(), static_cast<std::size_t>(n));
  return true;
}

std::string RawSocket::read(std::size_t n) {
  while (buffer_.size() < n && fill()) {
  }
  std::string out = buffer_.substr(0, n);
  buffer_.erase(0, out.size());
  return out;
}

std::string RawSocket::read_until(std::string_view end) {
  std::size_t at = buffer_.find(end);
  while (at == std::string::npos && fill()) at = buffer_.find(end);
  return read(at == std::string::npos ? buffer_.size() : at + end.size());
}

std::string RawSocket::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

std::string RawSocket::read_response() {
  std::string out = read_until("\r\n\r\n");
  const auto length = base::parse_u64(header_of(out, "content-length"));
  if (length) out += read(static_cast<std::size_t>(*length));
  return out;
}

void RawSocket::shutdown_send() {
  shutdown(fd_, SHUT_WR);
}

void RawSocket::reset() {
  const linger hard{1, 0};
  setsockopt(fd_, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  close(std::exchange(fd_, -1));
}

int status_of(std::string_view response) {
  if (!response.starts_with("HTTP/1.")) return 0;
  return static_cast<int>(base::parse_u64(response.substr(9, 3)).value_or(0));
}

std::string header_of(std::string_view response, std::string_view lower_name) {
  const std::string_view head = response.substr(0, response.find("\r\n\r\n"));
  for (std::string_view line : base::split(head, '\n')) {
    const std::size_t colon = line.find(':');
    if (colon != std::string_view::npos && base::equals_ignore_case(line.substr(0, colon), lower_name))
      return std::string(base::trim(line.substr(colon + 1)));
  }
  return {};
}

std::string body_of(std::string_view response) {
  const std::size_t end = response.find("\r\n\r\n");
  return end == std::string_view::npos ? std::string() : std::string(response.substr(end + 4));
}

ScriptedServer::ScriptedServer(std::function<void(RawSocket&)> script)
    : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
  sockaddr_in a = native(base::SocketAddress::v4(0x7f000001, 0));
  socklen_t size = sizeof a;
  if (bind(fd_, reinterpret_cast<sockaddr*>(&a), size) != 0 || listen(fd_, 64) != 0 ||
      getsockname(fd_, reinterpret_cast<sockaddr*>(&a), &size) != 0)
    throw std::runtime_error("listen failed");
  address_ = base::SocketAddress::v4(0x7f000001, ntohs(a.sin_port));
  thread_ = std::thread([this, script = std::move(script)] {
    for (;;) {
      const int peer = accept(fd_, nullptr, nullptr);
      if (peer < 0) return;
      ++connections_;
      RawSocket socket(peer);
      script(socket);
    }
  });
}

ScriptedServer::~ScriptedServer() {
  shutdown(fd_, SHUT_RDWR);
  thread_.join();
  close(fd_);
}

std::string ScriptedServer::url(std::string_view path) const {
  return "http://" + address_.text() + std::string(path);
}

TestServer::TestServer(const Router& router, const std::function<void(ServerConfig&)>& change) {
  telemetry::configure_log(telemetry::Level::kError, "text");
  ServerConfig config;
  config.listeners.push_back({"test", base::SocketAddress::v4(0x7f000001, 0), &router, {}, {}});
  if (change) change(config);
  auto started = Server::start(config, random);
  if (!started) throw std::runtime_error(started.error().detail);
  server = std::move(*started);
}

std::string TestServer::ask(std::string_view request) const {
  RawSocket socket = connect();
  socket.send(request);
  return socket.read_response();
}

void write_certificate(const std::string& certificate_file, const std::string& key_file,
                       const std::string& common_name) {
  EVP_PKEY* key = EVP_EC_gen("P-256");
  X509* certificate = X509_new();
  X509_set_version(certificate, 2);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate), 1);
  X509_gmtime_adj(X509_getm_notBefore(certificate), -3600);
  X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
  X509_set_pubkey(certificate, key);
  X509_NAME* name = X509_get_subject_name(certificate);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(common_name.c_str()), -1, -1, 0);
  X509_set_issuer_name(certificate, name);
  for (const auto& [nid, value] :
       {std::pair<int, std::string>{NID_subject_alt_name, "DNS:localhost,IP:127.0.0.1"},
        {NID_basic_constraints, "critical,CA:TRUE"}}) {
    X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, nullptr, nid, value.c_str());
    X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
  }
  X509_sign(certificate, key, EVP_sha256());
  std::FILE* out = std::fopen(certificate_file.c_str(), "w");
  PEM_write_X509(out, certificate);
  std::fclose(out);
  out = std::fopen(key_file.c_str(), "w");
  PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(out);
  X509_free(certificate);
  EVP_PKEY_free(key);
}

std::string temporary_folder() {
  std::string pattern =
      (std::getenv("TMPDIR") != nullptr ? std::string(std::getenv("TMPDIR")) : std::string("/tmp")) +
      "/televisit-http-XXXXXX";
  if (mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("mkdtemp failed");
  return pattern;
}

}  // namespace http::testing
