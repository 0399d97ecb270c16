#include "sfu/publish_connection.h"

#include <algorithm>
#include <array>

#include "sfu/subscriber_track.h"

namespace sfu {
namespace {

constexpr std::uint32_t kOurSsrc = 1;  // of our receiver reports and feedback
constexpr std::size_t kMaxBindings = 64;
constexpr auto kRoundTrip = base::Duration::millis(60);
constexpr auto kFeedbackInterval = base::Duration::millis(50);
constexpr auto kReportInterval = base::Duration::seconds(1);

}  // namespace

PublishConnection::PublishConnection(WorkerContext& context, RoomId room, PeerId peer)
    : Connection(context),
      room_(std::move(room)),
      peer_(std::move(peer)),
      session_id_(context.random.u64() >> 2) {
  bindings_.reserve(kMaxBindings);
}

PublishConnection::~PublishConnection() = default;

Track* PublishConnection::find_track(const TrackId& id) const {
  for (const auto& t : tracks_) {
    if (t->info.id == id) return t.get();
  }
  return nullptr;
}

void PublishConnection::remove_track(const TrackId& id) {
  auto* track = find_track(id);
  if (!track) return;
  std::erase_if(bindings_, [&](const Binding& b) { return b.track == track; });
  for (auto& s : sections_) {
    if (s.track == track) s.track = nullptr;
  }
  std::erase_if(tracks_, [&](const auto& t) { return t.get() == track; });
}

void PublishConnection::set_muted(Track& track, bool muted) {
  if (track.info.muted == muted) return;
  track.info.muted = muted;
  track.loudest = 0;
  for (auto* s : track.subscribers) s->interrupt();
  for (auto& s : track.streams) s->nack().clear();
}

void PublishConnection::set_policy(const PeerPolicy& policy) {
  for (auto& t : tracks_) {
    const bool allowed = may_publish(policy, t->info.kind, t->info.source);
    if (allowed == t->allowed) continue;
    t->allowed = allowed;
    t->loudest = 0;
    for (auto* s : t->subscribers) s->interrupt();
  }
}

void PublishConnection::on_up() {
  context_.events.on_connection_state(room_, peer_, Target::kPublish, true, "");
}

const PublishConnection::Binding* PublishConnection::find_binding(std::uint32_t ssrc) const {
  for (const auto& b : bindings_) {
    if (b.ssrc == ssrc) return &b;
  }
  return nullptr;
}

const PublishConnection::Binding* PublishConnection::bind(Track& track, ReceiveStream& stream,
                                                          std::uint32_t ssrc, bool rtx) {
  const auto old = rtx ? stream.rtx_ssrc() : stream.ssrc();
  if (rtx ? old != 0 : stream.bound())
    std::erase_if(bindings_, [&](const Binding& b) { return b.ssrc == old && b.stream == &stream; });
  if (bindings_.size() >= kMaxBindings) return nullptr;
  if (rtx) {
    stream.bind_rtx(ssrc);
  } else {
    stream.bind(ssrc);
  }
  bindings_.push_back({ssrc, &track, &stream, rtx});
  return &bindings_.back();
}

// RFC 8852, RFC 9143 §9.2: a packet of an unknown SSRC names its m-line (mid) and its layer (rid, or
// repaired-rid on a retransmission stream). Without them the payload type decides, when only one m-line has
// it.
const PublishConnection::Binding* PublishConnection::discover(const rtc::RtpView& view) {
  const auto mid = base::as_text(view.extension(extensions_.mid));
  Section* section = nullptr;
  const rtc::NegotiatedCodec* codec = nullptr;
  for (auto& s : sections_) {
    if (!s.track || (!mid.empty() && s.mid != mid)) continue;
    for (const auto& c : s.codecs) {
      if (c.payload_type != view.payload_type &&
          (c.rtx_payload_type == 0 || c.rtx_payload_type != view.payload_type))
        continue;
      if (section && section != &s) return nullptr;
      section = &s;
      codec = &c;
    }
  }
  if (!section) return nullptr;
  const bool rtx = codec->payload_type != view.payload_type;
  auto& track = *section->track;
  ReceiveStream* stream = nullptr;
  if (track.simulcast) {
    const auto rid = base::as_text(view.extension(rtx ? extensions_.repaired_rid : extensions_.rid));
    stream = track.stream(layer_of(rid));
  } else if (!track.streams.empty()) {
    stream = track.streams.front().get();
  }
  return stream ? bind(track, *stream, view.ssrc, rtx) : nullptr;
}

void PublishConnection::on_rtp(base::MutableBytes packet, base::SteadyTime now) {
  auto view = rtc::RtpView::parse(packet);
  if (!view) return;
  if (const auto number = view->extension(extensions_.transport_cc); number.size() == 2) {
    arrivals_.on_packet(static_cast<std::uint16_t>(number[0] << 8 | number[1]), context_.arrival);
    feedback_media_ssrc_ = view->ssrc;
  }
  const auto* binding = find_binding(view->ssrc);
  if (!binding) binding = discover(*view);
  if (!binding) return;
  auto& track = *binding->track;
  auto& stream = *binding->stream;
  const bool rtx = binding->rtx;

  auto codec = rtc::Codec::kNone;
  std::uint8_t media_payload_type = 0;
  for (const auto& c : track.codecs) {
    if ((rtx ? c.rtx_payload_type : c.payload_type) != view->payload_type) continue;
    codec = c.codec;
    media_payload_type = c.payload_type;
    break;
  }
  if (codec == rtc::Codec::kNone) return;
  if (rtx) {
    if (!stream.bound()) return;
    view = rtc::unwrap_rtx(*view, stream.ssrc(), media_payload_type);
    if (!view) return;
  }
  const auto sequence = stream.on_packet(*view, rtx, now);
  if (!sequence) return;
  if (!track.open()) {
    context_.counters.dropped_muted.add();
    stream.nack().clear();
    return;
  }
  if (stream.take_need_key_frame() && !track.subscribers.empty()) request_key_frame(stream, now);
  forward(track, stream, *view, *sequence, codec, now);
}

void PublishConnection::forward(Track& track, ReceiveStream& stream, const rtc::RtpView& view,
                                std::int64_t sequence, rtc::Codec codec, base::SteadyTime now) {
  if (view.payload_size == 0) {  // padding only: a probe
    for (auto* s : track.subscribers) s->on_skip(stream, sequence);
    return;
  }
  if (track.info.kind == MediaKind::kAudio) {
    if (const auto level = rtc::read_audio_level(view.extension(extensions_.audio_level))) {
      track.loudest = std::max(track.loudest, 127 - int{level->level});
    }
  }
  if (track.subscribers.empty()) return;
  auto* packet = track.info.kind == MediaKind::kVideo ? stream.cache().slot(sequence) : &context_.scratch;
  if (!packet || !packet->assign(view, sequence, codec, extensions_)) return;
  stream.on_media(*packet, now);
  if (packet->starts_key_frame) stream.key_frames().on_key_frame();
  for (auto* s : track.subscribers) s->on_packet(*packet, stream, now);
}

void PublishConnection::on_rtcp(base::MutableBytes packet, base::SteadyTime now) {
  rtc::RtcpReader reader(packet);
  while (const auto block = reader.next()) {
    const auto info = rtc::read_sender_info(*block);
    if (!info) continue;
    const auto* binding = find_binding(info->ssrc);
    if (binding && !binding->rtx) binding->stream->on_sender_report(*info, now);
  }
}

void PublishConnection::request_key_frame(ReceiveStream& stream, base::SteadyTime now) {
  if (stream.bound() && stream.key_frames().request(now)) send_pli(stream);
}

void PublishConnection::send_pli(const ReceiveStream& stream) {
  std::array<std::uint8_t, 32> buffer;
  const auto size = rtc::write_pli(buffer, kOurSsrc, stream.ssrc());
  send_rtcp(base::Bytes(buffer).first(size));
  context_.counters.keyframe_requests.add();
}

void PublishConnection::tick(base::SteadyTime now) {
  if (!connected()) return;
  send_nacks(now);
  for (auto& t : tracks_) {
    for (auto& s : t->streams) {
      if (s->bound() && s->key_frames().due(now)) send_pli(*s);
    }
  }
  if (now >= next_feedback_) {
    next_feedback_ = now + kFeedbackInterval;
    send_transport_feedback();
  }
  if (now >= next_report_) {
    next_report_ = now + kReportInterval;
    send_reports(now);
  }
}

void PublishConnection::send_nacks(base::SteadyTime now) {
  std::array<std::uint16_t, 64> numbers;
  std::array<std::uint8_t, 512> buffer;
  for (auto& t : tracks_) {
    if (!t->open() || t->info.kind != MediaKind::kVideo || t->subscribers.empty()) continue;
    for (auto& s : t->streams) {
      if (s->nack().missing() == 0) continue;
      const auto n = s->nack().collect(now, kRoundTrip, numbers);
      if (s->nack().take_gave_up()) request_key_frame(*s, now);
      if (n == 0) continue;
      const auto size = rtc::write_nack(buffer, kOurSsrc, s->ssrc(), std::span(numbers).first(n));
      send_rtcp(base::Bytes(buffer).first(size));
    }
  }
}

void PublishConnection::send_transport_feedback() {
  std::array<std::uint8_t, 1200> buffer;
  for (int i = 0; i < 4; ++i) {
    const auto size = arrivals_.write_feedback(buffer, kOurSsrc, feedback_media_ssrc_);
    if (size == 0) return;
    send_rtcp(base::Bytes(buffer).first(size));
  }
}

void PublishConnection::send_reports(base::SteadyTime now) {
  std::array<rtc::ReportBlock, 31> reports;
  std::size_t n = 0;
  for (auto& t : tracks_) {
    for (auto& s : t->streams) {
      if (s->started() && n < reports.size()) reports[n++] = s->report(now);
    }
  }
  if (n == 0) return;
  std::array<std::uint8_t, 1200> buffer;
  const auto size = rtc::write_receiver_report(buffer, kOurSsrc, std::span(reports).first(n));
  send_rtcp(base::Bytes(buffer).first(size));
}

}  // namespace sfu
