#include "sfu/bandwidth/allocator.h"

#include <gtest/gtest.h>

namespace sfu {
namespace {

Demand demand(Demand::Rank rank, std::vector<std::int64_t> kbps, int current) {
  Demand d;
  d.rank = rank;
  for (const auto k : kbps) d.qualities[d.count++] = {static_cast<Layer>(d.count + 1), 0, k};
  d.current = current;
  return d;
}
constexpr auto kScreen = Demand::Rank::kScreen;
constexpr auto kSpeaker = Demand::Rank::kSpeaker;
constexpr auto kOther = Demand::Rank::kOther;

struct Case {
  const char* what;
  std::int64_t kbps;
  std::vector<Demand> demands;
  std::vector<int> chosen;
};

TEST(Allocator, Table) {
  const std::vector<std::int64_t> camera{150, 500, 1500};
  const std::vector<Case> cases{
      {"enough for all", 5000, {demand(kOther, camera, 2), demand(kSpeaker, camera, 2)}, {2, 2}},
      {"the speaker keeps the best, the other goes down",
       2100,
       {demand(kOther, camera, 2), demand(kSpeaker, camera, 2)},
       {1, 2}},
      {"everyone's lowest comes before the speaker's best",
       1600,
       {demand(kOther, camera, 0), demand(kSpeaker, camera, 2)},
       {0, 2}},
      {"… and the speaker's second", 700, {demand(kOther, camera, 0), demand(kSpeaker, camera, 2)}, {0, 1}},
      {"the screen first of all", 1300, {demand(kSpeaker, camera, 2), demand(kScreen, {1000}, 0)}, {0, 0}},
      {"the least important is paused first",
       200,
       {demand(kOther, camera, 0), demand(kSpeaker, camera, 0)},
       {-1, 0}},
      {"what flows is kept at 95 % of its cost", 1430, {demand(kOther, camera, 2)}, {2}},
      {"… and not below", 1420, {demand(kOther, camera, 2)}, {1}},
      {"a climb wants 15 % to spare", 1700, {demand(kOther, camera, 1)}, {1}},
      {"… and gets it", 1730, {demand(kOther, camera, 1)}, {2}},
      {"the last quality is kept at 60 %", 700, {demand(kOther, {1150}, 0)}, {0}},
      {"… but not begun", 700, {demand(kOther, {1150}, -1)}, {-1}},
      {"nothing there", -20, {demand(kOther, camera, 0)}, {-1}},
      {"no video", 100, {}, {}},
  };
  for (auto c : cases) {
    const auto left = allocate(c.demands, c.kbps);
    std::int64_t spent = 0;
    for (std::size_t i = 0; i < c.demands.size(); ++i) {
      const auto& d = c.demands[i];
      EXPECT_EQ(d.chosen, c.chosen[i]) << c.what << ", demand " << i;
      if (d.chosen >= 0) spent += d.qualities[static_cast<std::size_t>(d.chosen)].kbps;
    }
    EXPECT_EQ(left, c.kbps - spent) << c.what;
  }
}

TEST(Allocator, TheNextStepIsTheCheapestNotTaken) {
  std::vector<Demand> all{demand(kOther, {150, 500, 1500}, 0), demand(kSpeaker, {200, 450}, 0)};
  allocate(all, 400);
  EXPECT_EQ(next_step_kbps(all), 250);
  allocate(all, 50'000);
  EXPECT_EQ(next_step_kbps(all), 0);
}

}  // namespace
}  // namespace sfu
