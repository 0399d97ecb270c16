// A byte stream over a socket, plain or TLS, behind one small interface: sessions are written and compiled
// once. All calls and callbacks happen on the socket's io thread; the caller keeps itself and the buffers
// alive until the callback.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <functional>
#include <memory>
#include <string>

#include "base/address.h"
#include "base/result.h"

namespace net {

using ErrorCode = boost::system::error_code;

class Stream {
 public:
  using Done = std::function<void(ErrorCode, std::size_t)>;

  virtual ~Stream() = default;
  virtual void handshake(std::function<void(ErrorCode)> done) = 0;  // at once for TCP
  virtual void read_some(char* data, std::size_t size, Done done) = 0;
  virtual void write_some(const char* data, std::size_t size, Done done) = 0;
  // Tells the peer that nothing more comes (close_notify, FIN); reading goes on. With TLS `done` may come as
  // late as close().
  virtual void finish_sending(std::function<void()> done) = 0;
  // Ends everything now; pending callbacks get an error.
  virtual void close() = 0;
  // Bytes written that the peer's kernel has not confirmed yet.
  virtual std::size_t unacknowledged() = 0;
  virtual base::SocketAddress remote() const = 0;
};

std::unique_ptr<Stream> make_tcp_stream(boost::asio::ip::tcp::socket socket);

// A certificate and key in PEM files, loaded again when the files change. Thread-safe. New files that do not
// load are reported and the old ones stay in use.
class TlsFiles {
 public:
  static base::Result<std::shared_ptr<TlsFiles>> open(std::string certificate_file, std::string key_file);
  virtual ~TlsFiles() = default;
  // Server side, TLS 1.2 or newer. Looks at the files at most once per second.
  virtual std::unique_ptr<Stream> make_stream(boost::asio::ip::tcp::socket socket) = 0;
};

base::SocketAddress to_address(const boost::asio::ip::tcp::endpoint& endpoint);
boost::asio::ip::tcp::endpoint to_endpoint(const base::SocketAddress& address);

}  // namespace net
