#include "probe/receive_track.h"

#include <algorithm>
#include <cmath>

#include "rtc/rtp/payload.h"

namespace probe {
namespace {
constexpr auto kReorderTime = base::Duration::millis(15);
constexpr auto kAskAgain = base::Duration::millis(100);
constexpr auto kKeyFrameAgain = base::Duration::millis(500);
constexpr int kMaxAsks = 10;
constexpr std::size_t kMaxMissing = 500;
constexpr std::size_t kMaxOpenFrames = 32;
}  // namespace

bool ReceiveTrack::remember(std::int64_t sequence, base::SteadyTime arrival) {
  if (!sequences_.started()) {
    first_ = sequence;
  } else if (sequence > sequences_.last()) {
    for (auto s = sequence - 1; s > sequences_.last() && missing_.size() < kMaxMissing; --s)
      missing_.emplace(s, Missing{arrival, {}, 0});
  } else if (sequence < first_ || sequences_.last() - sequence >= static_cast<std::int64_t>(kWindow)) {
    return false;
  }
  auto& slot = seen_[static_cast<std::size_t>(sequence) % kWindow];
  if (slot == sequence) return false;
  slot = sequence;
  missing_.erase(sequence);
  return true;
}

void ReceiveTrack::on_packet(const rtc::RtpView& view, base::SteadyTime arrival, bool recovered) {
  if (!remember(sequences_.peek(view.sequence), arrival)) return;
  sequences_.unwrap(view.sequence);
  ++received_;
  octets_ += view.payload_size;
  if (recovered) ++recovered_;
  const auto clock_rate = video_ ? 90 : 48;  // per millisecond
  const auto transit = arrival.us - static_cast<std::int64_t>(view.timestamp) * 1000 / clock_rate;
  if (last_transit_ && !recovered)
    jitter_ += (static_cast<double>(std::abs(transit - *last_transit_)) * clock_rate / 1000 - jitter_) / 16;
  last_transit_ = transit;
  const auto mark = Mark::read(view.payload());
  if (!mark) return;
  // A retransmitted packet's latency is the loss's, not the server's.
  if (!recovered) latency_.add((arrival - mark->sent).us);
  if (video_) count_frame(view, *mark);
}

void ReceiveTrack::count_frame(const rtc::RtpView& view, const Mark& mark) {
  if (const auto vp8 = rtc::parse_vp8(view.payload()); vp8 && vp8->key_frame) ++key_frames_;
  auto& count = open_frames_[view.timestamp];
  if (++count == mark.packets_in_frame) {
    ++frames_;
    open_frames_.erase(view.timestamp);
  }
  if (open_frames_.size() > kMaxOpenFrames) open_frames_.erase(open_frames_.begin());
}

std::uint64_t ReceiveTrack::expected() const {
  return sequences_.started() ? static_cast<std::uint64_t>(sequences_.last() - first_ + 1) : 0;
}

std::vector<std::uint16_t> ReceiveTrack::take_missing(base::SteadyTime now) {
  std::vector<std::uint16_t> out;
  if (!video_) return out;
  for (auto it = missing_.begin(); it != missing_.end();) {
    auto& m = it->second;
    if (m.times >= kMaxAsks) {
      it = missing_.erase(it);
      continue;
    }
    if (now - m.since >= kReorderTime && (m.times == 0 || now - m.asked >= kAskAgain)) {
      m.asked = now;
      ++m.times;
      out.push_back(static_cast<std::uint16_t>(it->first));
    }
    ++it;
  }
  return out;
}

bool ReceiveTrack::wants_key_frame(base::SteadyTime now) {
  if (!video_ || received_ == 0 || key_frames_ > 0) return false;
  if (last_key_request_ && now - *last_key_request_ < kKeyFrameAgain) return false;
  last_key_request_ = now;
  return true;
}

void ReceiveTrack::on_sender_report(rtc::NtpTime ntp, base::SteadyTime now) {
  last_sr_ = rtc::ntp_middle(ntp);
  last_sr_at_ = now;
}

rtc::ReportBlock ReceiveTrack::take_report(base::SteadyTime now) {
  rtc::ReportBlock r;
  r.ssrc = ssrc_;
  const auto lost = static_cast<std::int64_t>(expected()) - static_cast<std::int64_t>(received_);
  const auto interval = expected() - reported_expected_;
  const auto interval_lost =
      static_cast<std::int64_t>(interval) - static_cast<std::int64_t>(received_ - reported_received_);
  if (interval > 0 && interval_lost > 0)
    r.fraction_lost = static_cast<std::uint8_t>(
        std::min<std::int64_t>(255, interval_lost * 256 / static_cast<std::int64_t>(interval)));
  r.cumulative_lost = static_cast<std::int32_t>(std::clamp<std::int64_t>(lost, -0x800000, 0x7FFFFF));
  r.highest_sequence = static_cast<std::uint32_t>(sequences_.last());
  r.jitter = static_cast<std::uint32_t>(jitter_);
  r.last_sr = last_sr_;
  if (last_sr_ != 0)
    r.delay_since_last_sr = static_cast<std::uint32_t>((now - last_sr_at_).us * 65536 / 1'000'000);
  reported_expected_ = expected();
  reported_received_ = received_;
  return r;
}

}  // namespace probe
