#include "sfu/nack_generator.h"

#include <gtest/gtest.h>

#include <array>

#include "sfu/key_frame_requester.h"

namespace sfu {
namespace {

constexpr auto kRtt = base::Duration::millis(50);
constexpr base::SteadyTime at(std::int64_t ms) {
  return {1'000'000 + ms * 1000};
}

std::vector<std::uint16_t> due(NackGenerator& n, std::int64_t ms, std::size_t most = 64) {
  std::vector<std::uint16_t> out(most);
  out.resize(n.collect(at(ms), kRtt, out));
  return out;
}

struct Case {
  const char* name;
  std::vector<std::int64_t> arrivals;
  std::vector<std::uint16_t> asked;  // 10 ms after the last
};

TEST(NackGenerator, Table) {
  const std::vector<Case> cases{
      {"in order", {10, 11, 12}, {}},
      {"one lost", {10, 12}, {11}},
      {"several lost", {10, 12, 15}, {11, 13, 14}},
      {"reordered", {10, 12, 11}, {}},
      {"older than the start", {10, 3, 12}, {11}},
      {"duplicate", {10, 12, 12, 10}, {11}},
      {"across the wrap", {65534, 65537}, {65535, 0}},
  };
  for (const auto& c : cases) {
    NackGenerator n;
    for (auto s : c.arrivals) EXPECT_TRUE(n.on_packet(s, at(0))) << c.name;
    EXPECT_EQ(due(n, 10), c.asked) << c.name;
  }
}

TEST(NackGenerator, WaitsForReorderingThenRepeatsPerRoundTripAndGivesUp) {
  NackGenerator n;
  n.on_packet(1, at(0));
  n.on_packet(3, at(0));
  EXPECT_TRUE(due(n, 4).empty());
  EXPECT_EQ(due(n, 5).size(), 1u);
  EXPECT_TRUE(due(n, 50).empty());
  EXPECT_EQ(due(n, 55).size(), 1u);
  int asked = 2;
  for (int ms = 60; ms < 3000; ms += 5) asked += static_cast<int>(due(n, ms).size());
  EXPECT_EQ(asked, NackGenerator::kMaxTries);
  EXPECT_EQ(n.missing(), 0u);
  EXPECT_TRUE(n.take_gave_up());
  EXPECT_FALSE(n.take_gave_up());
}

TEST(NackGenerator, AHoleTooLargeAsksForAKeyFrameInstead) {
  NackGenerator n;
  n.on_packet(1, at(0));
  EXPECT_TRUE(n.on_packet(2 + NackGenerator::kMaxGap, at(0)));
  EXPECT_FALSE(n.on_packet(4 + 2 * NackGenerator::kMaxGap, at(0)));
  EXPECT_EQ(n.missing(), 0u);
  n.on_packet(6 + 2 * NackGenerator::kMaxGap, at(0));
  EXPECT_EQ(due(n, 10).size(), 1u);
}

TEST(NackGenerator, MemoryIsBounded) {
  NackGenerator n;
  bool refused = false;
  std::int64_t s = 0;
  for (int i = 0; i < 2000; ++i) refused = !n.on_packet(s += 2, at(0)) || refused;
  EXPECT_TRUE(refused);
  EXPECT_LE(n.missing(), NackGenerator::kMaxMissing);
  EXPECT_LE(due(n, 10, 16).size(), 16u);
}

TEST(KeyFrameRequester, OnePerIntervalAndThePendingOneLater) {
  KeyFrameRequester k;
  EXPECT_TRUE(k.request(at(0)));
  EXPECT_FALSE(k.due(at(10)));
  EXPECT_FALSE(k.request(at(10)));
  EXPECT_FALSE(k.request(at(299)));
  EXPECT_FALSE(k.due(at(299)));
  EXPECT_TRUE(k.due(at(300)));
  EXPECT_FALSE(k.due(at(900)));
  EXPECT_FALSE(k.request(at(500)));
  k.on_key_frame();
  EXPECT_FALSE(k.due(at(700)));
  EXPECT_TRUE(k.request(at(700)));
}

}  // namespace
}  // namespace sfu
