#include "sfu/stream_rewriter.h"

#include <gtest/gtest.h>
#include <rapidcheck.h>

#include <map>
#include <vector>

#include "rtc/rtp/sequence.h"

namespace sfu {
namespace {

constexpr base::SteadyTime at(std::int64_t ms) {
  return {1'000'000 + ms * 1000};
}

TEST(StreamRewriter, HolesOfTheNetworkStayAndLatePacketsFitIn) {
  StreamRewriter r(90000, 500);
  EXPECT_EQ(r.map(100, 0, nullptr, at(0))->sequence & 0xFFFF, 500);
  EXPECT_EQ(r.map(103, 0, nullptr, at(1))->sequence & 0xFFFF, 503);
  EXPECT_EQ(r.map(101, 0, nullptr, at(2))->sequence & 0xFFFF, 501);
  EXPECT_FALSE(r.map(99, 0, nullptr, at(3)));
}

TEST(StreamRewriter, SkippedPacketsLeaveNoHole) {
  StreamRewriter r(90000, 0);
  const auto base = r.map(10, 0, nullptr, at(0))->sequence;
  r.skip(11);
  r.skip(12);
  r.skip(12);
  EXPECT_EQ(r.map(13, 0, nullptr, at(0))->sequence, base + 1);
  EXPECT_EQ(r.map(15, 0, nullptr, at(0))->sequence, base + 3);
  r.skip(14);  // comes late, its number is spoken for
  EXPECT_EQ(r.map(16, 0, nullptr, at(0))->sequence, base + 4);
}

TEST(StreamRewriter, PictureIdsCloseUpOverPicturesLeftOut) {
  StreamRewriter r(90000, 0);
  rtc::Vp8Descriptor vp8;
  vp8.picture_id_bits = 15;
  vp8.has_tl0 = true;
  std::uint16_t expected = 0x7FF0;
  std::map<std::int64_t, std::uint16_t> late;
  for (int i = 0; i < 2000; ++i) {
    vp8.picture_id = static_cast<std::uint16_t>((0x7FF0 + i) & 0x7FFF);
    vp8.tl0 = static_cast<std::uint8_t>(i / 2);
    if (i % 2 == 1) {
      r.skip(100 + i);
      r.skip_picture(vp8.picture_id);
      r.skip_picture(vp8.picture_id);  // its second packet
      continue;
    }
    const auto out = r.map(100 + i, 0, &vp8, at(i));
    ASSERT_TRUE(out);
    EXPECT_EQ(out->picture_id, expected) << i;
    EXPECT_EQ(out->sequence & 0xFFFF, i / 2);
    late[100 + i] = expected;
    expected = static_cast<std::uint16_t>((expected + 1) & 0x7FFF);
    // One from before comes again, late: it has the id it had.
    if (i >= 20) {
      vp8.picture_id = static_cast<std::uint16_t>((0x7FF0 + i - 10) & 0x7FFF);
      EXPECT_EQ(r.map(100 + i - 10, 0, &vp8, at(i))->picture_id, late[100 + i - 10]);
    }
  }
}

TEST(StreamRewriter, APauseOfTheSameSourceKeepsItsTimeline) {
  StreamRewriter r(48000);
  const auto first = *r.map(10, 1000, nullptr, at(0));
  r.resume_piece();
  const auto next = *r.map(500, 1000 + 960 * 490, nullptr, at(20));
  EXPECT_EQ(next.sequence, first.sequence + 1);
  EXPECT_EQ(next.timestamp - first.timestamp, 960u * 490);
}

TEST(StreamRewriter, AnotherSourceContinuesByArrivalOrByItsReports) {
  StreamRewriter r(90000);
  const auto first = *r.map(10, 1000, nullptr, at(0));
  r.start_piece(std::nullopt);
  const auto second = *r.map(7, 0xFFFF0000, nullptr, at(100));
  EXPECT_EQ(second.timestamp - first.timestamp, 9000u);
  r.start_piece(second.timestamp + 9090 - 55);
  EXPECT_EQ(r.map(7000, 55, nullptr, at(200))->timestamp, second.timestamp + 9090);
  // A report that claims an hour is not believed.
  r.start_piece(second.timestamp + 90000u * 3600 - 55);
  EXPECT_LT(rtc::timestamp_diff(r.map(9, 55, nullptr, at(300))->timestamp, second.timestamp), 90000);
}

// Whatever the sources do (wraps, reordering, losses, skips, switches), what goes out is unique, and the
// newest of each piece follows the one before by one, less only what the network lost.
TEST(StreamRewriter, Properties) {
  EXPECT_TRUE(rc::check("outgoing numbers are unique and pieces join without a hole", [] {
    StreamRewriter r(90000, *rc::gen::arbitrary<std::uint16_t>());
    std::map<std::int64_t, int> used;
    std::int64_t highest = -1;
    std::uint32_t last_timestamp = 0;
    std::uint16_t last_picture = 0;
    std::int64_t clock = 0;
    bool first = true;
    const auto pieces = *rc::gen::inRange(1, 6);
    for (int p = 0; p < pieces; ++p) {
      if (p > 0)
        r.start_piece(*rc::gen::arbitrary<bool>() ? std::optional(*rc::gen::arbitrary<std::uint32_t>())
                                                  : std::nullopt);
      rtc::Unwrapper<std::uint16_t> unwrap;
      auto sequence = *rc::gen::arbitrary<std::uint16_t>();
      auto timestamp = *rc::gen::arbitrary<std::uint32_t>();
      rtc::Vp8Descriptor vp8;
      vp8.picture_id_bits = 15;
      vp8.has_tl0 = true;
      vp8.picture_id = static_cast<std::uint16_t>(*rc::gen::arbitrary<std::uint16_t>() & 0x7FFF);
      vp8.tl0 = *rc::gen::arbitrary<std::uint8_t>();
      const auto packets = *rc::gen::inRange(1, 60);
      for (int i = 0; i < packets; ++i) {
        clock += 33;
        const auto n = unwrap.unwrap(sequence++);
        timestamp += 3000;
        vp8.picture_id = static_cast<std::uint16_t>((vp8.picture_id + 1) & 0x7FFF);
        if (i > 0 && *rc::gen::inRange(0, 5) == 0) {
          r.skip(n);
          vp8.picture_id = static_cast<std::uint16_t>((vp8.picture_id - 1) & 0x7FFF);
          continue;
        }
        const auto out = r.map(n, timestamp, &vp8, at(clock));
        RC_ASSERT(out.has_value());
        RC_ASSERT(++used[out->sequence] == 1);
        if (!first) {
          RC_ASSERT(out->sequence == highest + 1);
          RC_ASSERT(rtc::timestamp_diff(out->timestamp, last_timestamp) > 0);
          RC_ASSERT(out->picture_id == ((last_picture + 1) & 0x7FFF));
        }
        first = false;
        highest = out->sequence;
        last_timestamp = out->timestamp;
        last_picture = out->picture_id;
      }
    }
  }));
}

TEST(StreamRewriter, ReorderingNeverMakesTwoOfOneNumber) {
  EXPECT_TRUE(rc::check("late packets get numbers of their own", [] {
    StreamRewriter r(90000, 0);
    std::map<std::int64_t, std::int64_t> owner;
    std::int64_t next = 1000;
    for (int i = 0; i < 200; ++i) {
      const auto n = *rc::gen::inRange(0, 4) == 0 ? next - *rc::gen::inRange(1, 20) : next++;
      if (*rc::gen::inRange(0, 6) == 0) {
        // Told only of packets nobody got before.
        bool sent = false;
        for (const auto& [out, in] : owner) sent = sent || in == n;
        if (!sent) r.skip(n);
        continue;
      }
      if (const auto out = r.map(n, 0, nullptr, at(i))) {
        const auto [it, fresh] = owner.emplace(out->sequence, n);
        RC_ASSERT(fresh || it->second == n);
      }
    }
    std::int64_t last_out = -1, last_in = -1;
    for (const auto& [out, in] : owner) {
      RC_ASSERT(out > last_out);
      RC_ASSERT(in > last_in);
      last_out = out;
      last_in = in;
    }
  }));
}

TEST(Sequence, UnwrapsAcrossManyCycles) {
  EXPECT_TRUE(rc::check("unwrap follows the true number", [](std::uint16_t start) {
    rtc::Unwrapper<std::uint16_t> u;
    std::int64_t truth = start;
    const auto origin = u.unwrap(start) - truth;
    for (int i = 0; i < 300; ++i) {
      truth += *rc::gen::inRange(-1000, 20000);
      if (truth < 0) truth = 0;
      const auto before = u.last() - origin;
      if (truth < before - 32000 || truth > before + 32000) continue;
      RC_ASSERT(u.unwrap(static_cast<std::uint16_t>(truth)) - origin == truth);
    }
  }));
}

}  // namespace
}  // namespace sfu
