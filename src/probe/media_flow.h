// The two ends of media on a PeerConnection: MediaSender plays sources into it and obeys its RTCP,
// MediaReceiver counts what comes out of it and sends the RTCP a browser would. Loop thread only; both must
// go before their connection.
#pragma once

#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/random.h"
#include "probe/descriptions.h"
#include "probe/media_source.h"
#include "probe/peer_connection.h"
#include "probe/receive_track.h"
#include "rtc/rtcp/transport_cc.h"

namespace probe {

struct SendTotals {
  std::uint64_t audio_packets = 0, video_packets = 0, retransmitted = 0, key_frames = 0,
                key_frame_requests = 0;
};

class MediaSender {
 public:
  // Sources begin at a random phase, so that many senders do not send at the same instant.
  MediaSender(Loop& loop, base::Random& random, PeerConnection& connection);
  ~MediaSender();
  MediaSender(const MediaSender&) = delete;
  MediaSender& operator=(const MediaSender&) = delete;

  void add_audio(StreamFormat format);
  // One source per stream; with several (simulcast), the second has a quarter and the third a sixteenth of
  // the rate and no more than the shape's.
  void add_video(const std::vector<StreamFormat>& formats, const VideoShape& shape);
  void on_rtcp(base::Bytes packet, base::SteadyTime now);
  bool empty() const { return audio_.empty() && video_.empty(); }
  SendTotals totals() const;

 private:
  base::SteadyTime run(base::SteadyTime now);
  void send_reports(base::SteadyTime now);
  void request_key_frame(std::uint32_t ssrc, base::SteadyTime now);
  base::SteadyTime random_start();
  void wake();

  Loop& loop_;
  base::Random& random_;
  PeerConnection& connection_;
  std::vector<AudioSource> audio_;
  std::vector<VideoSource> video_;
  TransportSequence transport_sequence_ = 0;
  base::SteadyTime next_report_;
  SendTotals totals_;
  TaskId task_ = 0;
};

struct ReceiveTotals {
  std::uint64_t audio_packets = 0, video_packets = 0;  // distinct ones
  std::uint64_t expected = 0, recovered = 0, frames = 0, key_frames = 0, octets = 0;
  std::uint64_t received() const { return audio_packets + video_packets; }
};

class MediaReceiver {
 public:
  MediaReceiver(Loop& loop, base::Random& random, PeerConnection& connection);
  ~MediaReceiver();
  MediaReceiver(const MediaReceiver&) = delete;
  MediaReceiver& operator=(const MediaReceiver&) = delete;

  // The complete set; what is known keeps its counts, what is gone keeps counting in totals().
  void set_tracks(const std::vector<RemoteTrack>& tracks);
  void on_rtp(rtc::RtpView view, base::SteadyTime arrival);
  void on_rtcp(base::Bytes packet, base::SteadyTime now);
  ReceiveTotals totals() const;
  const std::vector<std::unique_ptr<ReceiveTrack>>& tracks() const { return tracks_; }
  std::uint64_t unknown_packets() const { return unknown_packets_; }

 private:
  struct Binding {
    ReceiveTrack* track = nullptr;
    bool rtx = false;
    std::vector<std::pair<std::uint8_t, std::uint8_t>> rtx_of;
  };
  base::SteadyTime run(base::SteadyTime now);
  void send_feedback(base::SteadyTime now);
  void send_reports(base::SteadyTime now);

  Loop& loop_;
  PeerConnection& connection_;
  const std::uint32_t ssrc_;  // ours, in RTCP
  std::vector<std::unique_ptr<ReceiveTrack>> tracks_;
  std::unordered_map<std::uint32_t, Binding> bindings_;
  std::uint8_t transport_cc_ = 0;
  rtc::TransportCcRecorder arrivals_;
  base::SteadyTime next_report_, next_transport_cc_;
  std::uint64_t unknown_packets_ = 0;
  TaskId task_ = 0;
};

}  // namespace probe
