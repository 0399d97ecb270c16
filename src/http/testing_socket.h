// Blocking sockets for tests: a raw client that says exactly what a test writes, and a scripted server that
// answers exactly what a test gives it. Every wait ends after ten seconds with what was there.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/address.h"
#include "base/random.h"
#include "http/server.h"

namespace http::testing {

class RawSocket {
 public:
  explicit RawSocket(const base::SocketAddress& to, int receive_buffer = 0);
  explicit RawSocket(int fd) : fd_(fd) {}
  RawSocket(RawSocket&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), buffer_(std::move(other.buffer_)) {}
  ~RawSocket();

  bool send(std::string_view bytes);
  // Exactly `n` bytes, or fewer when the peer closed.
  std::string read(std::size_t n);
  // Up to and with `end`; what came when the peer closed before.
  std::string read_until(std::string_view end);
  std::string read_to_end();
  // One answer by its Content-Length: status line to last body byte.
  std::string read_response();
  void shutdown_send();
  void reset();  // closes with RST

 private:
  bool fill();
  int fd_ = -1;
  std::string buffer_;
};

int status_of(std::string_view response);
std::string header_of(std::string_view response, std::string_view lower_name);
std::string body_of(std::string_view response);

// Accepts connections one after another and gives each to `script`, on a thread of its own.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(RawSocket&)> script);
  ~ScriptedServer();
  std::string url(std::string_view path = "/") const;
  base::SocketAddress address() const { return address_; }
  int connections() const { return connections_; }

 private:
  int fd_ = -1;
  base::SocketAddress address_;
  std::atomic<int> connections_{0};
  std::thread thread_;
};

// A server with one listener "test" on a free port.
struct TestServer {
  explicit TestServer(const Router& router, const std::function<void(ServerConfig&)>& change = {});
  base::SocketAddress address() const { return server->address("test"); }
  RawSocket connect() const { return RawSocket(address()); }
  // One request on a connection of its own.
  std::string ask(std::string_view request) const;
  std::string url(std::string_view path) const { return "http://" + address().text() + std::string(path); }

  // Two io threads may ask at once, and SeededRandom alone is for one thread.
  class LockedRandom final : public base::Random {
   public:
    void fill(std::span<std::uint8_t> out) override {
      const std::lock_guard lock(mutex_);
      seeded_.fill(out);
    }

   private:
    std::mutex mutex_;
    base::SeededRandom seeded_{1};
  };
  LockedRandom random;
  std::unique_ptr<Server> server;
};

// A self-signed certificate for "localhost" and 127.0.0.1 with the common name given, as PEM files.
void write_certificate(const std::string& certificate_file, const std::string& key_file,
                       const std::string& common_name);

std::string temporary_folder();

}  // namespace http::testing
