#include "probe/participant.h"

#include <algorithm>

#include "base/text.h"

namespace probe {
namespace {

constexpr auto kPingInterval = base::Duration::seconds(3);
constexpr std::string_view kApiChannel = "ion-sfu";
// A room of a hundred has a long description.
constexpr json::Limits kLimits{.max_bytes = 8 * 1024 * 1024,
                               .max_depth = 32,
                               .max_members = 10'000,
                               .max_elements = 10'000,
                               .max_key_bytes = 256};

}  // namespace

void Participant::Side::on_connected() {
  (publish_ ? owner_.steps_.publish_connected : owner_.steps_.subscribe_connected) = true;
}

void Participant::Side::on_failed(std::string_view reason) {
  owner_.fail(std::string(publish_ ? "publish" : "subscribe") + " connection: " + std::string(reason));
}

void Participant::Side::on_rtp(rtc::RtpView view, base::SteadyTime arrival) {
  if (!publish_ && owner_.receiver_) owner_.receiver_->on_rtp(view, arrival);
}

void Participant::Side::on_rtcp(base::Bytes packet, base::SteadyTime now) {
  if (publish_ && owner_.sender_) owner_.sender_->on_rtcp(packet, now);
  if (!publish_ && owner_.receiver_) owner_.receiver_->on_rtcp(packet, now);
}

void Participant::Side::on_channel_open(std::uint16_t stream, std::string_view label) {
  if (publish_ || label != kApiChannel) return;
  owner_.api_channel_ = stream;
  owner_.steps_.api_channel = true;
  owner_.ask_for_layers();
}

void Participant::Side::on_channel_text(std::uint16_t, std::string_view text) {
  // Replies and notifications of §4.5; a refused layer shows as missing packets.
  (void)text;
}

Participant::Participant(Loop& loop, base::Random& random,
                         std::shared_ptr<const rtc::Certificate> certificate, ParticipantConfig config)
    : loop_(loop),
      random_(random),
      certificate_(std::move(certificate)),
      config_(std::move(config)),
      stream_id_(random.uuid()) {}

Participant::~Participant() {
  if (ping_ != 0) loop_.cancel(ping_);
}

base::Result<void> Participant::start(const Entrance& entrance) {
  peer_id_ = entrance.peer_id;
  simulcast_ = config_.simulcast && entrance.simulcast;
  WebSocketClient::Handlers handlers;
  handlers.on_open = [this] {
    steps_.websocket = true;
    ping_ = loop_.start(loop_.clock().steady(), [this](base::SteadyTime now) { return ping(now); });
  };
  handlers.on_text = [this](const std::string& text) { on_text(text); };
  handlers.on_closed = [this](std::string reason) { fail(std::move(reason)); };
  socket_ = std::make_unique<WebSocketClient>(loop_, random_, std::move(handlers));
  return socket_->connect(entrance.websocket, entrance.address, {{}, entrance.ca_file});
}

void Participant::leave() {
  if (std::exchange(ended_, true)) return;
  if (steps_.joined) notify("leave", {{"client_reason", "user request"}});
  if (publish_) publish_->close();
  if (subscribe_) subscribe_->close();
  if (socket_) socket_->close(1000, "Normal Close");
}

bool Participant::is_up() const {
  if (!steps_.joined || !failure_.empty() || publishing_) return false;
  if (!steps_.publish_connected || !steps_.subscribe_connected || !steps_.api_channel) return false;
  return (!config_.publish_audio || !may_audio_ || steps_.audio_accepted) &&
         (!config_.publish_video || !may_video_ || steps_.video_accepted);
}

void Participant::fail(std::string what) {
  if (ended_ || !failure_.empty()) return;
  failure_ = std::move(what);
}

base::SteadyTime Participant::ping(base::SteadyTime now) {
  if (socket_->open())
    request("ping", {{"timestamp", loop_.clock().wall().ms}}, [](const base::Result<json::Object>&) {});
  return now + kPingInterval;
}

void Participant::request(std::string_view method, json::Object params, Done done) {
  const auto id = std::to_string(next_request_++);
  waiting_[id] = std::move(done);
  socket_->send_text(json::serialize(
      json::Object{{"method", method}, {"params", std::move(params)}, {"id", id}, {"jsonrpc", "2.0"}}));
}

void Participant::notify(std::string_view method, json::Object params) {
  socket_->send_text(json::serialize(json::Object{{"method", method}, {"params", std::move(params)}}));
}

void Participant::on_text(const std::string& text) {
  auto frame = json::parse_tolerant(text, kLimits);
  if (!frame || !frame->is_object()) return fail("the server sent a frame that is not a JSON object");
  const auto& object = frame->get_object();
  if (const auto method = json::text_or(object, "method"); !method.empty()) {
    static const json::Object kNone;
    const auto* params = json::object_at(object, "params");
    return on_notification(method, params ? *params : kNone);
  }
  const auto it = waiting_.find(json::text_or(object, "id"));
  if (it == waiting_.end()) return;
  const auto done = std::move(it->second);
  waiting_.erase(it);
  if (const auto* error = json::object_at(object, "error"))
    return done(base::fail(std::to_string(json::int_or(*error, "code", 0)),
                           base::escape_controls(json::text_or(*error, "message"))));
  const auto* result = json::object_at(object, "result");
  done(result ? *result : json::Object());
}

void Participant::on_notification(std::string_view method, const json::Object& params) {
  if (method == "on-policy-change") return on_policy(params);
  if (method == "offer") return on_offer(std::string(json::text_or(params, "sdp")));
  if (method == "on-error")
    return fail("the server ended the visit: " + std::to_string(json::int_or(params, "code", 0)) + " " +
                base::escape_controls(json::text_or(params, "message")));
  if (method == "on-peer-leave-request") return fail("the server asked the participant to leave");
  if (method == "node-info" && !node_id_.empty() && json::text_or(params, "sfu_node_id") != node_id_)
    return fail("the server moved the participant to another node");
}

void Participant::on_policy(const json::Object& params) {
  role_ = json::text_or(params, "name");
  const auto* roles = json::object_at(params, "known_roles");
  const auto* role = roles ? json::object_at(*roles, role_) : nullptr;
  if (!role) return fail("the policy does not describe its own role");
  may_audio_ = may_video_ = false;
  const auto* publish = json::object_at(*role, "publishParams");
  if (const auto* allowed = publish ? json::array_at(*publish, "allowed") : nullptr) {
    for (const auto& kind : *allowed) {
      may_audio_ = may_audio_ || (kind.is_string() && kind.get_string() == "audio");
      may_video_ = may_video_ || (kind.is_string() && kind.get_string() == "video");
    }
  }
  const bool first = !std::exchange(steps_.policy, true);
  if (first) {
    join();
  } else if (steps_.joined) {
    publish_next();
  }
}

void Participant::join() {
  publish_ = std::make_unique<PeerConnection>(loop_, random_, certificate_, true, publish_side_);
  subscribe_ = std::make_unique<PeerConnection>(loop_, random_, certificate_, true, subscribe_side_);
  sender_ = std::make_unique<MediaSender>(loop_, random_, *publish_);
  receiver_ = std::make_unique<MediaReceiver>(loop_, random_, *subscribe_);
  json::Object params{{"name", config_.name},
                      {"data", ""},
                      {"disableVidAutoSub", true},
                      {"server_sub_degrade", false},
                      {"simulcast", simulcast_},
                      {"onDemandTracks", false},
                      {"offer", json::Object{{"type", "offer"}, {"sdp", publish_offer()}}}};
  request("join", std::move(params), [this](const base::Result<json::Object>& result) {
    if (!result) return fail("join was refused: " + result.error().code + " " + result.error().detail);
    const auto answer = rtc::parse_sdp(json::text_or(*result, "sdp"));
    if (!answer) return fail("the answer to join has no valid session description");
    node_id_ = json::text_or(*result, "sfu_node_id");
    if (const auto set = publish_->set_remote(*answer); !set) return fail(set.error().detail);
    // As a browser does; nobody writes to it.
    (void)publish_->open_channel(kApiChannel);
    steps_.joined = true;
    publish_next();
  });
}

std::string Participant::publish_offer() const {
  rtc::SessionDescription d;
  d.session_id = 1;
  d.version = offer_version_ + 1;
  d.media.push_back(describe_data_channel("0"));
  for (const auto& t : tracks_) d.media.push_back(describe_track(t));
  for (auto& m : d.media) {
    publish_->describe(m, "actpass");
    d.bundle.push_back(m.mid);
  }
  return rtc::write_sdp(d);
}

json::Object Participant::track_table() const {
  json::Object out;
  for (const auto& t : tracks_) {
    out[t.track_id] = json::Object{{"track_id", t.track_id},
                                   {"stream_id", t.stream_id},
                                   {"type", t.video ? "video" : "audio"},
                                   {"source", "regular"},
                                   {"mute", false},
                                   {"description", ""}};
  }
  return out;
}

// §4.2: one track at a time, audio first, the next one when the previous answer is applied.
void Participant::publish_next() {
  if (publishing_ || ended_) return;
  const auto has = [&](bool video) {
    return std::any_of(tracks_.begin(), tracks_.end(), [&](const auto& t) { return t.video == video; });
  };
  const bool audio = config_.publish_audio && may_audio_ && !has(false);
  const bool video = config_.publish_video && may_video_ && !has(true);
  if (!audio && !video) return;
  LocalTrack track;
  track.video = !audio;
  track.track_id = random_.uuid();
  track.stream_id = stream_id_;
  track.mid = std::to_string(tracks_.size() + 1);
  track.ssrc = (random_.u32() & 0x7FFFFFF0U) | 0x10U;
  if (track.video && simulcast_) track.rids = {"f", "h", "q"};
  tracks_.push_back(std::move(track));
  publishing_ = true;
  const auto sdp = publish_offer();
  ++offer_version_;
  json::Object params{{"desc", json::Object{{"type", "offer"}, {"sdp", sdp}}}, {"tracks", track_table()}};
  if (!node_id_.empty()) params["sfu_node_id"] = node_id_;
  request("offer", std::move(params),
          [this](const base::Result<json::Object>& result) { on_published(result); });
}

void Participant::on_published(const base::Result<json::Object>& result) {
  publishing_ = false;
  if (!result) return fail("an offer was refused: " + result.error().code + " " + result.error().detail);
  const auto answer = rtc::parse_sdp(json::text_or(*result, "sdp"));
  if (!answer || answer->media.size() != tracks_.size() + 1)
    return fail("the answer to an offer has no valid session description");
  if (const auto set = publish_->set_remote(*answer); !set) return fail(set.error().detail);
  const auto& track = tracks_.back();
  const auto streams = negotiated_streams(track, answer->media.back());
  if (!streams.empty()) {
    (track.video ? steps_.video_accepted : steps_.audio_accepted) = true;
    if (track.video) {
      sender_->add_video(streams, config_.video);
    } else {
      sender_->add_audio(streams.front());
    }
  }
  publish_next();
}

void Participant::on_offer(const std::string& sdp) {
  if (!subscribe_ || ended_) return;
  const auto offer = rtc::parse_sdp(sdp);
  if (!offer) return fail("the server's offer has no valid session description");
  if (const auto set = subscribe_->set_remote(*offer); !set) return fail(set.error().detail);
  auto answer = accept_offer(*offer);
  for (auto& m : answer.media) subscribe_->describe(m, "active");
  const auto tracks = probe::remote_tracks(*offer);
  receiver_->set_tracks(tracks);
  remote_tracks_ = tracks.size();
  remote_videos_.clear();
  for (const auto& t : tracks) {
    if (t.video) remote_videos_.push_back(t.track_id);
  }
  json::Object params{{"desc", json::Object{{"type", "answer"}, {"sdp", rtc::write_sdp(answer)}}}};
  if (!node_id_.empty()) params["sfu_node_id"] = node_id_;
  notify("answer", std::move(params));
  ask_for_layers();
}

void Participant::ask_for_layers() {
  if (!api_channel_ || config_.video_layer == "none") return;
  for (const auto& id : remote_videos_) {
    if (std::find(asked_.begin(), asked_.end(), id) != asked_.end()) continue;
    const auto text = json::serialize(
        json::Object{{"id", "d" + std::to_string(next_request_++)},
                     {"jsonrpc", "2.0"},
                     {"method", "prefer-video-track-state"},
                     {"params", json::Object{{"track_id", id}, {"max_spatial_layer", config_.video_layer}}}});
    if (subscribe_->send_text(*api_channel_, text)) asked_.push_back(id);
  }
}

}  // namespace probe
