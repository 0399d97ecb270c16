// A subscriber whose path becomes narrow: what it gets, and what the others notice of it.
#include <gtest/gtest.h>

#include "sfu/testing_harness.h"
#include "sfu/testing_media.h"

namespace sfu {
namespace {

using testing::Client;
using testing::ClientTrack;
using testing::Harness;
using testing::ImpairedLink;
using testing::LayerSettings;
using testing::Receiver;
using testing::VideoSource;

constexpr int kHighKbps = 1500, kMediumKbps = 500, kLowKbps = 150;

class NarrowNetworkTest : public ::testing::Test {
 protected:
  NarrowNetworkTest() { h.step_ms = 1; }

  void visit(int temporal_layers = 2, bool simulcast = true) {
    a = &h.join("a");
    audio = &a->add_track(MediaKind::kAudio, "a1");
    video = &a->add_track(MediaKind::kVideo, "v1", simulcast);
    h.negotiate(*a);
    std::vector<LayerSettings> layers{
        {.rid = "f", .ssrc_offset = 0, .kbps = kHighKbps, .temporal_layers = temporal_layers}};
    if (simulcast) {
      layers.push_back(
          {.rid = "h", .ssrc_offset = 10, .kbps = kMediumKbps, .temporal_layers = temporal_layers});
      layers.push_back({.rid = "q", .ssrc_offset = 20, .kbps = kLowKbps, .temporal_layers = temporal_layers});
    } else {
      layers.front().rid.clear();
    }
    source = std::make_unique<VideoSource>(*a, *video, std::move(layers));
    for (const auto* name : {"b", "c"}) {
      auto& client = h.join(name);
      sinks[name] = std::make_unique<Receiver>(client);
      for (auto& link : {&client.subscribe->up, &client.subscribe->down}) {
        *link =
            std::make_unique<ImpairedLink>(name[0], testing::Impairment{.delay = base::Duration::millis(20)});
      }
    }
    h.run(100);
    for (auto& [name, sink] : sinks) {
      sink->video("v1");
      sink->audio("a1");
      ASSERT_TRUE(h.prefer_video(name, "v1", Layer::kHigh));
    }
    h.each_step = [&](base::SteadyTime now) {
      source->tick(now);
      if (now >= next_audio) {
        next_audio = now + base::Duration::millis(20);
        a->send_audio(*audio);
        ++spoken;
      }
      for (auto& [name, sink] : sinks) sink->tick(now);
    };
  }
  void rate(const std::string& name, std::int64_t kbps) {
    h.clients.at(name)->subscribe->down->impairment.rate_kbps = kbps;
  }
  Receiver::Video& seen(const std::string& name) { return sinks.at(name)->video("v1"); }
  // Until `done`, at most so long; how long it took.
  template <class Done>
  int time_to(int at_most_ms, Done done) {
    for (int ms = 0; ms < at_most_ms; ms += 50) {
      if (done()) return ms;
      h.run(50);
    }
    return at_most_ms;
  }

  Harness h;
  Client* a = nullptr;
  ClientTrack* audio = nullptr;
  ClientTrack* video = nullptr;
  std::unique_ptr<VideoSource> source;
  std::map<std::string, std::unique_ptr<Receiver>> sinks;
  base::SteadyTime next_audio;
  std::uint64_t spoken = 0;
};

TEST_F(NarrowNetworkTest, AWidePathGetsTheBestLayerAtOnceAndNoProbes) {
  visit();
  rate("b", 5000);
  EXPECT_LT(time_to(1000, [&] { return seen("b").layer_kbps == kHighKbps; }), 500);
  h.run(10'000);
  EXPECT_EQ(seen("b").layer_kbps, kHighKbps);
  EXPECT_EQ(seen("b").frames_by_kbps.size(), 1u);
  EXPECT_EQ(seen("b").wrong, 0u);
  EXPECT_EQ(sinks["b"]->padding, 0u);
}

TEST_F(NarrowNetworkTest, ACliffDropsLayersWithoutAFreezeAndRecovers) {
  visit();
  rate("b", 5000);
  h.run(4000);
  ASSERT_EQ(seen("b").layer_kbps, kHighKbps);
  auto& b = seen("b");
  auto& c = seen("c");
  const auto heard = sinks["b"]->audio("a1").packets;
  const auto said = spoken;

  rate("b", 300);
  const auto down = time_to(10'000, [&] { return b.layer_kbps == kLowKbps; });
  h.run(5'000);
  const auto best = b.frames_by_kbps[kHighKbps];
  h.run(5'000);
  EXPECT_LE(down, 5000);
  EXPECT_EQ(b.frames_by_kbps[kHighKbps], best);
  EXPECT_LT(b.longest_pause, base::Duration::seconds(2));
  EXPECT_GT(sinks["b"]->audio("a1").packets - heard, (spoken - said) * 9 / 10);

  rate("b", 5000);
  const auto up = time_to(20'000, [&] { return b.layer_kbps == kHighKbps; });
  h.run(5000);
  EXPECT_LE(up, 15'000);
  EXPECT_EQ(b.layer_kbps, kHighKbps);
  EXPECT_EQ(b.wrong, 0u);
  std::printf("cliff: lowest layer after %d ms, longest pause %lld ms, best again after %d ms\n", down,
              static_cast<long long>(b.longest_pause.to_millis()), up);

  // The other subscriber saw nothing of it.
  EXPECT_EQ(c.frames_by_kbps.size(), 1u);
  EXPECT_EQ(c.layer_kbps, kHighKbps);
  EXPECT_LT(c.longest_pause, base::Duration::millis(120));
  EXPECT_EQ(c.wrong, 0u);
}

TEST_F(NarrowNetworkTest, TemporalLayersGoBeforeSpatialOnes) {
  visit(2);
  rate("b", 5000);
  h.run(3000);
  rate("b", 1300);  // less than the best layer, more than half its frames
  h.run(8000);
  auto& b = seen("b");
  b.frames_by_kbps.clear();
  b.temporal_max = 0;
  h.run(1000);
  EXPECT_EQ(b.layer_kbps, kHighKbps);
  EXPECT_EQ(b.temporal_max, 0);
  EXPECT_NEAR(static_cast<double>(b.frames_by_kbps[kHighKbps]), 12.5, 2.5);
  EXPECT_EQ(b.wrong, 0u);
}

TEST_F(NarrowNetworkTest, VideoIsPausedBeforeAudioSuffersAndComesBack) {
  visit(1, false);
  rate("b", 5000);
  h.run(3000);
  rate("b", 120);
  h.run(8000);
  const auto heard = sinks["b"]->audio("a1").packets;
  const auto said = spoken;
  const auto frames = seen("b").frames;
  h.run(2000);
  EXPECT_GE(sinks["b"]->audio("a1").packets - heard, (spoken - said) * 95 / 100);
  EXPECT_LE(seen("b").frames, frames + 3);
  rate("b", 5000);
  EXPECT_LE(time_to(20'000, [&] { return seen("b").frames > frames + 30; }), 15'000);
  EXPECT_EQ(seen("b").wrong, 0u);
}

TEST_F(NarrowNetworkTest, ASubscriberThatReportsNothingIsNotLimited) {
  visit();
  sinks["b"]->reports_arrivals = false;
  h.run(5000);
  EXPECT_EQ(seen("b").layer_kbps, kHighKbps);
}

}  // namespace
}  // namespace sfu
