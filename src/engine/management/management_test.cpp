// The conformance rows of 100ms-server-api.md §9.2, by their number, over HTTP on both databases.
#include <gtest/gtest.h>

#include <regex>
#include <set>

#include "base/text.h"
#include "crypto/jwt.h"
#include "engine/testing_engine.h"

namespace engine::testing {
namespace {

std::string text(const json::Object& o, std::string_view key) {
  return std::string(json::text_or(o, key));
}

class Management : public ::testing::TestWithParam<storage::Backend> {
 protected:
  World world_{GetParam()};
  Answer with(json::Object overrides) {
    return world_.call("GET", "/v2/rooms", {}, world_.management_token(10, 3600, std::move(overrides)));
  }
};

void expect_error(const Answer& a, int status) {
  EXPECT_EQ(a.status, status) << a.text;
  EXPECT_EQ(json::int_or(a.body, "code", 0), status) << a.text;
  EXPECT_FALSE(json::text_or(a.body, "message").empty()) << a.text;
}

TEST_P(Management, Rows1To10Tokens) {
  expect_error(world_.call("GET", "/v2/rooms", {}, {}), 401);         // 1
  expect_error(world_.call("GET", "/v2/rooms", {}, "garbage"), 401);  // 2
  {
    const auto now = world_.clock.wall().to_seconds();
    json::Object claims{{"access_key", world_.workspace->access_key},
                        {"type", "management"},
                        {"version", 2},
                        {"jti", "x"},
                        {"iat", now},
                        {"exp", now + 60}};
    const auto foreign = world_.call("GET", "/v2/rooms", {},
                                     crypto::sign_jwt(claims, base::Secret("another secret")).reveal());
    expect_error(foreign, 401);  // 3
    EXPECT_EQ(text(foreign.body, "message"), "Token validation error");
    EXPECT_EQ(world_.call("GET", "/v2/rooms", {}, world_.sign(claims)).status, 200) << "nbf may be missing";
  }
  expect_error(world_.call("GET", "/v2/rooms", {}, world_.management_token(3610, 3600)), 401);  // 4
  expect_error(with({{"access_key", "66a0000000000000000000ff"}}), 401);                        // 5
  expect_error(with({{"type", "app"}, {"room_id", "66d1f0a2b3c4d5e6f7081920"}}), 401);          // 6
  EXPECT_EQ(with({}).status, 200);                                                              // 7
  const auto now = world_.clock.wall().to_seconds();
  EXPECT_EQ(with({{"iat", now - 60}, {"nbf", now}, {"jti", "1722500000000"}}).status, 200);  // 8
  EXPECT_EQ(with({{"nbf", now + 30}}).status, 200);                                          // 9
  expect_error(with({{"nbf", now + 90}}), 401);
  expect_error(with({{"version", 1}}), 401);  // 10
  expect_error(with({{"exp", now + 100 * 86400}}), 401);
  expect_error(with({{"jti", ""}}), 401);
}

TEST_P(Management, Rows11To18CreateIsAnUpsertByName) {
  const auto plain = world_.post("/v2/rooms", "{}");  // 11
  ASSERT_EQ(plain.status, 200) << plain.text;
  EXPECT_TRUE(base::is_object_id(text(plain.body, "id")));
  EXPECT_FALSE(text(plain.body, "name").empty());
  EXPECT_TRUE(json::bool_or(plain.body, "enabled", false));
  EXPECT_EQ(text(plain.body, "template_id"), world_.workspace->template_id);

  const auto a = world_.post("/v2/rooms", R"({"name":"clinic-7.Visit","description":"first"})");  // 12
  EXPECT_EQ(text(a.body, "name"), "clinic-7.Visit");
  EXPECT_TRUE(base::parse_rfc3339(text(a.body, "created_at")));
  const auto again = world_.post("/v2/rooms", R"({"name":"clinic-7.Visit"})");  // 13
  EXPECT_EQ(text(again.body, "id"), text(a.body, "id"));
  EXPECT_EQ(text(again.body, "description"), "first") << "absent members are kept";
  EXPECT_EQ(text(world_.post("/v2/rooms", R"({"name":"CLINIC-7.visit"})").body, "id"),
            text(a.body, "id"));  // 14

  const auto t = world_.post("/v2/templates", R"({"name":"other","roles":{"nurse":{}}})");
  const auto moved = world_.post(
      "/v2/rooms", R"({"name":"clinic-7.Visit","template_id":")" + text(t.body, "id") + "\"}");  // 15
  EXPECT_EQ(text(moved.body, "id"), text(a.body, "id"));
  EXPECT_EQ(text(moved.body, "template_id"), text(t.body, "id"));
  EXPECT_EQ(text(world_.post("/v2/rooms", R"({"name":"clinic-7.Visit"})").body, "template_id"),
            text(t.body, "id"))
      << "not moved back to the default";

  const auto digits = world_.post("/v2/rooms", R"({"name":"room_1722500000000"})");  // 16
  EXPECT_TRUE(base::is_object_id(text(digits.body, "id")));

  const auto unknown =
      world_.post("/v2/rooms", R"({"name":"n","template_id":"66c0aa11bb22cc33dd44ee55"})");  // 17
  expect_error(unknown, 400);
  EXPECT_NE(unknown.text.find("template not found"), std::string::npos);
  EXPECT_EQ(json::array_at(world_.get("/v2/rooms?name=n").body, "data")->size(), 0u)
      << "nothing is left behind";
  const auto by_name = world_.post("/v2/rooms", R"({"template":"default_telehealth"})");  // 18
  expect_error(by_name, 400);
  EXPECT_NE(by_name.text.find("template_id"), std::string::npos);
}

TEST_P(Management, Rows19To27Values) {
  expect_error(world_.post("/v2/rooms", R"({"region":"mars"})"), 400);             // 19
  expect_error(world_.post("/v2/rooms", R"({"max_duration_seconds":119})"), 400);  // 20
  expect_error(world_.post("/v2/rooms", R"({"max_duration_seconds":43201})"), 400);
  EXPECT_EQ(world_.post("/v2/rooms", R"({"max_duration_seconds":120})").status, 200);
  EXPECT_EQ(world_.post("/v2/rooms", R"({"max_duration_seconds":43200})").status, 200);
  for (const char* body : {R"({"size":2501})", R"({"size":20001,"large_room":true})"}) {  // 21
    const auto a = world_.post("/v2/rooms", body);
    expect_error(a, 400);
    EXPECT_EQ(text(a.body, "message"), "Invalid body param");
    EXPECT_EQ(json::array_at(a.body, "details")->size(), 1u);
  }
  const auto bucket =
      world_.post("/v2/rooms", R"({"recording_info":{"enabled":false,"upload_info":{"type":"s3"}}})");  // 22
  expect_error(bucket, 400);
  EXPECT_EQ(text(bucket.body, "message"), "Bucket location is missing");

  const std::string x =
      world_.make_room(R"({"name":"x","webhook":{"url":"https://ehr.example/h","headers":{"x-k":"k-113"}}})");
  const auto got = world_.get("/v2/rooms/" + x);  // 25
  EXPECT_EQ(text(got.body, "id"), x);
  EXPECT_TRUE(json::bool_or(got.body, "recording_source_template", false));                             // 23
  EXPECT_EQ(text(*json::object_at(*json::object_at(got.body, "webhook"), "headers"), "x-k"), "k-113");  // 24
  expect_error(world_.get("/v2/rooms/000000000000000000000000"), 404);                                  // 26
  const auto name_as_id = world_.get("/v2/rooms/room_1722500000000");                                   // 27
  expect_error(name_as_id, 400);
  EXPECT_EQ(text(name_as_id.body, "message"), "invalid room id: room_1722500000000");
  EXPECT_NE(name_as_id.text.find("room name"), std::string::npos);

  const auto secret = world_.post(
      "/v2/rooms",
      R"({"recording_info":{"upload_info":{"type":"s3","location":"b","credentials":{"key":"AK","secret":"canary-secret"}}}})");
  EXPECT_EQ(secret.status, 200);
  EXPECT_EQ(secret.text.find("canary-secret"), std::string::npos);
  auto rows =
      world_.database.db().query("SELECT recording_info FROM rooms WHERE id = $1", {text(secret.body, "id")});
  ASSERT_TRUE(rows);
  EXPECT_TRUE(crypto::Keyring::is_envelope(rows->rows.front().text("recording_info")));
}

TEST_P(Management, Rows28To35ListsAndUpdates) {
  std::vector<std::string> ids;
  for (int i = 0; i < 25; ++i) {
    world_.clock.advance(base::Duration::seconds(1));
    ids.push_back(world_.make_room("{\"name\":\"r" + std::to_string(i) + "\"}"));
  }
  const auto by_name = world_.get("/v2/rooms?name=R7");  // 28
  EXPECT_EQ(text(json::array_at(by_name.body, "data")->at(0).as_object(), "id"), ids[7]);
  std::set<std::string> seen;
  std::string start;
  int pages = 0;
  for (; pages < 6; ++pages) {  // 29, 30
    const auto page = world_.get("/v2/rooms" + (start.empty() ? "" : "?start=" + start));
    EXPECT_EQ(json::int_or(page.body, "limit", 0), 10);
    const auto* data = json::array_at(page.body, "data");
    if (data->empty()) break;
    for (const auto& room : *data) EXPECT_TRUE(seen.insert(text(room.as_object(), "id")).second);
    start = text(page.body, "last");
    EXPECT_EQ(start, text(data->back().as_object(), "id"));
    if (data->size() < 10) break;
  }
  EXPECT_EQ(seen.size(), 25u);
  EXPECT_EQ(json::array_at(world_.get("/v2/rooms?limit=10&start=" + ids[0]).body, "data")->size(), 0u);  // 31
  EXPECT_EQ(json::int_or(world_.get("/v2/rooms?limit=1").body, "limit", 0), 10);                         // 32
  EXPECT_EQ(json::int_or(world_.get("/v2/rooms?limit=1000").body, "limit", 0), 100);

  EXPECT_EQ(world_.post("/v2/rooms/" + ids[3], R"({"enabled":false})").status, 200);
  const auto disabled = world_.get("/v2/rooms?enabled=false");  // 33
  ASSERT_EQ(json::array_at(disabled.body, "data")->size(), 1u);
  EXPECT_EQ(text(json::array_at(disabled.body, "data")->at(0).as_object(), "id"), ids[3]);
  const std::string t5 = text(world_.get("/v2/rooms/" + ids[5]).body, "created_at"),
                    t8 = text(world_.get("/v2/rooms/" + ids[8]).body, "created_at");
  EXPECT_EQ(json::array_at(world_.get("/v2/rooms?after=" + t5 + "&before=" + t8).body, "data")->size(),
            4u);  // 34

  const auto before = world_.get("/v2/rooms/" + ids[1]);
  const auto after = world_.post("/v2/rooms/" + ids[1], R"({"description":"z"})");  // 35
  EXPECT_EQ(text(after.body, "description"), "z");
  EXPECT_EQ(text(after.body, "name"), "r1");
  EXPECT_EQ(text(after.body, "template_id"), text(before.body, "template_id"));
  EXPECT_GT(text(after.body, "updated_at"), text(before.body, "updated_at"));
  const auto clash = world_.post("/v2/rooms/" + ids[1], R"({"name":"R2"})");
  expect_error(clash, 400);
  EXPECT_NE(clash.text.find("room name already exists"), std::string::npos);
}

TEST_P(Management, Rows36And37DisabledRoomRefusesNewJoins) {
  const std::string x = world_.make_room();
  const auto token = world_.app_token(x, "guest");
  EXPECT_EQ(world_.init(token).status, 200);
  EXPECT_FALSE(json::bool_or(world_.post("/v2/rooms/" + x, R"({"enabled":false})").body, "enabled", true));
  const auto refused = world_.init(token);
  expect_error(refused, 403);
  EXPECT_NE(text(refused.body, "message").find("room is not active"), std::string::npos);
  EXPECT_EQ(world_.post("/v2/rooms/" + x, R"({"enabled":true})").status, 200);
  EXPECT_EQ(world_.init(token).status, 200);
}

TEST_P(Management, Rows38To49RoomCodes) {
  const std::string x = world_.make_room();
  const auto made =
      world_.call("POST", "/v2/room-codes/room/" + x, {}, world_.management_token(), {});  // 38, 78
  ASSERT_EQ(made.status, 200) << made.text;
  ASSERT_EQ(json::array_at(made.body, "data")->size(), 3u);
  std::set<std::string> codes;
  std::string guest;
  for (const auto& c : *json::array_at(made.body, "data")) {
    const std::string code = text(c.as_object(), "code");
    EXPECT_TRUE(std::regex_match(code, std::regex("[a-z]{3}-[a-z]{4}-[a-z]{3}"))) << code;
    codes.insert(code);
    if (text(c.as_object(), "role") == "guest") guest = code;
  }
  const auto again = world_.post("/v2/room-codes/room/" + x);  // 39
  EXPECT_EQ(json::array_at(again.body, "data")->size(), 3u);
  const auto listed = world_.get("/v2/room-codes/room/" + x);
  for (const auto& c : *json::array_at(listed.body, "data"))
    EXPECT_TRUE(codes.contains(text(c.as_object(), "code")));
  EXPECT_EQ(text(world_.post("/v2/room-codes/room/" + x + "/role/host").body, "role"), "host");  // 40
  expect_error(world_.post("/v2/room-codes/room/" + x + "/role/nosuch"), 404);                   // 41
  expect_error(world_.post("/v2/room-codes/room/000000000000000000000000"), 404);                // 42
  const auto filtered = world_.get("/v2/room-codes/room/" + x + "?role=host&enabled=true");      // 47
  EXPECT_EQ(json::array_at(filtered.body, "data")->size(), 2u);
  EXPECT_TRUE(filtered.body.contains("last"));

  const auto token = world_.call("POST", "/v2/token", R"({"code":")" + guest + R"(","user_id":"u1"})", {},
                                 {{"content-type", "text/plain"}});  // 48
  ASSERT_EQ(token.status, 200) << token.text;
  EXPECT_EQ(token.raw.header("access-control-allow-origin"), "*");
  auto claims = crypto::verify_jwt(text(token.body, "token"), world_.workspace->secret);
  ASSERT_TRUE(claims);
  EXPECT_EQ(text(*claims, "room_id"), x);
  EXPECT_EQ(text(*claims, "role"), "guest");
  EXPECT_EQ(text(*claims, "user_id"), "u1");
  EXPECT_EQ(text(*claims, "type"), "app");
  EXPECT_EQ(json::int_or(*claims, "version", 0), 2);
  EXPECT_EQ(world_.init(text(token.body, "token")).status, 200);

  const auto off =
      world_.post("/v2/room-codes/code", R"({"code":")" + guest + R"(","enabled":false})");  // 44
  EXPECT_FALSE(json::bool_or(off.body, "enabled", true));
  EXPECT_NE(text(off.body, "updated_at"), text(off.body, "created_at"));
  expect_error(world_.call("POST", "/v2/token", R"({"code":")" + guest + "\"}", {}, {}), 403);  // 49
  expect_error(world_.call("POST", "/v2/token", R"({"code":"aaa-bbbb-ccc"})", {}, {}), 404);
  expect_error(
      world_.post("/v2/room-codes/code", R"({"code":")" + guest + R"(","enabled":true,"role":"host"})"),
      400);  // 45
  expect_error(world_.post("/v2/room-codes/code", R"({"code":")" + guest + R"(","enabled":"no"})"), 400);
  expect_error(world_.post("/v2/room-codes/code", R"({"code":"aaa-bbbb-ccc","enabled":false})"), 404);  // 46
  world_.post("/v2/rooms/" + x, R"({"enabled":false})");
  expect_error(world_.post("/v2/room-codes/room/" + x), 403);  // 43
}

TEST_P(Management, Row50InitNamesTheInvalidRoomId) {
  const auto a = world_.init(world_.app_token("room_1722500000000", "guest"));
  expect_error(a, 401);
  EXPECT_EQ(text(a.body, "message"), "invalid room id: room_1722500000000");
  EXPECT_EQ(a.raw.header("access-control-allow-origin"), "*");
  const auto unknown = world_.init(world_.app_token("66d1f0a2b3c4d5e6f7081920", "guest"));
  expect_error(unknown, 401);
  EXPECT_EQ(text(unknown.body, "message"), "invalid room id: 66d1f0a2b3c4d5e6f7081920");
  const auto role = world_.init(world_.app_token(world_.make_room(), "surgeon"));
  expect_error(role, 401);
  EXPECT_NE(text(role.body, "message").find("role is invalid"), std::string::npos);
  expect_error(world_.init("garbage"), 401);
}

TEST_P(Management, Rows51To55Templates) {
  const auto made = world_.post("/v2/templates", R"({"name":"two","roles":{"a":{},"b":{}}})");  // 51
  ASSERT_EQ(made.status, 200) << made.text;
  const std::string id = text(made.body, "id");
  EXPECT_EQ(text(made.body, "_id"), id);
  const auto& a = json::object_at(made.body, "roles")->at("a").as_object();
  EXPECT_EQ(json::int_or(*json::object_at(*json::object_at(a, "publishParams"), "audio"), "bitRate", 0), 32);
  EXPECT_EQ(json::array_at(*json::object_at(a, "subscribeParams"), "subscribeToRoles")->size(), 2u);
  EXPECT_EQ(text(world_.post("/v2/templates", R"({"name":"two","roles":{"c":{}}})").body, "id"), id);  // 52
  const std::string nurse = "/v2/templates/" + id + "/roles/nurse";
  EXPECT_EQ(world_.post(nurse, R"({"publishParams":{"allowed":["audio"]}})").status, 200);  // 53
  EXPECT_EQ(text(world_.get(nurse).body, "name"), "nurse");
  const auto gone = world_.remove(nurse);  // 54
  EXPECT_EQ(gone.status, 204);
  EXPECT_TRUE(gone.text.empty());
  expect_error(world_.remove(nurse), 404);
  const std::string settings = "/v2/templates/" + id + "/settings";
  EXPECT_EQ(text(world_.post(settings, R"({"region":"eu"})").body, "region"), "eu");  // 55
  EXPECT_EQ(text(world_.get(settings).body, "region"), "eu");
  EXPECT_TRUE(json::object_at(world_.get(settings).body, "retry"));

  const auto bad = world_.post("/v2/templates",
                               R"({"name":"bad","roles":{"a":{"publishParams":{"audio":{"bitRate":500}}}}})");
  expect_error(bad, 400);
  EXPECT_NE(bad.text.find("roles.a.publishParams.audio.bitRate"), std::string::npos);
  expect_error(world_.post("/v2/templates",
                           R"({"name":"bad","roles":{"a":{"subscribeParams":{"subscribeToRoles":["z"]}}}})"),
               400);
  expect_error(world_.post("/v2/templates", R"({"name":"bad","roles":[]})"), 400);
  const auto standard = world_.get("/v2/templates/" + world_.workspace->template_id);
  EXPECT_EQ(text(standard.body, "name"), "default_telehealth");
  EXPECT_EQ(json::object_at(standard.body, "roles")->size(), 3u);
}

TEST_P(Management, Row56RecordingsAndDestinationsOfATemplate) {
  const std::string base = "/v2/templates/" + world_.workspace->template_id;
  EXPECT_EQ(world_.get(base + "/recordings").text, "[]");
  const std::string given =
      R"([{"name":"visit","role":"host","maxDuration":5400,"presignDuration":3600,)"
      R"("compositeRecording":{"browserComposite":{"autoStopTimeout":300,"width":1280,"height":720},"customComposite":{}},)"
      R"("trackRecording":{},"streamRecording":{"width":1280,"height":720}}])";
  const auto stored = world_.post(base + "/recordings", given);
  EXPECT_EQ(stored.status, 200);
  EXPECT_EQ(stored.text, given);
  const auto value_of = [](const std::string& text) { return json::parse(text).value_or(json::Value()); };
  EXPECT_EQ(value_of(world_.get(base + "/recordings").text), value_of(given));
  for (const char* bad : {R"([{"name":"a","role":"host"},{"name":"b","role":"host"}])", R"({"name":"a"})",
                          "[1]", "[", R"([{"role":"host"}])", R"([{"name":"a","role":"nosuch"}])",
                          R"([{"name":"a","role":"host","maxDuration":"long"}])",
                          R"([{"name":"a","role":"host","trackRecording":{"enabled":"yes"}}])"}) {
    expect_error(world_.post(base + "/recordings", bad), 400);
  }
  EXPECT_EQ(value_of(world_.get(base + "/recordings").text), value_of(given))
      << "nothing of a refused one is kept";
  EXPECT_EQ(world_.get(base + "/destinations").text, "{}");
  const auto put = world_.post(base + "/destinations",
                               R"({"rtmpDestinations":{"ext":{"name":"ext","rtmpUrls":["rtmps://x/y"]}}})");
  EXPECT_EQ(put.status, 200) << put.text;
  EXPECT_TRUE(world_.get(base + "/destinations").body.contains("rtmpDestinations"));
  for (const char* bad :
       {R"({"smoke":{}})", R"({"rtmpDestinations":{"ext":{"name":"other"}}})",
        R"({"transcriptions":{"t":{"name":"t","role":"nosuch"}}})", R"({"hlsDestinations":7})"}) {
    expect_error(world_.post(base + "/destinations", bad), 400);
  }
}

TEST_P(Management, AWorkspaceHasItsRateAndOthersFeelNothing) {
  world_.config.requests_per_second = 5;
  world_.restart();
  auto other = world_.engine->create_workspace("second");
  ASSERT_TRUE(other);
  for (int i = 0; i < 10; ++i) EXPECT_EQ(world_.get("/v2/rooms").status, 200) << i;
  const auto refused = world_.get("/v2/rooms");
  expect_error(refused, 429);
  EXPECT_EQ(refused.raw.header("retry-after"), "1");
  const auto first = std::exchange(*world_.workspace, *other);
  EXPECT_EQ(world_.get("/v2/rooms").status, 200) << "another workspace";
  *world_.workspace = first;
  world_.clock.advance(base::Duration::seconds(1));
  for (int i = 0; i < 5; ++i) EXPECT_EQ(world_.get("/v2/rooms").status, 200) << i;
  EXPECT_EQ(world_.get("/v2/rooms").status, 429);
}

TEST_P(Management, ARotatedSecretOverlapsTheOldOne) {
  const auto rotated = world_.post("/v2/workspace/rotate-secret", R"({"overlap_seconds":3600})");
  ASSERT_EQ(rotated.status, 200) << rotated.text;
  const auto old = world_.workspace->secret;
  const base::Secret fresh(text(rotated.body, "secret"));
  world_.restart();  // as stored
  EXPECT_EQ(world_.get("/v2/rooms").status, 200) << "the old one still counts";
  world_.workspace->secret = fresh;
  EXPECT_EQ(world_.get("/v2/rooms").status, 200);
  world_.clock.advance(base::Duration::seconds(3601));
  EXPECT_EQ(world_.get("/v2/rooms").status, 200);
  world_.workspace->secret = old;
  expect_error(world_.get("/v2/rooms"), 401);
  world_.workspace->secret = fresh;
  expect_error(world_.post("/v2/workspace/rotate-secret", R"({"overlap_seconds":-1})"), 400);
  auto rows = world_.database.db().query("SELECT secret, previous_secret FROM workspaces");
  ASSERT_TRUE(rows);
  EXPECT_TRUE(crypto::Keyring::is_envelope(rows->rows.front().text("previous_secret")));
}

TEST(OpenApi, TellsWhatIsMountedAndWhatABodyMayHold) {
  World world;
  const auto document = world.call("GET", "/v2/openapi.json", {}, {});
  ASSERT_EQ(document.status, 200) << document.text;
  EXPECT_EQ(text(document.body, "openapi"), "3.1.0");
  const auto& paths = *json::object_at(document.body, "paths");
  for (const char* path :
       {"/rooms", "/rooms/{room_id}", "/templates/{template_id}/roles/{role}", "/workspace/webhook"}) {
    EXPECT_TRUE(paths.contains(path)) << path;
  }
  EXPECT_FALSE(paths.contains("/recordings")) << "what is not there is not promised";
  EXPECT_TRUE(paths.at("/templates/{template_id}/roles/{role}").as_object().contains("delete"));
  const auto& create = paths.at("/rooms").as_object().at("post").as_object();
  const auto body = json::serialize(create.at("requestBody"));
  EXPECT_NE(body.find("max_duration_seconds"), std::string::npos);
  EXPECT_NE(body.find("\"maxLength\":200"), std::string::npos) << body;
  // Each path is one the server knows: without a token it is refused as such, not as unknown.
  for (const auto& [path, item] : paths) {
    for (const auto& [method, operation] : item.as_object()) {
      const auto a = world.call(base::to_upper(method), "/v2" + std::string(path), {}, {});
      EXPECT_EQ(a.status, 401) << method << " " << path;
    }
  }
}

TEST_P(Management, ErrorsAreJsonAndLaterGroupsSaySo) {
  expect_error(world_.get("/v2/live-streams"), 501);  // 80
  expect_error(world_.get("/v2/recordings/66d1f0a2b3c4d5e6f7081920"), 501);
  expect_error(world_.get("/v2/nosuch"), 404);
  expect_error(world_.remove("/v2/rooms"), 405);
  expect_error(world_.post("/v2/rooms", "{\"name\":"), 400);
  expect_error(world_.post("/v2/rooms", "[1]"), 400);
  expect_error(world_.post("/v2/rooms", R"({"name":7})"), 400);
  const auto form = world_.call("POST", "/v2/rooms", R"({"name":"f"})", world_.management_token(),
                                {{"content-type", "application/x-www-form-urlencoded"}});
  EXPECT_EQ(text(form.body, "name"), "f");
  EXPECT_EQ(world_.get("/v2/rooms/").status, 200);
  const auto preflight =
      world_.call("OPTIONS", "/init", {}, {},
                  {{"origin", "https://app"}, {"access-control-request-headers", "authorization"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_NE(std::string(preflight.raw.header("access-control-allow-headers")).find("authorization"),
            std::string::npos);
}

TEST_P(Management, AnotherWorkspaceSeesNothing) {
  const std::string room = world_.make_room();
  const std::string mine = world_.workspace->template_id;
  auto other = world_.engine->create_workspace("second");
  ASSERT_TRUE(other) << other.error().detail;
  EXPECT_FALSE(world_.engine->create_workspace("second"));
  const auto first = *world_.workspace;
  world_.workspace = *other;
  for (const std::string& path :
       {"/v2/rooms/" + room, "/v2/active-rooms/" + room, "/v2/active-rooms/" + room + "/peers",
        "/v2/templates/" + mine, "/v2/room-codes/room/" + room, "/v2/templates/" + mine + "/settings"}) {
    expect_error(world_.get(path), 404);
  }
  for (const std::string& path :
       {"/v2/rooms/" + room, "/v2/active-rooms/" + room + "/end-room", "/v2/room-codes/room/" + room}) {
    expect_error(world_.post(path), 404);
  }
  expect_error(world_.post("/v2/rooms", R"({"template_id":")" + mine + "\"}"), 400);
  expect_error(world_.init(world_.app_token(room, "host")), 401);
  EXPECT_EQ(json::array_at(world_.get("/v2/rooms").body, "data")->size(), 0u);
  world_.workspace = first;
  EXPECT_EQ(world_.get("/v2/rooms/" + room).status, 200);
}

INSTANTIATE_TEST_SUITE_P(Databases, Management, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

}  // namespace
}  // namespace engine::testing
