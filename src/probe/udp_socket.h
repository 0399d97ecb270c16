// A non-blocking UDP socket of a participant. Datagrams are read in batches with the kernel's receive time,
// so that a busy reader does not count its own delay as the network's. One thread.
#pragma once

#include <sys/socket.h>

#include <functional>
#include <memory>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"

namespace probe {

class UdpSocket {
 public:
  // Bound to any port of the wildcard address of the server's family. Errors: "socket_unavailable".
  static base::Result<std::unique_ptr<UdpSocket>> open(const base::SocketAddress& towards);
  ~UdpSocket();
  UdpSocket(const UdpSocket&) = delete;
  UdpSocket& operator=(const UdpSocket&) = delete;

  int fd() const { return fd_; }
  void send(base::Bytes datagram, const base::SocketAddress& to);
  // Everything that waits. `age`: how long ago the datagram reached the receive queue.
  using Receive =
      std::function<void(base::MutableBytes, const base::SocketAddress& from, base::Duration age)>;
  void receive(const Receive& receive);
  std::uint64_t send_failures() const { return send_failures_; }

 private:
  UdpSocket(int fd, bool v6) : fd_(fd), v6_(v6) {}
  const int fd_;
  const bool v6_;
  std::uint64_t send_failures_ = 0;
};

// Fills `out`; returns its length. IPv4 unless `v6`.
socklen_t to_native(const base::SocketAddress& address, bool v6, sockaddr_storage& out);

}  // namespace probe
