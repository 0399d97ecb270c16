#include "sfu/sfu.h"

#include <thread>

#include "sfu/worker.h"

namespace sfu {

void Events::on_track_layer_update(const RoomId&, const PeerId&, const TrackId&, Layer, Layer) {}

namespace {

class SfuImpl final : public Sfu {
 public:
  explicit SfuImpl(std::unique_ptr<Worker> worker)
      : worker_(std::move(worker)), thread_([this] { worker_->run(); }) {}
  ~SfuImpl() override {
    worker_->stop();
    thread_.join();
  }

  base::SocketAddress local_address() const override { return worker_->local_address(); }

  void add_peer(const RoomId& room, const PeerId& peer, PeerPolicy policy) override {
    worker_->post([=](Worker& w) { w.room(room).add_peer(peer, policy); });
  }
  void set_policy(const RoomId& room, const PeerId& peer, PeerPolicy policy) override {
    in_room(room, [=](Room& r) { r.set_policy(peer, policy); });
  }
  void remove_peer(const RoomId& room, const PeerId& peer) override {
    worker_->post([=](Worker& w) {
      if (auto* r = w.find_room(room)) r->remove_peer(peer);
      w.drop_if_empty(room);
    });
  }
  void reset_peer(const RoomId& room, const PeerId& peer) override {
    in_room(room, [=](Room& r) { r.reset_peer(peer); });
  }
  void publish_offer(const RoomId& room, const PeerId& peer, std::string sdp,
                     std::vector<PublishedTrack> tracks,
                     std::function<void(base::Result<std::string>)> done) override {
    worker_->post(
        [room, peer, sdp = std::move(sdp), tracks = std::move(tracks), done = std::move(done)](Worker& w) {
          if (auto* r = w.find_room(room)) return r->publish_offer(peer, sdp, tracks, done);
          done(base::fail("not_found", "There is no such media room."));
        });
  }
  void start_subscribe(const RoomId& room, const PeerId& peer) override {
    in_room(room, [=](Room& r) { r.start_subscribe(peer); });
  }
  void subscribe_answer(const RoomId& room, const PeerId& peer, std::string sdp) override {
    in_room(room, [peer, sdp = std::move(sdp)](Room& r) { r.subscribe_answer(peer, sdp); });
  }
  void restart_subscribe(const RoomId& room, const PeerId& peer) override {
    in_room(room, [=](Room& r) { r.restart_subscribe(peer); });
  }
  // An ICE-lite agent learns addresses from authenticated checks alone (RFC 8445 §2.5): a client's candidates
  // are of no use to it.
  void trickle(const RoomId&, const PeerId&, Target, std::string) override {}

  void set_muted(const RoomId& room, const PeerId& peer, const TrackId& track, bool muted) override {
    in_room(room, [=](Room& r) { r.set_muted(peer, track, muted); });
  }
  void prefer_video(const RoomId& room, const PeerId& subscriber, const TrackId& track, Layer layer,
                    std::function<void(bool)> done) override {
    worker_->post([=](Worker& w) {
      auto* r = w.find_room(room);
      done(r && r->prefer_video(subscriber, track, layer));
    });
  }
  void prefer_audio(const RoomId& room, const PeerId& subscriber, const TrackId& track, bool subscribed,
                    std::function<void(bool)> done) override {
    worker_->post([=](Worker& w) {
      auto* r = w.find_room(room);
      done(r && r->prefer_audio(subscriber, track, subscribed));
    });
  }
  void send_api_message(const RoomId& room, const PeerId& peer, std::string text) override {
    in_room(room, [peer, text = std::move(text)](Room& r) { r.send_api_message(peer, text); });
  }

  WorkerStats stats() const override {
    const auto& c = worker_->counters();
    WorkerStats s;
    s.packets_in = c.packets_in.get();
    s.packets_out = c.packets_out.get();
    s.bytes_in = c.bytes_in.get();
    s.bytes_out = c.bytes_out.get();
    s.dropped_muted = c.dropped_muted.get();
    s.dropped_unauthenticated = c.dropped_unauthenticated.get();
    s.srtp_failures = c.srtp_failures.get();
    s.nacks_in = c.nacks_in.get();
    s.retransmitted = c.retransmitted.get();
    s.keyframe_requests = c.keyframe_requests.get();
    s.audio_forwarded = c.audio_forwarded.get();
    s.video_forwarded = c.video_forwarded.get();
    s.rooms = c.rooms.get();
    s.peers = c.peers.get();
    s.padding_sent = c.padding_sent.get();
    s.send_drops = c.send_drops.get();
    s.transport_feedback_in = c.transport_feedback_in.get();
    return s;
  }

 private:
  template <class Use>
  void in_room(const RoomId& room, Use use) {
    worker_->post([room, use = std::move(use)](Worker& w) {
      if (auto* r = w.find_room(room)) use(*r);
    });
  }

  std::unique_ptr<Worker> worker_;
  std::thread thread_;
};

}  // namespace

base::Result<std::unique_ptr<Sfu>> Sfu::start(const Config& config, Events& events, const base::Clock& clock,
                                              base::Random& random) {
  if (config.workers != 1) {
    return base::fail("media_workers_unsupported",
                      "media workers must be 1: data channels live in one process-wide SCTP stack that a "
                      "single thread owns");
  }
  auto certificate = rtc::Certificate::generate(random);
  if (!certificate) return base::fail(certificate.error());
  auto worker = Worker::create(config, events, clock, random, std::move(*certificate));
  if (!worker) return base::fail(worker.error());
  return std::make_unique<SfuImpl>(std::move(*worker));
}

}  // namespace sfu
