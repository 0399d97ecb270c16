// A client's peer connection: a UDP socket with an rtc::Transport in the client role behind it, driven by a
// Loop. Knows no signalling. Loop thread only.
//
// A listener may call back, but must not destroy the connection from inside a call.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "probe/loop.h"
#include "probe/udp_socket.h"
#include "rtc/rtp/packet.h"
#include "rtc/sdp/sdp.h"
#include "rtc/transport.h"

namespace probe {

class PeerConnectionListener {
 public:
  virtual ~PeerConnectionListener() = default;
  virtual void on_connected() = 0;
  virtual void on_failed(std::string_view reason) = 0;
  virtual void on_rtp(rtc::RtpView view, base::SteadyTime arrival) = 0;
  virtual void on_rtcp(base::Bytes packet, base::SteadyTime now) = 0;
  virtual void on_channel_open(std::uint16_t stream, std::string_view label) = 0;
  virtual void on_channel_text(std::uint16_t stream, std::string_view text) = 0;
};

class PeerConnection final : public rtc::TransportListener, private Pollable {
 public:
  PeerConnection(Loop& loop, base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
                 bool data_channel, PeerConnectionListener& listener);
  ~PeerConnection() override;
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  // What every m-line of ours says about the transport.
  void describe(rtc::MediaSection& section, std::string_view setup) const;
  // Credentials, fingerprint and the first UDP candidate of the server's description; connecting starts with
  // the first one. Errors: "candidate_missing" when it names no usable one, "socket_unavailable".
  base::Result<void> set_remote(const rtc::SessionDescription& description);

  bool connected() const { return transport_->connected(); }
  // Seals and sends; nothing happens before the connection is up.
  void send_rtp(base::Bytes plain);
  void send_rtcp(base::Bytes plain);
  bool send_text(std::uint16_t stream, std::string_view text) { return transport_->send_text(stream, text); }
  base::Result<std::uint16_t> open_channel(std::string_view label) { return transport_->open_channel(label); }
  void close();

 private:
  void on_ready(bool readable, bool writable, base::SteadyTime now) override;
  void on_send(base::Bytes datagram, const base::SocketAddress& to) override;
  void on_remote_address(const base::SocketAddress&) override {}
  void on_connected() override { listener_.on_connected(); }
  void on_failed(std::string_view reason) override { listener_.on_failed(reason); }
  void on_rtp(base::MutableBytes packet, base::SteadyTime now) override;
  void on_rtcp(base::MutableBytes packet, base::SteadyTime now) override;
  void on_channel_open(std::uint16_t stream, std::string_view label) override;
  void on_channel_message(std::uint16_t stream, base::Bytes message, bool is_text) override;
  base::SteadyTime run_timers(base::SteadyTime now);

  Loop& loop_;
  PeerConnectionListener& listener_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  std::unique_ptr<rtc::Transport> transport_;
  std::unique_ptr<UdpSocket> socket_;
  base::SocketAddress server_;
  std::string remote_ufrag_;
  base::Duration age_;  // of the datagram being handled
  TaskId timer_ = 0;
};

}  // namespace probe
