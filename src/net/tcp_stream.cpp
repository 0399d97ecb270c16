#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>

#include "net/stream.h"

namespace net {

using boost::asio::ip::tcp;

base::SocketAddress to_address(const tcp::endpoint& endpoint) {
  const auto ip = endpoint.address();
  if (ip.is_v4()) return base::SocketAddress::v4(ip.to_v4().to_uint(), endpoint.port());
  base::SocketAddress out;
  out.ip = ip.to_v6().to_bytes();
  out.port = endpoint.port();
  return out;
}

tcp::endpoint to_endpoint(const base::SocketAddress& address) {
  if (address.is_v4()) return {boost::asio::ip::address_v4(address.v4_host_order()), address.port};
  return {boost::asio::ip::address_v6(address.ip), address.port};
}

namespace {

class TcpStream final : public Stream {
 public:
  explicit TcpStream(tcp::socket socket) : socket_(std::move(socket)) {
    ErrorCode ignored;
    const auto endpoint = socket_.remote_endpoint(ignored);
    if (!ignored) remote_ = to_address(endpoint);
  }

  void handshake(std::function<void(ErrorCode)> done) override { done({}); }
  void read_some(char* data, std::size_t size, Done done) override {
    socket_.async_read_some(boost::asio::buffer(data, size), std::move(done));
  }
  void write_some(const char* data, std::size_t size, Done done) override {
    socket_.async_write_some(boost::asio::buffer(data, size), std::move(done));
  }
  void finish_sending(std::function<void()> done) override {
    ErrorCode ignored;
    socket_.shutdown(tcp::socket::shutdown_send, ignored);
    done();
  }
  void close() override {
    ErrorCode ignored;
    socket_.close(ignored);
  }
  std::size_t unacknowledged() override {
    int pending = 0;
    if (!socket_.is_open() || ioctl(socket_.native_handle(), SIOCOUTQ, &pending) != 0) return 0;
    return static_cast<std::size_t>(std::max(0, pending));
  }
  base::SocketAddress remote() const override { return remote_; }

 private:
  tcp::socket socket_;
  base::SocketAddress remote_;
};

}  // namespace

std::unique_ptr<Stream> make_tcp_stream(tcp::socket socket) {
  return std::make_unique<TcpStream>(std::move(socket));
}

}  // namespace net
