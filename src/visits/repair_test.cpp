// Rooms that went wrong, and what a ticket holder may ask.
#include <gtest/gtest.h>

#include "base/text.h"
#include "visits/testing_clinic.h"

namespace {

using visits::testing::Clinic;

class RepairTest : public ::testing::TestWithParam<storage::Backend> {};
INSTANTIATE_TEST_SUITE_P(Databases, RepairTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

void set_template(Clinic& clinic) {
  clinic.sql(
      "UPDATE integrations SET credentials = jsonb_set(credentials, '{templateId}', "
      "'\"66c0aa11bb22cc33dd44ee55\"')");
}

TEST_P(RepairTest, TheGuidesLeftoverGetsARealRoom) {
  Clinic clinic(GetParam(), true);
  auto rows = clinic.fresh.db().query("SELECT id, code, meeting_id, status FROM virtual_meetings");
  ASSERT_TRUE(rows && rows->rows.size() == 1);
  EXPECT_EQ(rows->rows[0].text("meeting_id"), "room_1750000000001");
  const std::string join = "/api/virtual-meetings/join/" + rows->rows[0].text("code");
  const auto refused = clinic.post(join, R"({"displayName":"Pat"})");
  EXPECT_EQ(refused.at("code"), "room_id_invalid");
  EXPECT_NE(refused.at("remedy").find("televisit repair rooms --apply"), std::string::npos);

  auto dry = clinic.visits->repair_rooms({});
  ASSERT_TRUE(dry) << dry.error().detail;
  EXPECT_EQ(dry->exit_code(), 1);
  ASSERT_EQ(dry->rooms.size(), 1u);
  EXPECT_EQ(dry->rooms[0].fault, "malformed");
  EXPECT_EQ(dry->rooms[0].action, "listed");
  visits::RepairOptions apply;
  apply.apply = true;
  auto without_template = clinic.visits->repair_rooms(apply);
  ASSERT_TRUE(without_template);
  EXPECT_EQ(without_template->exit_code(), 1);
  EXPECT_EQ(without_template->rooms[0].action, "failed");
  EXPECT_EQ(without_template->rooms[0].detail.rfind("integration_template_missing", 0), 0u);

  set_template(clinic);
  apply.org_id = "0d5a1c3e-7b42-4f6a-9c11-5e2f8a7b6c01";  // another clinic: nothing wrong there
  EXPECT_EQ(clinic.visits->repair_rooms(apply)->exit_code(), 0);
  apply.org_id = clinic.org_id;
  auto done = clinic.visits->repair_rooms(apply);
  ASSERT_TRUE(done);
  EXPECT_EQ(done->exit_code(), 2) << done->rooms.at(0).detail;
  EXPECT_TRUE(base::is_object_id(done->rooms[0].new_room_id));
  EXPECT_EQ(clinic.visits->repair_rooms(apply)->exit_code(), 0);
  const auto visit = clinic.get("/api/virtual-meetings/" + done->rooms[0].visit_id);
  EXPECT_EQ(visit.at("meetingId"), done->rooms[0].new_room_id);
  EXPECT_EQ(visit.at("roomState"), "confirmed");
  EXPECT_EQ(clinic.post(join, R"({"displayName":"Pat"})").status, 200);
  auto details = clinic.fresh.db().query("SELECT room_details FROM virtual_meetings");
  EXPECT_NE(details->rows[0].text("room_details").find("room_1750000000001"), std::string::npos);
  EXPECT_NE(clinic.get("/api/virtual-meetings/" + done->rooms[0].visit_id + "/events")
                .text.find("visit.room_repaired"),
            std::string::npos);
}

TEST_P(RepairTest, ClosedVisitsAreLeftAsHistory) {
  Clinic clinic(GetParam(), true);
  auto rows = clinic.fresh.db().query("SELECT id FROM virtual_meetings");
  const std::string path = "/api/virtual-meetings/" + rows->rows.at(0).text("id");
  EXPECT_EQ(clinic.post(path + "/end").status, 200);
  visits::RepairOptions apply;
  apply.apply = true;
  auto done = clinic.visits->repair_rooms(apply);
  ASSERT_TRUE(done && done->rooms.size() == 1);
  EXPECT_EQ(done->rooms[0].action, "marked");
  EXPECT_EQ(clinic.visits->repair_rooms({})->exit_code(), 0);
  EXPECT_EQ(clinic.get(path).at("meetingId"), "room_1750000000001");
  EXPECT_TRUE(clinic.imposter.asked("POST", "/v2").empty());
  EXPECT_EQ(clinic.post(path + "/repair").at("code"), "visit_closed");
}

TEST_P(RepairTest, ADeadRoomIsReplacedOnReuseAndOnRequest) {
  Clinic clinic(GetParam());
  const std::string create = "/api/virtual-meetings/appointment/ap-1001";
  const auto made = clinic.post(create);
  ASSERT_EQ(made.status, 201) << made.text;
  const std::string path = "/api/virtual-meetings/" + made.at("id");
  auto fine = clinic.post(path + "/repair");
  EXPECT_EQ(fine.status, 200) << fine.text;
  EXPECT_FALSE(json::bool_or(fine.body, "repaired", true));
  const auto joined =
      clinic.post("/api/virtual-meetings/join/" + made.at("code"), R"({"displayName":"Pat"})");
  ASSERT_EQ(joined.status, 200);

  clinic.imposter.set_enabled(made.at("meetingId"), false);
  visits::RepairOptions verify;
  EXPECT_EQ(clinic.visits->repair_rooms(verify)->exit_code(), 0);  // the id itself is fine
  verify.verify = true;
  auto listed = clinic.visits->repair_rooms(verify);
  ASSERT_TRUE(listed && listed->rooms.size() == 1);
  EXPECT_EQ(listed->rooms[0].fault, "disabled");
  const auto again = clinic.post(create);
  EXPECT_EQ(again.status, 200) << again.text;
  EXPECT_TRUE(json::bool_or(again.body, "reused", false));
  EXPECT_EQ(again.at("id"), made.at("id"));
  EXPECT_NE(again.at("meetingId"), made.at("meetingId"));
  EXPECT_EQ(clinic.imposter.enabled_rooms(), 1u);
  EXPECT_EQ(clinic
                .call("GET", "/api/virtual-meetings/participants/me", "",
                      {{"authorization", "Bearer " + joined.at("ticket")}}, false)
                .at("code"),
            "ticket_invalid");  // its token was for the dead room

  const std::string room = again.at("meetingId");
  clinic.imposter.misbehave([room](const http::Request& request) -> std::optional<http::Response> {
    if (request.path == "/v2/rooms/" + room) return provider::testing::Imposter::error(404, "room not found");
    return std::nullopt;
  });
  const auto repaired = clinic.post(path + "/repair");
  EXPECT_EQ(repaired.status, 200) << repaired.text;
  EXPECT_TRUE(json::bool_or(repaired.body, "repaired", false));
  EXPECT_NE(repaired.at("meetingId"), room);
  EXPECT_EQ(repaired.at("code"), made.at("code"));
  // A provider that does not answer is no reason to invent another room.
  clinic.imposter.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(503, "later"));
  });
  EXPECT_EQ(clinic.post(path + "/repair").at("code"), "provider_error");
  EXPECT_EQ(clinic.get(path).at("meetingId"), repaired.at("meetingId"));
}

TEST_P(RepairTest, ATicketOpensItsOwnParticipantOnly) {
  Clinic clinic(GetParam());
  const auto made = clinic.post("/api/virtual-meetings/instant");
  const std::string join = "/api/virtual-meetings/join/" + made.at("code");
  const auto joined = clinic.post(join, R"({"displayName":"Pat","claim":"patient"})");
  ASSERT_EQ(joined.status, 200) << joined.text;
  const std::string me = "/api/virtual-meetings/participants/me";
  const auto with = [&](const std::string& method, const std::string& path, const std::string& ticket) {
    return clinic.call(method, me + path, "", {{"authorization", "Bearer " + ticket}}, false);
  };
  const auto mine = with("GET", "", joined.at("ticket"));
  EXPECT_EQ(mine.status, 200) << mine.text;
  EXPECT_EQ(mine.at("participantId"), joined.at("participantId"));
  EXPECT_EQ(mine.body.at("ticket"), nullptr);
  const auto token = with("POST", "/token", joined.at("ticket"));
  EXPECT_EQ(token.at("role"), "guest");
  EXPECT_EQ(token.at("roomId"), made.at("meetingId"));
  auto claims = crypto::verify_jwt(token.at("token"), base::Secret(provider::testing::kSecret));
  ASSERT_TRUE(claims);
  EXPECT_EQ(json::text_or(*claims, "role"), "guest");

  const auto renewed = with("POST", "/refresh", joined.at("ticket"));
  EXPECT_EQ(renewed.status, 200) << renewed.text;
  EXPECT_NE(renewed.at("ticket"), joined.at("ticket"));
  EXPECT_EQ(with("GET", "", joined.at("ticket")).at("code"), "ticket_invalid");
  EXPECT_EQ(with("GET", "", joined.at("authToken")).status, 401);  // a media token is no ticket
  EXPECT_EQ(with("GET", "", "tvt_nonsense").at("code"), "ticket_invalid");
  EXPECT_EQ(clinic.call("GET", me, "", {}, false).status, 401);
  EXPECT_EQ(clinic
                .call("GET", "/api/virtual-meetings/" + made.at("id"), "",
                      {{"authorization", "Bearer " + renewed.at("ticket")}}, true)
                .status,
            401);  // and a ticket is no key
  clinic.clock.advance(base::Duration::seconds(601));
  EXPECT_EQ(with("POST", "/token", renewed.at("ticket")).at("code"), "ticket_expired");

  const auto second = clinic.post(join, R"({"displayName":"Pat again"})");
  EXPECT_EQ(with("POST", "/leave", second.at("ticket")).status, 204);
  const auto people = clinic.get("/api/virtual-meetings/" + made.at("id") + "/participants");
  ASSERT_EQ(people.status, 200);
  EXPECT_EQ(json::array_at(people.body, "data")->size(), 2u);
  EXPECT_NE(people.text.find("\"left\""), std::string::npos);
  const auto third = clinic.post(join, R"({"displayName":"Kim"})");
  clinic.post("/api/virtual-meetings/" + made.at("id") + "/end");
  EXPECT_EQ(with("POST", "/token", third.at("ticket")).status, 401);
}

}  // namespace
