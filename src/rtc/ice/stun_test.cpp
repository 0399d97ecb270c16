#include "rtc/ice/stun.h"

#include <gtest/gtest.h>

#include "base/random.h"
#include "rtc/testing_vectors.h"
#include "rtc/transport.h"

namespace rtc {
namespace {

namespace json = boost::json;
using testing::hex_of;
using testing::load_vectors;

const json::value& vector_named(const json::value& file, std::string_view id) {
  for (const auto& v : file.at("vectors").as_array()) {
    if (std::string_view(v.at("id").as_string()) == id) return v;
  }
  throw std::out_of_range(std::string(id));
}

TEST(Stun, Rfc5769Request) {
  const auto file = load_vectors("stun-rfc5769.json");
  const auto& v = vector_named(file, "2.1-request");
  const auto bytes = hex_of(v.at("hex"));
  const auto m = StunMessage::parse(bytes);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->message_class, StunClass::kRequest);
  EXPECT_EQ(m->method, kStunBinding);
  EXPECT_EQ(m->username, "evtj:h6vY");
  EXPECT_EQ(m->software, "STUN test client");
  EXPECT_EQ(m->priority, 1845494271U);
  EXPECT_EQ(m->controlled, 0x932ff9b151263b36U);
  EXPECT_FALSE(m->controlling.has_value());
  EXPECT_NE(m->fingerprint_at, 0U);
  EXPECT_TRUE(verify_stun_integrity(bytes, *m, std::string_view(v.at("password").as_string())));
  EXPECT_FALSE(verify_stun_integrity(bytes, *m, "VOkJxbRl1RmTxUk/WvJxBT"));
  EXPECT_EQ(peek_local_ufrag(bytes), "evtj");
}

TEST(Stun, Rfc5769Responses) {
  const auto file = load_vectors("stun-rfc5769.json");
  for (const auto* id : {"2.2-ipv4-response", "2.3-ipv6-response"}) {
    const auto& v = vector_named(file, id);
    const auto bytes = hex_of(v.at("hex"));
    const auto m = StunMessage::parse(bytes);
    ASSERT_TRUE(m.has_value()) << id;
    EXPECT_EQ(m->message_class, StunClass::kSuccess);
    EXPECT_TRUE(verify_stun_integrity(bytes, *m, std::string_view(v.at("password").as_string())));
    const auto& address = v.at("xor_mapped").as_array();
    EXPECT_EQ(m->xor_mapped, base::SocketAddress::parse(std::string_view(address[0].as_string()), 32853));
  }
}

TEST(Stun, Rfc5769LongTermParsesWithoutFingerprint) {
  const auto file = load_vectors("stun-rfc5769.json");
  const auto bytes = hex_of(vector_named(file, "2.4-long-term").at("hex"));
  const auto m = StunMessage::parse(bytes);
  ASSERT_TRUE(m.has_value());
  EXPECT_EQ(m->username, "マトリックス");
  EXPECT_EQ(m->fingerprint_at, 0U);
  EXPECT_FALSE(m->unknown_required.has_value());
}

TEST(Stun, EveryFlippedBitIsNoticed) {
  const auto file = load_vectors("stun-rfc5769.json");
  const auto& v = vector_named(file, "2.1-request");
  const auto bytes = hex_of(v.at("hex"));
  for (std::size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    auto bent = bytes;
    bent[bit / 8] ^= static_cast<std::uint8_t>(1U << (bit % 8));
    const auto m = StunMessage::parse(bent);
    EXPECT_FALSE(m && m->fingerprint_at != 0 &&
                 verify_stun_integrity(bent, *m, std::string_view(v.at("password").as_string())))
        << bit;
  }
}

TEST(Stun, EveryTruncationIsRefused) {
  const auto file = load_vectors("stun-rfc5769.json");
  const auto bytes = hex_of(vector_named(file, "2.1-request").at("hex"));
  for (std::size_t n = 0; n < bytes.size(); ++n) {
    EXPECT_FALSE(StunMessage::parse(base::Bytes(bytes).first(n)).has_value()) << n;
    // Also with a header that claims exactly what is there.
    auto cut = std::vector<std::uint8_t>(bytes.begin(), bytes.begin() + static_cast<std::ptrdiff_t>(n));
    if (n < 20) continue;
    cut[2] = 0;
    cut[3] = static_cast<std::uint8_t>(n - 20);
    const auto m = StunMessage::parse(cut);
    EXPECT_FALSE(m && verify_stun_integrity(cut, *m, std::string_view("VOkJxbRl1RmTxUk/WvJxBt")) &&
                 n != bytes.size() - 8)
        << n;
  }
}

TEST(Stun, WhatIsWrittenIsRead) {
  base::SeededRandom random(3);
  for (const char* ip : {"192.0.2.200", "2001:db8::17"}) {
    StunTransaction transaction{};
    random.fill(transaction);
    StunWriter writer(StunClass::kError, kStunBinding, transaction);
    writer.username("abcd", "efghi");
    writer.priority(17);
    writer.controlling(0x1122334455667788);
    writer.use_candidate();
    writer.xor_mapped(*base::SocketAddress::parse(ip, 4711));
    writer.error(487, "Role Conflict");
    const auto bytes = writer.finish("a password of some length");
    const auto m = StunMessage::parse(bytes);
    ASSERT_TRUE(m.has_value());
    EXPECT_EQ(m->message_class, StunClass::kError);
    EXPECT_EQ(m->method, kStunBinding);
    EXPECT_EQ(m->transaction, transaction);
    EXPECT_EQ(m->username, "abcd:efghi");
    EXPECT_EQ(m->priority, 17U);
    EXPECT_EQ(m->controlling, 0x1122334455667788U);
    EXPECT_TRUE(m->use_candidate);
    EXPECT_EQ(m->xor_mapped, base::SocketAddress::parse(ip, 4711));
    EXPECT_EQ(m->error_code, 487);
    EXPECT_NE(m->fingerprint_at, 0U);
    EXPECT_TRUE(verify_stun_integrity(bytes, *m, "a password of some length"));
  }
}

TEST(Stun, AttributesBehindTheIntegrityAreIgnored) {
  StunWriter writer(StunClass::kRequest, kStunBinding, {});
  writer.username("aaaa", "bbbb");
  const auto bytes = writer.finish("pw");
  const auto m = StunMessage::parse(bytes);
  ASSERT_TRUE(m.has_value());
  // The fingerprint makes room for an unprotected USE-CANDIDATE.
  std::vector<std::uint8_t> bent(bytes.begin(),
                                 bytes.begin() + static_cast<std::ptrdiff_t>(m->fingerprint_at));
  bent.insert(bent.end(), {0x00, 0x25, 0x00, 0x00});
  bent[3] = static_cast<std::uint8_t>(bent.size() - 20);
  const auto again = StunMessage::parse(bent);
  ASSERT_TRUE(again.has_value());
  EXPECT_FALSE(again->use_candidate);
}

TEST(Stun, PeekingNeedsABindingRequest) {
  StunWriter response(StunClass::kSuccess, kStunBinding, {});
  response.username("aaaa", "bbbb");
  EXPECT_EQ(peek_local_ufrag(response.finish("x")), "");
  EXPECT_EQ(peek_local_ufrag({}), "");
}

}  // namespace
}  // namespace rtc
