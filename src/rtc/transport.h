// One peer connection's wire: ICE, DTLS 1.2, SRTP and SCTP over one 5-tuple (BUNDLE, rtcp-mux). Sans-IO: the
// owner feeds datagrams and time, and gets datagrams and packets back through the listener. One thread (the
// owner's loop); no locks; the packet paths do not allocate.
//
// Listener calls happen inside the transport's own calls (and SctpStack::handle_timers). A listener may call
// back into the transport, but must not destroy it from inside a call.
//
// Order on the wire (RFC 7983): first byte 0..3 STUN, 20..63 DTLS, 128..191 RTP/RTCP (RTCP when the second
// byte is 192..223, RFC 5761).
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace rtc {

inline constexpr std::size_t kMaxDatagram = 1500;
// Room a sealed packet needs beyond the plain one: SRTP tag (16) and SRTCP index (4).
inline constexpr std::size_t kSrtpOverhead = 20;

enum class DatagramKind { kStun, kDtls, kRtp, kRtcp, kUnknown };
DatagramKind classify(base::Bytes datagram);
// The local (receiver's) half of USERNAME of a STUN binding request; empty when it is none. Checks framing
// only, not integrity: for finding the transport an authenticated check may belong to.
std::string_view peek_local_ufrag(base::Bytes datagram);

// RFC 8445 §5.3: ufrag >= 4 and password >= 22 ice-chars.
struct IceCredentials {
  std::string ufrag;
  std::string password;
  static IceCredentials generate(base::Random& random);  // 8 and 24 characters
};

// A self-signed ECDSA P-256 certificate and its SHA-256 fingerprint as SDP prints it ("AB:CD:…"). Immutable,
// shared by all transports of a process; thread-safe.
class Certificate {
 public:
  static base::Result<std::shared_ptr<const Certificate>> generate(base::Random& random);
  virtual ~Certificate() = default;
  virtual const std::string& fingerprint() const = 0;
};

// usrsctp is process-global: create exactly one, before the first transport that uses data channels, and
// destroy it after the last. All transports with data channels must live on the thread that owns it and calls
// handle_timers().
class SctpStack {
 public:
  SctpStack();
  ~SctpStack();
  SctpStack(const SctpStack&) = delete;
  SctpStack& operator=(const SctpStack&) = delete;
  void handle_timers(base::Duration elapsed);  // call about every 10 ms

 private:
  friend class SctpAssociation;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

class TransportListener {
 public:
  virtual ~TransportListener() = default;
  // Send this now; the span is valid during the call only.
  virtual void on_send(base::Bytes datagram, const base::SocketAddress& to) = 0;
  // First authenticated check, or a later one from a new address (NAT rebinding): packets go there from now
  // on.
  virtual void on_remote_address(const base::SocketAddress& address) = 0;
  // DTLS finished, the fingerprint matched, SRTP keys are in place.
  virtual void on_connected() = 0;
  // DTLS failed, the fingerprint differed, the peer closed, or consent expired (30 s without a check in the
  // server role, RFC 7675). Final but for restart_ice(). `reason` is a stable word: "fingerprint", "dtls",
  // "closed", "consent".
  virtual void on_failed(std::string_view reason) = 0;
  // Decrypted in place; `packet` is inside the buffer given to handle() and may be changed. Authentication
  // and the replay window have passed.
  virtual void on_rtp(base::MutableBytes packet, base::SteadyTime now) = 0;
  virtual void on_rtcp(base::MutableBytes packet, base::SteadyTime now) = 0;
  // SCTP: a channel was opened by the peer or acknowledged by it.
  virtual void on_channel_open(std::uint16_t stream, std::string_view label) = 0;
  virtual void on_channel_message(std::uint16_t stream, base::Bytes message, bool is_text) = 0;
};

struct TransportConfig {
  enum class Role {
    kServer,  // ICE-lite controlled, DTLS server (a=setup:passive); never sends a check
    kClient,  // ICE controlling with one remote candidate, DTLS client (a=setup:active)
  };
  Role role = Role::kServer;
  IceCredentials local;
  std::shared_ptr<const Certificate> certificate;
  bool data_channel = true;
};

struct TransportStats {
  std::uint64_t srtp_auth_failures = 0;
  std::uint64_t srtp_replays = 0;
  std::uint64_t oversized_messages = 0;     // data channel messages over 64 KiB, dropped
  std::uint64_t unauthenticated_drops = 0;  // STUN without integrity, DTLS/RTP from an unchecked address
};

class Transport {
 public:
  // `listener` outlives the transport; `random` too.
  Transport(TransportConfig config, TransportListener& listener, base::Random& random, SctpStack* sctp);
  ~Transport();

  // From the peer's description. `fingerprint` is the "sha-256" value in any case. May be called again with
  // new credentials (ICE restart by the peer) and the same fingerprint.
  void set_remote(const IceCredentials& remote, std::string_view fingerprint);
  // Client role: where to send checks.
  void set_remote_candidate(const base::SocketAddress& address);
  // New local credentials (ICE restart by us, or answering one). The old pair is accepted until the new one
  // was used once.
  void restart_ice(const IceCredentials& local);
  const IceCredentials& local_credentials() const;

  // Any datagram of this peer. DTLS and RTP are dropped unless `from` passed an authenticated check.
  void handle(base::MutableBytes datagram, const base::SocketAddress& from, base::SteadyTime now);
  // Checks, DTLS retransmission, consent. Call at next_timeout().
  void handle_timeout(base::SteadyTime now);
  // The past right after set_remote() or restart_ice(): the transport has to learn the time, so that a peer
  // that never checks fails as "consent" too.
  base::SteadyTime next_timeout() const;

  bool connected() const;
  const std::optional<base::SocketAddress>& remote_address() const;
  const TransportStats& stats() const;

  // A sequence number may be sealed again only with the very same bytes, header extensions included (RFC 3711
  // §9.1): send a retransmission from a copy of the plain packet, or better as RTX. Seals `plain` (a whole
  // RTP packet) into `out` (>= plain.size() + kSrtpOverhead; must not overlap). Returns the sealed length, 0
  // when there are no keys. Nothing is sent: the caller queues it for remote_address().
  std::size_t seal_rtp(base::Bytes plain, base::MutableBytes out);
  std::size_t seal_rtcp(base::Bytes plain, base::MutableBytes out);

  // Data channels (RFC 8831, 8832): reliable and ordered. Opening before SCTP is up is queued. Our stream ids
  // are even as DTLS client, odd as server.
  base::Result<std::uint16_t> open_channel(std::string_view label);
  // false: closed, more than 1 MiB waiting, or a text over 256 KiB.
  bool send_text(std::uint16_t stream, std::string_view text);

  // Sends DTLS close_notify.
  void close();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtc
