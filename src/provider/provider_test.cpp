#include <gtest/gtest.h>

#include "provider/client.h"
#include "provider/parse.h"
#include "provider/testing_imposter.h"

namespace {

using provider::testing::Imposter;

class ProviderTest : public ::testing::Test {
 protected:
  std::unique_ptr<provider::Client> client(const std::string& secret = provider::testing::kSecret,
                                           std::shared_ptr<provider::Breaker> breaker = {}) {
    provider::ClientOptions options;
    options.breaker = std::move(breaker);
    options.pause = [this](base::Duration d) { pauses_.push_back(d); };
    return std::make_unique<provider::Client>(
        provider::Credentials{provider::testing::kAppId, base::Secret(secret), imposter_.endpoint()}, http_,
        clock_, random_, std::move(options));
  }
  provider::RoomSpec spec() {
    provider::RoomSpec out;
    out.name = "telehealth-consultation.test";
    out.template_id = provider::testing::kTemplate;
    return out;
  }

  Imposter imposter_;
  http::Client http_;
  base::SystemClock clock_;
  crypto::SystemRandom random_;
  std::vector<base::Duration> pauses_;
};

TEST_F(ProviderTest, CreatesAndReadsBack) {
  auto c = client();
  auto room = c->create_confirmed_room(spec(), c->deadline());
  ASSERT_TRUE(room) << room.error().detail;
  EXPECT_TRUE(base::is_object_id(room->id));
  EXPECT_EQ(imposter_.asked("GET", "/v2/rooms/" + room->id).size(), 1u);
  const auto created = imposter_.asked("POST", "/v2/rooms");
  ASSERT_EQ(created.size(), 1u);
  EXPECT_NE(created[0].body.find("\"template_id\":\"66c0aa11bb22cc33dd44ee55\""), std::string::npos);
}

TEST_F(ProviderTest, RefusesEveryFormOfARoomThatIsNotConfirmed) {
  struct Case {
    const char* what;
    int status;
    std::string body;
    const char* code;
  };
  const Case cases[] = {
      {"a room name as id", 200, R"({"id":"room_1750000000001","enabled":true})", "provider_bad_response"},
      {"no id", 200, "{}", "provider_bad_response"},
      {"HTML", 200, "<html>login</html>", "provider_bad_response"},
      {"empty", 200, "", "provider_bad_response"},
      {"an array", 200, "[]", "provider_bad_response"},
      {"a redirect", 302, "", "provider_bad_response"},
      {"HTML 502", 502, "<html>bad gateway</html>", "provider_error"},
      {"429", 429, "", "provider_rate_limited"},
      {"400", 400, R"({"code":400,"message":"Invalid body param"})", "provider_rejected_request"},
      {"unknown template", 400, R"({"message":"template not found"})", "integration_template_unknown"},
      {"403", 403, "{}", "integration_credentials_rejected"},
  };
  auto c = client();
  for (const Case& test : cases) {
    SCOPED_TRACE(test.what);
    imposter_.misbehave([&](const http::Request& request) -> std::optional<http::Response> {
      if (request.path != "/v2/rooms") return std::nullopt;
      http::Response response;
      response.status = test.status;
      response.body = test.body;
      return response;
    });
    auto room = c->create_confirmed_room(spec(), c->deadline());
    ASSERT_FALSE(room);
    EXPECT_EQ(room.error().code, test.code) << room.error().detail;
  }
}

TEST_F(ProviderTest, AnAddressThatIsNotAllowedGetsNoPacket) {
  provider::ClientOptions options;
  options.pause = [](base::Duration) {};
  options.address_allowed = [](const base::SocketAddress& address) { return !address.is_loopback(); };
  provider::Client c(
      {provider::testing::kAppId, base::Secret(provider::testing::kSecret), imposter_.endpoint()}, http_,
      clock_, random_, std::move(options));
  auto room = c.create_confirmed_room(spec(), c.deadline());
  ASSERT_FALSE(room);
  EXPECT_EQ(room.error().code, "provider_unreachable");
  EXPECT_TRUE(imposter_.asked("POST", "/v2").empty());
}

TEST_F(ProviderTest, ReadBackMustAgree) {
  auto c = client();
  imposter_.misbehave([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method != http::Method::kGet) return std::nullopt;
    return http::json_response(
        200, R"({"id":"66d1f0a2b3c4d5e6f7081920","enabled":true,"template_id":"66c0aa11bb22cc33dd44ee55"})");
  });
  auto room = c->create_confirmed_room(spec(), c->deadline());
  ASSERT_FALSE(room);
  EXPECT_EQ(room.error().code, "provider_bad_response");
  EXPECT_EQ(room.error().cls, provider::FailureClass::kAvailability);
}

TEST_F(ProviderTest, OneNewTokenAfter401AndNoMore) {
  auto c = client("not-the-secret-of-this-workspace");
  auto room = c->get_room("66d1f0a2b3c4d5e6f7081920", c->deadline());
  ASSERT_FALSE(room);
  EXPECT_EQ(room.error().code, "integration_credentials_rejected");
  EXPECT_EQ(room.error().cls, provider::FailureClass::kConfiguration);
  EXPECT_EQ(imposter_.asked("GET", "/v2/rooms/").size(), 2u);
}

TEST_F(ProviderTest, RetriesOnlyWhatMayBeRepeated) {
  auto c = client();
  imposter_.misbehave(
      [](const http::Request&) { return std::optional<http::Response>(Imposter::error(503, "later")); });
  EXPECT_FALSE(c->create_room(spec(), c->deadline()));
  EXPECT_EQ(imposter_.asked("POST", "/v2/rooms").size(), 2u);
  EXPECT_FALSE(c->get_room("66d1f0a2b3c4d5e6f7081920", c->deadline()));
  EXPECT_EQ(imposter_.asked("GET", "/v2/rooms/").size(), 3u);
  EXPECT_FALSE(c->end_active_room("66d1f0a2b3c4d5e6f7081920", "x", c->deadline()));
  EXPECT_EQ(imposter_.asked("POST", "/v2/active-rooms/").size(), 1u);
  EXPECT_EQ(pauses_.size(), 3u);
}

TEST_F(ProviderTest, FiveFailuresOpenTheCircuitForThirtySeconds) {
  provider::Breaker breaker;
  const base::SteadyTime start{1'000'000};
  for (int i = 0; i < 4; ++i) breaker.failed(start);
  EXPECT_EQ(breaker.blocked_for(start).us, 0);
  breaker.failed(start);
  EXPECT_EQ(breaker.blocked_for(start), base::Duration::seconds(30));
  EXPECT_EQ(breaker.blocked_for(start + base::Duration::seconds(30)).us, 0);
  breaker.failed(start + base::Duration::seconds(30));
  EXPECT_GT(breaker.blocked_for(start + base::Duration::seconds(31)).us, 0);
  breaker.succeeded();
  EXPECT_EQ(breaker.blocked_for(start + base::Duration::seconds(31)).us, 0);
}

TEST_F(ProviderTest, ClosingIsTrueOnlyAfterTheReadBack) {
  auto c = client();
  auto room = c->create_confirmed_room(spec(), c->deadline());
  ASSERT_TRUE(room);
  imposter_.misbehave([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method == http::Method::kPost) return Imposter::error(404, "not here");
    return std::nullopt;
  });
  EXPECT_FALSE(c->close_room(room->id, c->deadline()));
  EXPECT_EQ(imposter_.enabled_rooms(), 1u);
  imposter_.behave();
  EXPECT_TRUE(c->close_room(room->id, c->deadline()));
  EXPECT_EQ(imposter_.enabled_rooms(), 0u);
}

TEST_F(ProviderTest, ManagementTokenIsKeptUntilAMinuteBeforeItsEnd) {
  base::ManualClock clock;
  provider::Tokens tokens("app", base::Secret("secret-of-sixteen-bytes"), clock, random_);
  const base::Secret first = tokens.management();
  clock.advance(base::Duration::seconds(24 * 3600 - 61));
  EXPECT_EQ(tokens.management(), first);
  clock.advance(base::Duration::seconds(1));
  const base::Secret second = tokens.management();
  EXPECT_NE(second, first);
  auto claims = crypto::verify_jwt(second.reveal(), base::Secret("secret-of-sixteen-bytes"));
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::int_or(*claims, "iat", 0), clock.wall().to_seconds() - 10);
  EXPECT_EQ(json::int_or(*claims, "nbf", 0), clock.wall().to_seconds() - 10);
}

TEST_F(ProviderTest, AppTokensAreForRoomIdsAlone) {
  auto c = client();
  auto refused = c->app_token({"room_1750000000001", "host", "u-1"});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "room_id_invalid");
  EXPECT_FALSE(c->app_token({"66d1f0a2b3c4d5e6f7081920", "host", "has space"}));
  auto token = c->app_token({"66d1f0a2b3c4d5e6f7081920", "host", "u-1"});
  ASSERT_TRUE(token);
  auto claims = crypto::verify_jwt(token->reveal(), base::Secret(provider::testing::kSecret));
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::text_or(*claims, "room_id"), "66d1f0a2b3c4d5e6f7081920");
  EXPECT_EQ(json::text_or(*claims, "type"), "app");
}

TEST(ProviderParse, VendorTextsAreCutAndRedacted) {
  EXPECT_EQ(base::utf8_length(provider::shown_text(std::string(1000, 'x'))), 300u);
  EXPECT_EQ(provider::shown_text("a\nb").find('\n'), std::string::npos);
  EXPECT_EQ(provider::parse_http_date("Sun, 06 Nov 1994 08:49:37 GMT"),
            base::parse_rfc3339("1994-11-06T08:49:37Z"));
  EXPECT_FALSE(provider::parse_http_date("yesterday"));
}

}  // namespace
