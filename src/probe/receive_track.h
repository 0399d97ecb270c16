// What a receiver knows of one remote stream: order, loss, whole frames, latency; and what it has to ask for
// (NACK, key frame). Sans-IO, one thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <vector>

#include "base/clock.h"
#include "probe/latency.h"
#include "probe/media_source.h"
#include "rtc/rtcp/rtcp.h"
#include "rtc/rtp/packet.h"
#include "rtc/rtp/sequence.h"

namespace probe {

class ReceiveTrack {
 public:
  ReceiveTrack(bool video, std::uint32_t ssrc) : video_(video), ssrc_(ssrc) {}

  // `arrival` is when the datagram reached this machine's receive queue. `recovered`: it came as RTX.
  void on_packet(const rtc::RtpView& view, base::SteadyTime arrival, bool recovered);
  // Sequence numbers missing for more than 15 ms and not asked for within the last 100 ms; each at most ten
  // times.
  std::vector<std::uint16_t> take_missing(base::SteadyTime now);
  // True (at most every 500 ms) while a video stream flows that never began with a key frame.
  bool wants_key_frame(base::SteadyTime now);
  // For a receiver report; the intervals start anew.
  rtc::ReportBlock take_report(base::SteadyTime now);
  void on_sender_report(rtc::NtpTime ntp, base::SteadyTime now);

  bool video() const { return video_; }
  std::uint32_t ssrc() const { return ssrc_; }
  std::uint64_t received() const { return received_; }    // distinct packets
  std::uint64_t recovered() const { return recovered_; }  // of these, by retransmission
  std::uint64_t expected() const;
  std::uint64_t frames() const { return frames_; }  // complete ones
  std::uint64_t key_frames() const { return key_frames_; }
  std::uint64_t octets() const { return octets_; }
  const LatencyHistogram& latency() const { return latency_; }
  void clear_latency() { latency_.clear(); }

 private:
  static constexpr std::size_t kWindow = 2048;
  struct Missing {
    base::SteadyTime since;
    base::SteadyTime asked;
    int times = 0;
  };
  // False: seen before, or too old to say.
  bool remember(std::int64_t sequence, base::SteadyTime arrival);
  void count_frame(const rtc::RtpView& view, const Mark& mark);

  const bool video_;
  const std::uint32_t ssrc_;
  rtc::Unwrapper<std::uint16_t> sequences_;
  std::int64_t first_ = 0;
  std::array<std::int64_t, kWindow> seen_{};
  std::map<std::int64_t, Missing> missing_;
  std::map<std::uint32_t, std::uint16_t> open_frames_;  // timestamp -> packets so far
  std::uint64_t received_ = 0, recovered_ = 0, frames_ = 0, key_frames_ = 0, octets_ = 0;
  LatencyHistogram latency_;
  std::optional<base::SteadyTime> last_key_request_;
  std::uint64_t reported_expected_ = 0, reported_received_ = 0;
  double jitter_ = 0;
  std::optional<std::int64_t> last_transit_;
  std::uint32_t last_sr_ = 0;
  base::SteadyTime last_sr_at_;
};

}  // namespace probe
