#include "probe/udp_socket.h"

#include <netinet/in.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace probe {
namespace {

constexpr std::size_t kBatch = 32;
constexpr int kReceiveBuffer = 4 * 1024 * 1024;

base::SocketAddress from_native(const sockaddr_storage& in) {
  base::SocketAddress out;
  if (in.ss_family == AF_INET6) {
    sockaddr_in6 a{};
    std::memcpy(&a, &in, sizeof a);
    std::memcpy(out.ip.data(), &a.sin6_addr, 16);
    out.port = ntohs(a.sin6_port);
    return out;
  }
  sockaddr_in a{};
  std::memcpy(&a, &in, sizeof a);
  return base::SocketAddress::v4(ntohl(a.sin_addr.s_addr), ntohs(a.sin_port));
}

// Kernel receive times are of the wall clock, which is read here for the difference alone.
std::int64_t realtime_us() {
  timespec now{};
  ::clock_gettime(CLOCK_REALTIME, &now);
  return std::int64_t{now.tv_sec} * 1'000'000 + now.tv_nsec / 1000;
}

std::int64_t arrival_us(msghdr& message) {
  for (auto* c = CMSG_FIRSTHDR(&message); c != nullptr; c = CMSG_NXTHDR(&message, c)) {
    if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec at{};
    std::memcpy(&at, CMSG_DATA(c), sizeof at);
    return std::int64_t{at.tv_sec} * 1'000'000 + at.tv_nsec / 1000;
  }
  return 0;
}

}  // namespace

socklen_t to_native(const base::SocketAddress& address, bool v6, sockaddr_storage& out) {
  out = {};
  if (!v6) {
    sockaddr_in a{};
    a.sin_family = AF_INET;
    a.sin_port = htons(address.port);
    a.sin_addr.s_addr = htonl(address.v4_host_order());
    std::memcpy(&out, &a, sizeof a);
    return sizeof a;
  }
  sockaddr_in6 a{};
  a.sin6_family = AF_INET6;
  a.sin6_port = htons(address.port);
  std::memcpy(&a.sin6_addr, address.ip.data(), 16);
  std::memcpy(&out, &a, sizeof a);
  return sizeof a;
}

base::Result<std::unique_ptr<UdpSocket>> UdpSocket::open(const base::SocketAddress& towards) {
  const bool v6 = !towards.is_v4();
  const int fd = ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return base::fail("socket_unavailable", std::string("socket: ") + std::strerror(errno));
  std::unique_ptr<UdpSocket> out(new UdpSocket(fd, v6));
  const int on = 1;
  // Both are improvements, not needs: without them the figures are a little worse.
  (void)::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBuffer, sizeof kReceiveBuffer) != 0)
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBuffer, sizeof kReceiveBuffer);
  sockaddr_storage any{};
  any.ss_family = v6 ? AF_INET6 : AF_INET;
  const socklen_t length = v6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&any), length) != 0)
    return base::fail("socket_unavailable", std::string("bind: ") + std::strerror(errno));
  return out;
}

UdpSocket::~UdpSocket() {
  ::close(fd_);
}

void UdpSocket::send(base::Bytes datagram, const base::SocketAddress& to) {
  sockaddr_storage address;
  const auto length = to_native(to, v6_, address);
  if (::sendto(fd_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address),
               length) < 0)
    ++send_failures_;
}

void UdpSocket::receive(const Receive& receive) {
  struct Slot {
    std::array<std::uint8_t, 2048> data;
    alignas(cmsghdr) std::array<std::uint8_t, 64> control;
    sockaddr_storage from;
  };
  thread_local std::array<Slot, kBatch> slots;
  std::array<mmsghdr, kBatch> messages{};
  std::array<iovec, kBatch> parts{};
  for (std::size_t i = 0; i < kBatch; ++i) {
    parts[i] = {slots[i].data.data(), slots[i].data.size()};
    auto& h = messages[i].msg_hdr;
    h.msg_iov = &parts[i];
    h.msg_iovlen = 1;
  }
  for (;;) {
    for (std::size_t i = 0; i < kBatch; ++i) {
      auto& h = messages[i].msg_hdr;
      h.msg_name = &slots[i].from;
      h.msg_namelen = sizeof slots[i].from;
      h.msg_control = slots[i].control.data();
      h.msg_controllen = slots[i].control.size();
    }
    const int n = ::recvmmsg(fd_, messages.data(), kBatch, 0, nullptr);
    if (n <= 0) return;
    for (std::size_t i = 0; i < static_cast<std::size_t>(n); ++i) {
      const auto at = arrival_us(messages[i].msg_hdr);
      const auto now = realtime_us();  // for each, since handling one takes its time
      const auto age = base::Duration::micros(at == 0 ? 0 : std::max<std::int64_t>(0, now - at));
      receive(base::MutableBytes(slots[i].data).first(messages[i].msg_len), from_native(slots[i].from), age);
    }
    if (static_cast<std::size_t>(n) < kBatch) return;
  }
}

}  // namespace probe
