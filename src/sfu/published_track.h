// A track of a publisher: its received streams (one, or one per simulcast layer) and who gets it. Worker
// thread only.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "rtc/sdp/codecs.h"
#include "sfu/receive_stream.h"
#include "sfu/sfu.h"

namespace sfu {

class PublishConnection;
class SubscriberTrack;

// The fixed meaning of the SDK's rids; kNone for any other.
inline Layer layer_of(std::string_view rid) {
  if (rid == "q") return Layer::kLow;
  if (rid == "h") return Layer::kMedium;
  return rid == "f" ? Layer::kHigh : Layer::kNone;
}

class Track {
 public:
  Track(PublishConnection& owner, PublishedTrack published) : connection(owner), info(std::move(published)) {}

  PublishConnection& connection;
  PublishedTrack info;  // info.muted is the gate's first half
  bool allowed = true;  // the second: the publisher's role may publish this
  bool open() const { return allowed && !info.muted; }

  bool simulcast = false;
  std::vector<std::unique_ptr<ReceiveStream>> streams;
  std::vector<rtc::NegotiatedCodec> codecs;
  std::vector<SubscriberTrack*> subscribers;
  bool speaking = false;  // its publisher spoke last
  int loudest = 0;        // 127 - level of the loudest packet since the speaker detector looked; 0 = silence

  ReceiveStream* stream(Layer layer) const {
    for (const auto& s : streams) {
      if (s->layer() == layer) return s.get();
    }
    return nullptr;
  }

  // The live layer nearest to `wanted`: the best one not above it, else the lowest above
  // (100ms-client-protocol.md §4.3: a rid may never flow).
  ReceiveStream* choose(Layer wanted, base::SteadyTime now) const {
    if (wanted == Layer::kNone) return nullptr;
    if (!simulcast) return streams.empty() || !streams.front()->started() ? nullptr : streams.front().get();
    ReceiveStream* below = nullptr;
    ReceiveStream* above = nullptr;
    for (const auto& s : streams) {
      if (!s->live(now, kLayerTimeout)) continue;
      if (s->layer() <= wanted) {
        if (!below || s->layer() > below->layer()) below = s.get();
      } else if (!above || s->layer() < above->layer()) {
        above = s.get();
      }
    }
    return below ? below : above;
  }

  static constexpr base::Duration kLayerTimeout = base::Duration::millis(2000);
};

}  // namespace sfu
