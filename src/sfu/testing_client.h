// A synthetic participant for tests: two rtc::Transport in the client role on real UDP sockets of the
// loopback, and the SDP a browser would write. The test drives it by poll(); nothing here waits.
#pragma once

#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "rtc/rtcp/rtcp.h"
#include "rtc/rtp/packet.h"
#include "rtc/sdp/codecs.h"
#include "rtc/sdp/sdp.h"
#include "rtc/transport.h"
#include "sfu/sfu.h"
#include "sfu/testing_impairment.h"

namespace sfu::testing {

// One client-side peer connection.
class ClientConnection final : public rtc::TransportListener {
 public:
  ClientConnection(base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
                   rtc::SctpStack* sctp);
  ~ClientConnection() override;

  void poll(base::SteadyTime now);
  void send_rtp(base::Bytes plain);
  void send_rtcp(base::Bytes plain);
  void send_raw(base::Bytes datagram);  // as it is, to the server
  void rebind();                        // a new local port, as after a NAT rebinding
  void restart_ice();
  // Ufrag, password, fingerprint and candidate of the server's description.
  void set_remote(const rtc::SessionDescription& description);
  void describe(rtc::MediaSection& section, std::string_view setup) const;

  struct Packet {
    std::vector<std::uint8_t> bytes;
    std::uint8_t payload_type;
    std::uint16_t sequence;
    std::uint32_t timestamp;
    std::uint32_t ssrc;
    std::vector<std::uint8_t> payload;
    std::vector<std::uint8_t> extension(std::uint8_t id) const;
  };
  std::vector<Packet> received;
  std::vector<std::vector<std::uint8_t>> received_rtcp;
  std::vector<std::string> labels;
  std::vector<std::string> texts;
  bool connected = false;
  std::uint16_t channel = 0;
  bool lossy = false;  // true: everything that arrives is thrown away
  // A bad network in between; null: none.
  std::unique_ptr<ImpairedLink> up, down;
  bool keep_datagrams = false;
  std::vector<std::vector<std::uint8_t>> datagrams;  // sealed, as they arrived, when keep_datagrams

  rtc::Transport& transport() { return *transport_; }

 private:
  void open_socket();
  void send_now(base::Bytes datagram, const base::SocketAddress& to);
  void on_send(base::Bytes datagram, const base::SocketAddress& to) override;
  void on_remote_address(const base::SocketAddress&) override {}
  void on_connected() override { connected = true; }
  void on_failed(std::string_view) override { connected = false; }
  void on_rtp(base::MutableBytes packet, base::SteadyTime) override;
  void on_rtcp(base::MutableBytes packet, base::SteadyTime) override {
    received_rtcp.emplace_back(packet.begin(), packet.end());
  }
  void on_channel_open(std::uint16_t stream, std::string_view label) override {
    labels.emplace_back(label);
    channel = stream;
  }
  void on_channel_message(std::uint16_t, base::Bytes message, bool) override {
    texts.emplace_back(base::as_text(message));
  }

  base::Random& random_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  std::unique_ptr<rtc::Transport> transport_;
  int fd_ = -1;
  base::SocketAddress server_;
  base::SteadyTime now_;
};

// A track the client publishes.
struct ClientTrack {
  PublishedTrack info;
  std::string mid;
  std::uint32_t ssrc = 0;  // of layer f or of the only stream; h is +10, q +20; RTX is +1
  bool simulcast = false;
  bool ssrc_in_sdp = true;
  bool removed = false;
  bool h264 = false;
  std::uint16_t sequence = 1000;
  std::uint32_t timestamp = 90000;
};

class Client {
 public:
  Client(base::Random& random, std::shared_ptr<const rtc::Certificate> certificate, rtc::SctpStack* sctp,
         std::string name);

  // Appends an m-line, as Chromium does for every new transceiver.
  ClientTrack& add_track(MediaKind kind, const std::string& id, bool simulcast = false,
                         const std::string& source = "regular");
  std::string publish_offer();
  std::vector<PublishedTrack> tracks() const;
  void apply_publish_answer(const std::string& sdp);
  // Returns the answer. Remembers the m-lines.
  std::string answer_subscribe(const std::string& offer);
  void poll(base::SteadyTime now);

  void send_audio(ClientTrack& track, int level = 30);
  // One frame of one packet. `pid` and `tl0` are VP8 counters of the layer.
  void send_video(ClientTrack& track, std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                  bool key, std::uint16_t pid, std::uint8_t tl0, std::string_view rid = {},
                  std::uint8_t fill = 0x55);
  void send_sender_report(std::uint32_t ssrc, rtc::NtpTime ntp, std::uint32_t timestamp);
  void send_nack(std::uint32_t ssrc, std::vector<std::uint16_t> sequences);
  void send_pli(std::uint32_t ssrc);

  // The m-line of the last subscribe offer that carries this track id; null when there is none (or it is
  // inactive).
  const rtc::MediaSection* subscribed(const std::string& track_id) const;
  static std::uint32_t media_ssrc(const rtc::MediaSection& section);

  std::string name;
  std::unique_ptr<ClientConnection> publish;
  std::unique_ptr<ClientConnection> subscribe;
  rtc::SessionDescription subscribe_offer;
  rtc::SessionDescription publish_answer;
  std::deque<ClientTrack> tracks_list;
  std::uint16_t transport_sequence = 0;
  bool accepts_rtx = true;  // false: answers leave RTX out

 private:
  std::uint64_t version_ = 0;
};

}  // namespace sfu::testing
