// What a browser does around the media, as far as the network sees it: a publisher that answers NACKs and
// key-frame requests, and a receiver that asks for what it lacks, reports arrivals (transport-cc) and decodes
// in order. Frames carry marks, so that the receiver knows what is complete, in time and decodable.
#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "rtc/rtcp/transport_cc.h"
#include "sfu/nack_generator.h"
#include "sfu/testing_client.h"

namespace sfu::testing {

struct LayerSettings {
  std::string rid;  // empty: no simulcast
  std::uint32_t ssrc_offset = 0;
  int kbps = 600;
  int temporal_layers = 1;  // 1 or 2
};

// Video of one track at 25 frames a second. VP8 counters, numbers and timestamps start near their wraps.
class VideoSource {
 public:
  VideoSource(Client& client, ClientTrack& track, std::vector<LayerSettings> layers);
  // Every millisecond or so: takes the server's feedback, makes frames when due, sends what is paced.
  void tick(base::SteadyTime now);

  std::uint64_t frames = 0, key_frames = 0, packets = 0, retransmissions = 0;
  std::function<bool(bool key, int index)> drop;  // a packet that is lost for good

 private:
  struct Layer {
    LayerSettings settings;
    std::uint32_t ssrc = 0;
    std::uint16_t sequence = 65'000;
    std::uint16_t rtx_sequence = 1;
    std::uint32_t timestamp = 0xFFFF'0000;
    std::uint16_t picture = 0x7F00;
    std::uint8_t tl0 = 200;
    std::uint32_t number = 0;
    bool key_wanted = true;
    std::map<std::uint16_t, std::vector<std::uint8_t>> history;  // plain packets
    std::vector<std::uint16_t> queue;                            // waiting for the pacer
  };
  void make_frame(Layer& layer, base::SteadyTime now);
  void feedback(base::Bytes packet);
  void resend(Layer& layer, std::uint16_t sequence);
  void send(std::vector<std::uint8_t> plain);

  Client& client_;
  ClientTrack& track_;
  std::vector<Layer> layers_;
  base::SteadyTime next_frame_;
};

// The receiving side of one client: all its tracks.
class Receiver {
 public:
  struct Video {
    std::uint64_t packets = 0, late = 0, repaired = 0, frames = 0, key_frames = 0, gave_up = 0, wrong = 0;
    std::int64_t expected() const { return highest_ < 0 ? 0 : highest_ - lowest_ + 1; }
    base::Duration longest_pause;  // between decoded frames
    base::SteadyTime last_frame;
    int layer_kbps = 0;    // of the newest decoded frame
    int temporal_max = 0;  // highest temporal id among decoded frames since reset by the test
    std::map<int, std::uint64_t> frames_by_kbps;

   private:
    friend class Receiver;
    std::uint32_t media = 0, rtx = 0;
    std::int64_t lowest_ = -1, highest_ = -1;
    rtc::Unwrapper<std::uint16_t> unwrap_;
    NackGenerator nack_;
    std::map<std::int64_t, std::vector<std::uint8_t>> waiting_;  // payloads
    std::int64_t next_ = -1;
    bool need_key_ = true;
    base::SteadyTime last_pli_;
    std::uint16_t last_picture_ = 0;
    std::uint8_t last_tl0_ = 0;
  };
  struct Audio {
    std::uint64_t packets = 0;
    base::Duration longest_pause;
    base::SteadyTime last;
  };

  explicit Receiver(Client& client) : client_(client) {}
  void tick(base::SteadyTime now);
  Video& video(const std::string& track_id);
  Audio& audio(const std::string& track_id);
  bool reports_arrivals = true;
  base::Duration in_time = base::Duration::millis(350);
  std::uint64_t padding = 0;  // packets of RTX streams without anything in them

 private:
  void take(const ClientConnection::Packet& packet, base::SteadyTime now);
  void take_video(Video& v, std::uint16_t sequence, std::vector<std::uint8_t> payload, bool rtx,
                  base::SteadyTime now);
  void decode(Video& v, base::SteadyTime now);

  Client& client_;
  std::map<std::string, Video> videos_;
  std::map<std::string, std::pair<std::uint32_t, Audio>> audios_;
  rtc::TransportCcRecorder arrivals_;
  base::SteadyTime next_feedback_, next_nack_;
};

}  // namespace sfu::testing
