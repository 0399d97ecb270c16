#include <gtest/gtest.h>

#include "base/random.h"
#include "rtc/srtp/srtp_session.h"
#include "rtc/testing_link.h"
#include "rtc/testing_vectors.h"

namespace rtc {
namespace {

namespace json = boost::json;
using testing::array_of;
using testing::hex_of;
using testing::load_vectors;
using testing::make_rtp;
using Packet = std::vector<std::uint8_t>;

SrtpMasterKey master_of(const json::value& v) {
  return {array_of<std::array<std::uint8_t, 16>>(v.at("master_key")),
          array_of<std::array<std::uint8_t, 14>>(v.at("master_salt"))};
}

SrtpSessionKeys session_of(const json::value& v) {
  return {array_of<std::array<std::uint8_t, 16>>(v.at("session_key")),
          array_of<std::array<std::uint8_t, 14>>(v.at("session_salt")),
          {}};
}

SrtpMasterKey random_master(base::Random& random) {
  SrtpMasterKey key;
  random.fill(key.key);
  random.fill(key.salt);
  return key;
}

TEST(SrtpVectors, KeyDerivationOfRfc3711) {
  const auto file = load_vectors("srtp-rfc3711-7714-6188.json");
  const auto& v = file.at("kdf").at(0);
  const auto keys = derive_srtp_keys(master_of(v), SrtpKind::kRtp);
  EXPECT_EQ(Packet(keys.cipher.begin(), keys.cipher.end()), hex_of(v.at("label0_cipher_key")));
  EXPECT_EQ(Packet(keys.salt.begin(), keys.salt.end()), hex_of(v.at("label2_salt")));
  Packet auth(94);
  derive_srtp_key(master_of(v), 1, auth);
  EXPECT_EQ(auth, hex_of(v.at("label1_auth_key_94")));
}

TEST(SrtpVectors, GcmOfRfc7714) {
  const auto file = load_vectors("srtp-rfc3711-7714-6188.json");
  int checked = 0;
  for (const auto& v : file.at("gcm").as_array()) {
    if (v.at("profile").as_string() != "AEAD_AES_128_GCM") continue;
    const bool is_rtp = v.at("kind").as_string() == "rtp";
    if (!is_rtp && !v.at("encrypted").as_bool()) continue;
    const auto plain = hex_of(v.at("plain"));
    auto sealed = hex_of(v.at("protected"));
    SrtpCipher seal(SrtpProfile::kAeadAes128Gcm, SrtpCipher::Direction::kSeal, session_of(v));
    SrtpCipher open(SrtpProfile::kAeadAes128Gcm, SrtpCipher::Direction::kOpen, session_of(v));
    Packet out(plain.size() + 20);
    if (is_rtp) {
      const auto index = static_cast<std::uint64_t>(plain[2] << 8 | plain[3]);
      out.resize(seal.seal_rtp(plain, *rtp_header_length(plain), index, out));
      EXPECT_EQ(out, sealed);
      sealed.resize(open.open_rtp(sealed, *rtp_header_length(sealed), index));
    } else {
      out.resize(seal.seal_rtcp(plain, static_cast<std::uint32_t>(v.at("index").as_int64()), out));
      EXPECT_EQ(out, sealed);
      sealed.resize(open.open_rtcp(sealed));
    }
    EXPECT_EQ(sealed, plain);
    ++checked;
  }
  EXPECT_EQ(checked, 2);
}

TEST(SrtpVectors, CounterModeWithHmac) {
  const auto file = load_vectors("srtp-rfc3711-7714-6188.json");
  const auto& v = file.at("cm_sha1_80");
  const auto plain = hex_of(v.at("plain"));
  auto sealed = hex_of(v.at("protected"));
  SrtpSender sender(SrtpProfile::kAes128CmSha1_80, master_of(v));
  SrtpReceiver receiver(SrtpProfile::kAes128CmSha1_80, master_of(v));
  Packet out(plain.size() + 20);
  out.resize(sender.seal_rtp(plain, out));
  EXPECT_EQ(out, sealed);
  const auto opened = receiver.open_rtp(sealed);
  ASSERT_EQ(opened.status, SrtpReceiver::Status::kOk);
  sealed.resize(opened.size);
  EXPECT_EQ(sealed, plain);
}

TEST(SrtpVectors, TheKeystreamOfRfc3711) {
  const auto file = load_vectors("srtp-rfc3711-7714-6188.json");
  const auto& v = file.at("aes_cm_keystream");
  SrtpCipher cipher(SrtpProfile::kAes128CmSha1_80, SrtpCipher::Direction::kSeal, session_of(v));
  const auto plain = make_rtp(0, 0, std::string(48, '\0'));
  Packet out(plain.size() + 10);
  ASSERT_EQ(cipher.seal_rtp(plain, 12, 0, out), out.size());
  for (std::size_t block = 0; block < 3; ++block) {
    const auto at = out.begin() + 12 + static_cast<std::ptrdiff_t>(16 * block);
    EXPECT_EQ(Packet(at, at + 16), hex_of(v.at("blocks").at(std::to_string(block))));
  }
}

TEST(SrtpIndex, FollowsTheWrapInBothDirections) {
  EXPECT_EQ(estimate_srtp_index(5, 6), 6U);
  EXPECT_EQ(estimate_srtp_index(65535, 0), 65536U);
  EXPECT_EQ(estimate_srtp_index(65536, 65535), 65535U);
  EXPECT_EQ(estimate_srtp_index(65536 * 3 + 10, 65530), 65536U * 2 + 65530U);
  EXPECT_EQ(estimate_srtp_index(65536 * 3 + 65530, 3), 65536U * 4 + 3U);
  EXPECT_EQ(estimate_srtp_index(65535, 0x7FFE), 65536U + 0x7FFE);  // half the space away, from both sides
  EXPECT_EQ(estimate_srtp_index(65535, 0x7FFF), 0x7FFFU);
  EXPECT_EQ(estimate_srtp_index(65536 + 5, 0x8005), 65536U + 0x8005);
  EXPECT_EQ(estimate_srtp_index(65536 + 5, 0x8006), 0x8006U);
  EXPECT_EQ(estimate_srtp_index(10, 65530), 65530U);  // nothing comes before index 0
}

TEST(ReplayWindow, AgreesWithASet) {
  base::SeededRandom random(11);
  ReplayWindow window;
  std::set<std::uint64_t> seen;
  std::uint64_t highest = 70'000;
  for (int i = 0; i < 200'000; ++i) {
    std::uint64_t index = highest - random.below(700);
    if (random.below(3) == 0) index = highest + random.below(random.below(50) == 0 ? 2000 : 3);
    const bool too_old = !seen.empty() && index + ReplayWindow::kSize <= *seen.rbegin();
    const bool expected = !too_old && !seen.contains(index);
    ASSERT_EQ(window.is_new(index), expected) << index;
    if (!expected) continue;
    window.mark(index);
    seen.insert(index);
    highest = *seen.rbegin();
  }
}

class Srtp : public ::testing::TestWithParam<SrtpProfile> {
 protected:
  Packet seal(const Packet& plain) {
    Packet out(plain.size() + 20);
    out.resize(sender.seal_rtp(plain, out));
    return out;
  }
  SrtpReceiver::Status open(Packet packet) { return receiver.open_rtp(packet).status; }

  base::SeededRandom random{21};
  SrtpMasterKey master = random_master(random);
  SrtpSender sender{GetParam(), master};
  SrtpReceiver receiver{GetParam(), master};
};

TEST_P(Srtp, EveryFlippedBitIsRefusedAndChangesNothing) {
  const auto sealed = seal(make_rtp(1, 500, "hello"));
  for (std::size_t bit = 0; bit < sealed.size() * 8; ++bit) {
    auto bent = sealed;
    bent[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_NE(open(bent), SrtpReceiver::Status::kOk) << bit;
  }
  EXPECT_EQ(open(sealed), SrtpReceiver::Status::kOk);
}

TEST_P(Srtp, ForgedSequenceNumbersDoNotMoveTheRolloverCounter) {
  EXPECT_EQ(open(seal(make_rtp(1, 65'000, "a"))), SrtpReceiver::Status::kOk);
  for (std::uint16_t s = 0; s < 2000; ++s) {
    Packet forged = make_rtp(1, s, "forged payload with a tag");
    EXPECT_EQ(open(forged), SrtpReceiver::Status::kAuthFailed);
  }
  EXPECT_EQ(open(seal(make_rtp(1, 65'001, "b"))), SrtpReceiver::Status::kOk);
}

TEST_P(Srtp, LongRunsWithLossReorderAndWraps) {
  std::deque<Packet> held;
  std::uint32_t sent = 0, received = 0;
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    auto packet = seal(make_rtp(1, static_cast<std::uint16_t>(60'000 + i), "x"));
    ++sent;
    if (random.below(10) == 0) {
      held.push_back(std::move(packet));
    } else if (random.below(20) != 0) {
      ASSERT_EQ(open(packet), SrtpReceiver::Status::kOk) << i;
      ++received;
    }
    if (held.size() > 20) {
      ASSERT_EQ(open(held.front()), SrtpReceiver::Status::kOk) << i;
      ASSERT_EQ(open(held.front()), SrtpReceiver::Status::kReplayed);
      held.pop_front();
      ++received;
    }
  }
  EXPECT_GT(received, sent * 9 / 10);
}

TEST_P(Srtp, TheSenderMayGoBackALittleAcrossTheWrap) {
  for (const int s : {65'530, 65'535, 2, 65'531, 65'534, 3}) {
    EXPECT_EQ(open(seal(make_rtp(1, static_cast<std::uint16_t>(s), "x"))), SrtpReceiver::Status::kOk) << s;
  }
  const auto again = make_rtp(1, 65'531, "x");
  EXPECT_EQ(seal(again), seal(again));  // a retransmission is the same bytes
}

TEST_P(Srtp, RtcpRoundTripReplayAndIndex) {
  const Packet plain{0x80, 201, 0, 1, 0, 0, 0, 9};
  Packet first(plain.size() + 20), second(plain.size() + 20);
  first.resize(sender.seal_rtcp(plain, first));
  second.resize(sender.seal_rtcp(plain, second));
  EXPECT_NE(first, second);
  auto copy = first;
  EXPECT_EQ(receiver.open_rtcp(second).status, SrtpReceiver::Status::kOk);
  const auto opened = receiver.open_rtcp(first);
  ASSERT_EQ(opened.status, SrtpReceiver::Status::kOk);
  first.resize(opened.size);
  EXPECT_EQ(first, plain);
  EXPECT_EQ(receiver.open_rtcp(copy).status, SrtpReceiver::Status::kReplayed);
  for (std::size_t bit = 0; bit < copy.size() * 8; ++bit) {
    auto bent = copy;
    bent[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    EXPECT_NE(receiver.open_rtcp(bent).status, SrtpReceiver::Status::kOk) << bit;
  }
}

TEST_P(Srtp, SsrcsAreBoundedAndStrangersTakeNone) {
  for (std::uint32_t ssrc = 0; ssrc < 5000; ++ssrc)
    ASSERT_EQ(open(make_rtp(ssrc, 1, "not sealed but long enough")), SrtpReceiver::Status::kAuthFailed);
  for (std::uint32_t ssrc = 0; ssrc < SrtpReceiver::kMaxSsrcs; ++ssrc)
    ASSERT_EQ(open(seal(make_rtp(ssrc, 1, "x"))), SrtpReceiver::Status::kOk);
  EXPECT_EQ(open(seal(make_rtp(90'000, 1, "x"))), SrtpReceiver::Status::kTooManySsrcs);
  EXPECT_EQ(open(seal(make_rtp(7, 2, "x"))), SrtpReceiver::Status::kOk);
  for (std::uint32_t ssrc = 100'000; ssrc < 100'000 + SrtpSender::kMaxSsrcs; ++ssrc)
    seal(make_rtp(ssrc, 1, "x"));
  EXPECT_TRUE(seal(make_rtp(999'999, 1, "x")).empty());
}

TEST_P(Srtp, MalformedPacketsAreRefused) {
  Packet out(64);
  EXPECT_EQ(sender.seal_rtp(Packet(11, 0x80), out), 0U);
  EXPECT_EQ(sender.seal_rtp(Packet{0x8f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, out),
            0U);                                          // 15 CSRCs that are not there
  EXPECT_EQ(sender.seal_rtp(Packet(20, 0x40), out), 0U);  // version 1
  EXPECT_EQ(sender.seal_rtcp(Packet(7, 0x80), out), 0U);
  const auto plain = make_rtp(1, 1, "0123456789");
  Packet small(plain.size() + srtp_tag_size(GetParam()) - 1);
  EXPECT_EQ(sender.seal_rtp(plain, small), 0U);
  for (std::size_t n = 0; n < 40; ++n) {
    Packet p(n, 0x80);
    EXPECT_NE(receiver.open_rtp(p).status, SrtpReceiver::Status::kOk);
    EXPECT_NE(receiver.open_rtcp(p).status, SrtpReceiver::Status::kOk);
  }
}
INSTANTIATE_TEST_SUITE_P(Profiles, Srtp,
                         ::testing::Values(SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAes128CmSha1_80),
                         [](const auto& test) {
                           return std::string(test.param == SrtpProfile::kAeadAes128Gcm ? "Gcm" : "Cm");
                         });

}  // namespace
}  // namespace rtc
