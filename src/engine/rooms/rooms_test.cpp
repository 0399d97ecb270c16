// What a room tells its clients and the media plane, without sockets: the data-channel requests, role
// changes, the waiting room, session limits.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/rooms/testing_rooms.h"

namespace engine::testing {
namespace {

std::string text(const json::Object& o, std::string_view key) {
  return std::string(json::text_or(o, key));
}
int error_code(const json::Object& reply) {
  const auto* error = json::object_at(reply, "error");
  return error ? static_cast<int>(json::int_or(*error, "code", 0)) : 0;
}
bool succeeded(const json::Object& reply) {
  return json::object_at(reply, "result") != nullptr;
}
bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}
std::ptrdiff_t position(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) - list.begin();
}

class RoomTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  std::vector<json::Object> channel(const std::string& peer, const std::string& frame) {
    const auto before = house_.media.texts_to(peer).size();
    house_.run([peer, frame](LiveRoom& room) { room.media_text(peer, frame); });
    std::vector<json::Object> answers;
    const auto all = house_.media.texts_to(peer);
    for (std::size_t i = before; i < all.size(); ++i) answers.push_back(json::parse(all[i])->as_object());
    return answers;
  }
  json::Object offer(const std::string& tag) {
    json::Object tracks;
    for (const auto& [id, type] : {std::pair{"a-" + tag, "audio"}, std::pair{"v-" + tag, "video"}}) {
      tracks[id] = json::Object{{"track_id", id}, {"stream_id", "s"}, {"type", type}, {"mute", false}};
    }
    json::Object params{{"desc", json::Object{{"type", "offer"}, {"sdp", "v=0\r\n"}}}};
    params["tracks"] = std::move(tracks);
    return params;
  }

  RoomHarness house_{GetParam()};
};

TEST_P(RoomTest, DataChannelRequestsAreAnsweredTwiceTheSame) {
  auto ana = house_.joined("PA", "host");
  const std::string video =
      R"({"id":"d1","jsonrpc":"2.0","method":"prefer-video-track-state","params":{"track_id":"t-1","max_spatial_layer":"high"}})";
  for (int i = 0; i < 2; ++i) {  // the client asks again after 500 ms
    const auto answers = channel("PA", video);
    ASSERT_EQ(answers.size(), 1u);
    EXPECT_EQ(text(answers[0], "id"), "d1");
    EXPECT_EQ(text(*json::object_at(answers[0], "result"), "max_spatial_layer"), "high");
    EXPECT_EQ(house_.media.calls().back(), "prefer_video PA t-1 3");
  }
  const auto audio = channel(
      "PA",
      R"({"id":"d2","method":"prefer-audio-track-state","params":{"track_id":"t-1","subscribed":false}})");
  EXPECT_FALSE(json::bool_or(*json::object_at(audio.at(0), "result"), "subscribed", true));
  EXPECT_EQ(house_.media.calls().back(), "prefer_audio PA t-1 off");
  const auto unknown = channel(
      "PA",
      R"({"id":"d3","method":"prefer-video-track-state","params":{"track_id":"nope","max_spatial_layer":"low"}})");
  EXPECT_EQ(error_code(unknown.at(0)), 404);
  EXPECT_EQ(error_code(channel("PA", R"({"id":"d4","method":"prefer-video-track-state","params":{}})").at(0)),
            400);
  EXPECT_EQ(error_code(channel("PA", R"({"id":"d5","method":"sing"})").at(0)), 400);
  for (const std::string& quiet :
       {std::string("{"), std::string("[]"), std::string(17000, 'x'), std::string()}) {
    EXPECT_TRUE(channel("PA", quiet).empty());
  }
  EXPECT_TRUE(channel("nobody", video).empty());
}

TEST_P(RoomTest, TheWaitingRoomIsLeftPolicyFirst) {
  auto host = house_.joined("PA", "host");
  auto patient = house_.joined("PB", "waiting-room");
  EXPECT_TRUE(succeeded(host.request("offer", offer("1"))));
  EXPECT_FALSE(contains(patient.news(), "on-track-add"));
  EXPECT_TRUE(contains(house_.media.calls(), "add_peer PB waiting-room hears:"));
  host.news();

  EXPECT_TRUE(succeeded(
      host.request("role-change-request", {{"requested_for", "PB"}, {"role", "guest"}, {"force", true}})));
  const auto told = patient.news();
  ASSERT_TRUE(contains(told, "on-policy-change"));
  EXPECT_LT(position(told, "on-policy-change"), position(told, "on-peer-update"));
  EXPECT_LT(position(told, "on-peer-update"), position(told, "on-track-add"));
  EXPECT_EQ(text(patient.last("on-policy-change"), "name"), "guest");
  EXPECT_EQ(text(host.last("on-peer-update"), "role"), "guest");
  EXPECT_TRUE(contains(house_.media.calls(), "set_policy PB guest hears:host,guest, audio video screen"));

  // Admitted: what it publishes is announced, and back in the waiting room it is gone at once.
  EXPECT_TRUE(succeeded(patient.request("offer", offer("2"))));
  EXPECT_TRUE(contains(host.news(), "on-track-add"));
  EXPECT_TRUE(succeeded(host.request("role-change-request",
                                     {{"requested_for", "PB"}, {"role", "waiting-room"}, {"force", true}})));
  EXPECT_TRUE(contains(host.news(), "on-track-remove"));
  EXPECT_EQ(house_.media.calls().back(), "set_policy PB waiting-room hears:");
  EXPECT_TRUE(contains(patient.news(), "on-track-remove")) << "it hears nobody any more";
}

TEST_P(RoomTest, ManyAtOnceAndGroupsOfOthers) {
  auto host = house_.joined("PA", "host");
  auto one = house_.joined("P1", "waiting-room");
  auto two = house_.joined("P2", "waiting-room");
  const json::Object bulk{
      {"roles", json::Array{json::Value("waiting-room")}}, {"role", "guest"}, {"force", true}};
  EXPECT_EQ(error_code(one.request("role-change-request", bulk)), 403);
  EXPECT_TRUE(succeeded(host.request("role-change-request", bulk)));
  for (FakeClient* client : {&one, &two}) {
    // The update about the other one may come before.
    const auto told = client->news();
    const auto last_update = std::find(told.rbegin(), told.rend(), "on-peer-update");
    EXPECT_NE(std::find(last_update, told.rend(), "on-policy-change"), told.rend());
    EXPECT_EQ(text(client->last("on-policy-change"), "name"), "guest");
  }
  json::Object polite = bulk;
  polite["force"] = false;
  EXPECT_EQ(error_code(host.request("role-change-request", polite)), 400);
  EXPECT_EQ(error_code(host.request("role-change-request", {{"requested_for", "P1"}, {"role", "surgeon"}})),
            404);
  EXPECT_EQ(error_code(host.request("role-change-request", {{"role", "guest"}, {"force", true}})), 400);

  EXPECT_TRUE(succeeded(host.request("group-add", {{"name", "triage"}, {"peer_id", "P1"}})));
  EXPECT_EQ(json::array_at(two.last("on-peer-update"), "groups")->size(), 1u);
  EXPECT_EQ(error_code(two.request("group-add", {{"name", "triage"}, {"peer_id", "P1"}})), 403);
  EXPECT_EQ(error_code(host.request("group-add", {{"name", "triage"}, {"peer_id", "nobody"}})), 404);
  EXPECT_TRUE(succeeded(host.request("group-remove", {{"name", "triage"}, {"peer_id", "P1"}})));
  EXPECT_TRUE(json::array_at(two.last("on-peer-update"), "groups")->empty());
  two.news();
  EXPECT_TRUE(succeeded(host.request("group-remove", {{"name", "triage"}, {"peer_id", "P1"}})));
  EXPECT_TRUE(two.news().empty()) << "no change, no word";
}

TEST_P(RoomTest, AMutedTrackIsToldToTheMediaPlaneEveryTime) {
  auto ana = house_.joined("PA", "host");
  ana.request("offer", offer("1"));
  json::Object tracks;
  tracks["a-1"] = json::Object{{"track_id", "a-1"}, {"type", "audio"}, {"mute", true}};
  const json::Object update{{"method", "track-update"}, {"params", json::Object{{"tracks", tracks}}}};
  for (int i = 0; i < 2; ++i) {
    ana.send(json::serialize(update));
    EXPECT_EQ(house_.media.calls().back(), "set_muted PA a-1 on");
  }
}

TEST_P(RoomTest, AFailedSubscribeConnectionIsRestartedOnceInTwoSeconds) {
  auto ana = house_.joined("PA", "host");
  const auto restarts = [&] {
    const auto calls = house_.media.calls();
    return std::count(calls.begin(), calls.end(), "restart PA");
  };
  const auto failed = [](LiveRoom& room) { room.media_state("PA", sfu::Target::kSubscribe, false); };
  house_.run(failed);
  EXPECT_EQ(restarts(), 1);
  ana.send(R"({"method":"analytics","params":{"name":"subscribe.failed"}})");
  EXPECT_EQ(restarts(), 1) << "one restart at a time";
  house_.clock.advance(base::Duration::seconds(3));
  ana.send(R"({"method":"analytics","params":{"name":"subscribe.failed"}})");
  EXPECT_EQ(restarts(), 2);
  house_.run([](LiveRoom& room) { room.media_state("PA", sfu::Target::kPublish, false); });
  EXPECT_EQ(restarts(), 2) << "the publish connection is the client's to restart";
}

TEST_P(RoomTest, RequestsBeforeJoinAreRefused) {
  auto early = house_.connect("PE", "host", "u");
  for (const char* method : {"broadcast", "peer-update", "end-room", "role-change-request", "set-metadata",
                             "peer-leave-request", "find-peer", "poll-start"}) {
    EXPECT_EQ(error_code(early.request(method)), 400) << method;
  }
  EXPECT_TRUE(succeeded(early.request("ping", {{"timestamp", 1}})));
  early.send(R"({"method":"trickle","params":{"target":0,"candidate":{"candidate":"x"}}})");
  const auto lost = early.request("offer", offer("1"));  // only a returning client sends this first
  EXPECT_EQ(error_code(lost), 410);
}

TEST_P(RoomTest, OfABadSdpNothingIsLeft) {
  auto early = house_.connect("PE", "host", "u");
  EXPECT_EQ(error_code(early.request("join", {{"name", 7}})), 400);
  EXPECT_EQ(error_code(early.request("join", {{"name", "n"}, {"data", json::Object()}})), 400);
  EXPECT_EQ(error_code(early.request("join", {{"name", "n"}, {"offer", json::Object{{"sdp", 3}}}})), 400);
  EXPECT_EQ(error_code(early.request("join", {{"name", "n"}, {"data", std::string(20000, 'x')}})), 400);
  EXPECT_TRUE(house_.media.calls().empty());
  EXPECT_TRUE(succeeded(early.request("join", {{"name", "n"}}))) << "the socket is still good";
  early.detach(1000);
  EXPECT_EQ(house_.media.calls().back(), "remove_peer PE");
}

TEST(RoomDuration, EndsTheSessionForEverybody) {
  RoomHarness house(storage::Backend::kSqlite, 120);
  auto ana = house.joined("PA", "host");
  auto ben = house.joined("PB", "guest");
  house.clock.advance(base::Duration::seconds(119));
  house.tick();
  EXPECT_FALSE(contains(ana.news(), "on-peer-leave-request"));
  house.clock.advance(base::Duration::seconds(2));
  house.tick();
  for (FakeClient* client : {&ana, &ben}) {
    EXPECT_TRUE(contains(client->news(), "on-peer-leave-request"));
    EXPECT_TRUE(json::bool_or(client->last("on-peer-leave-request"), "room_end", false));
    EXPECT_EQ(text(client->last("on-peer-leave-request"), "reason"), "max duration reached");
  }
  house.run([](LiveRoom& room) { EXPECT_FALSE(room.snapshot()); });
  // Whoever stays although it was told to leave is disconnected.
  house.clock.advance(base::Duration::seconds(6));
  house.tick();
  EXPECT_EQ(ana.socket().closed_with(), 1000);
}

INSTANTIATE_TEST_SUITE_P(Databases, RoomTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

}  // namespace
}  // namespace engine::testing
