#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "base/text.h"
#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "crypto/jwt.h"
#include "crypto/password.h"

namespace {

using base::as_bytes;
using base::Secret;

std::string hex(base::Bytes b) {
  return base::to_hex(b);
}

TEST(Digest, KnownAnswers) {
  // FIPS 180-4 examples; RFC 4231 test cases 1 and 2; RFC 2202 case 2.
  EXPECT_EQ(hex(crypto::sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(hex(crypto::sha256({})), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(hex(crypto::hmac_sha256(as_bytes(std::string(20, '\x0b')), as_bytes("Hi There"))),
            "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
  EXPECT_EQ(hex(crypto::hmac_sha256(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
  EXPECT_EQ(hex(crypto::hmac_sha1(as_bytes("Jefe"), as_bytes("what do ya want for nothing?"))),
            "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79");
  EXPECT_EQ(hex(crypto::hmac_sha256({}, {})),
            "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
}

TEST(Digest, ConstantTimeComparison) {
  EXPECT_TRUE(crypto::equal_constant_time({}, {}));
  EXPECT_TRUE(crypto::equal_constant_time(as_bytes("ab"), as_bytes("ab")));
  EXPECT_FALSE(crypto::equal_constant_time(as_bytes("ab"), as_bytes("ac")));
  EXPECT_FALSE(crypto::equal_constant_time(as_bytes("ab"), as_bytes("abc")));
}

TEST(SystemRandom, DoesNotRepeat) {
  crypto::SystemRandom random;
  EXPECT_NE(random.uuid(), random.uuid());
}

// RFC 7515 appendix A.1, whose header has "typ" first and line breaks.
const char* const kRfcToken =
    "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ."
    "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
Secret rfc_key() {
  return Secret(*base::from_base64url(
      "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"));
}

std::string token_with(std::string_view header, std::string_view payload, const Secret& key) {
  const std::string text = base::to_base64url(as_bytes(header)) + "." + base::to_base64url(as_bytes(payload));
  return text + "." + base::to_base64url(crypto::hmac_sha256(as_bytes(key.reveal()), as_bytes(text)));
}

TEST(Jwt, Rfc7515ExampleA1) {
  const auto claims = crypto::verify_jwt(kRfcToken, rfc_key());
  ASSERT_TRUE(claims) << claims.error().detail;
  EXPECT_EQ(json::text_or(*claims, "iss"), "joe");
  EXPECT_EQ(json::int_or(*claims, "exp", 0), 1300819380);
}

TEST(Jwt, SignsWhatItVerifies) {
  const Secret key("a-secret-key");
  json::Object claims{{"access_key", "66a0000000000000000000ac"}, {"type", "management"}, {"version", 2}};
  const Secret token = crypto::sign_jwt(claims, key);
  const auto got = crypto::verify_jwt(token.reveal(), key);
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, claims);
  EXPECT_EQ(*base::from_base64url(base::split(token.reveal(), '.')[0]), R"({"alg":"HS256","typ":"JWT"})");
  EXPECT_EQ(crypto::peek_jwt_claims(token.reveal()).value(), claims);
  EXPECT_EQ(crypto::verify_jwt(token.reveal(), Secret("another")).error().code, "token_signature");
}

TEST(Jwt, HeadersThatAreRefusedOrAccepted) {
  const Secret key("k");
  const auto code = [&](std::string_view header) {
    const auto got = crypto::verify_jwt(token_with(header, R"({"a":1})", key), key);
    return got ? std::string("ok") : got.error().code;
  };
  EXPECT_EQ(code(R"({"alg":"HS256"})"), "ok");
  EXPECT_EQ(code(R"({"alg":"HS256","typ":"JWT","kid":"x"})"), "ok");
  for (const char* header : {R"({"alg":"none"})", R"({"alg":"None"})", R"({"alg":"HS384"})",
                             R"({"alg":"RS256"})", R"({"alg":"hs256"})", R"({"typ":"JWT"})",
                             R"({"alg":null})", R"({"alg":["HS256"]})", R"({"alg":"HS256","crit":["x"]})"})
    EXPECT_EQ(code(header), "token_algorithm") << header;
  for (const char* header :
       {R"({"alg":"HS256","alg":"HS256"})", R"({"alg":"none","alg":"HS256"})", "[]", "null", "x", "{} {}"})
    EXPECT_EQ(code(header), "token_malformed") << header;
}

TEST(Jwt, MalformedTokens) {
  const Secret key("k");
  const std::string good = crypto::sign_jwt({{"a", 1}}, key).reveal();
  for (const std::string& token :
       {std::string(), std::string("."), std::string(".."), std::string("a.b"), good + ".x", good + "=",
        good + " ", " " + good, good.substr(0, good.rfind('.') + 1), good.substr(0, good.rfind('.')),
        std::string(20'000, 'a') + ".b.c", good + "\n"}) {
    const auto got = crypto::verify_jwt(token, key);
    ASSERT_FALSE(got) << token;
    EXPECT_EQ(got.error().code, "token_malformed") << token;
  }
  const std::string text =
      base::to_base64url(as_bytes(R"({"alg":"none"})")) + "." + base::to_base64url(as_bytes("{}")) + ".";
  EXPECT_FALSE(crypto::verify_jwt(text, key));
  // An empty key is no key: everyone could sign with it.
  EXPECT_EQ(crypto::verify_jwt(token_with(R"({"alg":"HS256"})", "{}", Secret()), Secret()).error().code,
            "token_signature");
}

TEST(Jwt, AnyChangedCharacterIsNoticed) {
  const Secret key("a-secret-key");
  base::SeededRandom random(7);
  constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";
  for (int round = 0; round < 200; ++round) {
    json::Object claims{{"n", static_cast<std::int64_t>(random.u32())},
                        {"t", random.text("abc def", random.below(30))}};
    const std::string good = crypto::sign_jwt(claims, key).reveal();
    ASSERT_TRUE(crypto::verify_jwt(good, key));
    for (int change = 0; change < 20; ++change) {
      std::string bad = good;
      const auto at = random.below(static_cast<std::uint32_t>(bad.size()));
      const char to = kAlphabet[random.below(static_cast<std::uint32_t>(kAlphabet.size()))];
      if (bad[at] == to) continue;
      bad[at] = to;
      ASSERT_FALSE(crypto::verify_jwt(bad, key)) << good << " " << at << " " << to;
      ASSERT_FALSE(crypto::verify_jwt(good.substr(0, at), key));
    }
  }
}

TEST(Jwt, BrowserTokensDecodeWithPlainBase64) {
  const Secret key("k");
  base::SeededRandom random(1);
  for (int shift = 0; shift < 3; ++shift) {
    const json::Object claims{{"user_id", std::string(static_cast<std::size_t>(shift), 'x') +
                                              "a>?~b>>>???~~~\x7f" + "Zoë\xF0\x9F\x98\x80"},
                              {"role", "guest"}};
    const std::string token = crypto::sign_browser_jwt(claims, key, random).reveal();
    const auto payload = base::split(token, '.')[1];
    EXPECT_EQ(payload.find_first_of("-_"), std::string_view::npos);
    auto got = crypto::verify_jwt(token, key);
    ASSERT_TRUE(got);
    EXPECT_TRUE(base::is_uuid(json::text_or(*got, "jti")));
    got->erase("jti");
    EXPECT_EQ(*got, claims);
  }
}

TEST(Password, HashesAndVerifies) {
  base::SeededRandom random(3);
  const std::string hash = crypto::hash_password(Secret("correct horse battery"), random);
  EXPECT_TRUE(hash.starts_with("$argon2id$v=19$m=65536,t=3,p=1$")) << hash;
  EXPECT_TRUE(crypto::verify_password(Secret("correct horse battery"), hash));
  EXPECT_FALSE(crypto::verify_password(Secret("correct horse batterz"), hash));
  EXPECT_FALSE(crypto::password_needs_rehash(hash));
  EXPECT_FALSE(crypto::verify_password(Secret("x"), crypto::unmatchable_password_hash()));
}

TEST(Password, ForeignAndBrokenHashes) {
  // From the reference implementation's own test: argon2id, m=256, t=2, p=1, "password", salt "somesalt".
  const std::string reference =
      "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4";
  EXPECT_TRUE(crypto::verify_password(Secret("password"), reference));
  EXPECT_TRUE(crypto::password_needs_rehash(reference));
  for (const char* bad :
       {"", "$argon2id$",
        "$argon2i$v=19$m=256,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=4294967295,t=2,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4",
        "$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQ$", "password"})
    EXPECT_FALSE(crypto::verify_password(Secret("password"), bad)) << bad;
}

class EnvelopeTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "televisit-keys-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path() const { return folder_ + "/master.key"; }
  void write(const std::string& text, mode_t mode = 0600) const {
    std::ofstream(path(), std::ios::trunc) << text;
    ASSERT_EQ(::chmod(path().c_str(), mode), 0);
  }
  crypto::SystemRandom random_;
  std::string folder_;
};

const std::string kKeyA = base::to_base64(as_bytes(std::string(32, 'a')));
const std::string kKeyB = base::to_base64(as_bytes(std::string(32, 'b')));

TEST_F(EnvelopeTest, CreatesAPrivateKeyFileOnce) {
  const auto first = crypto::Keyring::load_or_create(path(), random_);
  ASSERT_TRUE(first) << first.error().detail;
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
  const auto again = crypto::Keyring::load_or_create(path(), random_);
  ASSERT_TRUE(again);
  EXPECT_EQ(first->active_kid(), again->active_kid());
  const auto sealed = first->seal(Secret("s"), "aad", random_);
  EXPECT_EQ(again->open(sealed, "aad")->reveal(), "s");
  EXPECT_EQ(first->derive("cursor"), again->derive("cursor"));
  EXPECT_FALSE(first->derive("cursor") == first->derive("webhook-hook"));
  EXPECT_EQ(first->derive("cursor").reveal().size(), 32u);
}

TEST_F(EnvelopeTest, OpensOnlyInItsPlace) {
  write("k1:" + kKeyA + "\n");
  const auto ring = crypto::Keyring::load_or_create(path(), random_).value();
  const std::string aad = "televisit/v1/integrations/org-1/row-1/appSecret";
  const std::string sealed = ring.seal(Secret("a secret of the clinic"), aad, random_);
  EXPECT_TRUE(crypto::Keyring::is_envelope(sealed));
  EXPECT_TRUE(sealed.starts_with("enc:v1:k1:"));
  EXPECT_EQ(sealed.find("clinic"), std::string::npos);
  EXPECT_EQ(ring.open(sealed, aad)->reveal(), "a secret of the clinic");
  EXPECT_NE(sealed, ring.seal(Secret("a secret of the clinic"), aad, random_));
  EXPECT_EQ(ring.open(ring.seal(Secret(""), aad, random_), aad)->reveal(), "");

  EXPECT_EQ(ring.open(sealed, "televisit/v1/integrations/org-2/row-1/appSecret").error().code,
            "integration_secret_unreadable");
  EXPECT_FALSE(ring.open(sealed, ""));
  for (std::size_t n = 0; n < sealed.size(); ++n) ASSERT_FALSE(ring.open(sealed.substr(0, n), aad)) << n;
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string bad = sealed;
    bad[i] = bad[i] == 'A' ? 'B' : 'A';
    ASSERT_FALSE(ring.open(bad, aad)) << i;
  }
  EXPECT_FALSE(ring.open(sealed + "=", aad));
  EXPECT_FALSE(ring.open("plain text", aad));
}

TEST_F(EnvelopeTest, OlderKeysOpenAndUnknownOnesDoNot) {
  write("old:" + kKeyA + "\n");
  const auto old_ring = crypto::Keyring::load_or_create(path(), random_).value();
  const auto sealed = old_ring.seal(Secret("x"), "a", random_);
  write("new:" + kKeyB + "\n\nold:" + kKeyA + "\r\n");
  const auto both = crypto::Keyring::load_or_create(path(), random_).value();
  EXPECT_EQ(both.active_kid(), "new");
  EXPECT_EQ(both.open(sealed, "a")->reveal(), "x");
  write("new:" + kKeyB + "\n");
  const auto only_new = crypto::Keyring::load_or_create(path(), random_).value();
  EXPECT_EQ(only_new.open(sealed, "a").error().code, "integration_secret_unreadable");
  write("old:" + kKeyB + "\n");  // the same name with another key
  EXPECT_FALSE(crypto::Keyring::load_or_create(path(), random_).value().open(sealed, "a"));
}

TEST_F(EnvelopeTest, RotatesAndRetires) {
  const auto first = crypto::Keyring::load_or_create(path(), random_).value();
  const auto sealed = first.seal(Secret("x"), "a", random_);
  EXPECT_EQ(crypto::Keyring::kid_of(sealed), first.active_kid());
  const auto kid = crypto::Keyring::rotate(path(), random_);
  ASSERT_TRUE(kid) << kid.error().detail;
  const auto second = crypto::Keyring::load_or_create(path(), random_).value();
  EXPECT_EQ(second.kids(), (std::vector<std::string>{*kid, first.active_kid()}));
  EXPECT_EQ(second.open(sealed, "a")->reveal(), "x");
  EXPECT_EQ(crypto::Keyring::retire(path(), *kid, random_).error().code, "key_active");
  EXPECT_EQ(crypto::Keyring::retire(path(), "absent", random_).error().code, "key_unknown");
  ASSERT_TRUE(crypto::Keyring::retire(path(), first.active_kid(), random_));
  const auto third = crypto::Keyring::load_or_create(path(), random_).value();
  EXPECT_EQ(third.kids(), std::vector<std::string>{*kid});
  EXPECT_FALSE(third.open(sealed, "a"));
  struct stat info{};
  ASSERT_EQ(::stat(path().c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder_), {}), 1);
}

TEST_F(EnvelopeTest, BadKeyFiles) {
  for (const std::string& text :
       {std::string(), std::string("\n"), std::string("k1"), "k1:" + kKeyA.substr(4), "k 1:" + kKeyA,
        ":" + kKeyA, "k1:" + kKeyA + "\nk1:" + kKeyB, std::string("k1:!!!")}) {
    write(text);
    const auto got = crypto::Keyring::load_or_create(path(), random_);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, "key_file_invalid") << text;
    EXPECT_EQ(got.error().detail.find(kKeyA.substr(4, 10)), std::string::npos);
  }
  write("k1:" + kKeyA, 0640);
  EXPECT_EQ(crypto::Keyring::load_or_create(path(), random_).error().code, "key_file_invalid");
  EXPECT_EQ(crypto::Keyring::load_or_create(folder_ + "/absent/master.key", random_).error().code,
            "key_file_unreadable");
}

}  // namespace
