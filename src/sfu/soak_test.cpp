// 200,000 packets through the path of one subscriber without sockets: unwrap, rewrite, switches of source,
// mutes, skips, losses, late and repeated packets, over every wrap of sequence number, timestamp, picture id
// and TL0PICIDX.
#include <gtest/gtest.h>

#include <set>

#include "base/random.h"
#include "rtc/rtp/sequence.h"
#include "sfu/stream_rewriter.h"

namespace sfu {
namespace {

struct Source {
  std::uint16_t sequence;
  std::uint32_t timestamp;
  std::uint16_t picture;
  std::uint8_t tl0;
  rtc::Unwrapper<std::uint16_t> unwrap{};
};

struct In {
  std::int64_t sequence;
  std::uint32_t timestamp;
  rtc::Vp8Descriptor vp8;
};

In next_frame(Source& s) {
  In in{s.unwrap.unwrap(s.sequence++), s.timestamp += 3000, {}};
  in.vp8.picture_id_bits = 15;
  in.vp8.has_tl0 = true;
  in.vp8.picture_id = s.picture = static_cast<std::uint16_t>((s.picture + 1) & 0x7FFF);
  in.vp8.tl0 = ++s.tl0;
  return in;
}

TEST(Soak, ADecoderSeesOneUnbrokenStreamForTwoHundredThousandPackets) {
  base::SeededRandom random(77);
  std::array<Source, 3> sources{
      {{65'000, 0xFFF0'0000, 0x7FF0, 250}, {10, 5, 3, 0}, {32'760, 0x7FFF'FF00, 0x3FFF, 127}}};
  StreamRewriter rewriter(90000, 65'530);
  base::SteadyTime now{1'000'000};
  std::size_t current = 0;
  std::optional<RewrittenFields> last;
  std::set<std::int64_t> used;
  std::vector<In> late;
  std::uint64_t mapped = 0, wraps = 0;
  for (int i = 0; i < 200'000; ++i) {
    now = now + base::Duration::millis(33);
    std::array<In, 3> frames{next_frame(sources[0]), next_frame(sources[1]), next_frame(sources[2])};
    bool piece = false;
    if (random.below(400) == 0) {
      current = random.below(3);
      rewriter.start_piece(random.below(2) == 0 ? std::nullopt : std::optional(random.u32()));
      piece = true;
      late.clear();
    } else if (random.below(700) == 0) {
      rewriter.resume_piece();
      piece = true;
      late.clear();
    }
    const auto& in = frames[current];
    // A loss of the network: the packet comes later, or never.
    if (!piece && i > 10 && random.below(15) == 0) {
      if (random.below(3) != 0) late.push_back(in);
      continue;
    }
    const auto out = rewriter.map(in.sequence, in.timestamp, &in.vp8, now);
    ASSERT_TRUE(out) << i;
    ASSERT_TRUE(used.insert(out->sequence).second) << "number used twice at " << i;
    if (last) {
      ASSERT_GT(out->sequence, last->sequence);
      ASSERT_GT(rtc::timestamp_diff(out->timestamp, last->timestamp), 0);
      if (piece) {
        ASSERT_EQ(out->sequence, last->sequence + 1);
      }
      // Numbers, picture ids and TL0PICIDX move on together: a hole in one is the same hole in the others.
      const auto step = out->sequence - last->sequence;
      ASSERT_EQ((out->picture_id - last->picture_id) & 0x7FFF, step);
      ASSERT_EQ(static_cast<std::uint8_t>(out->tl0 - last->tl0), static_cast<std::uint8_t>(step));
      if (out->sequence >> 16 != last->sequence >> 16) ++wraps;
    }
    last = out;
    ++mapped;
    if (!late.empty() && random.below(4) == 0) {
      const auto healed = rewriter.map(late.back().sequence, late.back().timestamp, &late.back().vp8, now);
      ASSERT_TRUE(healed);
      ASSERT_TRUE(used.insert(healed->sequence).second) << "number used twice at " << i;
      late.pop_back();
    }
    while (used.size() > 5000) used.erase(used.begin());
  }
  EXPECT_GT(mapped, 180'000u);
  EXPECT_GE(wraps, 2u);
}

}  // namespace
}  // namespace sfu
