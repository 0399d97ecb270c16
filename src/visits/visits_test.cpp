#include <gtest/gtest.h>

#include <set>

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/testing_clinic.h"

namespace {

using provider::testing::Imposter;
using visits::testing::Clinic;

constexpr const char* kGuideBody =
    R"({"appointmentId": "test-appointment-id", "patientId": "test-patient-id", "practitionerId": "test-practitioner-id"})";
constexpr const char* kInstant = "/api/virtual-meetings/instant";

class VisitsTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  Clinic clinic_{GetParam()};

  std::string invite_of(const Clinic::Answer& created) {
    const std::string link = created.at("hostLink");
    return link.substr(link.find("#i=") + 3);
  }
};
INSTANTIATE_TEST_SUITE_P(Databases, VisitsTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

std::string user_of(const std::string& token) {
  auto claims = crypto::peek_jwt_claims(token);
  return claims ? std::string(json::text_or(*claims, "user_id")) : std::string();
}

TEST_P(VisitsTest, TheGuidesBodyMakesAVisitAndAgainReusesIt) {
  const auto made = clinic_.post(kInstant, kGuideBody);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_TRUE(base::is_object_id(made.at("meetingId")));
  EXPECT_EQ(made.at("code").size(), 10u);
  EXPECT_EQ(made.at("publicLink"), "http://localhost:3000/meeting/" + made.at("code"));
  EXPECT_EQ(made.at("hostLink").rfind(made.at("publicLink") + "#i=tvi_", 0), 0u);
  const json::Array* warnings = json::array_at(made.body, "warnings");
  ASSERT_TRUE(warnings);
  EXPECT_EQ(json::serialize(json::Value(*warnings)),
            R"(["appointment_unknown","patient_unknown","practitioner_unknown"])");
  EXPECT_FALSE(json::bool_or(made.body, "waitingRoom", true));
  const auto again = clinic_.post(kInstant, kGuideBody);
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_TRUE(json::bool_or(again.body, "reused", false));
  EXPECT_EQ(again.at("id"), made.at("id"));
  EXPECT_EQ(again.body.count("hostLink"), 0u);
  EXPECT_EQ(clinic_.count("virtual_meetings"), 1);
  EXPECT_EQ(clinic_.imposter.asked("POST", "/v2/rooms").size(), 1u);
}

TEST_P(VisitsTest, TwoPeopleJoinAndTheVisitFollowsTheProvider) {
  const auto made = clinic_.post("/api/virtual-meetings/appointment/ap-1001");
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string path = "/api/virtual-meetings/" + made.at("id");
  const auto host = clinic_.post("/api/virtual-meetings/join/" + made.at("code"),
                                 R"({"displayName":"Dr Dana","invite":")" + invite_of(made) + "\"}");
  ASSERT_EQ(host.status, 200) << host.text;
  EXPECT_EQ(host.at("role"), "host");
  EXPECT_EQ(host.at("initEndpoint"), "http://localhost:3000/#https://local");
  const auto guest = clinic_.call("POST", "/api/virtual-meetings/join/" + made.at("code"),
                                  R"({"displayName":"Pat","claim":"patient"})",
                                  {{"origin", "http://localhost:3000"}}, false);
  ASSERT_EQ(guest.status, 200) << guest.text;
  EXPECT_EQ(guest.at("role"), "guest");
  EXPECT_EQ(guest.at("next"), "media");
  auto claims = crypto::verify_jwt(guest.at("authToken"), base::Secret(provider::testing::kSecret));
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::text_or(*claims, "room_id"), made.at("meetingId"));
  EXPECT_EQ(clinic_.get(path).at("status"), "scheduled");

  clinic_.clock.advance(base::Duration::seconds(3));
  clinic_.imposter.set_peers(made.at("meetingId"), {{"p1", user_of(host.at("authToken")), "host"}});
  auto seen = clinic_.get(path);
  EXPECT_EQ(seen.at("status"), "waiting") << seen.text;
  EXPECT_EQ(json::int_or(*json::object_at(seen.body, "presence"), "hosts", -1), 1);

  clinic_.clock.advance(base::Duration::seconds(3));
  clinic_.imposter.set_peers(made.at("meetingId"), {{"p1", user_of(host.at("authToken")), "host"},
                                                    {"p2", user_of(guest.at("authToken")), "guest"}});
  seen = clinic_.get(path);
  EXPECT_EQ(seen.at("status"), "active");
  EXPECT_EQ(json::int_or(*json::object_at(seen.body, "presence"), "admitted", -1), 1);

  clinic_.imposter.set_peers(made.at("meetingId"), {});
  clinic_.clock.advance(base::Duration::seconds(3));
  seen = clinic_.get(path);
  EXPECT_EQ(seen.at("status"), "active");
  EXPECT_FALSE(seen.at("pausedSince").empty());
  clinic_.clock.advance(base::Duration::seconds(301));
  clinic_.visits->run_housekeeping();
  seen = clinic_.get(path);
  EXPECT_EQ(seen.at("status"), "ended");
  EXPECT_EQ(seen.at("statusReason"), "everyone_left");
  EXPECT_EQ(seen.at("roomState"), "closed");
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
  EXPECT_EQ(clinic_.post("/api/virtual-meetings/join/" + made.at("code"), R"({"displayName":"Late"})").status,
            410);
  const auto events = clinic_.get(path + "/events");
  EXPECT_NE(events.text.find("visit.started"), std::string::npos);
}

TEST_P(VisitsTest, AHostWhoEndsTheRoomEndsTheVisit) {
  const auto made = clinic_.post(kInstant);
  ASSERT_EQ(made.status, 201);
  const auto host = clinic_.post("/api/virtual-meetings/join/" + made.at("code"),
                                 R"({"displayName":"Dr","invite":")" + invite_of(made) + "\"}");
  const auto guest =
      clinic_.post("/api/virtual-meetings/join/" + made.at("code"), R"({"displayName":"Pat"})");
  clinic_.imposter.set_peers(made.at("meetingId"), {{"p1", user_of(host.at("authToken")), "host"},
                                                    {"p2", user_of(guest.at("authToken")), "guest"}});
  clinic_.visits->run_housekeeping();
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/" + made.at("id")).at("status"), "active");
  clinic_.imposter.set_peers(made.at("meetingId"), {});
  clinic_.imposter.set_enabled(made.at("meetingId"), false);
  clinic_.clock.advance(base::Duration::seconds(3));
  const auto seen = clinic_.get("/api/virtual-meetings/" + made.at("id"));
  EXPECT_EQ(seen.at("status"), "ended");
  EXPECT_EQ(seen.at("statusReason"), "ended_in_room");
  EXPECT_EQ(seen.at("roomState"), "closed");
}

TEST_P(VisitsTest, AMisbehavingProviderLeavesNoRow) {
  const std::pair<const char*, http::Response> cases[] = {
      {"provider_bad_response", http::json_response(200, R"({"id":"room_1750000000001","enabled":true})")},
      {"provider_bad_response", http::json_response(200, "{}")},
      {"provider_bad_response", http::json_response(200, "<html>")},
      {"provider_error", http::json_response(502, "<html>")},
      {"provider_rejected_request", http::json_response(400, R"({"message":"no"})")},
  };
  for (const auto& [code, response] : cases) {
    Clinic clinic(GetParam());
    clinic.imposter.misbehave([&answer = response](const http::Request& request) {
      return request.path == "/v2/rooms" ? std::optional<http::Response>(answer) : std::nullopt;
    });
    const auto made = clinic.post(kInstant, kGuideBody);
    EXPECT_EQ(made.at("code"), code) << made.text;
    EXPECT_FALSE(made.at("remedy").empty());
    EXPECT_EQ(clinic.count("virtual_meetings"), 0);
    // Whatever the provider did, no room is left open without a row.
    clinic.imposter.behave();
    clinic.clock.advance(base::Duration::seconds(120));
    clinic.visits->run_housekeeping();
    EXPECT_EQ(clinic.imposter.enabled_rooms(), 0u);
    EXPECT_EQ(clinic.post(kInstant, kGuideBody).status, 201);
  }
}

TEST_P(VisitsTest, ADifferentReadBackIsNoRoomAndTheRoomIsClosedAgain) {
  clinic_.imposter.misbehave([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method != http::Method::kGet || request.path.rfind("/v2/rooms/", 0) != 0) return std::nullopt;
    return http::json_response(200, R"({"id":"66d1f0a2b3c4d5e6f7081920","enabled":true})");
  });
  const auto made = clinic_.post(kInstant);
  EXPECT_EQ(made.status, 502) << made.text;
  EXPECT_EQ(made.at("code"), "provider_bad_response");
  EXPECT_EQ(clinic_.count("virtual_meetings"), 0);
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 1u);
  clinic_.imposter.behave();
  clinic_.visits->run_housekeeping();
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
}

TEST_P(VisitsTest, MissingTemplateIsNamedAndOneSqlStatementRepairsIt) {
  Clinic clinic(GetParam(), true);
  const std::string test_path = "/api/integrations/" + clinic.integration_id + "/test";
  const auto refused = clinic.post(kInstant, kGuideBody);
  EXPECT_EQ(refused.status, 409) << refused.text;
  EXPECT_EQ(refused.at("code"), "integration_template_missing");
  EXPECT_EQ(refused.at("link"), "template.id");
  EXPECT_NE(refused.at("remedy").find("66c0aa11bb22cc33dd44ee55 (default_telehealth)"), std::string::npos)
      << refused.text;
  EXPECT_EQ(clinic.count("virtual_meetings"), 1);  // the legacy visit
  EXPECT_EQ(clinic.count("provider_operations"), 0);
  EXPECT_TRUE(clinic.imposter.asked("POST", "/v2/rooms").empty());
  auto test = clinic.post(test_path);
  EXPECT_EQ(test.status, 200);
  EXPECT_EQ(test.at("firstBroken"), "template.id") << test.text;
  EXPECT_EQ(clinic.get("/api/integrations/" + clinic.integration_id).at("health_status"), "error");

  const std::string update =
      "UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', "
      "'\"66c0aa11bb22cc33dd44ee55\"') "
      "WHERE vendor_id = '100ms' AND org_id = '" +
      clinic.org_id + "'";
  clinic.sql(update);
  const auto row = clinic.get("/api/integrations/" + clinic.integration_id);
  EXPECT_EQ(row.at("health_status"), "inactive");
  auto log =
      clinic.fresh.db().query("SELECT details FROM integration_activity_log WHERE activity_type = 'updated'");
  ASSERT_TRUE(log);
  ASSERT_EQ(log->rows.size(), 1u);
  EXPECT_NE(log->rows[0].text("details").find("templateId"), std::string::npos);
  EXPECT_EQ(log->rows[0].text("details").find("66c0aa"), std::string::npos);
  const auto made = clinic.post(kInstant, kGuideBody);
  EXPECT_EQ(made.status, 201) << made.text;
  test = clinic.post(test_path);
  EXPECT_TRUE(json::bool_or(test.body, "success", false)) << test.text;
  EXPECT_EQ(clinic.get("/api/integrations/" + clinic.integration_id).at("health_status"), "active");

  clinic.sql(
      "UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', '\"YOUR_TEMPLATE_ID\"')");
  EXPECT_EQ(clinic.post(kInstant).at("code"), "integration_template_invalid");
}

TEST_P(VisitsTest, TheLegacyVisitAnswersRoomIdInvalidWithoutAskingTheProvider) {
  Clinic clinic(GetParam(), true);
  auto rows = clinic.fresh.db().query("SELECT code FROM virtual_meetings");
  ASSERT_TRUE(rows);
  const auto joined =
      clinic.post("/api/virtual-meetings/join/" + rows->rows.at(0).text("code"), R"({"displayName":"Pat"})");
  EXPECT_EQ(joined.status, 409);
  EXPECT_EQ(joined.at("code"), "room_id_invalid");
  EXPECT_TRUE(clinic.imposter.asked("GET", "/v2").empty());
}

TEST_P(VisitsTest, TheTestNamesTheBrokenLink) {
  const std::string path = "/api/integrations/" + clinic_.integration_id;
  const auto put = [&](const std::string& credentials) {
    const auto done =
        clinic_.call("PUT", path, R"({"credentials":)" + credentials + "}", {{"if-match", "*"}});
    EXPECT_EQ(done.status, 200) << done.text;
  };
  EXPECT_EQ(clinic_.post(path + "/test").at("outcome"), "pass") << clinic_.post(path + "/test").text;
  put(R"({"appSecret":"another-secret-of-the-workspace"})");
  EXPECT_EQ(clinic_.post(path + "/test").at("firstBroken"), "token.accepted");
  EXPECT_EQ(clinic_.post(kInstant).at("code"), "integration_credentials_rejected");
  put(std::string(R"({"appSecret":")") + provider::testing::kSecret + "\"}");
  put(R"({"templateId":"66c0aa11bb22cc33dd44ee00"})");
  EXPECT_EQ(clinic_.post(path + "/test").at("firstBroken"), "template.id");
  EXPECT_EQ(clinic_.post(kInstant).at("code"), "integration_template_unknown");
  put(R"({"templateId":"66c0aa11bb22cc33dd44ee55"})");
  clinic_.imposter.set_template(
      std::string(R"({"id":"66c0aa11bb22cc33dd44ee55","name":"x","roles":{"host":{}}})"));
  EXPECT_EQ(clinic_.post(path + "/test").at("firstBroken"), "roles.host");
  EXPECT_EQ(clinic_.post(kInstant).at("code"), "integration_roles_missing");
  clinic_.imposter.set_template(provider::testing::kDefaultTemplate);
  clinic_.imposter.misbehave([](const http::Request& request) -> std::optional<http::Response> {
    if (request.path.rfind("/v2/templates", 0) == 0)
      return http::json_response(200,
                                 std::string("{\"data\":[") + provider::testing::kDefaultTemplate + "]}");
    return std::nullopt;
  });
  EXPECT_EQ(clinic_.post(path + "/test").at("firstBroken"), "token.control");
}

TEST_P(VisitsTest, SecretsAreMaskedMergedAndEnveloped) {
  const std::string path = "/api/integrations/" + clinic_.integration_id;
  const auto row = clinic_.get(path);
  EXPECT_EQ(row.text.find(provider::testing::kSecret), std::string::npos);
  EXPECT_EQ(row.text.find("enc:v1"), std::string::npos);
  EXPECT_NE(row.text.find("\"fingerprint\""), std::string::npos);
  EXPECT_EQ(clinic_.call("PUT", path, "{}").status, 428);
  EXPECT_EQ(clinic_.call("PUT", path, "{}", {{"if-match", "\"r999\""}}).status, 412);
  const std::string etag(row.raw.header("etag"));
  const auto done = clinic_.call("PUT", path, R"({"credentials":{"maxDuration":"45"},"colour":"red"})",
                                 {{"if-match", etag}});
  EXPECT_EQ(done.status, 200) << done.text;
  EXPECT_EQ(done.raw.header("televisit-ignored"), "/colour");
  EXPECT_EQ(json::int_or(*json::object_at(done.body, "credentials"), "maxDuration", 0), 45);
  EXPECT_EQ(
      clinic_.call("PUT", path, R"({"credentials":{"appSecret":{"set":true}}})", {{"if-match", "*"}}).status,
      422);
  EXPECT_EQ(
      clinic_.call("PUT", path, R"({"credentials":{"defaultRegion":"sg"}})", {{"if-match", "*"}}).status,
      422);
  const auto refused = clinic_.call("PUT", path, R"({"credentials":{"apiEndpoint":"http://10.0.0.7/v2"}})",
                                    {{"if-match", "*"}});
  EXPECT_EQ(refused.at("code"), "endpoint_refused") << refused.text;
  clinic_.sql(std::string("UPDATE integrations SET credentials = jsonb_set(credentials, '{appSecret}', '\"") +
              provider::testing::kSecret + "\"')");
  EXPECT_EQ(clinic_.post(kInstant).status, 201);
  auto stored = clinic_.fresh.db().query("SELECT credentials FROM integrations");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->rows.at(0).text("credentials").find(provider::testing::kSecret), std::string::npos);
}

TEST_P(VisitsTest, OpenModeIsForThisMachineAndDemoOrganisationsAlone) {
  const std::string list = "/api/integrations";
  EXPECT_EQ(clinic_.get(list).status, 200);
  EXPECT_EQ(clinic_.call("GET", list, "", {}, false).at("code"), "org_required");
  EXPECT_EQ(clinic_.call("GET", list, "", {{"x-forwarded-for", "192.0.2.1"}}).at("code"),
            "open_mode_refused");
  EXPECT_EQ(clinic_.call("GET", list, "", {{"host", "evil.example"}}).at("code"), "open_mode_refused");
  EXPECT_EQ(clinic_.call("GET", list, "", {{"sec-fetch-site", "cross-site"}}).at("code"),
            "open_mode_refused");
  EXPECT_EQ(clinic_.call("GET", list, "", {{"authorization", "Bearer nonsense"}}).at("code"),
            "unauthenticated");
  EXPECT_EQ(
      clinic_.call("GET", list, "", {{"x-org-id", "0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01"}}, false).at("code"),
      "open_mode_refused");
  EXPECT_EQ(clinic_.call("POST", kInstant, "{}", {{"origin", "https://evil.example"}}).at("code"),
            "origin_refused");
  const auto demo = clinic_.call("GET", "/api/demo", "", {}, false);
  EXPECT_EQ(demo.at("orgId"), clinic_.org_id);
  EXPECT_NE(demo.at("banner").find("OPEN ON LOOPBACK"), std::string::npos);
}

TEST_P(VisitsTest, NobodyBecomesHostByAsking) {
  const auto made = clinic_.post(kInstant);
  const std::string path = "/api/virtual-meetings/join/" + made.at("code");
  for (const char* body :
       {R"({"displayName":"X","claim":"provider"})", R"({"displayName":"X","userType":"practitioner"})",
        R"({"displayName":"X","role":"host"})", R"({"displayName":"X","invite":"tvi_wrong"})"}) {
    const auto joined = clinic_.post(path, body);
    EXPECT_EQ(joined.status, 403) << body;
    EXPECT_EQ(joined.at("code"), "role_not_allowed");
  }
  EXPECT_EQ(clinic_.count("virtual_meeting_participants"), 0);
}

TEST_P(VisitsTest, BadInputLeavesNothingBehind) {
  const std::pair<const char*, int> cases[] = {
      {"{", 400},
      {"[]", 400},
      {"null", 400},
      {R"({"patientId":1})", 422},
      {R"({"patientId":"a","patientId":"b"})", 400},
      {R"({"patientId":"has space"})", 422},
      {R"({"durationMinutes":1})", 422},
      {R"({"waitingRoom":true})", 422},
      {R"({"recordingEnabled":true})", 422},
      {R"({"orgId":"0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01"})", 403},
      {R"({"patientId":"same","practitionerId":"same"})", 422},
  };
  for (const auto& [body, status] : cases) EXPECT_EQ(clinic_.post(kInstant, body).status, status) << body;
  EXPECT_EQ(clinic_.count("virtual_meetings"), 0);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/room_1700000000000").status, 404);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01").at("code"),
            "not_found");
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/code/AAAAAAAAAA").at("code"), "meeting_not_found");
  EXPECT_EQ(clinic_.get("/api/nothing").at("code"), "route_not_found");
  EXPECT_EQ(clinic_.call("DELETE", kInstant).status, 405);
  EXPECT_EQ(clinic_.post(kInstant, "{\"displayName\":\"" + std::string(300 * 1024, 'x') + "\"}").status, 413);
}

TEST_P(VisitsTest, EndingIsTrueOnlyAfterTheReadBack) {
  const auto made = clinic_.post(kInstant);
  const std::string path = "/api/virtual-meetings/" + made.at("id") + "/end";
  clinic_.imposter.misbehave([](const http::Request& request) -> std::optional<http::Response> {
    if (request.method == http::Method::kPost) return Imposter::error(404, "not here");
    return std::nullopt;
  });
  auto ended = clinic_.post(path);
  EXPECT_EQ(ended.status, 202) << ended.text;
  EXPECT_EQ(ended.at("roomState"), "closing");
  EXPECT_EQ(clinic_.post("/api/virtual-meetings/join/" + made.at("code"), R"({"displayName":"Pat"})").status,
            410);
  clinic_.imposter.behave();
  clinic_.clock.advance(base::Duration::seconds(3600));
  clinic_.visits->run_housekeeping();
  ended = clinic_.post(path);
  EXPECT_EQ(ended.status, 200) << ended.text;
  EXPECT_TRUE(json::bool_or(ended.body, "alreadyEnded", false));
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
}

TEST_P(VisitsTest, AppointmentsOfTheDayAndPages) {
  const auto all = clinic_.get("/api/appointments");
  ASSERT_EQ(all.status, 200) << all.text;
  EXPECT_EQ(json::array_at(all.body, "data")->size(), 4u);
  EXPECT_NE(all.text.find("\"name\":\"Dr Dana Sample\""), std::string::npos);
  EXPECT_EQ(clinic_.get("/api/appointments?date=today").status, 400);
  EXPECT_EQ(json::array_at(clinic_.get("/api/appointments?date=1999-01-01").body, "data")->size(), 0u);
  EXPECT_EQ(clinic_.get("/fhir/R4/Patient/pt-88").status, 200);
  EXPECT_EQ(clinic_.get("/fhir/R4/Patient/pt-0").at("resourceType"), "OperationOutcome");
  for (int i = 0; i < 5; ++i) {
    ASSERT_EQ(clinic_.post(kInstant).status, 201);
    clinic_.clock.advance(base::Duration::millis(i % 2));
  }
  std::set<std::string> seen;
  std::string next = "/api/virtual-meetings/org/" + clinic_.org_id + "?limit=2";
  for (int page = 0; page < 3; ++page) {
    const auto got = clinic_.get(next);
    const json::Object* pagination = json::object_at(got.body, "pagination");
    ASSERT_TRUE(pagination) << got.text;
    EXPECT_EQ(json::int_or(*pagination, "total", 0), 5);
    for (const json::Value& v : *json::array_at(got.body, "data"))
      seen.emplace(json::text_or(v.as_object(), "id"));
    next = "/api/virtual-meetings/org/" + clinic_.org_id +
           "?limit=2&cursor=" + std::string(json::text_or(*pagination, "next"));
  }
  EXPECT_EQ(seen.size(), 5u);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/org/" + clinic_.org_id + "?cursor=abc.def").at("code"),
            "request_invalid");
}

TEST_P(VisitsTest, TheDemoIsIdempotentAndKeepsWhatPeopleChanged) {
  clinic_.sql(
      "UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', "
      "'\"66c0aa11bb22cc33dd44eeff\"')");
  auto again = clinic_.visits->init_demo(clinic_.demo_seed(false));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->org_id, clinic_.org_id);
  EXPECT_EQ(again->integration_id, clinic_.integration_id);
  EXPECT_NE(clinic_.get("/api/integrations/" + clinic_.integration_id).text.find("66c0aa11bb22cc33dd44eeff"),
            std::string::npos);
  clinic_.clock.advance(base::Duration::seconds(86400));
  ASSERT_TRUE(clinic_.visits->init_demo(clinic_.demo_seed(false)));
  const auto from = base::format_rfc3339(clinic_.clock.wall() - base::Duration::seconds(3600));
  EXPECT_EQ(json::array_at(clinic_.get("/api/appointments?from=" + from).body, "data")->size(), 4u);
}

TEST_P(VisitsTest, AnotherOrganisationsRowsAreNeitherUsedNorSeen) {
  const std::string other = "0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01";
  const std::string yes = GetParam() == storage::Backend::kSqlite ? "1" : "true";
  clinic_.sql("INSERT INTO organizations (id, name, demo, fhir_system_base) VALUES ('" + other +
              "', 'Other', " + yes + ", 'http://x/ids')");
  clinic_.sql(
      "INSERT INTO integrations (id, org_id, vendor_id, enabled, credentials) VALUES "
      "('b8e2f4a6-1c3d-4e5f-8a9b-0c1d2e3f4a5b', '" +
      other + "', '100ms', " + yes + ", '{\"appId\":\"" + provider::testing::kAppId + "\",\"appSecret\":\"" +
      provider::testing::kSecret + "\",\"apiEndpoint\":\"" + clinic_.imposter.endpoint() + "\"}')");
  const std::vector<http::Header> as_other{{"x-org-id", other}};
  EXPECT_EQ(clinic_.call("POST", kInstant, "{}", as_other, false).at("code"), "integration_template_missing");
  const auto mine = clinic_.post(kInstant);
  ASSERT_EQ(mine.status, 201) << mine.text;
  clinic_.sql(
      "UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', "
      "'\"66c0aa11bb22cc33dd44ee55\"') WHERE org_id = '" +
      other + "'");
  EXPECT_EQ(clinic_.call("POST", kInstant, "{}", as_other, false).status, 201);
  EXPECT_EQ(clinic_.call("GET", "/api/virtual-meetings/" + mine.at("id"), "", as_other, false).at("code"),
            "not_found");
  EXPECT_EQ(
      clinic_.call("POST", "/api/virtual-meetings/" + mine.at("id") + "/end", "", as_other, false).at("code"),
      "not_found");
  EXPECT_EQ(
      clinic_.call("GET", "/api/integrations/" + clinic_.integration_id, "", as_other, false).at("code"),
      "not_found");
  EXPECT_EQ(clinic_.call("POST", "/api/integrations/" + clinic_.integration_id + "/test", "", as_other, false)
                .at("code"),
            "not_found");
  EXPECT_EQ(
      clinic_.call("GET", "/api/virtual-meetings/org/" + clinic_.org_id, "", as_other, false).at("code"),
      "org_mismatch");
  EXPECT_EQ(clinic_.call("GET", "/fhir/R4/Patient/pt-88", "", as_other, false).status, 404);
}

TEST_P(VisitsTest, TheLogHasItsLinesAndNoSecrets) {
  telemetry::configure_log(telemetry::Level::kInfo, "json");
  ::testing::internal::CaptureStderr();
  const auto made =
      clinic_.post(kInstant, R"({"displayName":"canary-display","patientId":"canary-patient"})");
  const auto joined =
      clinic_.post("/api/virtual-meetings/join/" + made.at("code"),
                   R"({"displayName":"canary-person","language":"canary-lang","deviceId":"canary-device"})");
  clinic_.post("/api/virtual-meetings/join/" + made.at("code"),
               R"({"displayName":"canary-person","invite":"tvi_canary-invite"})");
  clinic_.post(kInstant, R"({"displayName":17,"note":"canary-note"})");
  clinic_.post("/api/integrations/" + clinic_.integration_id + "/test");
  clinic_.post("/api/virtual-meetings/" + made.at("id") + "/end", R"({"reason":"canary-reason"})");
  const std::string log = ::testing::internal::GetCapturedStderr();
  for (const std::string& line :
       {"100ms client initialized for " + clinic_.integration_id,
        std::string("templateId: 66c0aa11bb22cc33dd44ee55"),
        std::string("Creating 100ms room: { name: 'telehealth-consultation."),
        std::string("template_id: '66c0aa11bb22cc33dd44ee55' }"),
        "100ms room created: " + made.at("meetingId"), std::string("100ms connection test successful"),
        "Ending 100ms room: " + made.at("meetingId")})
    EXPECT_NE(log.find(line), std::string::npos) << line;
  for (const std::string& canary :
       {std::string("canary"), joined.at("authToken"), joined.at("ticket"), invite_of(made)}) {
    ASSERT_FALSE(canary.empty());
    EXPECT_EQ(log.find(canary), std::string::npos) << canary.substr(0, 6);
  }
}

}  // namespace
