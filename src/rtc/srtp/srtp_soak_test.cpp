// 200,000 packets of three streams over a path that loses, repeats and reorders: the rollover counters of
// both ends stay in step over every wrap (RFC 3711 §3.3.1), nothing is accepted twice, nothing is refused
// that is within the window.
#include <gtest/gtest.h>

#include <array>
#include <deque>

#include "base/random.h"
#include "rtc/srtp/srtp_session.h"

namespace rtc {
namespace {

class SrtpSoak : public ::testing::TestWithParam<SrtpProfile> {};

TEST_P(SrtpSoak, TwoHundredThousandPacketsThroughEveryWrap) {
  base::SeededRandom random(5);
  SrtpMasterKey key;
  random.fill(key.key);
  random.fill(base::MutableBytes(key.salt).first(srtp_salt_size(GetParam())));
  SrtpSender sender(GetParam(), key);
  SrtpReceiver receiver(GetParam(), key);

  struct Waiting {
    std::array<std::uint8_t, 80> bytes;
    std::size_t size;
    std::uint64_t content;
  };
  std::array<std::uint16_t, 3> next{0, 0x7FF0, 60'000};
  std::deque<Waiting> path;
  std::uint64_t sent = 0, lost = 0, opened = 0, replayed = 0;
  const auto arrive = [&](Waiting w) {
    const auto again = w;
    const auto result = receiver.open_rtp(base::MutableBytes(w.bytes).first(w.size));
    ASSERT_EQ(result.status, SrtpReceiver::Status::kOk);
    base::ByteReader in(base::Bytes(w.bytes).first(result.size));
    in.skip(12);
    ASSERT_EQ(in.u64(), w.content);
    ++opened;
    if (random.below(50) != 0) return;
    auto copy = again;
    ASSERT_EQ(receiver.open_rtp(base::MutableBytes(copy.bytes).first(copy.size)).status,
              SrtpReceiver::Status::kReplayed);
    ++replayed;
  };
  for (; sent < 200'000; ++sent) {
    const auto s = random.below(3);
    std::array<std::uint8_t, 40> plain{};
    base::ByteWriter out(plain);
    out.u8(0x80);
    out.u8(96);
    out.u16(next[s]++);
    out.u32(static_cast<std::uint32_t>(sent * 3000));
    out.u32(1000 + s);
    out.u64(sent);
    Waiting w{{}, 0, sent};
    w.size = sender.seal_rtp(out.written(), w.bytes);
    ASSERT_GT(w.size, 0u);
    // A hole of some hundred now and then, single losses otherwise; both ends must see the first packets
    // (§3.3.1).
    if (sent > 100 && (random.below(20) == 0 || sent % 10'000 < 200)) {
      ++lost;
      continue;
    }
    path.insert(
        path.end() - static_cast<std::ptrdiff_t>(std::min<std::size_t>(path.size(), random.below(30))), w);
    if (path.size() > 60) {
      ASSERT_NO_FATAL_FAILURE(arrive(path.front()));
      path.pop_front();
    }
  }
  for (const auto& w : path) ASSERT_NO_FATAL_FAILURE(arrive(w));
  EXPECT_EQ(opened + lost, sent);
  EXPECT_GT(replayed, 1000u);
}

INSTANTIATE_TEST_SUITE_P(Profiles, SrtpSoak,
                         ::testing::Values(SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAes128CmSha1_80));

}  // namespace
}  // namespace rtc
