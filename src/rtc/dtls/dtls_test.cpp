#include "rtc/dtls/dtls.h"

#include <gtest/gtest.h>
#include <openssl/srtp.h>

#include <deque>

#include "base/text.h"
#include "rtc/dtls/certificate.h"

namespace rtc {
namespace {

using Packet = std::vector<std::uint8_t>;

struct Peer : DtlsListener {
  std::deque<Packet> sent;
  std::vector<std::string> failures;
  std::vector<Packet> data;
  std::optional<SrtpProfile> profile;
  SrtpMasterKey send_key, receive_key;
  void on_dtls_send(base::Bytes d) override { sent.emplace_back(d.begin(), d.end()); }
  void on_dtls_connected(SrtpProfile p, const SrtpMasterKey& send, const SrtpMasterKey& receive) override {
    profile = p;
    send_key = send;
    receive_key = receive;
  }
  void on_dtls_data(base::Bytes d) override { data.emplace_back(d.begin(), d.end()); }
  void on_dtls_failed(std::string_view reason) override { failures.emplace_back(reason); }
};

class DtlsPair : public ::testing::Test {
 protected:
  void make() {
    server = std::make_unique<Dtls>(true, server_certificate, server_events);
    client = std::make_unique<Dtls>(false, client_certificate, client_events);
    server->set_remote_fingerprint(base::to_lower(client_certificate->fingerprint()));
    client->set_remote_fingerprint(server_certificate->fingerprint());
  }
  void carry() {
    for (bool moved = true; moved;) {
      moved = false;
      for (bool to_server : {true, false}) {
        auto& from = to_server ? client_events : server_events;
        auto& to = to_server ? *server : *client;
        while (!from.sent.empty()) {
          const auto packet = std::move(from.sent.front());
          from.sent.pop_front();
          largest = std::max(largest, packet.size());
          to.handle(packet, now);
          moved = true;
        }
      }
    }
  }
  static SSL_CTX* context_of(const std::shared_ptr<const Certificate>& c) {
    return dynamic_cast<const DtlsCertificate&>(*c).context();
  }

  base::SeededRandom random{9};
  std::shared_ptr<const Certificate> server_certificate = *Certificate::generate(random);
  std::shared_ptr<const Certificate> client_certificate = *Certificate::generate(random);
  Peer server_events, client_events;
  std::unique_ptr<Dtls> server, client;
  base::SteadyTime now{1'000'000};
  std::size_t largest = 0;
};

TEST_F(DtlsPair, AgreesOnKeysWithGcmFirst) {
  make();
  client->start(now);
  carry();
  ASSERT_TRUE(server->connected());
  ASSERT_TRUE(client->connected());
  EXPECT_EQ(server_events.profile, SrtpProfile::kAeadAes128Gcm);
  EXPECT_EQ(client_events.profile, SrtpProfile::kAeadAes128Gcm);
  EXPECT_EQ(server_events.send_key.key, client_events.receive_key.key);
  EXPECT_EQ(server_events.receive_key.salt, client_events.send_key.salt);
  EXPECT_NE(server_events.send_key.key, server_events.receive_key.key);
  EXPECT_EQ(server_events.send_key.salt[12] | server_events.send_key.salt[13], 0);
  EXPECT_EQ(server->next_timeout(), client->next_timeout());  // no timer is left
}

TEST_F(DtlsPair, AgreesOnCounterModeWithAPeerThatKnowsNothingElse) {
  ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(context_of(client_certificate), "SRTP_AES128_CM_SHA1_80"), 0);
  make();
  client->start(now);
  carry();
  ASSERT_EQ(server_events.profile, SrtpProfile::kAes128CmSha1_80);
  ASSERT_EQ(client_events.profile, SrtpProfile::kAes128CmSha1_80);
  EXPECT_EQ(server_events.send_key.salt, client_events.receive_key.salt);
}

TEST_F(DtlsPair, FailsWithoutACommonSrtpProfile) {
  ASSERT_EQ(SSL_CTX_set_tlsext_use_srtp(context_of(client_certificate), "SRTP_AEAD_AES_256_GCM"), 0);
  make();
  client->start(now);
  carry();
  EXPECT_EQ(server_events.failures, std::vector<std::string>{"dtls"});
  EXPECT_FALSE(server_events.profile.has_value());
}

TEST_F(DtlsPair, TakesAClientHelloLargerThanADatagramInAnyOrder) {
  // What a post-quantum key share does to a ClientHello.
  static std::array<std::uint8_t, 2500> share{};
  share.fill(0x5a);
  const auto add = [](SSL*, unsigned, unsigned, const unsigned char** out, std::size_t* size, X509*,
                      std::size_t, int*, void*) {
    *out = share.data();
    *size = share.size();
    return 1;
  };
  ASSERT_EQ(SSL_CTX_add_custom_ext(context_of(client_certificate), 0xFE01, SSL_EXT_CLIENT_HELLO, add, nullptr,
                                   nullptr, nullptr, nullptr),
            1);
  make();
  client->start(now);
  ASSERT_GE(client_events.sent.size(), 3U);
  std::ranges::reverse(client_events.sent);
  carry();
  EXPECT_TRUE(server->connected());
  EXPECT_LE(largest, static_cast<std::size_t>(Dtls::kMtu));
}

TEST_F(DtlsPair, APeerWithoutACertificateIsRefused) {
  make();
  const OpenSslPtr<SSL_CTX> bare(SSL_CTX_new(DTLS_client_method()));
  SSL_CTX_set_tlsext_use_srtp(bare.get(), "SRTP_AEAD_AES_128_GCM");
  const OpenSslPtr<SSL> ssl(SSL_new(bare.get()));
  SSL_set_bio(ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
  SSL_set_options(ssl.get(), SSL_OP_NO_QUERY_MTU);
  SSL_set_mtu(ssl.get(), 1200);
  SSL_set_connect_state(ssl.get());
  // The memory BIO runs datagrams together, records keep their own lengths: a datagram may hold several.
  for (int i = 0; i < 6 && server_events.failures.empty(); ++i) {
    SSL_do_handshake(ssl.get());
    Packet out(8192);
    const int n = BIO_read(SSL_get_wbio(ssl.get()), out.data(), static_cast<int>(out.size()));
    if (n > 0) server->handle(base::Bytes(out).first(static_cast<std::size_t>(n)), now);
    if (!server_events.sent.empty()) {
      BIO_write(SSL_get_rbio(ssl.get()), server_events.sent.front().data(),
                static_cast<int>(server_events.sent.front().size()));
      server_events.sent.pop_front();
    }
  }
  EXPECT_EQ(server_events.failures, std::vector<std::string>{"dtls"});
}

TEST_F(DtlsPair, RetransmitsOnTheInjectedClock) {
  make();
  client->start(now);
  ASSERT_EQ(client_events.sent.size(), 1U);
  client_events.sent.clear();  // lost
  auto wait = Dtls::kFirstTimeout;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(client->next_timeout(), now + wait);
    client->handle_timeout(now + wait - base::Duration::micros(1));
    EXPECT_TRUE(client_events.sent.empty());
    now = now + wait;
    client->handle_timeout(now);
    ASSERT_EQ(client_events.sent.size(), 1U);
    if (i < 2) client_events.sent.clear();
    wait = wait * 2;
  }
  carry();
  EXPECT_TRUE(client->connected());
}

TEST_F(DtlsPair, GivesUpWhenNobodyAnswers) {
  make();
  client->start(now);
  int rounds = 0;
  while (client_events.failures.empty() && rounds < 100) {
    now = client->next_timeout();
    client->handle_timeout(now);
    ++rounds;
  }
  EXPECT_EQ(client_events.failures, std::vector<std::string>{"dtls"});
  EXPECT_LT(now.us, 60'000'000);
}

TEST_F(DtlsPair, AnswersARetransmittedLastFlight) {
  make();
  client->start(now);
  // The server's Finished is lost: only the client's retransmission can bring it back.
  for (int i = 0; i < 10 && !server->connected(); ++i) {
    while (!client_events.sent.empty()) {
      server->handle(client_events.sent.front(), now);
      client_events.sent.pop_front();
    }
    if (server->connected()) break;
    while (!server_events.sent.empty()) {
      client->handle(server_events.sent.front(), now);
      server_events.sent.pop_front();
    }
  }
  ASSERT_TRUE(server->connected());
  ASSERT_FALSE(client->connected());
  server_events.sent.clear();
  now = client->next_timeout();
  client->handle_timeout(now);
  carry();
  EXPECT_TRUE(client->connected());
}

TEST_F(DtlsPair, CarriesDataAndClosesPolitely) {
  make();
  EXPECT_FALSE(client->send(Packet{1}));
  client->start(now);
  carry();
  const Packet packet(1100, 7);
  ASSERT_TRUE(client->send(packet));
  ASSERT_TRUE(client->send(Packet{1, 2}));
  carry();
  EXPECT_EQ(server_events.data, (std::vector<Packet>{packet, {1, 2}}));
  client->close();
  carry();
  EXPECT_EQ(server_events.failures, std::vector<std::string>{"closed"});
  EXPECT_TRUE(client_events.failures.empty());
}

TEST(Certificate, PrintsItsFingerprintAsSdpDoes) {
  base::SeededRandom random(1);
  const auto a = *Certificate::generate(random);
  const auto b = *Certificate::generate(random);
  EXPECT_EQ(a->fingerprint().size(), 32U * 3 - 1);
  EXPECT_EQ(a->fingerprint()[2], ':');
  EXPECT_EQ(a->fingerprint().find_first_not_of("0123456789ABCDEF:"), std::string::npos);
  EXPECT_NE(a->fingerprint(), b->fingerprint());
}

}  // namespace
}  // namespace rtc
