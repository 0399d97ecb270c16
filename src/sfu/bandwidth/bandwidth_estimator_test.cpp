// The estimator against a path of known rate: packets go out evenly, wait in its queue, and come back as
// transport-wide feedback.
#include "sfu/bandwidth/bandwidth_estimator.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "rtc/rtcp/rtcp.h"
#include "rtc/rtcp/transport_cc.h"

namespace sfu {
namespace {

class EstimatorTest : public ::testing::Test {
 protected:
  // Sends at `send_kbps` for so long over a path of `path_kbps` (0: no limit) with a queue of 300 ms.
  void run(std::int64_t ms, std::int64_t send_kbps, std::int64_t path_kbps, int loss_percent = 0,
           std::int64_t jitter_us = 0) {
    constexpr std::int64_t kBytes = 1000;
    std::int64_t owed = 0;
    for (std::int64_t i = 0; i < ms; ++i) {
      now = now + base::Duration::millis(1);
      owed += send_kbps * 1000 / 8 / 1000;
      std::size_t padding = estimator.probing(now) ? estimator.padding_due(now) : 0;
      while (owed >= kBytes || padding >= 280) {
        const auto bytes = owed >= kBytes ? kBytes : std::int64_t{280};
        if (owed >= kBytes) {
          owed -= kBytes;
        } else {
          padding -= 280;
        }
        send(bytes, path_kbps, loss_percent, jitter_us);
      }
      while (!under_way.empty() && under_way.front().second <= now) {
        arrivals.on_packet(under_way.front().first, under_way.front().second);
        under_way.erase(under_way.begin());
      }
      if (now.us % 50'000 == 0) report();
    }
  }
  void send(std::int64_t bytes, std::int64_t path_kbps, int loss_percent, std::int64_t jitter_us) {
    estimator.on_sent(number, static_cast<std::size_t>(bytes), now);
    const auto n = number++;
    if (random.below(100) < static_cast<std::uint32_t>(loss_percent)) return;
    auto due = now;
    if (path_kbps > 0) {
      free_at = std::max(free_at, now);
      if (free_at - now > base::Duration::millis(300)) return;
      free_at = free_at + base::Duration::micros((bytes + 28) * 8000 / path_kbps);
      due = free_at;
    }
    if (jitter_us > 0)
      due = due + base::Duration::micros(random.below(static_cast<std::uint32_t>(jitter_us)));
    due = due + base::Duration::millis(20);
    if (!under_way.empty()) due = std::max(due, under_way.back().second);
    under_way.emplace_back(n, due);
  }
  void report() {
    std::array<std::uint8_t, 1200> buffer;
    while (const auto size = arrivals.write_feedback(buffer, 1, 2)) {
      rtc::RtcpReader reader(base::Bytes(buffer).first(size));
      EXPECT_TRUE(estimator.on_feedback(rtc::read_feedback(*reader.next())->fci, now));
    }
  }

  BandwidthEstimator estimator;
  rtc::TransportCcRecorder arrivals;
  base::SeededRandom random{3};
  base::SteadyTime now{1'000'000};
  base::SteadyTime free_at;
  std::uint16_t number = 65'000;
  std::vector<std::pair<std::uint16_t, base::SteadyTime>> under_way;
};

TEST_F(EstimatorTest, NoLimitIsClaimedWhereNoneWasSeen) {
  run(10'000, 1500, 0);
  EXPECT_FALSE(estimator.kbps());
  EXPECT_NEAR(static_cast<double>(estimator.acknowledged_kbps()), 1540, 100);
  run(10'000, 1500, 5000, 0, 8'000);  // jitter of some milliseconds is no queue
  EXPECT_FALSE(estimator.kbps());
}

TEST_F(EstimatorTest, AFewLossesAreNoLimitEither) {
  run(10'000, 1500, 0, 3);
  EXPECT_FALSE(estimator.kbps());
}

TEST_F(EstimatorTest, ANarrowPathIsFoundWithinTwoSeconds) {
  run(3'000, 1500, 5000);
  ASSERT_FALSE(estimator.kbps());
  run(2'000, 1500, 400);
  ASSERT_TRUE(estimator.kbps());
  EXPECT_LT(*estimator.kbps(), 450);
  EXPECT_GT(*estimator.kbps(), 250);
}

TEST_F(EstimatorTest, ItStaysBelowThePathAndGrowsSlowlyWithWhatIsSent) {
  run(3'000, 1500, 600);
  run(8'000, 450, 600);
  ASSERT_TRUE(estimator.kbps());
  EXPECT_GT(*estimator.kbps(), 450);
  EXPECT_LT(*estimator.kbps(), 750);
}

TEST_F(EstimatorTest, ProbesFindTheWayUp) {
  run(3'000, 1500, 300);
  run(3'000, 150, 300);
  const auto low = *estimator.kbps();
  EXPECT_LT(low, 350);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE(estimator.may_probe(now)) << i;
    estimator.start_probe(*estimator.kbps() * 2, now);
    EXPECT_TRUE(estimator.probing(now));
    run(5'000, 150, 5000);
  }
  EXPECT_GT(*estimator.kbps(), low * 8);
}

TEST_F(EstimatorTest, AProbeOfAFullPathFindsNothing) {
  run(3'000, 1500, 300);
  run(3'000, 150, 300);
  estimator.start_probe(900, now);
  run(2'000, 150, 300);
  EXPECT_LT(*estimator.kbps(), 330);
  EXPECT_FALSE(estimator.may_probe(now));
}

// Loss of the radio, without a queue: what arrives is kept, so a picture survives it.
TEST_F(EstimatorTest, HeavyLossLeavesWhatArrives) {
  run(10'000, 1000, 0, 20);
  ASSERT_TRUE(estimator.kbps());
  EXPECT_GT(*estimator.kbps(), 700);
  EXPECT_LT(*estimator.kbps(), 1300);
}

TEST_F(EstimatorTest, FeedbackOfGarbageChangesNothing) {
  run(3'000, 1500, 5000);
  std::array<std::uint8_t, 60> noise;
  for (int i = 0; i < 20'000; ++i) {
    random.fill(noise);
    estimator.on_feedback(base::Bytes(noise).first(random.below(60)), now);
  }
  if (estimator.kbps()) {
    EXPECT_GE(*estimator.kbps(), BandwidthEstimator::kMinKbps);
  }
}

TEST(RateMeterTest, MeasuresTheWindowAndStartsAnewAfterAPause) {
  RateMeter<10, 100'000> m;
  EXPECT_EQ(m.kbps(5'000'000), 0);
  for (int i = 0; i < 100; ++i) m.add(1'000'000 + i * 10'000, 125);
  EXPECT_EQ(m.kbps(1'990'000), 100);
  m.add(100, 5000);  // long gone
  EXPECT_EQ(m.kbps(1'990'000), 100);
  EXPECT_EQ(m.kbps(2'490'000), 50);
  EXPECT_EQ(m.kbps(9'000'000), 0);
}

TEST(DelayDetectorTest, AGrowingQueueAndADrainingOne) {
  DelayDetector d;
  std::int64_t delay = 20'000;
  base::SteadyTime sent{1'000'000};
  const auto steps = [&](int n, std::int64_t growth_us) {
    bool over = false, under = false;
    for (int i = 0; i < n; ++i) {
      sent = sent + base::Duration::millis(10);
      delay += growth_us;
      d.on_packet(sent, sent.us + delay);
      over = over || d.use() == PathUse::kOver;
      under = under || d.use() == PathUse::kUnder;
    }
    return std::pair(over, under);
  };
  EXPECT_EQ(steps(300, 0), std::pair(false, false));
  EXPECT_TRUE(steps(60, 1500).first);
  EXPECT_TRUE(steps(60, -1500).second);
  steps(100, 0);
  EXPECT_EQ(steps(300, 0), std::pair(false, false));
}

}  // namespace
}  // namespace sfu
