// Our transform against libsrtp2: random packets, both directions, both profiles.
#include <gtest/gtest.h>
#include <srtp2/srtp.h>

#include "base/random.h"
#include "rtc/srtp/srtp_session.h"
#include "rtc/testing_link.h"

namespace rtc {
namespace {

using Packet = std::vector<std::uint8_t>;

class Libsrtp {
 public:
  Libsrtp(SrtpProfile profile, const SrtpMasterKey& master, bool sends) {
    static const bool kReady = srtp_init() == srtp_err_status_ok;
    if (!kReady) throw std::runtime_error("srtp_init");
    key_.insert(key_.end(), master.key.begin(), master.key.end());
    key_.insert(key_.end(), master.salt.begin(),
                master.salt.begin() + static_cast<std::ptrdiff_t>(srtp_salt_size(profile)));
    srtp_policy_t policy{};
    if (profile == SrtpProfile::kAeadAes128Gcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtp);
      srtp_crypto_policy_set_aes_gcm_128_16_auth(&policy.rtcp);
    } else {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtp);
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(&policy.rtcp);
    }
    policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
    policy.key = key_.data();
    policy.window_size = 1024;
    policy.allow_repeat_tx = 1;
    if (srtp_create(&session_, &policy) != srtp_err_status_ok) throw std::runtime_error("srtp_create");
  }
  ~Libsrtp() { srtp_dealloc(session_); }
  Libsrtp(const Libsrtp&) = delete;
  Libsrtp& operator=(const Libsrtp&) = delete;

  using Call = srtp_err_status_t (*)(srtp_t, void*, int*);
  // Empty when libsrtp refuses.
  Packet run(Call call, Packet packet) {
    int size = static_cast<int>(packet.size());
    packet.resize(packet.size() + SRTP_MAX_TRAILER_LEN + 4);
    if (call(session_, packet.data(), &size) != srtp_err_status_ok) return {};
    packet.resize(static_cast<std::size_t>(size));
    return packet;
  }

 private:
  std::vector<unsigned char> key_;
  srtp_t session_ = nullptr;
};

class SrtpOracle : public ::testing::TestWithParam<SrtpProfile> {
 protected:
  SrtpOracle() {
    random.fill(master.key);
    random.fill(base::MutableBytes(master.salt).first(srtp_salt_size(GetParam())));
  }
  Packet random_rtp(std::uint32_t ssrc, std::uint16_t sequence) {
    const auto csrcs = random.below(4);
    const bool extension = random.below(2) == 0;
    const auto words = random.below(5);
    Packet p(12 + 4 * csrcs + (extension ? 4 + 4 * words : 0) + random.below(1100));
    random.fill(p);
    base::ByteWriter out(p);
    out.u8(static_cast<std::uint8_t>(0x80 | (extension ? 0x10 : 0) | csrcs));
    out.u8(static_cast<std::uint8_t>(96 | random.below(2) << 7));
    out.u16(sequence);
    out.u32(random.u32());
    out.u32(ssrc);
    if (extension) {
      p[12 + 4 * csrcs] = 0xBE;
      p[13 + 4 * csrcs] = 0xDE;
      p[14 + 4 * csrcs] = 0;
      p[15 + 4 * csrcs] = static_cast<std::uint8_t>(words);
    }
    return p;
  }
  Packet random_rtcp() {
    const auto words = random.below(60);
    Packet p(8 + 4 * words);
    random.fill(p);
    p[0] = 0x80;
    p[1] = static_cast<std::uint8_t>(200 + random.below(7));
    p[2] = 0;
    p[3] = static_cast<std::uint8_t>(1 + words);
    p[4] = p[5] = p[6] = 0;
    p[7] &= 3;
    return p;
  }

  base::SeededRandom random{77};
  SrtpMasterKey master;
};

TEST_P(SrtpOracle, SealsTheSameBytesAndOpensWhatLibsrtpSealed) {
  Libsrtp theirs(GetParam(), master, true);
  SrtpSender ours(GetParam(), master);
  SrtpReceiver receiver(GetParam(), master);
  std::array<std::uint16_t, 3> next{65'000, 10, 32'760};
  for (int i = 0; i < 20'000; ++i) {
    const auto stream = random.below(3);
    next[stream] = static_cast<std::uint16_t>(next[stream] + 1 + random.below(40));
    const auto plain = random_rtp(1000 + stream, next[stream]);
    const auto expected = theirs.run(&srtp_protect, plain);
    ASSERT_FALSE(expected.empty());
    Packet sealed(plain.size() + kSrtpOverhead);
    sealed.resize(ours.seal_rtp(plain, sealed));
    ASSERT_EQ(sealed, expected) << i;
    const auto opened = receiver.open_rtp(sealed);
    ASSERT_EQ(opened.status, SrtpReceiver::Status::kOk) << i;
    sealed.resize(opened.size);
    ASSERT_EQ(sealed, plain);
  }
}

TEST_P(SrtpOracle, LibsrtpOpensOursInAnyOrderAndAgreesOnReplays) {
  Libsrtp theirs(GetParam(), master, false);
  SrtpReceiver receiver(GetParam(), master);
  SrtpSender ours(GetParam(), master);
  std::vector<std::pair<Packet, Packet>> sent;  // plain, sealed
  for (std::uint32_t i = 0; i < 10'000; ++i) {
    auto plain = random_rtp(5, static_cast<std::uint16_t>(61'000 + i));
    Packet sealed(plain.size() + kSrtpOverhead);
    sealed.resize(ours.seal_rtp(plain, sealed));
    sent.emplace_back(std::move(plain), std::move(sealed));
  }
  for (std::size_t i = 0; i < sent.size(); ++i) {
    // Up to 60 back: duplicates and late ones, within both windows.
    const auto pick = i - std::min<std::size_t>(i, random.below(60));
    auto [plain, sealed] = sent[pick];
    const auto expected = theirs.run(&srtp_unprotect, sealed);
    const auto opened = receiver.open_rtp(sealed);
    ASSERT_EQ(opened.status == SrtpReceiver::Status::kOk, !expected.empty()) << i;
    if (expected.empty()) {
      ASSERT_EQ(opened.status, SrtpReceiver::Status::kReplayed);
      continue;
    }
    sealed.resize(opened.size);
    ASSERT_EQ(sealed, plain);
    ASSERT_EQ(expected, plain);
  }
}

TEST_P(SrtpOracle, RtcpBothWays) {
  Libsrtp their_sender(GetParam(), master, true), their_receiver(GetParam(), master, false);
  SrtpSender ours(GetParam(), master);
  SrtpReceiver receiver(GetParam(), master);
  for (int i = 0; i < 5'000; ++i) {
    const auto plain = random_rtcp();
    auto theirs = their_sender.run(&srtp_protect_rtcp, plain);
    ASSERT_FALSE(theirs.empty());
    const auto opened = receiver.open_rtcp(theirs);
    ASSERT_EQ(opened.status, SrtpReceiver::Status::kOk) << i;
    theirs.resize(opened.size);
    ASSERT_EQ(theirs, plain);
    Packet sealed(plain.size() + kSrtpOverhead);
    sealed.resize(ours.seal_rtcp(plain, sealed));
    ASSERT_EQ(their_receiver.run(&srtp_unprotect_rtcp, sealed), plain) << i;
  }
}
INSTANTIATE_TEST_SUITE_P(Profiles, SrtpOracle,
                         ::testing::Values(SrtpProfile::kAeadAes128Gcm, SrtpProfile::kAes128CmSha1_80),
                         [](const auto& test) {
                           return std::string(test.param == SrtpProfile::kAeadAes128Gcm ? "Gcm" : "Cm");
                         });

}  // namespace
}  // namespace rtc
