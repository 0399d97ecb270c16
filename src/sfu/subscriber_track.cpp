#include "sfu/subscriber_track.h"

#include <algorithm>

#include "sfu/publish_connection.h"
#include "sfu/subscribe_connection.h"

namespace sfu {
namespace {
constexpr auto kReportInterval = base::Duration::seconds(1);
}  // namespace

SubscriberTrack::SubscriberTrack(SubscribeConnection& connection, Track& track, std::uint32_t ssrc,
                                 std::uint32_t rtx_ssrc, std::uint16_t first_sequence)
    : connection_(connection),
      track_(track),
      ssrc_(ssrc),
      rtx_ssrc_(rtx_ssrc),
      rewriter_(track.info.kind == MediaKind::kAudio ? 48000 : 90000, first_sequence) {
  if (track.info.kind == MediaKind::kVideo) sent_ = std::make_unique<std::array<Sent, kSent>>();
  track_.subscribers.push_back(this);
}

SubscriberTrack::~SubscriberTrack() {
  std::erase(track_.subscribers, this);
}

void SubscriberTrack::set_accepted(bool opus, bool vp8, bool h264, bool rtx) {
  opus_ = opus;
  vp8_ = vp8;
  h264_ = h264;
  rtx_ = rtx;
  ready_ = opus || vp8 || h264;
}

bool SubscriberTrack::accepts(rtc::Codec codec) const {
  switch (codec) {
    case rtc::Codec::kOpus:
      return opus_;
    case rtc::Codec::kVp8:
      return vp8_;
    case rtc::Codec::kH264:
      return h264_;
    case rtc::Codec::kNone:
      break;
  }
  return false;
}

bool SubscriberTrack::accepted() const {
  return ready_ && connection_.connected();
}

bool SubscriberTrack::wants() const {
  if (!accepted()) return false;
  return track_.info.kind == MediaKind::kAudio ? audio_wanted_ : goal() != Layer::kNone;
}

void SubscriberTrack::set_wanted(Layer layer, base::SteadyTime now) {
  if (layer == wanted_) return;
  wanted_ = layer;
  if (layer == Layer::kNone) {
    target_ = nullptr;
    interrupt();
    told_ = Layer::kNone;
    return;
  }
  choose_target(now);
}

void SubscriberTrack::set_audio_wanted(bool wanted) {
  if (audio_wanted_ == wanted) return;
  audio_wanted_ = wanted;
  interrupt();
}

void SubscriberTrack::interrupt() {
  synced_ = false;
}

// Asks for a key frame when what should flow does not yet.
void SubscriberTrack::choose_target(base::SteadyTime now) {
  if (track_.info.kind != MediaKind::kVideo || !wants() || !track_.open()) return;
  target_ = track_.choose(goal(), now);
  if (!target_) {
    // Nothing was received so far, or all of it stopped: what the publisher has bound is asked to begin.
    for (const auto& s : track_.streams) {
      if (s->bound()) track_.connection.request_key_frame(*s, now);
    }
    return;
  }
  if (target_ != current_ || !synced_) track_.connection.request_key_frame(*target_, now);
}

void SubscriberTrack::start_on(ReceiveStream& stream) {
  if (current_ == &stream && generation_ == stream.generation() && rewriter_.started()) {
    rewriter_.resume_piece();
  } else {
    rewriter_.start_piece(current_ ? current_->align(stream, rewriter_.timestamp_offset()) : std::nullopt);
  }
  current_ = &stream;
  generation_ = stream.generation();
  synced_ = true;
  temporal_ = temporal_goal_;
  if (track_.info.kind == MediaKind::kVideo) tell_layer();
}

void SubscriberTrack::on_packet(MediaPacket& packet, ReceiveStream& stream, base::SteadyTime now) {
  if (!wants() || !accepts(packet.codec)) return;
  if (current_ && generation_ != current_->generation()) synced_ = false;
  if (track_.info.kind == MediaKind::kAudio) {
    if (!synced_) start_on(stream);
    forward(packet, stream, now);
    return;
  }
  if (packet.starts_key_frame && (&stream != current_ || !synced_)) {
    target_ = track_.choose(goal(), now);
    if (target_ == &stream) {
      start_on(stream);
      forward(packet, stream, now);
      // A key frame whose first packet came late (a retransmission): what followed it waits in the cache.
      for (auto s = packet.sequence + 1; s <= stream.newest(); ++s) {
        if (auto* next = stream.cache().find(s)) forward(*next, stream, now);
      }
      return;
    }
  }
  if (&stream == current_ && synced_) forward(packet, stream, now);
}

void SubscriberTrack::on_skip(const ReceiveStream& stream, std::int64_t sequence) {
  if (&stream == current_ && synced_) rewriter_.skip(sequence);
}

void SubscriberTrack::forward(MediaPacket& packet, ReceiveStream& stream, base::SteadyTime now) {
  if (packet.has_vp8 && leave_out(packet)) return;
  const auto fields =
      rewriter_.map(packet.sequence, packet.timestamp, packet.has_vp8 ? &packet.vp8 : nullptr, now);
  if (!fields) return;
  const auto codec = rtc::subscriber_codec(packet.codec);
  const auto number = connection_.next_transport_sequence();
  packet.patch(ssrc_, codec.payload_type, *fields, number, now);
  if (!connection_.send_rtp(packet.view(), number, now)) return;
  ++packets_;
  octets_ += static_cast<std::uint32_t>(packet.size - packet.payload_offset);
  if (sent_) {
    auto& sent = (*sent_)[static_cast<std::size_t>(fields->sequence) % kSent];
    sent = {fields->sequence,
            packet.sequence,
            &stream,
            stream.generation(),
            fields->timestamp,
            fields->picture_id,
            fields->tl0,
            number,
            now,
            {}};
    connection_.counters().video_forwarded.add();
  } else {
    connection_.counters().audio_forwarded.add();
  }
  if (packets_ == 1) send_report(now);
}

void SubscriberTrack::on_nack(base::Bytes fci, base::SteadyTime now) {
  if (!sent_) return;
  rtc::for_each_nack(fci, [&](std::uint16_t sequence) { retransmit(sequence, now); });
}

void SubscriberTrack::retransmit(std::uint16_t sequence, base::SteadyTime now) {
  connection_.counters().nacks_in.add();
  if (!wants() || !track_.open()) return;
  // The record's low bits are those of the number asked for, so its slot is known without unwrapping.
  auto& sent = (*sent_)[sequence % kSent];
  if (sent.out < 0 || static_cast<std::uint16_t>(sent.out) != sequence) return;
  if (sent.last_retransmit.us != 0 && now - sent.last_retransmit < connection_.retransmit_interval()) return;
  if (sent.stream->generation() != sent.generation) return;
  if (sent.stream != current_) return;  // a key frame of another layer has come since: nobody needs it
  auto* packet = sent.stream->cache().find(sent.in);
  if (!packet || !connection_.take_retransmission(packet->size)) return;
  sent.last_retransmit = now;
  const RewrittenFields fields{sent.out, sent.timestamp, sent.picture_id, sent.tl0};
  const auto codec = rtc::subscriber_codec(packet->codec);
  if (!rtx_) {
    // The very bytes of the first time, header extensions included: anything else under a number that was
    // sealed already would use a nonce twice.
    packet->patch(ssrc_, codec.payload_type, fields, sent.transport_sequence, sent.sent_at);
    if (connection_.send_again(packet->view())) connection_.counters().retransmitted.add();
    return;
  }
  const auto number = connection_.next_transport_sequence();
  packet->patch(ssrc_, codec.payload_type, fields, number, now);
  std::array<std::uint8_t, MediaPacket::kCapacity + 2> buffer;
  const auto size = rtc::wrap_rtx(packet->view(), packet->payload_offset, rtx_ssrc_, rtx_sequence_,
                                  codec.rtx_payload_type, buffer);
  if (size == 0 || !connection_.send_rtp(base::Bytes(buffer).first(size), number, now)) return;
  ++rtx_sequence_;
  connection_.counters().retransmitted.add();
}

void SubscriberTrack::on_key_frame_request(base::SteadyTime now) {
  if (!wants() || !track_.open() || !current_) return;
  track_.connection.request_key_frame(*current_, now);
}

void SubscriberTrack::tick(base::SteadyTime now) {
  if (track_.info.kind == MediaKind::kVideo) choose_target(now);
  if (packets_ > 0 && now >= next_report_ && wants() && track_.open()) send_report(now);
}

// The publisher's clock carried over: its NTP time with our timestamp of the same instant, so that audio and
// video stay in step.
void SubscriberTrack::send_report(base::SteadyTime now) {
  if (!current_) return;
  const auto instant = current_->instant(now);
  if (!instant) return;
  next_report_ = now + kReportInterval;
  std::array<std::uint8_t, 320> buffer;
  const rtc::SenderInfo info{ssrc_, instant->ntp, instant->timestamp + rewriter_.timestamp_offset(), packets_,
                             octets_};
  auto size = rtc::write_sender_report(buffer, info);
  size +=
      rtc::write_sdes_cname(base::MutableBytes(buffer).subspan(size), ssrc_, track_.connection.peer().str());
  connection_.send_report(base::Bytes(buffer).first(size));
}

}  // namespace sfu
