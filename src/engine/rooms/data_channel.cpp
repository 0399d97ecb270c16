// The `ion-sfu` channel of a peer's subscribe connection (100ms-client-protocol.md §4.5). A request may come
// twice: the media plane's answers are idempotent.
#include "engine/rooms/live_room.h"

namespace engine {

namespace {

constexpr std::size_t kMaxText = 16 * 1024;

sfu::Layer layer_named(const std::string& name) {
  if (name == "high") return sfu::Layer::kHigh;
  if (name == "medium") return sfu::Layer::kMedium;
  return name == "low" ? sfu::Layer::kLow : sfu::Layer::kNone;
}

}  // namespace

void LiveRoom::media_text(const std::string& peer_id, const std::string& text) {
  Peer* peer = peer_named(peer_id);
  if (!peer || text.size() > kMaxText) return;
  auto frame = read_frame(text);
  if (!frame || !frame->is_request()) return;
  sfu::Sfu* media = services_.media;
  const auto room = media_room();
  const auto who = media_peer(peer_id);
  // Called on the media thread; `media` outlives every call it makes.
  auto answer = [media, room, who, id = frame->id](json::Object result) {
    return [media, room, who, id, result = std::move(result)](bool known) {
      media->send_api_message(room, who,
                              known ? result_frame(id, result) : error_frame(id, 404, "no such track"));
    };
  };
  if (frame->method == "prefer-video-track-state") {
    auto given = json::read<params::PreferVideo>(frame->params);
    if (!given.ok()) return media->send_api_message(room, who, error_frame(frame->id, 400, "invalid params"));
    return media->prefer_video(room, who, sfu::TrackId(given.value.track_id),
                               layer_named(given.value.max_spatial_layer), answer(json::write(given.value)));
  }
  if (frame->method == "prefer-audio-track-state") {
    auto given = json::read<params::PreferAudio>(frame->params);
    if (!given.ok()) return media->send_api_message(room, who, error_frame(frame->id, 400, "invalid params"));
    return media->prefer_audio(room, who, sfu::TrackId(given.value.track_id), given.value.subscribed,
                               answer(json::write(given.value)));
  }
  media->send_api_message(room, who, error_frame(frame->id, 400, "unknown method"));
}

}  // namespace engine
