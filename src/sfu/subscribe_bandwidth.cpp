// How a subscriber's bandwidth is spent: audio always, then videos by rank; a probe when something wanted
// does not fit.
#include <algorithm>

#include "sfu/publish_connection.h"
#include "sfu/subscribe_connection.h"

namespace sfu {
namespace {

constexpr std::size_t kMaxPaddingPackets = 64;  // a turn

}  // namespace

void SubscribeConnection::share_bandwidth(base::SteadyTime now) {
  const auto estimate = bandwidth_.kbps();
  if (!estimate) return;
  demands_.clear();
  demanders_.clear();
  std::int64_t audio = 0;
  for (auto& l : lines_) {
    if (!l.track) continue;
    if (l.kind == rtc::SdpKind::kAudio) {
      audio += l.track->audio_kbps(now);
    } else if (l.track->demand(demands_.emplace_back(), now)) {
      demanders_.push_back(l.track.get());
    } else {
      demands_.pop_back();
    }
  }
  allocate(demands_, *estimate - audio);
  auto total = audio;
  for (std::size_t i = 0; i < demands_.size(); ++i) {
    const auto& d = demands_[i];
    if (d.chosen < 0) {
      demanders_[i]->set_allowed(Layer::kNone, 0, now);
      continue;
    }
    const auto& q = d.qualities[static_cast<std::size_t>(d.chosen)];
    demanders_[i]->set_allowed(q.layer, q.temporal, now);
    total += q.kbps;
  }
  const auto step = next_step_kbps(demands_);
  if (step == 0 || !connected() || !bandwidth_.may_probe(now) || !padding_track()) return;
  const auto needed = (total + step) * 5 / 4;
  bandwidth_.start_probe(std::clamp(needed, *estimate * 3 / 2, *estimate * 2), now);
}

SubscriberTrack* SubscribeConnection::padding_track() const {
  for (const auto& l : lines_) {
    if (l.track && l.track->can_pad()) return l.track.get();
  }
  return nullptr;
}

void SubscribeConnection::send_padding(base::SteadyTime now) {
  if (!bandwidth_.probing(now)) return;
  auto* track = padding_track();
  for (std::size_t i = 0; track && i < kMaxPaddingPackets && bandwidth_.padding_due(now) > 0; ++i) {
    if (!track->send_padding(now)) return;
  }
}

void SubscribeConnection::tell_layer(const SubscriberTrack& track, Layer flowing, Layer wanted) {
  context_.events.on_track_layer_update(room_, peer_, track.track().info.id, flowing, wanted);
}

}  // namespace sfu
