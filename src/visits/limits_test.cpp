// Idempotency keys and rates (visit-api.md §3.1, §12.2).
#include <gtest/gtest.h>

#include <atomic>

#include "visits/testing_clinic.h"

namespace {

using visits::testing::Clinic;

constexpr const char* kInstant = "/api/virtual-meetings/instant";

class LimitsTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  Clinic::Answer with_key(const std::string& key, const std::string& path, const std::string& body = "") {
    return clinic_.call("POST", path, body, {{"idempotency-key", key}});
  }
  Clinic clinic_{GetParam()};
  Clinic::Answer meanwhile_;
  std::atomic<bool> asked_ = false;
};
INSTANTIATE_TEST_SUITE_P(Databases, LimitsTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

TEST_P(LimitsTest, TheSameKeyGetsTheSameAnswerAndOneVisit) {
  const auto made = with_key("k-1", kInstant, R"({"patientId":"pt-88"})");
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_TRUE(made.raw.header("idempotent-replayed").empty());
  const auto again = with_key("k-1", kInstant, R"({"patientId":"pt-88"})");
  EXPECT_EQ(again.status, 201);
  EXPECT_EQ(again.text, made.text);  // the host link included
  EXPECT_EQ(again.raw.header("idempotent-replayed"), "true");
  EXPECT_EQ(again.raw.header("location"), made.raw.header("location"));
  EXPECT_EQ(clinic_.count("virtual_meetings"), 1);
  EXPECT_EQ(with_key("k-1", kInstant, R"({"patientId":"pt-90"})").at("code"), "idempotency_key_reused");
  EXPECT_EQ(with_key("k-2", kInstant, R"({"patientId":"pt-88"})").status, 201);
  EXPECT_EQ(with_key("bad key", kInstant).at("code"), "request_invalid");
  EXPECT_EQ(with_key(std::string(256, 'k'), kInstant).at("code"), "request_invalid");
  auto rows = clinic_.fresh.db().query("SELECT body_enc FROM idempotency_keys");
  ASSERT_TRUE(rows && !rows->rows.empty());
  for (const auto& row : rows->rows) EXPECT_EQ(row.blob("body_enc").rfind("enc:v1:", 0), 0u);
  clinic_.clock.advance(base::Duration::seconds(24 * 3600 + 1));
  EXPECT_TRUE(
      with_key("k-1", kInstant, R"({"patientId":"pt-88"})").raw.header("idempotent-replayed").empty());
}

TEST_P(LimitsTest, FailuresOfTheProviderAreNotKeptButRefusalsAre) {
  clinic_.imposter.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(503, "later"));
  });
  EXPECT_EQ(with_key("k-1", kInstant).status, 502);
  clinic_.imposter.behave();
  clinic_.clock.advance(base::Duration::seconds(61));
  EXPECT_EQ(with_key("k-1", kInstant).status, 201);
  const std::string wrong = R"({"durationMinutes":1})";
  EXPECT_EQ(with_key("k-3", kInstant, wrong).status, 422);
  EXPECT_EQ(with_key("k-3", kInstant, wrong).raw.header("idempotent-replayed"), "true");
}

TEST_P(LimitsTest, ASecondCallWhileTheFirstRunsIsToldSo) {
  clinic_.imposter.misbehave([this](const http::Request&) -> std::optional<http::Response> {
    if (!asked_.exchange(true)) meanwhile_ = with_key("k-1", kInstant);
    return std::nullopt;
  });
  EXPECT_EQ(with_key("k-1", kInstant).status, 201);
  EXPECT_EQ(meanwhile_.at("code"), "idempotency_in_progress") << meanwhile_.text;
  EXPECT_FALSE(meanwhile_.raw.header("retry-after").empty());
  // What a process left running when it died is taken over after a minute.
  clinic_.sql("UPDATE idempotency_keys SET state = 'running'");
  EXPECT_EQ(with_key("k-1", kInstant).at("code"), "idempotency_in_progress");
  clinic_.clock.advance(base::Duration::seconds(61));
  EXPECT_EQ(with_key("k-1", kInstant).status, 201);
}

TEST_P(LimitsTest, LookUpsAndJoinsAreCountedPerAddress) {
  const auto made = clinic_.post(kInstant);
  const std::string code = "/api/virtual-meetings/code/" + made.at("code");
  const std::string join = "/api/virtual-meetings/join/" + made.at("code");
  const auto first = clinic_.call("GET", code, "", {}, false);
  EXPECT_EQ(first.raw.header("ratelimit-limit"), "20");
  EXPECT_EQ(first.raw.header("ratelimit-remaining"), "19");
  const auto joined = clinic_.post(join, R"({"displayName":"Pat"})");
  ASSERT_EQ(joined.status, 200);
  for (int i = 1; i < 20; ++i) EXPECT_EQ(clinic_.call("GET", code, "", {}, false).status, 200);
  const auto refused = clinic_.call("GET", code, "", {}, false);
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.at("code"), "rate_limited");
  EXPECT_EQ(refused.raw.header("retry-after"), "60");
  // A ticket of this visit and a valid personal link are not counted; a wrong one is.
  EXPECT_EQ(clinic_.call("GET", code, "", {{"authorization", "Bearer " + joined.at("ticket")}}, false).status,
            200);
  EXPECT_EQ(clinic_.call("GET", code, "", {{"authorization", "Bearer tvt_wrong"}}, false).status, 429);
  for (int i = 1; i < 20; ++i) clinic_.post(join, R"({"displayName":"Pat"})");
  EXPECT_EQ(clinic_.post(join, R"({"displayName":"Pat"})").status, 429);
  const std::string link = made.at("hostLink");
  const std::string invite = link.substr(link.find("#i=") + 3);
  EXPECT_EQ(clinic_.post(join, R"({"displayName":"Dr","invite":")" + invite + "\"}").status, 200);
  EXPECT_EQ(clinic_.post(join, R"({"displayName":"Dr","invite":"tvi_wrong"})").status, 429);
  clinic_.clock.advance(base::Duration::seconds(60));
  EXPECT_EQ(clinic_.call("GET", code, "", {}, false).status, 200);
}

TEST_P(LimitsTest, GuessingCodesLocksTheAddress) {
  const auto made = clinic_.post(kInstant);
  int asked = 0;
  for (; asked < 30; ++asked) {
    if (asked == 15) clinic_.clock.advance(base::Duration::seconds(61));
    const auto answer = clinic_.call(
        "GET", "/api/virtual-meetings/code/AAAAAAAA" + std::to_string(10 + asked), "", {}, false);
    EXPECT_EQ(answer.at("code"), "meeting_not_found") << asked;
  }
  const std::string code = "/api/virtual-meetings/code/" + made.at("code");
  const auto locked = clinic_.call("GET", code, "", {}, false);
  EXPECT_EQ(locked.status, 429);
  EXPECT_EQ(locked.at("code"), "code_lookup_locked");
  EXPECT_EQ(locked.raw.header("retry-after"), "900");
  clinic_.clock.advance(base::Duration::seconds(901));
  EXPECT_EQ(clinic_.call("GET", code, "", {}, false).status, 200);
}

TEST_P(LimitsTest, AnIntegrationIsTestedSixTimesAMinute) {
  const std::string path = "/api/integrations/" + clinic_.integration_id + "/test";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(clinic_.post(path).status, 200);
  EXPECT_EQ(clinic_.post(path).at("code"), "rate_limited");
  clinic_.clock.advance(base::Duration::seconds(60));
  EXPECT_EQ(clinic_.post(path).status, 200);
}

}  // namespace
