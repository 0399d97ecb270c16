#include "probe/media_flow.h"

#include <algorithm>
#include <array>

#include "rtc/rtcp/rtcp.h"

namespace probe {
namespace {

constexpr auto kReportInterval = base::Duration::seconds(1);
constexpr auto kTransportCcInterval = base::Duration::millis(100);
constexpr auto kFeedbackInterval = base::Duration::millis(20);
constexpr auto kIdle = base::Duration::millis(20);
constexpr std::size_t kReportsPerPacket = 31;

// NTP time of our steady clock: only differences matter to a receiver.
rtc::NtpTime ntp_of(base::SteadyTime t) {
  const auto us = static_cast<std::uint64_t>(t.us);
  return (us / 1'000'000) << 32 | ((us % 1'000'000) << 32) / 1'000'000;
}

}  // namespace

MediaSender::MediaSender(Loop& loop, base::Random& random, PeerConnection& connection)
    : loop_(loop), random_(random), connection_(connection) {}

MediaSender::~MediaSender() {
  if (task_ != 0) loop_.cancel(task_);
}

base::SteadyTime MediaSender::random_start() {
  return loop_.clock().steady() + base::Duration::micros(random_.below(33'000));
}

void MediaSender::wake() {
  if (task_ == 0)
    task_ = loop_.start(loop_.clock().steady(), [this](base::SteadyTime now) { return run(now); });
}

void MediaSender::add_audio(StreamFormat format) {
  audio_.emplace_back(std::move(format), random_start());
  wake();
}

void MediaSender::add_video(const std::vector<StreamFormat>& formats, const VideoShape& shape) {
  const auto start = random_start();
  auto layer = shape;
  for (const auto& format : formats) {
    video_.emplace_back(format, layer, start);
    layer.kbps = std::max(60, layer.kbps / 4);
    layer.width /= 2;
    layer.height /= 2;
  }
  wake();
}

base::SteadyTime MediaSender::run(base::SteadyTime now) {
  // Nothing is built before it can be sent, so that the first key frame is not lost.
  if (!connection_.connected()) return now + kIdle;
  std::array<std::uint8_t, rtc::kMaxDatagram> buffer;
  auto next = now + kIdle;
  for (auto& source : audio_) {
    while (source.due() <= now) {
      connection_.send_rtp(
          base::Bytes(buffer).first(source.next(buffer, loop_.clock().steady(), transport_sequence_)));
      ++totals_.audio_packets;
    }
    next = std::min(next, source.due());
  }
  for (auto& source : video_) {
    while (source.due() <= now) {
      connection_.send_rtp(
          base::Bytes(buffer).first(source.next(buffer, loop_.clock().steady(), transport_sequence_)));
      ++totals_.video_packets;
    }
    next = std::min(next, source.due());
  }
  if (now >= next_report_) {
    next_report_ = now + kReportInterval;
    send_reports(now);
  }
  return next;
}

void MediaSender::send_reports(base::SteadyTime now) {
  const auto report = [&](const RtpStream& stream) {
    if (stream.packets() == 0) return;
    std::array<std::uint8_t, 128> buffer;
    auto size = rtc::write_sender_report(
        buffer, {stream.format().ssrc, ntp_of(now), stream.timestamp(), stream.packets(), stream.octets()});
    size += rtc::write_sdes_cname(base::MutableBytes(buffer).subspan(size), stream.format().ssrc, "probe");
    connection_.send_rtcp(base::Bytes(buffer).first(size));
  };
  for (const auto& source : audio_) report(source.stream());
  for (const auto& source : video_) report(source.stream());
}

void MediaSender::request_key_frame(std::uint32_t ssrc, base::SteadyTime now) {
  for (auto& source : video_) {
    if (source.stream().format().ssrc != ssrc) continue;
    ++totals_.key_frame_requests;
    source.request_key_frame(now);
  }
}

void MediaSender::on_rtcp(base::Bytes packet, base::SteadyTime now) {
  rtc::RtcpReader reader(packet);
  while (const auto block = reader.next()) {
    const auto feedback = rtc::read_feedback(*block);
    if (!feedback) continue;
    if (feedback->kind == rtc::FeedbackKind::kPli) request_key_frame(feedback->media_ssrc, now);
    if (feedback->kind == rtc::FeedbackKind::kFir)
      rtc::for_each_fir(feedback->fci, [&](std::uint32_t ssrc) { request_key_frame(ssrc, now); });
    if (feedback->kind != rtc::FeedbackKind::kNack) continue;
    rtc::for_each_nack(feedback->fci, [&](std::uint16_t sequence) {
      std::array<std::uint8_t, rtc::kMaxDatagram> buffer;
      for (auto& source : video_) {
        if (source.stream().format().ssrc != feedback->media_ssrc) continue;
        const auto size = source.retransmit(sequence, buffer);
        if (size == 0) continue;
        connection_.send_rtp(base::Bytes(buffer).first(size));
        ++totals_.retransmitted;
      }
    });
  }
}

SendTotals MediaSender::totals() const {
  auto out = totals_;
  for (const auto& source : video_) out.key_frames += source.key_frames();
  return out;
}

MediaReceiver::MediaReceiver(Loop& loop, base::Random& random, PeerConnection& connection)
    : loop_(loop), connection_(connection), ssrc_(random.u32() | 1) {
  // The first turn at a random phase, as with the senders.
  const auto start = loop.clock().steady() + base::Duration::micros(random.below(20'000));
  next_report_ = start + base::Duration::micros(random.below(1'000'000));
  task_ = loop_.start(start, [this](base::SteadyTime now) { return run(now); });
}

MediaReceiver::~MediaReceiver() {
  loop_.cancel(task_);
}

void MediaReceiver::set_tracks(const std::vector<RemoteTrack>& tracks) {
  auto old = std::exchange(bindings_, {});
  for (const auto& t : tracks) {
    if (t.ssrc == 0) continue;
    if (t.transport_cc != 0) transport_cc_ = t.transport_cc;
    const auto known = old.find(t.ssrc);
    ReceiveTrack* track = known == old.end() ? nullptr : known->second.track;
    if (!track) {
      tracks_.push_back(std::make_unique<ReceiveTrack>(t.video, t.ssrc));
      track = tracks_.back().get();
    }
    bindings_[t.ssrc] = {track, false, {}};
    if (t.rtx_ssrc != 0) bindings_[t.rtx_ssrc] = {track, true, t.rtx_of};
  }
}

void MediaReceiver::on_rtp(rtc::RtpView view, base::SteadyTime arrival) {
  if (transport_cc_ != 0) {
    if (const auto number = view.extension(transport_cc_); number.size() == 2)
      arrivals_.on_packet(static_cast<std::uint16_t>(number[0] << 8 | number[1]), arrival);
  }
  const auto it = bindings_.find(view.ssrc);
  if (it == bindings_.end()) {
    ++unknown_packets_;
    return;
  }
  const auto& binding = it->second;
  if (!binding.rtx) return binding.track->on_packet(view, arrival, false);
  for (const auto& [rtx_type, media_type] : binding.rtx_of) {
    if (rtx_type != view.payload_type) continue;
    if (const auto original = rtc::unwrap_rtx(view, binding.track->ssrc(), media_type))
      binding.track->on_packet(*original, arrival, true);
    return;
  }
}

void MediaReceiver::on_rtcp(base::Bytes packet, base::SteadyTime now) {
  rtc::RtcpReader reader(packet);
  while (const auto block = reader.next()) {
    const auto info = rtc::read_sender_info(*block);
    if (!info) continue;
    if (const auto it = bindings_.find(info->ssrc); it != bindings_.end())
      it->second.track->on_sender_report(info->ntp, now);
  }
}

base::SteadyTime MediaReceiver::run(base::SteadyTime now) {
  if (!connection_.connected()) return now + kFeedbackInterval;
  send_feedback(now);
  if (now >= next_report_) {
    next_report_ = now + kReportInterval;
    send_reports(now);
  }
  return now + kFeedbackInterval;
}

void MediaReceiver::send_feedback(base::SteadyTime now) {
  std::array<std::uint8_t, 1200> buffer;
  for (const auto& track : tracks_) {
    if (track->wants_key_frame(now))
      connection_.send_rtcp(base::Bytes(buffer).first(rtc::write_pli(buffer, ssrc_, track->ssrc())));
    const auto missing = track->take_missing(now);
    if (!missing.empty())
      connection_.send_rtcp(
          base::Bytes(buffer).first(rtc::write_nack(buffer, ssrc_, track->ssrc(), missing)));
  }
  if (transport_cc_ == 0 || tracks_.empty() || now < next_transport_cc_) return;
  next_transport_cc_ = now + kTransportCcInterval;
  for (int i = 0; i < 8; ++i) {
    const auto size = arrivals_.write_feedback(buffer, ssrc_, tracks_.front()->ssrc());
    if (size == 0) return;
    connection_.send_rtcp(base::Bytes(buffer).first(size));
  }
}

void MediaReceiver::send_reports(base::SteadyTime now) {
  std::vector<rtc::ReportBlock> blocks;
  for (const auto& track : tracks_) {
    if (track->received() > 0) blocks.push_back(track->take_report(now));
  }
  std::array<std::uint8_t, 1200> buffer;
  for (std::size_t at = 0; at < blocks.size(); at += kReportsPerPacket) {
    const auto n = std::min(kReportsPerPacket, blocks.size() - at);
    auto size = rtc::write_receiver_report(buffer, ssrc_, std::span(blocks).subspan(at, n));
    size += rtc::write_sdes_cname(base::MutableBytes(buffer).subspan(size), ssrc_, "probe");
    connection_.send_rtcp(base::Bytes(buffer).first(size));
  }
}

ReceiveTotals MediaReceiver::totals() const {
  ReceiveTotals out;
  for (const auto& t : tracks_) {
    (t->video() ? out.video_packets : out.audio_packets) += t->received();
    out.expected += t->expected();
    out.recovered += t->recovered();
    out.frames += t->frames();
    out.key_frames += t->key_frames();
    out.octets += t->octets();
  }
  return out;
}

}  // namespace probe
