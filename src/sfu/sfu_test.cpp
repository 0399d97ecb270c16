// The whole Sfu with its own thread: what the engine sees.
#include "sfu/sfu.h"

#include <gtest/gtest.h>

#include <atomic>
#include <future>
#include <mutex>

#include "sfu/testing_client.h"

namespace sfu {
namespace {

using testing::Client;

struct SharedEvents final : Events {
  void on_subscribe_offer(const RoomId&, const PeerId& peer, std::string sdp) override {
    const std::lock_guard lock(mutex);
    offers[peer.str()].push_back(std::move(sdp));
  }
  void on_api_message(const RoomId&, const PeerId&, std::string) override {}
  void on_api_channel_open(const RoomId&, const PeerId&) override {}
  void on_active_speakers(const RoomId&, std::vector<Speaker>) override {}
  void on_connection_state(const RoomId&, const PeerId&, Target, bool, std::string) override { ++states; }
  std::vector<std::string> take(const std::string& peer) {
    const std::lock_guard lock(mutex);
    return std::exchange(offers[peer], {});
  }
  std::mutex mutex;
  std::map<std::string, std::vector<std::string>> offers;
  std::atomic<int> states{0};
};

class SfuTest : public ::testing::Test {
 protected:
  SfuTest() {
    Config config;
    config.listen = base::SocketAddress::v4(0x7F000001, 0);
    sfu = std::move(*Sfu::start(config, events, clock, worker_random));
    certificate = *rtc::Certificate::generate(random);
  }
  std::string offer(Client& c) {
    std::promise<base::Result<std::string>> promise;
    sfu->publish_offer(room, PeerId(c.name), c.publish_offer(), c.tracks(),
                       [&](base::Result<std::string> r) { promise.set_value(std::move(r)); });
    const auto result = promise.get_future().get();
    EXPECT_TRUE(result.has_value());
    if (result) c.apply_publish_answer(*result);
    return result.value_or("");
  }
  // Lets the clients work until `done` or five seconds have passed.
  template <class Done>
  bool until(std::vector<Client*> clients, Done done) {
    const auto end = clock.steady() + base::Duration::seconds(5);
    while (clock.steady() < end) {
      for (auto* c : clients) {
        c->poll(clock.steady());
        for (const auto& sdp : events.take(c->name))
          sfu->subscribe_answer(room, PeerId(c->name), c->answer_subscribe(sdp));
      }
      if (done()) return true;
      std::this_thread::yield();
    }
    return false;
  }

  base::SystemClock clock;
  // SeededRandom is not thread-safe: the worker's thread and the test's each have their own.
  base::SeededRandom worker_random{7};
  base::SeededRandom random{8};
  SharedEvents events;
  std::shared_ptr<const rtc::Certificate> certificate;
  std::unique_ptr<Sfu> sfu;
  const RoomId room{"r"};
};

TEST_F(SfuTest, TwoPeersOverTheWorkersThread) {
  const PeerPolicy policy{true, true, true, {"host"}, "host", 0};
  // Without data channels: the SCTP stack belongs to the worker's thread.
  Client a(random, certificate, nullptr, "a"), b(random, certificate, nullptr, "b");
  for (auto* c : {&a, &b}) {
    sfu->add_peer(room, PeerId(c->name), policy);
    offer(*c);
    sfu->start_subscribe(room, PeerId(c->name));
  }
  auto& track = a.add_track(MediaKind::kAudio, "a1");
  offer(a);
  ASSERT_TRUE(
      until({&a, &b}, [&] { return a.publish->connected && b.subscribe->connected && b.subscribed("a1"); }));
  ASSERT_TRUE(until({&a, &b}, [&] {
    a.send_audio(track);
    return b.subscribe->received.size() > 20;
  }));
  EXPECT_GT(sfu->stats().audio_forwarded, 20u);
  EXPECT_EQ(sfu->stats().rooms, 1u);
  EXPECT_EQ(sfu->stats().peers, 2u);
  std::promise<bool> found;
  sfu->prefer_audio(room, PeerId("b"), TrackId("a1"), false, [&](bool ok) { found.set_value(ok); });
  EXPECT_TRUE(found.get_future().get());
  sfu->remove_peer(room, PeerId("a"));
  sfu->remove_peer(room, PeerId("b"));
  EXPECT_TRUE(until({}, [&] { return sfu->stats().rooms == 0; }));
}

TEST_F(SfuTest, CommandsFromManyThreads) {
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 50; ++i) {
        const RoomId mine("room" + std::to_string(t));
        const PeerId peer(std::to_string(i % 5));
        sfu->add_peer(mine, peer, {});
        sfu->start_subscribe(mine, peer);
        sfu->set_muted(mine, peer, TrackId("x"), true);
        sfu->remove_peer(mine, peer);
        sfu->stats();
      }
    });
  }
  for (auto& t : threads) t.join();
  EXPECT_TRUE(until({}, [&] { return sfu->stats().rooms == 0; }));
}

TEST_F(SfuTest, StartFailsWithAReason) {
  Config config;
  config.listen = sfu->local_address();
  EXPECT_EQ(Sfu::start(config, events, clock, random).error().code, "media_port_unavailable");
  config.workers = 2;
  EXPECT_EQ(Sfu::start(config, events, clock, random).error().code, "media_workers_unsupported");
}

TEST_F(SfuTest, UnknownRoomsAndPeersAreAnswered) {
  std::promise<std::string> code;
  sfu->publish_offer(RoomId("none"), PeerId("p"), "v=0\r\n", {},
                     [&](base::Result<std::string> r) { code.set_value(r ? "" : r.error().code); });
  EXPECT_EQ(code.get_future().get(), "not_found");
  std::promise<bool> found;
  sfu->prefer_video(RoomId("none"), PeerId("p"), TrackId("t"), Layer::kHigh,
                    [&](bool ok) { found.set_value(ok); });
  EXPECT_FALSE(found.get_future().get());
}

}  // namespace
}  // namespace sfu
