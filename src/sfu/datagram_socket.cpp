#include "sfu/datagram_socket.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/udp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>

namespace sfu {
namespace {

// Enough for 20 ms of 1 Gbit/s; the kernel caps it at net.core.*mem_max.
constexpr std::size_t kControl = 64;           // of one received datagram
constexpr std::size_t kMaxSegmented = 60'000;  // bytes of one segmented send; UDP carries 65,507
constexpr std::int64_t kMaxAgeUs = 500'000;    // older: the wall clock was set in between
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
  struct In {
    In() : buffers(kReceiveBatch * kSlotSize) {
      for (std::size_t i = 0; i < kReceiveBatch; ++i) {
        vectors[i] = {buffers.data() + i * kSlotSize, kSlotSize};
        auto& h = headers[i].msg_hdr;
        h.msg_iov = &vectors[i];
        h.msg_iovlen = 1;
        h.msg_name = &addresses[i];
        h.msg_control = controls[i].data();
      }
    }
    std::vector<std::uint8_t> buffers;
    std::array<mmsghdr, kReceiveBatch> headers{};
    std::array<iovec, kReceiveBatch> vectors{};
    std::array<sockaddr_storage, kReceiveBatch> addresses{};
    struct alignas(cmsghdr) Control : std::array<std::uint8_t, kControl> {};
    std::array<Control, kReceiveBatch> controls{};
    timespec read_at{};
  };
  struct Out {
    Out() : buffers(kSendBatch * kSlotSize) {}
    // What is queued.
    std::vector<std::uint8_t> buffers;
    std::array<std::size_t, kSendBatch> sizes{};
    std::array<sockaddr_storage, kSendBatch> addresses{};
    std::array<socklen_t, kSendBatch> address_sizes{};
    // What is handed over: one header per run of equal datagrams to one address.
    std::array<mmsghdr, kSendBatch> headers{};
    std::array<iovec, kSendBatch> vectors{};
    struct alignas(cmsghdr) Control : std::array<std::uint8_t, CMSG_SPACE(sizeof(std::uint16_t))> {};
    std::array<Control, kSendBatch> controls{};
  };
  In in;
  Out out;
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
  const int on = 1;
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
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
  for (auto& h : in.headers) {
    h.msg_hdr.msg_namelen = sizeof(sockaddr_storage);
    h.msg_hdr.msg_controllen = kControl;
  }
  const int n = ::recvmmsg(fd_, in.headers.data(), kReceiveBatch, MSG_DONTWAIT, nullptr);
  if (n <= 0) return 0;
  // The kernel stamps by this clock; only the distance is used.
  ::clock_gettime(CLOCK_REALTIME, &in.read_at);
  return static_cast<std::size_t>(n);
}

base::Duration DatagramSocket::age(std::size_t i) const {
  const auto& in = arrays_->in;
  auto header = in.headers[i].msg_hdr;
  for (auto* c = CMSG_FIRSTHDR(&header); c; c = CMSG_NXTHDR(&header, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    const auto us =
        (std::int64_t{in.read_at.tv_sec} - at.tv_sec) * 1'000'000 + (in.read_at.tv_nsec - at.tv_nsec) / 1000;
    return base::Duration::micros(us > kMaxAgeUs ? 0 : std::max<std::int64_t>(us, 0));
  }
  return {};
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
  out.sizes[queued_] = size;
  out.address_sizes[queued_] = to_native(to, v6_, out.addresses[queued_]);
  counters_.packets_out.add();
  counters_.bytes_out.add(size);
  if (++queued_ == kSendBatch) flush();
}

// Datagrams to one address stay in order; those of one size, and a shorter one behind them, are one run.
std::size_t DatagramSocket::gather(bool segments) {
  auto& out = arrays_->out;
  std::array<bool, kSendBatch> taken{};
  std::size_t runs = 0, vectors = 0;
  for (std::size_t i = 0; i < queued_; ++i) {
    if (taken[i]) continue;
    auto& h = out.headers[runs].msg_hdr;
    h = {};
    h.msg_name = &out.addresses[i];
    h.msg_namelen = out.address_sizes[i];
    h.msg_iov = &out.vectors[vectors];
    std::size_t total = 0;
    for (std::size_t k = i; k < queued_; ++k) {
      if (taken[k] || std::memcmp(&out.addresses[k], &out.addresses[i], out.address_sizes[i]) != 0) continue;
      if (k != i && (!segments || out.sizes[k] > out.sizes[i] || total + out.sizes[k] > kMaxSegmented)) break;
      taken[k] = true;
      out.vectors[vectors++] = {out.buffers.data() + k * kSlotSize, out.sizes[k]};
      ++h.msg_iovlen;
      total += out.sizes[k];
      if (out.sizes[k] < out.sizes[i]) break;
    }
    if (h.msg_iovlen > 1) {
      h.msg_control = out.controls[runs].data();
      h.msg_controllen = out.controls[runs].size();
      auto* c = CMSG_FIRSTHDR(&h);
      c->cmsg_level = SOL_UDP;
      c->cmsg_type = UDP_SEGMENT;
      c->cmsg_len = CMSG_LEN(sizeof(std::uint16_t));
      const auto segment = static_cast<std::uint16_t>(out.sizes[i]);
      std::memcpy(CMSG_DATA(c), &segment, sizeof segment);
    }
    ++runs;
  }
  return runs;
}

void DatagramSocket::flush() {
  if (queued_ == 0) return;
  auto& out = arrays_->out;
  const auto runs = gather(segments_);
  std::size_t sent = 0;
  while (sent < runs) {
    const int n =
        ::sendmmsg(fd_, out.headers.data() + sent, static_cast<unsigned>(runs - sent), MSG_DONTWAIT);
    if (n > 0) {
      sent += static_cast<std::size_t>(n);
      continue;
    }
    if (n < 0 && errno == EINTR) continue;
    if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS) {
      for (; sent < runs; ++sent) counters_.send_drops.add(out.headers[sent].msg_hdr.msg_iovlen);
      break;
    }
    auto& refused = out.headers[sent].msg_hdr;
    if (refused.msg_iovlen > 1 && (errno == EINVAL || errno == EIO || errno == EOPNOTSUPP)) {
      // No segmentation here (an old kernel, or a device without checksums): this run one by one, and no runs
      // any more.
      segments_ = false;
      send_singly(refused);
    } else {
      // One refused datagram (unreachable address) must not hold back the others.
      counters_.send_drops.add(refused.msg_iovlen);
    }
    ++sent;
  }
  queued_ = 0;
}

void DatagramSocket::send_singly(const msghdr& run) {
  for (std::size_t i = 0; i < run.msg_iovlen; ++i) {
    const auto& v = run.msg_iov[i];
    const auto n = ::sendto(fd_, v.iov_base, v.iov_len, MSG_DONTWAIT,
                            static_cast<const sockaddr*>(run.msg_name), run.msg_namelen);
    if (n < 0) counters_.send_drops.add();
  }
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
