// A visit over a bad network, as the people in it would see it: two browsers' worth of clients, an impaired
// path on each side, and the server in between.
#include <gtest/gtest.h>

#include <cstdlib>

#include "sfu/testing_harness.h"
#include "sfu/testing_media.h"

namespace sfu {
namespace {

using testing::Client;
using testing::ClientTrack;
using testing::Harness;
using testing::ImpairedLink;
using testing::Impairment;
using testing::LayerSettings;
using testing::Receiver;
using testing::VideoSource;

class LossyNetworkTest : public ::testing::Test {
 protected:
  LossyNetworkTest() { h.step_ms = 1; }

  // A publishes audio "a1" and video "v1"; B watches. Connected over a good network first.
  void visit(std::vector<LayerSettings> layers = {{}}) {
    a = &h.join("a");
    audio = &a->add_track(MediaKind::kAudio, "a1");
    video = &a->add_track(MediaKind::kVideo, "v1", layers.size() > 1);
    h.negotiate(*a);
    b = &h.join("b");
    h.run(50);
    source = std::make_unique<VideoSource>(*a, *video, std::move(layers));
    sink = std::make_unique<Receiver>(*b);
    sink->video("v1");
    sink->audio("a1");
    ASSERT_TRUE(h.prefer_video("b", "v1", Layer::kHigh));
    h.each_step = [&](base::SteadyTime now) {
      source->tick(now);
      if (now >= next_audio) {
        next_audio = now + base::Duration::millis(20);
        a->send_audio(*audio);
        ++spoken;
      }
      sink->tick(now);
    };
  }
  // The same impairment in all four directions.
  void impair(const Impairment& i) {
    std::uint64_t seed = 11;
    for (auto* c : {a->publish.get(), b->subscribe.get()}) {
      c->up = std::make_unique<ImpairedLink>(seed++, i);
      c->down = std::make_unique<ImpairedLink>(seed++, i);
    }
  }
  // What is under way arrives; nothing new is lost.
  void calm_down() {
    for (auto* c : {a->publish.get(), b->subscribe.get()}) {
      for (auto* link : {c->up.get(), c->down.get()}) {
        link->impairment.loss = 0;
        link->impairment.rate_kbps = 0;
      }
    }
    h.run(1000);
  }

  Harness h;
  Client* a = nullptr;
  Client* b = nullptr;
  ClientTrack* audio = nullptr;
  ClientTrack* video = nullptr;
  std::unique_ptr<VideoSource> source;
  std::unique_ptr<Receiver> sink;
  base::SteadyTime next_audio;
  std::uint64_t spoken = 0;
};

TEST_F(LossyNetworkTest, TenPercentLossEachWayIsHealedInTime) {
  visit();
  h.run(1000);
  impair({.loss = 0.1, .delay = base::Duration::millis(12)});  // 50 ms there and back over both halves
  auto& v = sink->video("v1");
  h.run(20'000);
  calm_down();
  EXPECT_GT(v.expected(), 1400);
  EXPECT_GE(static_cast<double>(v.packets - v.late), 0.99 * static_cast<double>(v.expected()));
  EXPECT_GE(v.frames, 450u);
  EXPECT_EQ(v.wrong, 0u);
  EXPECT_LT(v.longest_pause, base::Duration::millis(600));
  EXPECT_GT(v.repaired, 100u);
  // Audio is not asked for again, and not held back by video.
  const auto& heard = sink->audio("a1");
  EXPECT_GE(heard.packets, spoken * 76 / 100);
  EXPECT_LT(heard.longest_pause, base::Duration::millis(200));
}

TEST_F(LossyNetworkTest, BurstsAreHealed) {
  visit();
  h.run(1000);
  impair({.loss = 0.05,
          .mean_burst = 6,
          .delay = base::Duration::millis(12),
          .jitter = base::Duration::millis(8)});
  auto& v = sink->video("v1");
  h.run(20'000);
  calm_down();
  EXPECT_GE(static_cast<double>(v.packets - v.late), 0.98 * static_cast<double>(v.expected()));
  EXPECT_EQ(v.wrong, 0u);
  EXPECT_LT(v.longest_pause, base::Duration::millis(1200));
}

TEST_F(LossyNetworkTest, ReorderedAndRepeatedPacketsAreNothingNew) {
  visit();
  h.run(1000);
  impair({.duplicates = 0.2,
          .delay = base::Duration::millis(10),
          .jitter = base::Duration::millis(4),
          .reorder = true});
  auto& v = sink->video("v1");
  const auto forwarded = h.worker->counters().video_forwarded.get();
  const auto made = source->packets;
  h.run(5'000);
  const auto sent = source->packets - made;
  calm_down();
  EXPECT_EQ(v.wrong, 0u);
  EXPECT_LT(v.longest_pause, base::Duration::millis(150));
  // Each packet was forwarded once, whatever came twice.
  EXPECT_LE(h.worker->counters().video_forwarded.get() - forwarded, sent + 100);
  EXPECT_EQ(static_cast<std::int64_t>(v.packets), v.expected());
}

// Every packet of one key frame is lost for good on the way in: the next key frame is asked for and the
// picture goes on.
TEST_F(LossyNetworkTest, ALostKeyFrameIsReplaced) {
  visit();
  auto& v = sink->video("v1");
  impair({.delay = base::Duration::millis(12)});
  bool losing = true;
  source->drop = [&](bool key, int) { return key && losing; };
  h.run(500);
  EXPECT_EQ(v.frames, 0u);
  losing = false;
  h.run(1500);
  EXPECT_GT(v.frames, 15u);
  EXPECT_EQ(v.wrong, 0u);
}

TEST_F(LossyNetworkTest, AnOutageOfASecondEndsWithAPicture) {
  visit();
  auto& v = sink->video("v1");
  impair({.delay = base::Duration::millis(12)});
  h.run(2000);
  for (auto* c : {a->publish.get(), b->subscribe.get()}) {
    c->up->impairment.loss = c->down->impairment.loss = 0.999;
    c->up->impairment.mean_burst = c->down->impairment.mean_burst = 10'000;
  }
  h.run(1000);
  for (auto* c : {a->publish.get(), b->subscribe.get()})
    c->up->impairment.loss = c->down->impairment.loss = 0;
  const auto before = v.frames;
  h.run(1500);
  EXPECT_GT(v.frames, before + 15);
  EXPECT_EQ(v.wrong, 0u);
}

}  // namespace
}  // namespace sfu
