// Data channels of one connection: SCTP over DTLS (RFC 8261, RFC 8831) with DCEP (RFC 8832), on usrsctp in
// its no-threads mode. All calls on the thread that owns the SctpStack. Listener calls happen inside
// receive(), SctpStack::handle_timers() or send_text(), never inside usrsctp's locks, and never after
// destruction.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "rtc/transport.h"

struct socket;

namespace rtc {

class SctpListener {
 public:
  virtual ~SctpListener() = default;
  virtual void on_sctp_send(base::Bytes packet) = 0;
  virtual void on_sctp_open(std::uint16_t stream, std::string_view label) = 0;
  virtual void on_sctp_message(std::uint16_t stream, base::Bytes message, bool is_text) = 0;
  virtual void on_sctp_oversized() = 0;  // a message over kMaxInbound was dropped
};

class SctpAssociation {
 public:
  static constexpr std::uint16_t kPort = 5000;
  static constexpr std::uint16_t kStreams = 64;
  static constexpr std::size_t kMaxInbound = 64 * 1024;    // a larger message is dropped whole
  static constexpr std::size_t kMaxOutbound = 256 * 1024;  // one message
  static constexpr std::size_t kMaxQueued = 1024 * 1024;

  // Our stream ids are even as DTLS client, odd as DTLS server.
  SctpAssociation(SctpStack& stack, bool is_dtls_client, SctpListener& listener);
  ~SctpAssociation();
  SctpAssociation(const SctpAssociation&) = delete;
  SctpAssociation& operator=(const SctpAssociation&) = delete;

  void start();                      // DTLS is up
  void receive(base::Bytes packet);  // one SCTP packet
  base::Result<std::uint16_t> open_channel(std::string_view label);
  bool send_text(std::uint16_t stream, std::string_view text);
  void abort();  // sends ABORT; nothing follows

  // For the registry: usrsctp has a packet to send (under its locks), or something to read or room to write
  // (outside of them).
  void output(base::Bytes packet);
  void drain();

 private:
  enum class State { kIdle, kConnecting, kUp, kClosed };
  struct Channel {
    std::string label;
    bool open = false;
  };
  struct Outgoing {
    std::uint16_t stream = 0;
    std::uint32_t ppid = 0;
    std::vector<std::uint8_t> data;
  };

  bool open_socket();
  void configure(struct socket* so);
  bool read_one();
  void flush();
  void end();
  bool enqueue(std::uint16_t stream, std::uint32_t ppid, base::Bytes data);
  void handle_notification(base::Bytes bytes);
  void handle_stream_reset(base::Bytes bytes);
  void handle_message(std::uint16_t stream, std::uint32_t ppid, base::Bytes data);
  void handle_dcep(std::uint16_t stream, base::Bytes data);
  void handle_open(std::uint16_t stream, base::Bytes data);
  void close_socket();

  SctpStack& stack_;
  SctpListener& listener_;
  const std::uint16_t our_parity_;
  std::uintptr_t id_ = 0;
  struct socket* socket_ = nullptr;
  State state_ = State::kIdle;
  bool flushing_ = false;
  std::map<std::uint16_t, Channel> channels_;
  std::deque<Outgoing> queue_;
  std::size_t queued_ = 0;
  std::vector<std::uint8_t> message_;  // the inbound message so far
  std::uint16_t message_stream_ = 0;
  bool message_overflow_ = false;
};

}  // namespace rtc
