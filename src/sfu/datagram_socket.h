// One UDP socket read and written in batches (recvmmsg, sendmmsg; several datagrams of one size to one
// address in one piece with UDP_SEGMENT). Buffers are allocated once. Owned by one worker thread; never
// blocks.
#pragma once

#include <memory>
#include <vector>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/result.h"
#include "sfu/counters.h"

struct msghdr;

namespace sfu {

class DatagramSocket {
 public:
  static constexpr std::size_t kReceiveBatch = 32;
  static constexpr std::size_t kSendBatch = 64;
  static constexpr std::size_t kSlotSize = 1536;

  // Errors: "media_port_unavailable".
  static base::Result<std::unique_ptr<DatagramSocket>> open(const base::SocketAddress& address,
                                                            Counters& counters);
  ~DatagramSocket();
  DatagramSocket(const DatagramSocket&) = delete;
  DatagramSocket& operator=(const DatagramSocket&) = delete;

  int fd() const { return fd_; }
  const base::SocketAddress& local_address() const { return local_; }

  // Reads one batch; the datagrams are valid until the next call. 0: nothing waits.
  std::size_t receive();
  base::MutableBytes datagram(std::size_t i);
  base::SocketAddress source(std::size_t i) const;
  // How long ago the kernel took it from the network: time spent waiting for this thread is not the path's.
  base::Duration age(std::size_t i) const;

  // The next free slot to write a datagram into; commit() queues it. flush() sends what is queued; a full
  // batch flushes by itself. What the kernel does not take is dropped and counted: media that waits is worse
  // than media that is lost.
  base::MutableBytes slot();
  void commit(std::size_t size, const base::SocketAddress& to);
  void flush();

 private:
  DatagramSocket(int fd, bool v6, Counters& counters);

  struct Arrays;
  void send_singly(const msghdr& run);
  std::size_t gather(bool segments);  // fills the headers from what is queued; how many
  int fd_;
  bool v6_;
  Counters& counters_;
  base::SocketAddress local_;
  std::unique_ptr<Arrays> arrays_;
  std::size_t queued_ = 0;
  bool segments_ = true;  // until the kernel or the device refuses
};

// Addresses of this host's interfaces that are up, loopback last; IPv6 link-local ones are left out.
std::vector<base::SocketAddress> interface_addresses(bool with_v6);

}  // namespace sfu
