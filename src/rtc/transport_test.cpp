#include "rtc/transport.h"

#include <gtest/gtest.h>

#include "rtc/dtls/certificate.h"
#include "rtc/testing_link.h"

namespace rtc {
namespace {

using testing::End;
using testing::make_rtp;
using testing::Pair;

const std::vector<std::uint8_t> kReceiverReport{0x80, 201, 0, 1, 0, 0, 0, 9};

std::vector<std::uint8_t> seal(End& from, base::Bytes plain, bool is_rtcp = false) {
  std::vector<std::uint8_t> out(plain.size() + kSrtpOverhead);
  out.resize(is_rtcp ? from.transport->seal_rtcp(plain, out) : from.transport->seal_rtp(plain, out));
  return out;
}

void deliver(Pair& pair, End& to, const End& from, std::vector<std::uint8_t> datagram) {
  to.transport->handle(datagram, from.address, pair.now());
}

class TransportMedia : public ::testing::TestWithParam<const char*> {};

TEST_P(TransportMedia, ConnectsAndCarriesMediaBothWays) {
  Pair pair(false);
  ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(
                dynamic_cast<const DtlsCertificate&>(*pair.client.certificate).context(), GetParam()),
            0);
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(pair.server.events.connected, 1);
  EXPECT_EQ(pair.client.events.connected, 1);
  EXPECT_EQ(pair.server.transport->remote_address(), pair.client.address);
  for (auto [from, to] : {std::pair(&pair.server, &pair.client), std::pair(&pair.client, &pair.server)}) {
    const auto rtp = make_rtp(77, 1, "voice");
    deliver(pair, *to, *from, seal(*from, rtp));
    deliver(pair, *to, *from, seal(*from, kReceiverReport, true));
    ASSERT_EQ(to->events.rtp.size(), 1U);
    EXPECT_EQ(to->events.rtp[0], rtp);
    ASSERT_EQ(to->events.rtcp.size(), 1U);
    EXPECT_EQ(to->events.rtcp[0], kReceiverReport);
    EXPECT_EQ(to->transport->stats().srtp_auth_failures, 0U);
  }
}

INSTANTIATE_TEST_SUITE_P(Profiles, TransportMedia,
                         ::testing::Values("SRTP_AEAD_AES_128_GCM", "SRTP_AES128_CM_SHA1_80"));

TEST(Transport, ReplaysAndForgeriesAreCountedAndDropped) {
  Pair pair(false);
  ASSERT_TRUE(pair.connect());
  const auto sealed = seal(pair.client, make_rtp(77, 1, "voice"));
  auto forged = sealed;
  forged[13] ^= 1;
  deliver(pair, pair.server, pair.client, forged);
  EXPECT_EQ(pair.server.transport->stats().srtp_auth_failures, 1U);
  deliver(pair, pair.server, pair.client, sealed);
  deliver(pair, pair.server, pair.client, sealed);
  EXPECT_EQ(pair.server.events.rtp.size(), 1U);
  EXPECT_EQ(pair.server.transport->stats().srtp_replays, 1U);
}

TEST(Transport, NothingIsSealedBeforeTheKeys) {
  Pair pair(false);
  EXPECT_TRUE(seal(pair.server, make_rtp(1, 1, "x")).empty());
  EXPECT_TRUE(seal(pair.server, kReceiverReport, true).empty());
}

class LossyTransport : public ::testing::TestWithParam<std::uint64_t> {};

TEST_P(LossyTransport, ConnectsOverALossyReorderingLink) {
  Pair pair(false, GetParam());
  pair.loss_percent = 30;
  pair.delay_percent = 30;
  ASSERT_TRUE(pair.connect());
}
INSTANTIATE_TEST_SUITE_P(Seeds, LossyTransport, ::testing::Range<std::uint64_t>(1, 41));

TEST(Transport, DataChannelsSurviveALossyReorderingLinkInOrder) {
  Pair pair(true);
  pair.loss_percent = 10;
  pair.delay_percent = 30;
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.server.transport->open_channel("ion-sfu").has_value());
  ASSERT_TRUE(pair.client.transport->open_channel("other").has_value());
  for (int i = 0; i < 50; ++i) {
    ASSERT_TRUE(pair.server.transport->send_text(1, "s" + std::to_string(i) + std::string(500, '.')));
    ASSERT_TRUE(pair.client.transport->send_text(0, "c" + std::to_string(i)));
  }
  ASSERT_TRUE(pair.run_until_in_real_time(
      [&] { return pair.server.events.messages.size() == 50 && pair.client.events.messages.size() == 50; }));
  EXPECT_EQ(pair.server.events.channels.size(), 2U);
  EXPECT_EQ(pair.client.events.channels.size(), 2U);
  for (int i = 0; i < 50; ++i) {
    EXPECT_EQ(pair.client.events.messages[static_cast<std::size_t>(i)].data,
              "s" + std::to_string(i) + std::string(500, '.'));
    EXPECT_EQ(pair.server.events.messages[static_cast<std::size_t>(i)].data, "c" + std::to_string(i));
  }
}

TEST(Transport, DataChannelsWithLabelsParityAndQueueing) {
  Pair pair(true);
  const auto early = pair.server.transport->open_channel("ion-sfu");
  ASSERT_TRUE(early.has_value());
  EXPECT_EQ(*early, 1);
  EXPECT_TRUE(pair.server.transport->send_text(*early, "before the handshake"));
  ASSERT_TRUE(pair.connect());
  const auto other = pair.client.transport->open_channel("SCTP");
  ASSERT_TRUE(other.has_value());
  EXPECT_EQ(*other, 0);
  ASSERT_TRUE(pair.run_until(
      [&] { return pair.server.events.channels.size() == 2 && pair.client.events.channels.size() == 2; }));
  EXPECT_EQ(pair.client.events.channels.at(1), "ion-sfu");
  EXPECT_EQ(pair.server.events.channels.at(0), "SCTP");
  EXPECT_TRUE(pair.client.transport->send_text(1, ""));
  EXPECT_TRUE(pair.client.transport->send_text(0, std::string(60'000, 'x')));
  EXPECT_FALSE(pair.client.transport->send_text(7, "no such channel"));
  ASSERT_TRUE(pair.run_until(
      [&] { return pair.server.events.messages.size() == 2 && pair.client.events.messages.size() == 1; }));
  EXPECT_EQ(pair.client.events.messages[0].data, "before the handshake");
  EXPECT_TRUE(pair.client.events.messages[0].is_text);
  EXPECT_EQ(pair.server.events.messages[0].data, "");
  EXPECT_TRUE(pair.server.events.messages[0].is_text);
  EXPECT_EQ(pair.server.events.messages[1].data.size(), 60'000U);
}

TEST(Transport, DataChannelBoundsOnBothSides) {
  Pair pair(true);
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.server.transport->open_channel("a").has_value());
  ASSERT_TRUE(pair.run_until([&] { return pair.server.events.channels.size() == 1; }));
  ASSERT_TRUE(pair.server.transport->send_text(1, std::string(100'000, 'x')));  // more than a receiver takes
  ASSERT_TRUE(pair.server.transport->send_text(1, "small"));
  ASSERT_TRUE(pair.run_until([&] { return !pair.client.events.messages.empty(); }));
  EXPECT_EQ(pair.client.events.messages[0].data, "small");
  EXPECT_EQ(pair.client.transport->stats().oversized_messages, 1U);

  pair.cut = true;
  int accepted = 0;
  while (accepted < 100 && pair.server.transport->send_text(1, std::string(60'000, 'x'))) ++accepted;
  EXPECT_GE(accepted, 17);
  EXPECT_LT(accepted, 40);
}

TEST(Transport, ChannelsNeedAStackAndAPeer) {
  Pair pair(false);
  ASSERT_FALSE(pair.server.transport->open_channel("x").has_value());
  EXPECT_EQ(pair.server.transport->open_channel("x").error().code, "data_channel_unavailable");
}

TEST(Transport, WrongFingerprintFailsTheConnection) {
  Pair pair(false);
  pair.introduce();
  std::string wrong = pair.client.certificate->fingerprint();
  wrong[0] = wrong[0] == 'A' ? 'B' : 'A';
  pair.server.transport->set_remote(pair.client.transport->local_credentials(), wrong);
  ASSERT_TRUE(pair.run_until([&] { return !pair.server.events.failures.empty(); }));
  EXPECT_EQ(pair.server.events.failures, std::vector<std::string>{"fingerprint"});
  EXPECT_EQ(pair.server.events.connected, 0);
  EXPECT_FALSE(pair.server.transport->connected());
  pair.run(base::Duration::seconds(1));
  EXPECT_EQ(pair.client.events.failures, std::vector<std::string>{"dtls"});
}

TEST(Transport, TheClientChecksTheFingerprintToo) {
  Pair pair(false);
  pair.introduce();
  pair.client.transport->set_remote(pair.server.transport->local_credentials(), "00:11");
  ASSERT_TRUE(pair.run_until([&] { return !pair.client.events.failures.empty(); }));
  EXPECT_EQ(pair.client.events.failures, std::vector<std::string>{"fingerprint"});
  EXPECT_EQ(pair.client.events.connected, 0);
}

TEST(Transport, ANewAddressIsUsedOnlyAfterANominatingCheckFromIt) {
  Pair pair(false);
  ASSERT_TRUE(pair.connect());
  const auto moved = *base::SocketAddress::parse("203.0.113.9", 1);
  auto rtp = seal(pair.client, make_rtp(5, 1, "x"));
  pair.server.transport->handle(rtp, moved, pair.now());
  EXPECT_TRUE(pair.server.events.rtp.empty());
  EXPECT_EQ(pair.server.transport->stats().unauthenticated_drops, 1U);
  EXPECT_EQ(pair.server.transport->remote_address(), pair.client.address);

  pair.client.address = moved;
  ASSERT_TRUE(pair.run_until([&] { return pair.server.events.remotes.size() == 2; }));
  EXPECT_EQ(pair.server.transport->remote_address(), moved);
  deliver(pair, pair.server, pair.client, seal(pair.client, make_rtp(5, 2, "y")));
  EXPECT_EQ(pair.server.events.rtp.size(), 1U);
}

TEST(Transport, UnauthenticatedDatagramsGetNoReplyAndLeaveNoTrace) {
  Pair pair(false);
  pair.introduce();
  const auto stranger = *base::SocketAddress::parse("203.0.113.66", 666);
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> garbage(pair.random().below(200));
    pair.random().fill(garbage);
    if (!garbage.empty())
      garbage[0] = static_cast<std::uint8_t>(i % 4 == 0   ? 22
                                             : i % 4 == 1 ? 0x80
                                             : i % 4 == 2 ? 0
                                                          : garbage[0]);
    pair.server.transport->handle(garbage, stranger, pair.now());
  }
  EXPECT_TRUE(pair.server.events.sent.empty());
  EXPECT_FALSE(pair.server.transport->remote_address().has_value());
  EXPECT_EQ(pair.server.transport->stats().unauthenticated_drops, 20000U);
  EXPECT_TRUE(pair.run_until([&] { return pair.server.transport->connected(); }));
}

TEST(Transport, GarbageFromTheCheckedAddressDoesNotEndAConnection) {
  Pair pair(true);
  ASSERT_TRUE(pair.connect());
  for (int i = 0; i < 20000; ++i) {
    std::vector<std::uint8_t> garbage(pair.random().below(300));
    pair.random().fill(garbage);
    if (garbage.size() > 13 && i % 2 == 0) {
      garbage[0] = static_cast<std::uint8_t>(20 + i % 5);
      garbage[1] = 0xfe;
      garbage[2] = 0xfd;
      garbage[3] = 0;
      garbage[4] = static_cast<std::uint8_t>(i / 2 % 3);
      garbage[11] = 0;
      garbage[12] = static_cast<std::uint8_t>(garbage.size() - 13);
    }
    pair.server.transport->handle(garbage, pair.client.address, pair.now());
  }
  EXPECT_TRUE(pair.server.transport->connected());
  ASSERT_TRUE(pair.client.transport->open_channel("still here").has_value());
  EXPECT_TRUE(pair.run_until([&] { return pair.client.events.channels.size() == 1; }));
}

TEST(Transport, IceRestartKeepsTheOldPairUntilTheNewOneIsUsed) {
  Pair pair(false);
  ASSERT_TRUE(pair.connect());
  const auto next_server = IceCredentials::generate(pair.random());
  const auto next_client = IceCredentials::generate(pair.random());
  pair.server.transport->restart_ice(next_server);
  EXPECT_EQ(pair.server.transport->local_credentials().ufrag, next_server.ufrag);
  pair.run(base::Duration::seconds(40));  // the client has not heard of it; its consent checks still count
  EXPECT_TRUE(pair.server.transport->connected());
  EXPECT_TRUE(pair.client.transport->connected());

  pair.server.transport->set_remote(next_client, pair.client.certificate->fingerprint());
  pair.client.transport->restart_ice(next_client);
  pair.client.transport->set_remote(next_server, pair.server.certificate->fingerprint());
  pair.run(base::Duration::seconds(40));
  EXPECT_TRUE(pair.server.transport->connected());
  EXPECT_TRUE(pair.client.transport->connected());
  EXPECT_EQ(pair.server.events.connected, 1);
}

TEST(Transport, ConsentEndsAfterThirtySecondsAndARestartRevives) {
  Pair pair(false);
  ASSERT_TRUE(pair.connect());
  pair.run(base::Duration::seconds(60));
  ASSERT_TRUE(pair.server.events.failures.empty());
  pair.cut = true;
  pair.run(base::Duration::seconds(24));
  EXPECT_TRUE(pair.server.events.failures.empty());
  pair.run(base::Duration::seconds(7));
  EXPECT_EQ(pair.server.events.failures, std::vector<std::string>{"consent"});
  EXPECT_EQ(pair.client.events.failures, std::vector<std::string>{"consent"});
  EXPECT_TRUE(seal(pair.server, make_rtp(1, 1, "x")).empty());

  pair.cut = false;
  pair.server.transport->restart_ice(IceCredentials::generate(pair.random()));
  pair.client.transport->restart_ice(IceCredentials::generate(pair.random()));
  pair.introduce();
  ASSERT_TRUE(pair.run_until(
      [&] { return pair.server.transport->connected() && pair.client.transport->connected(); }));
  pair.run(base::Duration::seconds(40));
  EXPECT_TRUE(pair.server.transport->connected());
  deliver(pair, pair.server, pair.client, seal(pair.client, make_rtp(5, 2, "y")));
  EXPECT_EQ(pair.server.events.rtp.size(), 1U);
}

TEST(Transport, APeerThatNeverChecksFailsAsConsent) {
  Pair pair(false);
  pair.cut = true;
  pair.introduce();
  pair.run(base::Duration::seconds(31));
  EXPECT_EQ(pair.server.events.failures, std::vector<std::string>{"consent"});
}

TEST(Transport, CloseTellsThePeer) {
  Pair pair(true);
  ASSERT_TRUE(pair.connect());
  pair.run(base::Duration::millis(100));
  pair.server.transport->close();
  pair.run(base::Duration::millis(100));
  EXPECT_EQ(pair.client.events.failures, std::vector<std::string>{"closed"});
  EXPECT_TRUE(pair.server.events.failures.empty());
  EXPECT_FALSE(pair.server.transport->connected());
  EXPECT_FALSE(pair.server.transport->open_channel("late").has_value());
}

TEST(Transport, AClientHelloRightBehindTheFirstCheckIsNotLost) {
  Pair pair(false);
  int hellos = 0;
  pair.tap = [&](bool to_server, const auto& d) {
    hellos += to_server && d.size() > 13 && d[0] == 22 && d[13] == 1 ? 1 : 0;
  };
  ASSERT_TRUE(pair.connect());
  EXPECT_EQ(hellos, 1);
}

TEST(Transport, DatagramsStayWithinTheMtu) {
  Pair pair(true);
  std::size_t largest = 0;
  pair.tap = [&](bool, const auto& d) { largest = std::max(largest, d.size()); };
  ASSERT_TRUE(pair.connect());
  ASSERT_TRUE(pair.server.transport->open_channel("a").has_value());
  ASSERT_TRUE(pair.server.transport->send_text(1, std::string(50'000, 'x')));
  ASSERT_TRUE(pair.run_until([&] { return !pair.client.events.messages.empty(); }));
  EXPECT_GT(largest, 1000U);
  EXPECT_LE(largest, 1200U);
}

TEST(Transport, ManyTransportsComeAndGo) {
  for (int i = 0; i < 5; ++i) {
    Pair pair(true, static_cast<std::uint64_t>(100 + i));
    ASSERT_TRUE(pair.connect());
    ASSERT_TRUE(pair.server.transport->open_channel("x").has_value());
    if (i % 2 == 0) {
      ASSERT_TRUE(pair.run_until([&] { return pair.server.events.channels.size() == 1; }));
    }
  }
}

TEST(Demux, FollowsTheFirstByte) {
  const auto kind = [](std::uint8_t a, std::uint8_t b) {
    return classify(std::array<std::uint8_t, 2>{a, b});
  };
  EXPECT_EQ(kind(0, 1), DatagramKind::kStun);
  EXPECT_EQ(kind(3, 0), DatagramKind::kStun);
  EXPECT_EQ(kind(4, 0), DatagramKind::kUnknown);
  EXPECT_EQ(kind(19, 0), DatagramKind::kUnknown);
  EXPECT_EQ(kind(20, 0), DatagramKind::kDtls);
  EXPECT_EQ(kind(63, 0), DatagramKind::kDtls);
  EXPECT_EQ(kind(64, 0), DatagramKind::kUnknown);
  EXPECT_EQ(kind(128, 191), DatagramKind::kRtp);
  EXPECT_EQ(kind(128, 192), DatagramKind::kRtcp);
  EXPECT_EQ(kind(191, 223), DatagramKind::kRtcp);
  EXPECT_EQ(kind(191, 224), DatagramKind::kRtp);
  EXPECT_EQ(kind(192, 0), DatagramKind::kUnknown);
  EXPECT_EQ(classify({}), DatagramKind::kUnknown);
}

}  // namespace
}  // namespace rtc
