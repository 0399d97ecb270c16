// Visits end by themselves (visit-api.md §4.3), and by cancel, no-show and end.
#include <gtest/gtest.h>

#include "visits/testing_clinic.h"

namespace {

using visits::testing::Clinic;

class TimersTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  struct Started {
    std::string id;
    std::string room;
    std::string path;
    std::string host;  // user ids
    std::string guest;
  };
  static std::string user_of(const Clinic::Answer& joined) {
    auto claims = crypto::peek_jwt_claims(joined.at("authToken"));
    return claims ? std::string(json::text_or(*claims, "user_id")) : std::string();
  }
  Started make(const std::string& path = "/api/virtual-meetings/instant") {
    const auto made = clinic_.post(path);
    EXPECT_TRUE(made.status == 201) << made.text;
    const std::string link = made.at("hostLink");
    const std::string join = "/api/virtual-meetings/join/" + made.at("code");
    const auto host =
        clinic_.post(join, R"({"displayName":"Dr","invite":")" + link.substr(link.find("#i=") + 3) + "\"}");
    const auto guest = clinic_.post(join, R"({"displayName":"Pat","claim":"patient"})");
    EXPECT_EQ(guest.status, 200) << guest.text;
    return {made.at("id"), made.at("meetingId"), "/api/virtual-meetings/" + made.at("id"), user_of(host),
            user_of(guest)};
  }
  void present(const Started& v, bool host, bool guest) {
    std::vector<provider::testing::Imposter::FakePeer> peers;
    if (host) peers.push_back({"p1", v.host, "host"});
    if (guest) peers.push_back({"p2", v.guest, "guest"});
    clinic_.imposter.set_peers(v.room, peers);
    wait(3);
  }
  void wait(std::int64_t seconds) {
    clinic_.clock.advance(base::Duration::seconds(seconds));
    clinic_.visits->run_housekeeping();
  }
  // Read from the table: a GET would bring it up to date by itself.
  std::string state(const Started& v) {
    auto rows =
        clinic_.fresh.db().query("SELECT status, status_reason FROM virtual_meetings WHERE id = $1", {v.id});
    return rows->rows.at(0).text("status") + " " + rows->rows.at(0).text("status_reason");
  }
  Clinic clinic_{GetParam()};
};
INSTANTIATE_TEST_SUITE_P(Databases, TimersTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

TEST_P(TimersTest, HostAbsentGuestAbsentAndMaximalDurationEndAnActiveVisit) {
  const auto host_gone = make();
  present(host_gone, true, true);
  EXPECT_EQ(state(host_gone), "active ");
  present(host_gone, false, true);
  wait(890);
  EXPECT_EQ(state(host_gone), "active ");
  wait(20);
  EXPECT_EQ(state(host_gone), "ended host_absent");
  EXPECT_EQ(clinic_.get(host_gone.path).at("roomState"), "closed");

  const auto guest_gone = make();
  present(guest_gone, true, true);
  present(guest_gone, true, false);
  wait(600);
  present(guest_gone, true, true);  // back in time: the timer starts anew
  present(guest_gone, true, false);
  wait(600);
  EXPECT_EQ(state(guest_gone), "active ");
  wait(310);
  EXPECT_EQ(state(guest_gone), "ended guest_absent");

  const auto long_one = make();
  present(long_one, true, true);
  wait(7190);
  EXPECT_EQ(state(long_one), "active ");
  wait(20);
  EXPECT_EQ(state(long_one), "ended max_duration");
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
}

TEST_P(TimersTest, SettingsMoveTheTimersOfRunningVisits) {
  const auto v = make();
  present(v, true, true);
  present(v, true, false);
  clinic_.sql("UPDATE organizations SET settings = '{\"guestAbsentGraceS\":60}'");
  wait(61);
  EXPECT_EQ(state(v), "ended guest_absent");
}

TEST_P(TimersTest, AnUnusedInstantVisitIsCancelled) {
  const auto unused = clinic_.post("/api/virtual-meetings/instant");
  const auto waiting = make();
  wait(7000);
  present(waiting, false, true);
  wait(100);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/" + unused.at("id")).at("status"), "scheduled");
  wait(200);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/" + unused.at("id")).at("statusReason"), "unused");
  EXPECT_EQ(state(waiting), "cancelled host_absent");
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
}

TEST_P(TimersTest, NoShowNamesWhoWasMissing) {
  const auto nobody = clinic_.post("/api/virtual-meetings/appointment/ap-1001");
  const auto host_came = make("/api/virtual-meetings/appointment/ap-1002");
  const auto patient_came = make("/api/virtual-meetings/appointment/ap-1003");
  const auto patient_waits = make("/api/virtual-meetings/appointment/ap-1004");
  present(host_came, true, false);
  present(patient_came, false, true);
  present(patient_came, false, false);
  wait(200);  // past G0: gone for good
  clinic_.imposter.set_peers(patient_waits.room, {{"p2", patient_waits.guest, "guest"}});
  wait(3 * 3600);
  EXPECT_EQ(clinic_.get("/api/virtual-meetings/" + nobody.at("id")).at("statusReason"), "nobody_came");
  EXPECT_EQ(state(host_came), "no_show patient_absent");
  EXPECT_EQ(state(patient_came), "no_show provider_absent");
  EXPECT_EQ(state(patient_waits), "waiting ");
  EXPECT_EQ(clinic_.post(patient_waits.path + "/no-show", R"({"who":"provider"})").at("code"),
            "visit_state_conflict");
  wait(4 * 3600);
  EXPECT_EQ(state(patient_waits), "no_show provider_absent");
}

TEST_P(TimersTest, ASilentProviderStopsNoTimerButAFreshStartWaitsForAReading) {
  const auto v = make();
  present(v, true, true);
  clinic_.imposter.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(404, "gone"));
  });
  wait(7300);
  EXPECT_EQ(state(v), "ended max_duration");  // presence had been read before
  EXPECT_EQ(clinic_.get(v.path).at("roomState"), "closing");
  clinic_.imposter.behave();
  const auto other = make();
  clinic_.sql("UPDATE virtual_meetings SET row_version = row_version + 1 WHERE id = '" + other.id + "'");
  clinic_.imposter.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(404, "gone"));
  });
  wait(8000);
  EXPECT_EQ(state(other), "scheduled ");  // people may be in it: nobody has looked yet
  clinic_.imposter.behave();
  wait(40);
  EXPECT_EQ(state(other), "cancelled unused");
}

TEST_P(TimersTest, CancelAndNoShowFollowTheStateMachine) {
  const auto cancelled = clinic_.post("/api/virtual-meetings/instant");
  const std::string path = "/api/virtual-meetings/" + cancelled.at("id");
  EXPECT_EQ(clinic_.post(path + "/cancel").status, 422);
  EXPECT_EQ(clinic_.post(path + "/cancel", R"({"reasonCode":"boredom"})").status, 422);
  const auto done =
      clinic_.post(path + "/cancel", R"({"reasonCode":"patient_unreachable","comment":"no answer"})");
  EXPECT_EQ(done.status, 200) << done.text;
  EXPECT_EQ(done.at("status"), "cancelled");
  EXPECT_EQ(done.at("statusReason"), "patient_unreachable");
  EXPECT_EQ(done.at("statusComment"), "no answer");
  EXPECT_EQ(done.at("roomState"), "closed");
  EXPECT_EQ(clinic_.get(path + "/events").text.find("no answer"), std::string::npos);
  const auto again = clinic_.post(path + "/cancel", R"({"reasonCode":"other"})");
  EXPECT_EQ(again.at("code"), "visit_state_conflict") << again.text;
  EXPECT_EQ(again.at("current"), "cancelled");
  EXPECT_EQ(clinic_.post(path + "/no-show", R"({"who":"both"})").status, 409);

  const auto v = make();
  present(v, true, true);
  const auto refused = clinic_.post(v.path + "/cancel", R"({"reasonCode":"other"})");
  EXPECT_EQ(refused.at("code"), "visit_state_conflict");
  EXPECT_EQ(json::serialize(json::Value(*json::array_at(refused.body, "allowed"))), R"(["ended"])");
  const auto ended = clinic_.post(v.path + "/end", R"({"reason":"all done"})");
  EXPECT_EQ(ended.status, 200) << ended.text;
  EXPECT_EQ(clinic_.get(v.path).at("statusComment"), "all done");
  EXPECT_EQ(clinic_.get(v.path).at("statusReason"), "ended_by_host");

  const auto absent = clinic_.post("/api/virtual-meetings/appointment/ap-1001");
  const auto marked =
      clinic_.post("/api/virtual-meetings/" + absent.at("id") + "/no-show", R"({"who":"patient"})");
  EXPECT_EQ(marked.at("status"), "no_show") << marked.text;
  EXPECT_EQ(marked.at("statusReason"), "patient_absent");
  EXPECT_EQ(clinic_.imposter.enabled_rooms(), 0u);
}

TEST_P(TimersTest, TheChartFollowsTheVisit) {
  const auto appointment = [&](const std::string& id) { return clinic_.get("/fhir/R4/Appointment/" + id); };
  const auto v = make("/api/virtual-meetings/appointment/ap-1001");
  EXPECT_EQ(appointment("ap-1001").at("status"), "booked");
  present(v, true, false);
  EXPECT_EQ(clinic_.get(v.path).at("encounterId"), "");
  EXPECT_EQ(clinic_.count("fhir_resources WHERE resource_type = 'Encounter'"), 0);
  present(v, true, true);
  EXPECT_EQ(appointment("ap-1001").at("status"), "fulfilled");
  const std::string encounter = "/fhir/R4/Encounter/" + clinic_.get(v.path).at("encounterId");
  auto live = clinic_.get(encounter);
  ASSERT_EQ(live.status, 200) << live.text;
  EXPECT_EQ(live.at("status"), "in-progress");
  EXPECT_EQ(json::text_or(*json::object_at(live.body, "class"), "code"), "VR");
  EXPECT_EQ(json::text_or(*json::object_at(live.body, "subject"), "reference"), "Patient/pt-88");
  EXPECT_EQ(live.raw.header("etag"), "W/\"1\"");
  present(v, true, false);
  present(v, true, true);  // paused and resumed: the same Encounter
  wait(54);
  EXPECT_EQ(clinic_.post(v.path + "/end").at("encounterId"), clinic_.get(v.path).at("encounterId"));
  EXPECT_EQ(clinic_.post(v.path + "/end").status, 200);
  const auto done = clinic_.get(encounter);
  EXPECT_EQ(done.at("status"), "finished");
  EXPECT_EQ(json::text_or(*json::object_at(done.body, "period"), "end"), clinic_.get(v.path).at("endedAt"));
  const json::Object* length = json::object_at(done.body, "length");
  ASSERT_TRUE(length && length->contains("value")) << done.text;
  EXPECT_NEAR(length->at("value").to_number<double>(), 1.0, 0.02);
  EXPECT_EQ(json::array_at(done.body, "statusHistory")->size(), 1u);
  EXPECT_EQ(clinic_.count("fhir_resources WHERE resource_type = 'Encounter'"), 1);
  EXPECT_EQ(clinic_.get(encounter + "/_history/1").at("status"), "in-progress");
  EXPECT_EQ(clinic_.get(encounter + "/_history/3").at("resourceType"), "OperationOutcome");
  EXPECT_EQ(json::int_or(clinic_.get(encounter + "/_history").body, "total", 0), 2);
  EXPECT_EQ(json::int_or(clinic_.get("/fhir/R4/Appointment/ap-1001/_history").body, "total", 0), 2);
}

TEST_P(TimersTest, CancelAndNoShowReachTheAppointment) {
  const auto visit_of = [&](const std::string& id) {
    return "/api/virtual-meetings/" + clinic_.post("/api/virtual-meetings/appointment/" + id).at("id");
  };
  EXPECT_EQ(
      clinic_.post(visit_of("ap-1001") + "/cancel", R"({"reasonCode":"patient_feeling_better"})").status,
      200);
  const auto cancelled = clinic_.get("/fhir/R4/Appointment/ap-1001");
  EXPECT_EQ(cancelled.at("status"), "cancelled");
  EXPECT_NE(cancelled.text.find("\"pat-fb\""), std::string::npos) << cancelled.text;
  EXPECT_EQ(clinic_.post("/api/virtual-meetings/appointment/ap-1001").at("code"), "appointment_closed");
  EXPECT_EQ(clinic_.post(visit_of("ap-1002") + "/no-show", R"({"who":"both"})").status, 200);
  EXPECT_EQ(clinic_.get("/fhir/R4/Appointment/ap-1002").at("status"), "noshow");
  EXPECT_EQ(clinic_.post(visit_of("ap-1003") + "/cancel", R"({"reasonCode":"technical_failure"})").status,
            200);
  EXPECT_EQ(clinic_.get("/fhir/R4/Appointment/ap-1003").at("status"), "booked");
  EXPECT_EQ(clinic_.post("/api/virtual-meetings/appointment/ap-1003").status, 201);
  EXPECT_EQ(clinic_.count("fhir_resources WHERE resource_type = 'Encounter'"), 0);
}

}  // namespace
