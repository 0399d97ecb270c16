#include "sfu/datagram_socket.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace sfu {
namespace {

// Enough for 20 ms of 1 Gbit/s; the kernel caps it at net.core.*mem_max.
constexpr int kSocketBuffer = 4 * 1024 * 1024;

socklen_t to_native(const base::SocketAddress& a, bool v6, sockaddr_storage& out) {
  if (!v6) {
    sockaddr_in in{};
    in.sin_family = AF_INET;
    in.sin_port = htons(a.port);
    in.sin_addr.s_addr = htonl(a.v4_host_order());
    std::memcpy(&out, &in, sizeof in);
    return sizeof in;
  }
  sockaddr_in6 in{};
  in.sin6_family = AF_INET6;
  in.sin6_port = htons(a.port);
  std::memcpy(&in.sin6_addr, a.ip.data(), 16);
  std::memcpy(&out, &in, sizeof in);
  return sizeof in;
}

base::SocketAddress from_native(const sockaddr_storage& native) {
  if (native.ss_family == AF_INET) {
    sockaddr_in in{};
    std::memcpy(&in, &native, sizeof in);
    return base::SocketAddress::v4(ntohl(in.sin_addr.s_addr), ntohs(in.sin_port));
  }
  sockaddr_in6 in{};
  std::memcpy(&in, &native, sizeof in);
  base::SocketAddress out;
  std::memcpy(out.ip.data(), &in.sin6_addr, 16);
  out.port = ntohs(in.sin6_port);
  return out;
}

}  // namespace

struct DatagramSocket::Arrays {
  struct Direction {
    explicit Direction(std::size_t n) : buffers(n * kSlotSize), headers(n), vectors(n), addresses(n) {
      for (std::size_t i = 0; i < n; ++i) {
        vectors[i] = {buffers.data() + i * kSlotSize, kSlotSize};
        headers[i].msg_hdr.msg_iov = &vectors[i];
        headers[i].msg_hdr.msg_iovlen = 1;
        headers[i].msg_hdr.msg_name = &addresses[i];
        headers[i].msg_hdr.msg_namelen = sizeof(sockaddr_storage);
      }
    }
    std::vector<std::uint8_t> buffers;
    std::vector<mmsghdr> headers;
    std::vector<iovec> vectors;
    std::vector<sockaddr_storage> addresses;
  };
  Direction in{kReceiveBatch};
  Direction out{kSendBatch};
};

base::Result<std::unique_ptr<DatagramSocket>> DatagramSocket::open(const base::SocketAddress& address,
                                                                   Counters& counters) {
  const bool v6 = !address.is_v4();
  const auto failure = [&](const char* what) {
    return base::fail("media_port_unavailable",
                      std::string(what) + " UDP " + address.text() + ": " + std::strerror(errno));
  };
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return failure("cannot create a socket for");
  std::unique_ptr<DatagramSocket> socket(new DatagramSocket(fd, v6, counters));
  const int off = 0;
  if (v6) ::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
  ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kSocketBuffer, sizeof kSocketBuffer);
  ::setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &kSocketBuffer, sizeof kSocketBuffer);
  sockaddr_storage native{};
  socklen_t size = to_native(address, v6, native);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&native), size) != 0) return failure("cannot bind");
  size = sizeof native;
  if (::getsockname(fd, reinterpret_cast<sockaddr*>(&native), &size) != 0)
    return failure("cannot read the port of");
  socket->local_ = from_native(native);
  return socket;
}

DatagramSocket::DatagramSocket(int fd, bool v6, Counters& counters)
    : fd_(fd), v6_(v6), counters_(counters), arrays_(std::make_unique<Arrays>()) {}

DatagramSocket::~DatagramSocket() {
  ::close(fd_);
}

std::size_t DatagramSocket::receive() {
  auto& in = arrays_->in;
  for (auto& h : in.headers) h.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
  const int n = ::recvmmsg(fd_, in.headers.data(), kReceiveBatch, MSG_DONTWAIT, nullptr);
  return n > 0 ? static_cast<std::size_t>(n) : 0;
}

base::MutableBytes DatagramSocket::datagram(std::size_t i) {
  auto& in = arrays_->in;
  return base::MutableBytes(in.buffers)
      .subspan(i * kSlotSize, std::min<std::size_t>(in.headers[i].msg_len, kSlotSize));
}

base::SocketAddress DatagramSocket::source(std::size_t i) const {
  return from_native(arrays_->in.addresses[i]);
}

base::MutableBytes DatagramSocket::slot() {
  return base::MutableBytes(arrays_->out.buffers).subspan(queued_ * kSlotSize, kSlotSize);
}

void DatagramSocket::commit(std::size_t size, const base::SocketAddress& to) {
  if (size == 0 || size > kSlotSize) return;
  if (!v6_ && !to.is_v4()) return;
  auto& out = arrays_->out;
  out.vectors[queued_].iov_len = size;
  out.headers[queued_].msg_hdr.msg_namelen = to_native(to, v6_, out.addresses[queued_]);
  counters_.packets_out.add();
  counters_.bytes_out.add(size);
  if (++queued_ == kSendBatch) flush();
}

void DatagramSocket::flush() {
  auto& out = arrays_->out;
  std::size_t sent = 0;
  while (sent < queued_) {
    const int n =
        ::sendmmsg(fd_, out.headers.data() + sent, static_cast<unsigned>(queued_ - sent), MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      counters_.send_drops.add(queued_ - sent);
      break;
    }
    // One refused datagram (unreachable address) must not hold back the others.
    counters_.send_drops.add();
    ++sent;
  }
  queued_ = 0;
}

std::vector<base::SocketAddress> interface_addresses(bool with_v6) {
  std::vector<base::SocketAddress> out, loopback;
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return out;
  for (auto* i = list; i; i = i->ifa_next) {
    if (!i->ifa_addr || (i->ifa_flags & IFF_UP) == 0) continue;
    const auto family = i->ifa_addr->sa_family;
    if (family != AF_INET && !(family == AF_INET6 && with_v6)) continue;
    sockaddr_storage native{};
    std::memcpy(&native, i->ifa_addr, family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    auto address = from_native(native);
    address.port = 0;
    if (family == AF_INET6 && address.ip[0] == 0xFE && (address.ip[1] & 0xC0) == 0x80) continue;
    (address.is_loopback() ? loopback : out).push_back(address);
  }
  ::freeifaddrs(list);
  out.insert(out.end(), loopback.begin(), loopback.end());
  return out;
}

}  // namespace sfu
