// One DTLS 1.2 association (RFC 6347) with use_srtp (RFC 5764) over datagrams given and taken one by one.
// Sans-IO, time injected, one thread.
//
// The peer must show a certificate whose SHA-256 is the announced fingerprint (RFC 8122, RFC 8827 §5);
// resumption and renegotiation are off. There is no cookie exchange: the owner hands over only datagrams from
// an address that passed an authenticated ICE check.
#pragma once

#include <memory>
#include <string_view>

#include "base/bytes.h"
#include "base/clock.h"
#include "rtc/srtp/srtp_keys.h"
#include "rtc/transport.h"

namespace rtc {

class DtlsListener {
 public:
  virtual ~DtlsListener() = default;
  virtual void on_dtls_send(base::Bytes datagram) = 0;
  virtual void on_dtls_connected(SrtpProfile profile, const SrtpMasterKey& send,
                                 const SrtpMasterKey& receive) = 0;
  // One decrypted record: one SCTP packet (RFC 8261).
  virtual void on_dtls_data(base::Bytes data) = 0;
  // Once, then nothing follows. "fingerprint", "dtls" or "closed".
  virtual void on_dtls_failed(std::string_view reason) = 0;
};

class Dtls {
 public:
  static constexpr base::Duration kFirstTimeout = base::Duration::millis(200);
  static constexpr base::Duration kMaxTimeout = base::Duration::millis(3200);
  static constexpr long kMtu = 1200;

  // `certificate` must come from Certificate::generate().
  Dtls(bool is_server, std::shared_ptr<const Certificate> certificate, DtlsListener& listener);
  ~Dtls();

  // "AB:CD:…" in any case. Anything else never matches.
  void set_remote_fingerprint(std::string_view fingerprint);
  void start(base::SteadyTime now);  // client: sends the ClientHello; server and later calls: nothing
  void handle(base::Bytes datagram, base::SteadyTime now);
  void handle_timeout(base::SteadyTime now);
  base::SteadyTime next_timeout() const;
  bool connected() const;
  bool send(base::Bytes data);  // application data; false: not connected
  void close();                 // close_notify

  struct Impl;  // named by the OpenSSL callbacks

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace rtc
