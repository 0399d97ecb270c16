// What the rooms of one media worker share: its socket, demultiplexer, certificate and counters. Everything
// here belongs to the worker's thread.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "rtc/transport.h"
#include "sfu/counters.h"
#include "sfu/datagram_socket.h"
#include "sfu/media_packet.h"
#include "sfu/sfu.h"

namespace sfu {

class Connection;

// Finds the connection a datagram belongs to: by local ufrag for STUN, by address for the rest once that
// address was authenticated.
class Demultiplexer {
 public:
  void add_ufrag(const std::string& ufrag, Connection& connection) { by_ufrag_[ufrag] = &connection; }
  void set_address(const base::SocketAddress& address, Connection& connection) {
    by_address_[address] = &connection;
  }
  void remove_ufrag(const std::string& ufrag) { by_ufrag_.erase(ufrag); }
  // Only when it still belongs to `connection`.
  void remove_address(const base::SocketAddress& address, const Connection& connection) {
    const auto at = by_address_.find(address);
    if (at != by_address_.end() && at->second == &connection) by_address_.erase(at);
  }
  Connection* find(base::Bytes datagram, const base::SocketAddress& from) const {
    const auto ufrag = rtc::peek_local_ufrag(datagram);
    if (!ufrag.empty()) {
      const auto at = by_ufrag_.find(ufrag);
      return at == by_ufrag_.end() ? nullptr : at->second;
    }
    const auto at = by_address_.find(from);
    return at == by_address_.end() ? nullptr : at->second;
  }

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view s) const { return std::hash<std::string_view>{}(s); }
  };
  std::unordered_map<std::string, Connection*, Hash, std::equal_to<>> by_ufrag_;
  std::unordered_map<base::SocketAddress, Connection*> by_address_;
};

struct WorkerContext {
  DatagramSocket& socket;
  Demultiplexer& demultiplexer;
  Counters& counters;
  Events& events;
  const base::Clock& clock;
  base::Random& random;
  rtc::SctpStack& sctp;
  std::shared_ptr<const rtc::Certificate> certificate;
  std::vector<std::string> candidates;  // a= lines without "a=", host candidates of this worker's port
  MediaPacket& scratch;                 // for packets that no cache keeps
  std::vector<Connection*>& connections;
  base::SteadyTime arrival{};  // of the datagram being handled, at the network's edge
};

}  // namespace sfu
