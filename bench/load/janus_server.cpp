#include "load/janus_server.h"

#include <algorithm>

#include "base/text.h"

namespace load {
namespace {

constexpr auto kPatience = base::Duration::seconds(20);
constexpr auto kKeepAlive = base::Duration::seconds(20);

json::Object jsep(std::string_view type, const std::string& sdp) {
  return {{"type", type}, {"sdp", sdp}};
}

// What the plugin said, wherever it stands.
const json::Object* plugin_data(const json::Object& answer) {
  const auto* outer = json::object_at(answer, "plugindata");
  return outer ? json::object_at(*outer, "data") : nullptr;
}

}  // namespace

class JanusServer::Member final : public Person {
 public:
  Member(JanusServer& server, std::int64_t room, bool publishes)
      : server_(server), room_(room), publishes_(publishes) {}

  const std::string& failure() const override { return failure_; }
  bool up() const override {
    return failure_.empty() && (!publishes_ || publishing()) && (!subscribe_ || subscribe_->connected()) &&
           settled_;
  }
  // Connected on our side is a moment too early: a feed can be subscribed to once Janus calls it up.
  bool publishing() const { return publish_ && publish_->connected() && feed_ != 0 && feed_up_; }
  std::int64_t publisher_handle() const { return publisher_; }
  void on_webrtc_up() { feed_up_ = true; }
  bool ready_to_subscribe() const { return !publishes_ || publishing(); }
  probe::SendTotals sent() const override { return sender_ ? sender_->totals() : probe::SendTotals{}; }
  const probe::MediaReceiver* receiver() const override { return receiver_.get(); }
  std::size_t remote_tracks() const override { return remote_tracks_; }
  std::int64_t feed() const { return feed_; }

  void start_publishing() {
    server_.attach([this](std::int64_t handle) {
      if (handle == 0) return fail("attach failed");
      publisher_ = handle;
      server_.message(handle,
                      {{"request", "join"}, {"ptype", "publisher"}, {"room", room_}, {"display", "Load"}}, {},
                      [this](const json::Object& answer) { on_joined(answer); });
    });
  }

  void subscribe(const std::vector<std::int64_t>& feeds) {
    if (feeds.empty()) {
      settled_ = true;
      return;
    }
    json::Array streams;
    for (const auto feed : feeds) streams.push_back(json::Object{{"feed", feed}});
    server_.attach([this, streams = std::move(streams)](std::int64_t handle) {
      if (handle == 0) return fail("attach failed");
      subscriber_ = handle;
      server_.message(handle,
                      {{"request", "join"}, {"ptype", "subscriber"}, {"room", room_}, {"streams", streams}},
                      {}, [this](const json::Object& answer) { on_offer(answer); });
    });
  }

 private:
  struct Side final : probe::PeerConnectionListener {
    explicit Side(Member& m, bool p) : owner(m), publish(p) {}
    void on_connected() override {}
    void on_failed(std::string_view reason) override { owner.fail("connection: " + std::string(reason)); }
    void on_rtp(rtc::RtpView view, base::SteadyTime arrival) override {
      if (!publish) owner.receiver_->on_rtp(view, arrival);
    }
    void on_rtcp(base::Bytes packet, base::SteadyTime now) override {
      if (publish) {
        owner.sender_->on_rtcp(packet, now);
      } else {
        owner.receiver_->on_rtcp(packet, now);
      }
    }
    void on_channel_open(std::uint16_t, std::string_view) override {}
    void on_channel_text(std::uint16_t, std::string_view) override {}
    Member& owner;
    const bool publish;
  };

  void fail(std::string what) {
    if (failure_.empty()) failure_ = std::move(what);
  }
  // False when the plugin refused.
  bool accepted(const json::Object& answer, std::string_view what) {
    const auto* data = plugin_data(answer);
    if (data && json::int_or(*data, "error_code", 0) == 0) return true;
    fail(std::string(what) + ": " + json::serialize(answer));
    return false;
  }

  void on_joined(const json::Object& answer) {
    if (!accepted(answer, "join")) return;
    feed_in_ = json::int_or(*plugin_data(answer), "id", 0);
    publish_ = std::make_unique<probe::PeerConnection>(server_.loop_, server_.random_, server_.certificate_,
                                                       false, publish_side_);
    sender_ = std::make_unique<probe::MediaSender>(server_.loop_, server_.random_, *publish_);
    rtc::SessionDescription d;
    d.session_id = d.version = 1;
    for (const bool video : {false, true}) {
      probe::LocalTrack track;
      track.video = video;
      track.track_id = server_.random_.uuid();
      track.stream_id = "load";
      track.mid = video ? "1" : "0";
      track.ssrc = (server_.random_.u32() & 0x7FFFFFF0U) | 0x10U;
      d.media.push_back(probe::describe_track(track));
      d.bundle.push_back(track.mid);
      tracks_.push_back(std::move(track));
    }
    // Our transport is a DTLS client, so Janus must be the server.
    for (auto& m : d.media) publish_->describe(m, "active");
    server_.message(publisher_, {{"request", "publish"}, {"audiocodec", "opus"}, {"videocodec", "vp8"}},
                    jsep("offer", rtc::write_sdp(d)),
                    [this](const json::Object& answer2) { on_published(answer2); });
  }

  void on_published(const json::Object& answer) {
    if (!accepted(answer, "publish")) return;
    const auto* description = json::object_at(answer, "jsep");
    const auto sdp = rtc::parse_sdp(description ? json::text_or(*description, "sdp") : std::string_view());
    if (!sdp || sdp->media.size() != tracks_.size()) return fail("publish: no answer");
    if (const auto set = publish_->set_remote(*sdp); !set) return fail(set.error().detail);
    for (std::size_t i = 0; i < tracks_.size(); ++i) {
      const auto streams = probe::negotiated_streams(tracks_[i], sdp->media[i]);
      if (streams.empty()) return fail("publish: refused");
      if (tracks_[i].video) {
        sender_->add_video(streams, server_.shape_.video);
      } else {
        sender_->add_audio(streams.front());
      }
    }
    feed_ = feed_in_;
  }

  void on_offer(const json::Object& answer) {
    if (!accepted(answer, "subscribe")) return;
    const auto* description = json::object_at(answer, "jsep");
    const auto offer = rtc::parse_sdp(description ? json::text_or(*description, "sdp") : std::string_view());
    if (!offer) return fail("subscribe: no offer");
    subscribe_ = std::make_unique<probe::PeerConnection>(server_.loop_, server_.random_, server_.certificate_,
                                                         false, subscribe_side_);
    receiver_ = std::make_unique<probe::MediaReceiver>(server_.loop_, server_.random_, *subscribe_);
    if (const auto set = subscribe_->set_remote(*offer); !set) return fail(set.error().detail);
    const auto tracks = probe::remote_tracks(*offer);
    receiver_->set_tracks(tracks);
    remote_tracks_ = tracks.size();
    auto reply = probe::accept_offer(*offer);
    for (auto& m : reply.media) subscribe_->describe(m, "active");
    server_.message(subscriber_, {{"request", "start"}}, jsep("answer", rtc::write_sdp(reply)),
                    [this](const json::Object& started) { settled_ = accepted(started, "start"); });
  }

  JanusServer& server_;
  const std::int64_t room_;
  const bool publishes_;
  std::string failure_;
  std::int64_t publisher_ = 0, subscriber_ = 0, feed_in_ = 0, feed_ = 0;
  bool settled_ = false;
  bool feed_up_ = false;
  std::size_t remote_tracks_ = 0;
  std::vector<probe::LocalTrack> tracks_;
  Side publish_side_{*this, true}, subscribe_side_{*this, false};
  std::unique_ptr<probe::PeerConnection> publish_, subscribe_;
  std::unique_ptr<probe::MediaSender> sender_;
  std::unique_ptr<probe::MediaReceiver> receiver_;
};

JanusServer::JanusServer(probe::Loop& loop, base::Random& random,
                         std::shared_ptr<const rtc::Certificate> certificate, Shape shape)
    : loop_(loop), random_(random), certificate_(std::move(certificate)), shape_(shape) {}

JanusServer::~JanusServer() {
  if (keep_alive_ != 0) loop_.cancel(keep_alive_);
}

bool JanusServer::wait(const std::function<bool()>& done) {
  return loop_.run_until([&] { return !failure_.empty() || done(); }, loop_.clock().steady() + kPatience) &&
         failure_.empty();
}

base::Result<void> JanusServer::start(const std::string& url) {
  const auto address = probe::parse_websocket_url(url);
  if (!address) return base::fail("janus_unreachable", url + " is not a WebSocket URL");
  const auto to = probe::resolve(address->host, address->port);
  if (!to) return base::fail(to.error());
  bool open = false;
  socket_ = std::make_unique<probe::WebSocketClient>(
      loop_, random_,
      probe::WebSocketClient::Handlers{[&open] { open = true; },
                                       [this](const std::string& text) { on_text(text); },
                                       [this](std::string reason) { failure_ = std::move(reason); }});
  if (const auto begun = socket_->connect(*address, *to, {"janus-protocol", {}}); !begun)
    return base::fail(begun.error());
  if (!wait([&] { return open; })) return base::fail("janus_unreachable", failure_);
  send({{"janus", "create"}}, [this](const json::Object& answer) {
    if (const auto* data = json::object_at(answer, "data")) session_ = json::int_or(*data, "id", 0);
  });
  if (!wait([&] { return session_ != 0; })) return base::fail("janus_unreachable", "no session: " + failure_);
  attach([this](std::int64_t handle) { control_ = handle; });
  if (!wait([&] { return control_ != 0; })) return base::fail("janus_unreachable", "no handle: " + failure_);
  keep_alive_ = loop_.start(loop_.clock().steady() + kKeepAlive, [this](base::SteadyTime now) {
    send({{"janus", "keepalive"}, {"session_id", session_}}, {});
    return now + kKeepAlive;
  });
  return {};
}

void JanusServer::send(json::Object request, Done done) {
  const auto transaction = std::to_string(next_transaction_++);
  request["transaction"] = transaction;
  if (done) waiting_[transaction] = std::move(done);
  socket_->send_text(json::serialize(request));
}

void JanusServer::attach(std::function<void(std::int64_t handle)> done) {
  send({{"janus", "attach"}, {"session_id", session_}, {"plugin", "janus.plugin.videoroom"}},
       [done = std::move(done)](const json::Object& answer) {
         const auto* data = json::object_at(answer, "data");
         done(data ? json::int_or(*data, "id", 0) : 0);
       });
}

void JanusServer::message(std::int64_t handle, json::Object body, json::Object description, Done done) {
  json::Object request{
      {"janus", "message"}, {"session_id", session_}, {"handle_id", handle}, {"body", std::move(body)}};
  if (!description.empty()) request["jsep"] = std::move(description);
  send(std::move(request), std::move(done));
}

void JanusServer::on_text(const std::string& text) {
  const auto frame = json::parse_tolerant(text, {.max_bytes = 8 * 1024 * 1024,
                                                 .max_depth = 32,
                                                 .max_members = 1000,
                                                 .max_elements = 10'000,
                                                 .max_key_bytes = 256});
  if (!frame || !frame->is_object()) return;
  const auto& object = frame->get_object();
  if (json::text_or(object, "janus") == "webrtcup") {
    for (const auto& member : people_) {
      if (member->publisher_handle() == json::int_or(object, "sender", 0)) member->on_webrtc_up();
    }
    return;
  }
  // An acknowledgement is followed by the event with the same transaction.
  if (json::text_or(object, "janus") == "ack") return;
  const auto it = waiting_.find(json::text_or(object, "transaction"));
  if (it == waiting_.end()) return;
  const auto done = std::move(it->second);
  waiting_.erase(it);
  done(object);
}

base::Result<std::vector<Person*>> JanusServer::open_room(std::size_t people, std::size_t publishers) {
  const auto room = next_room_++;
  bool created = false;
  message(control_,
          {{"request", "create"},
           {"room", room},
           {"publishers", static_cast<std::int64_t>(std::max<std::size_t>(publishers, 1))},
           {"audiocodec", "opus"},
           {"videocodec", "vp8"},
           {"bitrate", 0},
           {"notify_joining", false}},
          {}, [&](const json::Object& answer) {
            const auto* data = plugin_data(answer);
            created = data && json::text_or(*data, "videoroom") == "created";
            if (!created) failure_ = "create: " + json::serialize(answer);
          });
  if (!wait([&] { return created; })) return base::fail("janus_room", failure_);
  std::vector<Member*> members;
  for (std::size_t i = 0; i < people; ++i) {
    people_.push_back(std::make_unique<Member>(*this, room, i < publishers));
    members.push_back(people_.back().get());
    if (i < publishers) members.back()->start_publishing();
  }
  const auto ready = [&] {
    return std::all_of(members.begin(), members.end(),
                       [](auto* m) { return m->ready_to_subscribe() || !m->failure().empty(); });
  };
  if (!wait(ready)) return base::fail("janus_room", "publishers did not come up " + failure_);
  for (auto* m : members) {
    std::vector<std::int64_t> feeds;
    for (const auto* other : members) {
      if (other != m && other->feed() != 0) feeds.push_back(other->feed());
    }
    m->subscribe(feeds);
  }
  return std::vector<Person*>(members.begin(), members.end());
}

}  // namespace load
