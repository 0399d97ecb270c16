#include "rtc/rtcp/rtcp.h"

#include <gtest/gtest.h>

#include <map>
#include <vector>

#include "rtc/rtcp/transport_cc.h"

namespace rtc {
namespace {

TEST(Rtcp, ACompoundPacketIsReadBlockByBlock) {
  std::array<std::uint8_t, 400> buffer;
  const base::MutableBytes out(buffer);
  auto n = write_sender_report(out, {7, 0x0102030405060708, 9, 10, 11});
  n += write_sdes_cname(out.subspan(n), 7, "someone");
  ReportBlock sent{5, 128, -3, 70000, 44, 0xAABBCCDD, 6};
  n += write_receiver_report(out.subspan(n), 8, std::span(&sent, 1));
  n += write_pli(out.subspan(n), 1, 2);
  n += write_fir(out.subspan(n), 1, 3, 9);
  n += write_bye(out.subspan(n), 7);
  EXPECT_EQ(n % 4, 0u);

  RtcpReader reader(base::Bytes(buffer).first(n));
  const auto sr = reader.next();
  ASSERT_TRUE(sr && read_sender_info(*sr));
  EXPECT_EQ(read_sender_info(*sr)->ntp, 0x0102030405060708u);
  EXPECT_EQ(ntp_middle(read_sender_info(*sr)->ntp), 0x03040506u);
  EXPECT_EQ(reader.next()->type, rtcp_type::kSdes);
  const auto rr = reader.next();
  int reports = 0;
  for_each_report(*rr, [&](const ReportBlock& r) {
    ++reports;
    EXPECT_EQ(r.ssrc, 5u);
    EXPECT_EQ(r.fraction_lost, 128);
    EXPECT_EQ(r.cumulative_lost, -3);
    EXPECT_EQ(r.highest_sequence, 70000u);
    EXPECT_EQ(r.last_sr, 0xAABBCCDDu);
  });
  EXPECT_EQ(reports, 1);
  EXPECT_EQ(read_feedback(*reader.next())->kind, FeedbackKind::kPli);
  const auto fir = read_feedback(*reader.next());
  EXPECT_EQ(fir->kind, FeedbackKind::kFir);
  std::uint32_t asked = 0;
  for_each_fir(fir->fci, [&](std::uint32_t ssrc) { asked = ssrc; });
  EXPECT_EQ(asked, 3u);
  std::uint32_t gone = 0;
  for_each_bye(*reader.next(), [&](std::uint32_t ssrc) { gone = ssrc; });
  EXPECT_EQ(gone, 7u);
  EXPECT_FALSE(reader.next());
  for (std::size_t cut = 0; cut < n; ++cut) {
    RtcpReader r(base::Bytes(buffer).first(cut));
    while (r.next()) {
    }
  }
}

TEST(Rtcp, NackPacksNeighboursAndWraps) {
  const std::vector<std::uint16_t> wanted{65530, 65531, 3, 10, 11, 400};
  std::array<std::uint8_t, 64> buffer;
  const auto n = write_nack(buffer, 1, 2, wanted);
  EXPECT_EQ(n, 12u + 3 * 4);
  RtcpReader reader(base::Bytes(buffer).first(n));
  const auto f = read_feedback(*reader.next());
  ASSERT_TRUE(f);
  EXPECT_EQ(f->media_ssrc, 2u);
  std::vector<std::uint16_t> got;
  for_each_nack(f->fci, [&](std::uint16_t s) { got.push_back(s); });
  EXPECT_EQ(got, wanted);
}

TEST(Rtcp, ReadsRemb) {
  const std::vector<std::uint8_t> fci{'R', 'E', 'M', 'B', 1, 0x0B, 0x00, 0x01, 0, 0, 0, 1};
  EXPECT_EQ(read_remb(fci), 0x30001u << 2);
  EXPECT_FALSE(read_remb(base::Bytes(fci).first(6)));
}

// What goes in comes out, whatever was lost, late or at the wrap.
TEST(TransportCc, FeedbackTellsArrivals) {
  TransportCcRecorder recorder;
  std::map<std::uint16_t, std::int64_t> truth, told;
  std::map<std::uint16_t, bool> lost;
  std::array<std::uint8_t, 1200> buffer;
  std::uint16_t sequence = 65000;
  base::SteadyTime now{5'000'000};
  for (int i = 0; i < 2000; ++i, ++sequence) {
    now = now + base::Duration::micros(i % 97 == 0 ? 70'000 : 700);
    if (i % 13 == 5 || (i > 500 && i < 540)) continue;
    recorder.on_packet(sequence, now);
    truth[sequence] = now.us;
    if (i % 50 != 49) continue;
    while (const auto n = recorder.write_feedback(buffer, 1, 2)) {
      ASSERT_EQ(n % 4, 0u);
      RtcpReader reader(base::Bytes(buffer).first(n));
      const auto f = read_feedback(*reader.next());
      ASSERT_TRUE(f);
      ASSERT_EQ(f->kind, FeedbackKind::kTransportCc);
      ASSERT_TRUE(read_transport_cc(f->fci, [&](std::uint16_t s, bool received, std::int64_t at) {
        EXPECT_FALSE(told.contains(s) || lost.contains(s)) << s;
        if (received) {
          told[s] = at;
        } else {
          lost[s] = true;
        }
      }));
    }
  }
  EXPECT_GT(told.size(), 1700u);
  for (const auto& [s, at] : told)
    EXPECT_NEAR(static_cast<double>(at), static_cast<double>(truth.at(s)), 250.0) << s;
  for (const auto& [s, yes] : lost) EXPECT_FALSE(truth.contains(s)) << s;
  EXPECT_FALSE(recorder.pending());
}

TEST(TransportCc, ReadsTheChunksOfTheDraft) {
  // One run of three small deltas, then a two-bit vector.
  const std::vector<std::uint8_t> fci{0, 5, 0, 5, 0, 0, 2, 9, 0x20, 3, 0xE0, 0, 4, 8, 12, 0xFF, 0xFC};
  std::vector<std::int64_t> times;
  const auto s = read_transport_cc(
      fci, [&](std::uint16_t, bool received, std::int64_t at) { times.push_back(received ? at : -1); });
  ASSERT_TRUE(s);
  EXPECT_EQ(s->base_sequence, 5);
  EXPECT_EQ(s->feedback_count, 9);
  EXPECT_EQ(times, (std::vector<std::int64_t>{129'000, 131'000, 134'000, 133'000, -1}));
  EXPECT_FALSE(read_transport_cc(base::Bytes(fci).first(14), [](std::uint16_t, bool, std::int64_t) {}));
}

TEST(TransportCc, AHugeJumpForgetsTheWindow) {
  TransportCcRecorder r;
  r.on_packet(1, {1000});
  r.on_packet(30000, {900'000});
  r.on_packet(30001, {901'000});
  std::array<std::uint8_t, 1200> buffer;
  int received = 0, rounds = 0;
  while (const auto n = r.write_feedback(buffer, 1, 2)) {
    RtcpReader reader(base::Bytes(buffer).first(n));
    read_transport_cc(read_feedback(*reader.next())->fci,
                      [&](std::uint16_t, bool yes, std::int64_t) { received += yes ? 1 : 0; });
    ASSERT_LT(++rounds, 10);
  }
  EXPECT_EQ(received, 2);
}

}  // namespace
}  // namespace rtc
