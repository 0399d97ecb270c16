// The part of a subscriber's track that spends bandwidth: qualities to choose from, temporal layers left out,
// padding for probes.
#include <algorithm>

#include "sfu/publish_connection.h"
#include "sfu/subscribe_connection.h"
#include "sfu/subscriber_track.h"

namespace sfu {
namespace {
constexpr auto kClimbPause = base::Duration::seconds(3);
constexpr auto kMaxClimbPause = base::Duration::seconds(8);
constexpr auto kShortStay = base::Duration::seconds(5);
}  // namespace

bool SubscriberTrack::demand(Demand& out, base::SteadyTime now) const {
  if (!accepted() || !track_.open() || wanted_ == Layer::kNone) return false;
  out = {};
  out.rank = track_.info.source == "screen" ? Demand::Rank::kScreen
             : track_.speaking              ? Demand::Rank::kSpeaker
                                            : Demand::Rank::kOther;
  const auto* best = track_.choose(wanted_, now);
  if (!best) return false;
  for (const auto layer : {Layer::kLow, Layer::kMedium, Layer::kHigh}) {
    auto* s = track_.stream(layer);
    if (now < climb_after_ && out.count > 0 && layer > allowed_) break;
    if (!s || layer > best->layer() || (s != best && !s->live(now, Track::kLayerTimeout))) continue;
    std::int64_t below = 0;
    for (std::uint8_t t = 0; t < ReceiveStream::kTemporalLayers; ++t) {
      const auto kbps = s->kbps(t, now);
      if (kbps == below) continue;
      below = kbps;
      if (synced_ && current_ == s && t <= temporal_) out.current = static_cast<int>(out.count);
      out.qualities[out.count++] = {layer, t, kbps};
    }
    // Its highest temporal layer stands for any that may come.
    if (out.count > 0 && out.qualities[out.count - 1].layer == layer)
      out.qualities[out.count - 1].temporal = kAllTemporal;
  }
  // What flows is above all that may be chosen: going down is no climb.
  if (out.count > 0 && synced_ && current_ && out.current < 0) out.current = static_cast<int>(out.count) - 1;
  return out.count > 0;
}

void SubscriberTrack::set_allowed(Layer layer, std::uint8_t temporal, base::SteadyTime now) {
  temporal_goal_ = temporal;
  if (layer != allowed_) {
    if (layer > allowed_) {
      climbed_at_ = now;
    } else {
      // Each climb that does not last makes the next one later.
      climb_pause_ = now - climbed_at_ < kShortStay
                         ? std::clamp(climb_pause_ * 2, kClimbPause, kMaxClimbPause)
                         : kClimbPause;
      climb_after_ = now + climb_pause_;
    }
    allowed_ = layer;
    if (layer == Layer::kNone) {
      target_ = nullptr;
      interrupt();
      tell_layer();
      return;
    }
    choose_target(now);
  }
  if (!current_ || !target_) return;
  // Until a key frame of a lower layer comes, the upper one goes on as thinly as it can. A higher one needs
  // no thinning meanwhile.
  if (target_ == current_) {
    temporal_ = std::min(temporal_, temporal);
  } else if (target_->layer() < current_->layer()) {
    temporal_ = 0;
  }
}

std::int64_t SubscriberTrack::audio_kbps(base::SteadyTime now) const {
  if (!wants() || !track_.open() || track_.streams.empty()) return 0;
  return track_.streams.front()->kbps(0, now);
}

// Whether the packet belongs to a temporal layer that is left out now. A layer is joined again where the
// sender says it can be.
bool SubscriberTrack::leave_out(const MediaPacket& packet) {
  const auto& vp8 = packet.vp8;
  if (!vp8.has_temporal_id || vp8.picture_id_bits != 15) return false;
  const bool climbs = target_ == current_ && temporal_goal_ > temporal_;
  if (vp8.temporal_id > temporal_ && climbs && vp8.temporal_id <= temporal_goal_ && vp8.layer_sync &&
      vp8.start_of_frame) {
    temporal_ = vp8.temporal_id;
  }
  // A frame that was begun is finished.
  if (vp8.temporal_id <= temporal_ || (rewriter_.started() && vp8.picture_id == last_picture_in_)) {
    last_picture_in_ = vp8.picture_id;
    return false;
  }
  rewriter_.skip(packet.sequence);
  rewriter_.skip_picture(vp8.picture_id);
  return true;
}

bool SubscriberTrack::can_pad() const {
  return accepted() && rtx_ && rtx_ssrc_ != 0;
}

// An RTX packet of nothing but padding (RFC 3550 §5.1): counted by the receiver's transport, seen by no
// decoder.
bool SubscriberTrack::send_padding(base::SteadyTime now) {
  using Ext = rtc::SubscriberExtensions;
  constexpr std::uint8_t kPadding = 255;
  std::array<std::uint8_t, 28 + kPadding> buffer{};
  const auto codec = rtc::subscriber_codec(vp8_ ? rtc::Codec::kVp8 : rtc::Codec::kH264);
  const auto number = connection_.next_transport_sequence();
  base::ByteWriter out(buffer);
  out.u8(0xB0);
  out.u8(codec.rtx_payload_type);
  out.u16(rtx_sequence_);
  out.u32(0);
  out.u32(rtx_ssrc_);
  out.u16(0xBEDE);
  out.u16(2);
  out.u8(Ext::kTransportCc << 4 | 1);
  out.u16(number);
  out.u8(Ext::kAbsSendTime << 4 | 2);
  out.u24(rtc::abs_send_time(now.us));
  out.u8(0);
  out.zeros(kPadding - 1u);
  out.u8(kPadding);
  if (!out.ok() || !connection_.send_rtp(out.written(), number, now)) return false;
  ++rtx_sequence_;
  connection_.counters().padding_sent.add();
  return true;
}

void SubscriberTrack::tell_layer() {
  const auto flowing = synced_ && current_ ? current_->layer() : Layer::kNone;
  if (flowing == told_) return;
  told_ = flowing;
  connection_.tell_layer(*this, flowing, wanted_);
}

}  // namespace sfu
