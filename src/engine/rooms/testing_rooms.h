// A live room without sockets or media for tests: what goes to a client and to the media plane is recorded,
// the clock is turned by hand, every call has taken effect when it returns.
#pragma once

#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "engine/rooms/gate.h"
#include "engine/rooms/live_rooms.h"
#include "storage/testing_databases.h"

namespace engine::testing {

class FakeMedia final : public sfu::Sfu {
 public:
  // "set_policy PB guest hears:host,guest audio video", in order.
  std::vector<std::string> calls() const;
  std::vector<std::string> texts_to(const std::string& peer) const;
  std::set<std::string> known_tracks{"t-1"};  // set before the room runs

  base::SocketAddress local_address() const override { return {}; }
  void add_peer(const sfu::RoomId&, const sfu::PeerId& p, sfu::PeerPolicy policy) override;
  void set_policy(const sfu::RoomId&, const sfu::PeerId& p, sfu::PeerPolicy policy) override;
  void remove_peer(const sfu::RoomId&, const sfu::PeerId& p) override { note("remove_peer " + p.str()); }
  void reset_peer(const sfu::RoomId&, const sfu::PeerId& p) override { note("reset_peer " + p.str()); }
  void publish_offer(const sfu::RoomId&, const sfu::PeerId&, std::string, std::vector<sfu::PublishedTrack>,
                     std::function<void(base::Result<std::string>)> done) override {
    done(std::string("v=0\r\n"));
  }
  void start_subscribe(const sfu::RoomId&, const sfu::PeerId& p) override {
    note("start_subscribe " + p.str());
  }
  void subscribe_answer(const sfu::RoomId&, const sfu::PeerId& p, std::string) override {
    note("answer " + p.str());
  }
  void restart_subscribe(const sfu::RoomId&, const sfu::PeerId& p) override { note("restart " + p.str()); }
  void trickle(const sfu::RoomId&, const sfu::PeerId& p, sfu::Target, std::string) override {
    note("trickle " + p.str());
  }
  void set_muted(const sfu::RoomId&, const sfu::PeerId& p, const sfu::TrackId& t, bool muted) override {
    note("set_muted " + p.str() + " " + t.str() + (muted ? " on" : " off"));
  }
  void prefer_video(const sfu::RoomId&, const sfu::PeerId& p, const sfu::TrackId& t, sfu::Layer layer,
                    std::function<void(bool)> done) override {
    note("prefer_video " + p.str() + " " + t.str() + " " + std::to_string(static_cast<int>(layer)));
    done(known_tracks.contains(t.str()));
  }
  void prefer_audio(const sfu::RoomId&, const sfu::PeerId& p, const sfu::TrackId& t, bool subscribed,
                    std::function<void(bool)> done) override {
    note("prefer_audio " + p.str() + " " + t.str() + (subscribed ? " on" : " off"));
    done(known_tracks.contains(t.str()));
  }
  void send_api_message(const sfu::RoomId&, const sfu::PeerId& p, std::string text) override;
  sfu::WorkerStats stats() const override { return {}; }

 private:
  void note(std::string call);
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;                         // guarded by mutex_
  std::map<std::string, std::vector<std::string>> texts_;  // guarded by mutex_
};

class FakeSocket final : public http::WebSocket {
 public:
  void send(std::string text) override;
  void close(std::uint16_t code, std::string) override;
  std::vector<json::Object> frames() const;
  std::uint16_t closed_with() const;

 private:
  mutable std::mutex mutex_;
  std::vector<json::Object> frames_;  // guarded by mutex_
  std::uint16_t closed_ = 0;          // guarded by mutex_
};

class RoomHarness;

// One client's socket.
class FakeClient {
 public:
  FakeClient(RoomHarness& harness, ConnectionPtr connection, std::shared_ptr<FakeSocket> socket)
      : harness_(harness), connection_(std::move(connection)), socket_(std::move(socket)) {}
  // The reply; empty when none came.
  json::Object request(const std::string& method, json::Object params = {});
  void send(const std::string& text);
  void detach(std::uint16_t code);
  // Names of the notifications since the last call, and the params of the last one of a name.
  std::vector<std::string> news();
  json::Object last(const std::string& method) const;
  FakeSocket& socket() { return *socket_; }

 private:
  RoomHarness& harness_;
  ConnectionPtr connection_;
  std::shared_ptr<FakeSocket> socket_;  // shared with the connection
  std::size_t read_ = 0;
  int next_id_ = 1;
};

class RoomHarness {
 public:
  explicit RoomHarness(storage::Backend backend,
                       std::optional<std::int64_t> max_duration_seconds = std::nullopt);
  ~RoomHarness();

  FakeClient connect(const std::string& peer, const std::string& role, const std::string& user);
  FakeClient joined(const std::string& peer, const std::string& role);
  // Runs `f` on the room's queue and waits, then waits for whatever it queued.
  void run(LiveRoom::Task f);
  void tick() {
    run([](LiveRoom& room) { room.tick(); });
  }

  base::ManualClock clock;
  crypto::SystemRandom random;
  telemetry::Metrics metrics;
  storage::testing::FreshDatabase database;
  FakeMedia media;
  WorkspacePtr workspace;
  std::string room_id;

 private:
  std::string key_folder_;
  std::optional<crypto::Keyring> keys_;
  std::optional<Store> store_;
  std::optional<ObjectIds> ids_;
  Gate gate_;
  std::optional<RoomServices> services_;
  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<LiveRooms> live_;
  LiveRoomPtr room_;
};

}  // namespace engine::testing
