// What a browser's SDK and a clinic's backend get while people are inside: join, tracks, chat, roles,
// reconnect, restart, bad input.
#include <gtest/gtest.h>

#include <algorithm>

#include "engine/signalling/entrance.h"
#include "engine/testing_engine.h"

namespace engine::testing {
namespace {

std::string text(const json::Object& o, std::string_view key) {
  return std::string(json::text_or(o, key));
}
bool contains(const std::vector<std::string>& list, const std::string& name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}
// Without the media plane's offers, which come when they like.
std::vector<std::string> news(WsClient& socket) {
  auto list = socket.drain();
  std::erase(list, "offer");
  return list;
}
int error_code(const json::Object& reply) {
  const auto* error = json::object_at(reply, "error");
  return error ? static_cast<int>(json::int_or(*error, "code", 0)) : 0;
}
bool succeeded(const json::Object& reply) {
  return json::object_at(reply, "result") != nullptr;
}

class Signalling : public ::testing::TestWithParam<storage::Backend> {
 protected:
  World world_{GetParam()};
  std::string room_ = world_.make_room();

  json::Object offer_params(const std::string& tag, bool muted = false) {
    json::Object tracks;
    tracks["a-" + tag] = track("a-" + tag, "s-" + tag, "audio", muted);
    tracks["v-" + tag] = track("v-" + tag, "s-" + tag, "video");
    json::Object params{
        {"desc", json::Object{{"type", "offer"}, {"sdp", media_offer("s-" + tag, "a-" + tag, "v-" + tag)}}}};
    params["tracks"] = std::move(tracks);
    return params;
  }
};

TEST_P(Signalling, InitThenPolicyThenJoin) {
  const auto init = world_.init(world_.app_token(room_, "host"));
  ASSERT_EQ(init.status, 200) << init.text;
  EXPECT_EQ(text(init.body, "endpoint"), "ws://" + world_.address.text() + "/v2/ws");
  ASSERT_TRUE(json::object_at(init.body, "config"));
  const auto tls = world_.call("GET", "/init", {}, world_.app_token(room_, "host"),
                               {{"x-forwarded-proto", "https"}, {"host", "clinic.example"}});
  EXPECT_EQ(text(tls.body, "endpoint"), "wss://clinic.example/v2/ws");

  auto ana = world_.socket(world_.app_token(room_, "host", "u-9"), "PA");
  ASSERT_EQ(ana->status(), 101) << ana->refusal();
  const auto policy = ana->wait_for("on-policy-change");
  EXPECT_EQ(text(policy, "name"), "host");
  EXPECT_TRUE(json::object_at(policy, "known_roles")->contains("host"));
  EXPECT_EQ(text(policy, "template_id"), world_.workspace->template_id);
  EXPECT_EQ(json::int_or(ana->wait_for("room-state"), "peer_count", -1), 0);

  json::Object params{{"name", "Ana"}, {"data", "{\"vip\":1}"}};
  params["offer"] = json::Object{{"type", "offer"}, {"sdp", channel_offer()}};
  const auto reply = ana->request("join", params);
  ASSERT_TRUE(succeeded(reply)) << json::serialize(reply);
  const auto& result = *json::object_at(reply, "result");
  EXPECT_EQ(text(result, "type"), "answer");
  EXPECT_NE(text(result, "sdp").find("m=application"), std::string::npos);
  EXPECT_TRUE(text(result, "sfu_node_id").starts_with("sfu-"));
  const auto list = ana->wait_for("peer-list");
  EXPECT_TRUE(json::object_at(list, "peers")->empty());
  EXPECT_EQ(text(ana->wait_for("room-info"), "room_id"), room_);
  EXPECT_EQ(json::int_or(ana->wait_for("session-info"), "peer_count", 0), 1);
  const auto offer = ana->wait_for("offer");
  EXPECT_NE(text(offer, "sdp").find("m=application"), std::string::npos);
  EXPECT_EQ(text(offer, "sfu_node_id"), text(result, "sfu_node_id"));

  auto ben = world_.joined(room_, "guest", "PB", "u-10");
  const auto seen = *json::object_at(ben->wait_for("peer-list"), "peers");
  ASSERT_TRUE(seen.contains("PA"));
  EXPECT_TRUE(json::bool_or(seen.at("PA").as_object(), "realtime", false));
  const auto joined = ana->wait_for("on-peer-join");
  EXPECT_EQ(text(joined, "peer_id"), "PB");
  EXPECT_TRUE(json::bool_or(joined, "realtime", false));
  EXPECT_EQ(json::int_or(ana->wait_for("session-info"), "peer_count", 0), 2);

  ben->notify("leave", {{"client_reason", "user request"}});
  EXPECT_EQ(text(ana->wait_for("on-peer-leave"), "peer_id"), "PB");
  EXPECT_EQ(json::int_or(ana->wait_for("session-info"), "peer_count", 0), 1);
}

TEST_P(Signalling, PreviewIsNotAnnounced) {
  auto ana = world_.joined(room_, "host", "PA");
  ana->drain();
  auto previewer = world_.socket(world_.app_token(room_, "guest", "u-2"), "PB");
  previewer->wait_for("on-policy-change");
  EXPECT_EQ(json::int_or(previewer->wait_for("room-state"), "peer_count", -1), 1);
  EXPECT_EQ(error_code(previewer->request("broadcast", {{"info", json::Object{{"message", "x"}}}})), 400);
  previewer->close(1000);
  EXPECT_TRUE(news(*ana).empty());
}

TEST_P(Signalling, TracksAreAnnouncedAndMuteIsKept) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  auto waiting = world_.joined(room_, "waiting-room", "PW", "u-3");
  const auto answer = ana->request("offer", offer_params("1"));
  ASSERT_TRUE(succeeded(answer)) << json::serialize(answer);
  EXPECT_NE(text(*json::object_at(answer, "result"), "sdp").find("m=video"), std::string::npos);
  const auto added = ben->wait_for("on-track-add");
  EXPECT_EQ(json::object_at(added, "tracks")->size(), 2u);
  EXPECT_EQ(text(*json::object_at(added, "peer"), "peer_id"), "PA");
  EXPECT_FALSE(contains(waiting->drain(), "on-track-add")) << "the role hears nobody";

  json::Object muted;
  muted["a-1"] = track("a-1", "s-1", "audio", true);
  muted["unknown"] = track("unknown", "s-1", "audio", true);
  ana->notify("track-update", {{"tracks", muted}});
  const auto updated = ben->wait_for("on-track-update");
  EXPECT_EQ(json::object_at(updated, "tracks")->size(), 1u);
  EXPECT_TRUE(json::bool_or(json::object_at(updated, "tracks")->at("a-1").as_object(), "mute", false));
  auto late = world_.joined(room_, "guest", "PL", "u-4");
  const auto peers = *json::object_at(late->wait_for("peer-list"), "peers");
  EXPECT_TRUE(json::bool_or(json::object_at(peers.at("PA").as_object(), "tracks")->at("a-1").as_object(),
                            "mute", false));

  json::Object only_audio = offer_params("1", true);
  only_audio["tracks"].as_object().erase("v-1");
  ana->request("offer", only_audio);
  EXPECT_TRUE(json::object_at(ben->wait_for("on-track-remove"), "tracks")->contains("v-1"));

  // Forbidden by the role: answered, never announced.
  const auto refused = waiting->request("offer", offer_params("9"));
  ASSERT_TRUE(succeeded(refused)) << json::serialize(refused);
  EXPECT_FALSE(contains(ana->drain(), "on-track-add"));
  EXPECT_NE(text(*json::object_at(refused, "result"), "sdp").find("a=inactive"), std::string::npos);
}

TEST_P(Signalling, ChatReachesWhomItIsForAndNeverItsSender) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  auto cid = world_.joined(room_, "guest", "PC", "u-3");
  const json::Object hello{{"message", "hello"}, {"type", "chat"}};
  const auto sent = ana->request("broadcast", {{"info", hello}});
  EXPECT_FALSE(text(*json::object_at(sent, "result"), "message_id").empty());
  const auto heard = ben->wait_for("on-broadcast");
  EXPECT_FALSE(json::bool_or(heard, "private", true));
  EXPECT_EQ(text(*json::object_at(heard, "info"), "message"), "hello");
  cid->wait_for("on-broadcast");
  EXPECT_FALSE(contains(ana->drain(), "on-broadcast"));
  ana->request("broadcast", {{"info", hello}, {"peer_id", "PB"}});
  EXPECT_TRUE(json::bool_or(ben->wait_for("on-broadcast"), "private", false));
  EXPECT_FALSE(contains(cid->drain(), "on-broadcast"));
  EXPECT_EQ(error_code(ana->request("broadcast", {{"info", hello}, {"peer_id", "nobody"}})), 404);
  ben->request("broadcast", {{"info", hello}, {"roles", json::Array{json::Value("host")}}});
  EXPECT_FALSE(text(ana->wait_for("on-broadcast"), "message_id").empty());
  EXPECT_FALSE(contains(cid->drain(), "on-broadcast"));
}

TEST_P(Signalling, NamesHandsAndGroups) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  EXPECT_TRUE(succeeded(ben->request("group-join", {{"name", "_handraise"}})));
  for (auto* socket : {ana.get(), ben.get()}) {  // the own hand comes from here alone
    const auto update = socket->wait_for("on-peer-update");
    EXPECT_TRUE(json::bool_or(update, "realtime", false));
    EXPECT_EQ(json::array_at(update, "groups")->size(), 1u);
  }
  EXPECT_EQ(error_code(ben->request("group-remove", {{"name", "_handraise"}, {"peer_id", "PA"}})), 403);
  EXPECT_TRUE(succeeded(ana->request("group-remove", {{"name", "_handraise"}, {"peer_id", "PB"}})));
  EXPECT_TRUE(succeeded(ben->request("peer-update", {{"name", "Ben Z."}, {"data", "{\"x\":1}"}})));
  const auto found = ana->request("find-peer", {{"role", "guest"}, {"limit", 10}});
  const auto& result = *json::object_at(found, "result");
  EXPECT_EQ(json::int_or(result, "total", 0), 1);
  EXPECT_EQ(text(*json::object_at(json::array_at(result, "peers")->at(0).as_object(), "info"), "name"),
            "Ben Z.");
  const auto searched = ana->request("peer-name-search", {{"query", "ben"}, {"limit", 10}});
  EXPECT_EQ(json::array_at(*json::object_at(searched, "result"), "peers")->size(), 1u);
  const auto paged = ana->request("find-peer", {{"limit", 1}});
  EXPECT_FALSE(json::bool_or(*json::object_at(paged, "result"), "eof", true));
  const auto next = ana->request(
      "peer-iter-next", {{"iterator", text(*json::object_at(paged, "result"), "iterator")}, {"limit", 5}});
  EXPECT_TRUE(json::bool_or(*json::object_at(next, "result"), "eof", false));
  EXPECT_EQ(error_code(ana->request("get-peer", {{"peer_id", "nobody"}})), 404);
}

TEST_P(Signalling, EveryPermissionIsCheckedHere) {
  auto host = world_.joined(room_, "host", "PA");
  auto guest = world_.joined(room_, "guest", "PB", "u-2");
  host->request("offer", offer_params("1"));
  guest->wait_for("on-track-add");
  const std::pair<const char*, json::Object> forbidden[] = {
      {"end-room", {{"lock", true}, {"reason", "x"}}},
      {"peer-leave-request", {{"requested_for", "PA"}, {"reason", "x"}}},
      {"role-change-request", {{"requested_for", "PB"}, {"role", "host"}, {"force", true}}},
      {"role-change", {{"role", "host"}, {"token", "guessed"}}},
      {"track-update-request",
       {{"requested_for", "PA"}, {"track_id", "a-1"}, {"stream_id", "s-1"}, {"mute", true}}},
      {"change-track-mute-state-request", {{"value", true}}}};
  for (const auto& [method, params] : forbidden)
    EXPECT_EQ(error_code(guest->request(method, params)), 403) << method;
  EXPECT_EQ(world_.get("/v2/active-rooms/" + room_).status, 200);
  EXPECT_EQ(error_code(guest->request("poll-start", {{"poll_id", "q"}})), 400);
  EXPECT_EQ(error_code(guest->request("rtmp-start", {})), 400);
  EXPECT_EQ(error_code(guest->request("no-such-method", {})), 400);
  EXPECT_EQ(error_code(guest->request("join", {{"name", "again"}})), 400);

  EXPECT_TRUE(
      succeeded(host->request("change-track-mute-state-request", {{"value", true}, {"type", "audio"}})));
  EXPECT_TRUE(json::bool_or(guest->wait_for("on-change-track-mute-state-request"), "value", false));
  EXPECT_TRUE(
      succeeded(host->request("peer-leave-request", {{"requested_for", "PB"}, {"reason", "please"}})));
  const auto asked = guest->wait_for("on-peer-leave-request");
  EXPECT_EQ(text(asked, "reason"), "please");
  EXPECT_FALSE(json::bool_or(asked, "room_end", true));
  EXPECT_EQ(text(host->wait_for("on-peer-leave"), "peer_id"), "PB");
}

TEST_P(Signalling, WaitingRoomIsLeftByARoleChange) {
  auto host = world_.joined(room_, "host", "PA");
  auto patient = world_.joined(room_, "waiting-room", "PB", "u-2");
  host->request("offer", offer_params("1"));
  patient->drain();
  EXPECT_TRUE(succeeded(
      host->request("role-change-request", {{"requested_for", "PB"}, {"role", "guest"}, {"force", false}})));
  const auto asked = patient->wait_for("on-role-change-request");
  EXPECT_EQ(text(asked, "requested_by"), "PA");
  EXPECT_TRUE(succeeded(patient->request(
      "role-change", {{"requested_by", "PA"}, {"role", "guest"}, {"token", text(asked, "token")}})));
  const auto order = patient->drain();
  const auto policy = std::find(order.begin(), order.end(), "on-policy-change");
  const auto update = std::find(order.begin(), order.end(), "on-peer-update");
  ASSERT_NE(policy, order.end());
  ASSERT_NE(update, order.end());
  EXPECT_LT(policy, update);
  EXPECT_EQ(text(patient->last_drained("on-policy-change"), "name"), "guest");
  EXPECT_TRUE(contains(order, "on-track-add")) << "now it may see the host";
  EXPECT_EQ(text(host->wait_for("on-peer-update"), "role"), "guest");
  EXPECT_EQ(error_code(patient->request("role-change", {{"role", "guest"}, {"token", text(asked, "token")}})),
            403)
      << "once only";
}

TEST_P(Signalling, RoleAndRoomSizesAreLimits) {
  const auto t = world_.post(
      "/v2/templates",
      R"({"name":"small","roles":{"one":{"maxPeerCount":1},"many":{},"none":{"maxPeerCount":-1}}})");
  const std::string room = world_.make_room(R"({"size":2,"template_id":")" + text(t.body, "id") + "\"}");
  auto refused = [&](const std::string& role, const std::string& peer) {
    auto ws = world_.socket(world_.app_token(room, role), peer);
    ws->wait_for("on-policy-change");
    return error_code(ws->request("join", {{"name", "n"}}));
  };
  auto first = world_.joined(room, "one", "P1");
  EXPECT_EQ(refused("one", "P2"), 403);
  EXPECT_EQ(refused("none", "P3"), 403);
  auto second = world_.joined(room, "many", "P4", "u-4");
  EXPECT_EQ(refused("many", "P5"), 403);
}

TEST_P(Signalling, SessionStore) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  EXPECT_TRUE(
      succeeded(ben->request("listen-metadata-change", {{"keys", json::Array{json::Value("spotlight")}}})));
  const auto set = ana->request("set-metadata", {{"key", "spotlight"}, {"data", "PB"}});
  EXPECT_EQ(json::int_or(*json::object_at(set, "result"), "change_version", 0), 1);
  const auto change = ben->wait_for("on-metadata-change");
  EXPECT_EQ(text(json::array_at(change, "values")->at(0).as_object(), "data"), "PB");
  EXPECT_EQ(error_code(ana->request("set-metadata",
                                    {{"key", "spotlight"}, {"data", "x"}, {"if_change_version", 7}})),
            409);
  EXPECT_TRUE(succeeded(
      ana->request("set-metadata", {{"key", "spotlight"}, {"data", "y"}, {"if_change_version", 1}})));
  EXPECT_EQ(error_code(ana->request("set-metadata", {{"key", "big"}, {"data", std::string(2000, 'x')}})),
            400);
  ana->request("listen-metadata-change", {{"keys", json::Array{json::Value("spotlight")}}});
  EXPECT_EQ(text(json::array_at(ana->wait_for("on-metadata-change"), "values")->at(0).as_object(), "data"),
            "y")
      << "current values at once";
  EXPECT_EQ(text(*json::object_at(ben->request("get-metadata", {{"key", "spotlight"}}), "result"), "data"),
            "y");
}

TEST_P(Signalling, ReconnectKeepsThePeer) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  ben->request("offer", offer_params("2"));
  ana->wait_for("on-track-add");
  ana->drain();
  ben->vanish();
  world_.clock.advance(base::Duration::seconds(40));
  EXPECT_EQ(world_.init(world_.app_token(room_, "guest", "u-2"), "PB").status, 200);
  auto back = world_.socket(world_.app_token(room_, "guest", "u-2"), "PB");
  const auto order = back->drain();
  ASSERT_GE(order.size(), 2u);
  EXPECT_EQ(order[0], "on-policy-change");
  EXPECT_EQ(order[1], "peer-list");
  EXPECT_TRUE(json::bool_or(json::object_at(back->last_drained("peer-list"), "peers")->at("PA").as_object(),
                            "realtime", false));
  EXPECT_FALSE(contains(order, "node-info"));
  EXPECT_TRUE(contains(order, "offer")) << "the subscribe offer nobody answered is there again";
  EXPECT_TRUE(succeeded(back->request("offer", offer_params("2"))));
  const auto heard = news(*ana);
  EXPECT_TRUE(heard.empty()) << heard.front();

  // A second socket replaces the first without a word to the others.
  auto newer = world_.socket(world_.app_token(room_, "guest", "u-2"), "PB");
  newer->wait_for("peer-list");
  EXPECT_NE(back->wait_close(), 0);
  EXPECT_TRUE(news(*ana).empty());
  // A stranger with a token of his own does not become Ben.
  auto thief = world_.socket(world_.app_token(room_, "guest", "u-3"), "PB");
  thief->wait_for("on-policy-change");
  EXPECT_EQ(error_code(thief->request("offer", offer_params("2"))), 403);
  EXPECT_EQ(json::int_or(thief->wait_for("on-error"), "code", 0), 403);
  EXPECT_TRUE(news(*ana).empty());
  EXPECT_TRUE(succeeded(newer->request("peer-update", {{"name", "still Ben"}})));
}

TEST_P(Signalling, ALostPeerGoesAfterItsGrace) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  auto cid = world_.joined(room_, "guest", "PC", "u-3");
  ana->drain();
  ben->vanish();
  cid->close(1001);
  // The server learns of the closed sockets in its own time, and a grace starts then: turned in steps, well
  // below the long one.
  json::Object first;
  for (int i = 0; i < 10 && first.empty(); ++i) {
    world_.clock.advance(base::Duration::seconds(6));
    first = ana->wait_for("on-peer-leave", 500);
  }
  EXPECT_EQ(text(first, "peer_id"), "PC") << "a closed tab";
  world_.clock.advance(base::Duration::seconds(80));
  EXPECT_EQ(text(ana->wait_for("on-peer-leave"), "peer_id"), "PB");
  auto back = world_.socket(world_.app_token(room_, "guest", "u-2"), "PB");
  EXPECT_EQ(error_code(back->request("offer", offer_params("2"))), 410);
  EXPECT_EQ(json::int_or(back->wait_for("on-error"), "code", 0), 410);
}

TEST_P(Signalling, ARestartedEngineCarriesEverybodyOver) {
  auto ana = world_.joined(room_, "host", "PA");
  auto ben = world_.joined(room_, "guest", "PB", "u-2");
  ana->request("group-join", {{"name", "_handraise"}});
  ana->request("set-metadata", {{"key", "k"}, {"data", 5}});
  const std::string session =
      text(*json::object_at(world_.get("/v2/active-rooms/" + room_).body, "session"), "id");
  const std::string old_node = text(ana->wait_for("offer"), "sfu_node_id");
  world_.restart();
  EXPECT_EQ(text(*json::object_at(world_.get("/v2/active-rooms/" + room_).body, "session"), "id"), session);

  auto back = world_.socket(world_.app_token(room_, "host"), "PA");
  const auto order = back->drain();
  ASSERT_GE(order.size(), 2u);
  EXPECT_EQ(order[0], "on-policy-change");
  EXPECT_EQ(order[1], "peer-list");
  EXPECT_FALSE(contains(order, "node-info"))
      << "before its offer is answered it could close it under the SDK";
  json::Object stale = offer_params("1");
  stale["sfu_node_id"] = old_node;
  EXPECT_EQ(error_code(back->request("offer", stale)), 421);
  const std::string node = text(back->wait_for("node-info"), "sfu_node_id");
  EXPECT_NE(node, old_node);
  json::Object fresh{{"desc", json::Object{{"type", "offer"}, {"sdp", channel_offer()}}},
                     {"tracks", json::Object()},
                     {"sfu_node_id", node}};
  const auto answer = back->request("offer", fresh);
  ASSERT_TRUE(succeeded(answer)) << json::serialize(answer);
  EXPECT_EQ(text(back->wait_for("offer"), "sfu_node_id"), node) << "the subscribe connection starts anew";

  auto ben_back = world_.socket(world_.app_token(room_, "guest", "u-2"), "PB");
  const auto peers = *json::object_at(ben_back->wait_for("peer-list"), "peers");
  EXPECT_EQ(json::array_at(peers.at("PA").as_object(), "groups")->size(), 1u) << "the raised hand survived";
  fresh["sfu_node_id"] = node;
  EXPECT_TRUE(succeeded(ben_back->request("offer", fresh)));
  json::Object media = offer_params("1");
  media["sfu_node_id"] = node;
  EXPECT_TRUE(succeeded(back->request("offer", media)));
  EXPECT_EQ(json::object_at(ben_back->wait_for("on-track-add"), "tracks")->size(), 2u);
  EXPECT_EQ(
      json::int_or(*json::object_at(ben_back->request("get-metadata", {{"key", "k"}}), "result"), "data", 0),
      5);

  // Who does not come back is gone after the grace.
  world_.restart();
  auto again = world_.socket(world_.app_token(room_, "host"), "PA");
  again->wait_for("peer-list");
  world_.clock.advance(base::Duration::seconds(2));
  EXPECT_NE(text(again->wait_for("node-info"), "sfu_node_id"), node)
      << "a client without connections sends no offer";
  world_.clock.advance(base::Duration::seconds(76));
  EXPECT_EQ(text(again->wait_for("on-peer-leave"), "peer_id"), "PB");
}

TEST_P(Signalling, Rows57To68ActiveRoomsAndSessions) {
  const std::string base = "/v2/active-rooms/" + room_;
  EXPECT_EQ(world_.get(base).status, 404);  // 58
  auto ana = world_.joined(room_, "host", "PA", "dr-12");
  auto ben = world_.joined(room_, "guest", "PB", "pt-1");
  const auto active = world_.get(base);  // 57
  ASSERT_EQ(active.status, 200) << active.text;
  EXPECT_EQ(json::array_at(*json::object_at(active.body, "session"), "peers")->size(), 2u);
  const std::string session = text(*json::object_at(active.body, "session"), "id");
  EXPECT_TRUE(json::object_at(world_.get(base + "/peers?role=nosuch").body, "peers")->empty());  // 59
  EXPECT_TRUE(json::object_at(world_.get(base + "/peers?user_id=pt-1").body, "peers")->contains("PB"));
  ana->request("offer", offer_params("1"));
  EXPECT_EQ(json::object_at(world_.get(base + "/peers/PA").body, "tracks")->size(), 2u);
  EXPECT_EQ(world_.get(base + "/peers/nobody").status, 404);
  ben->drain();
  const auto promoted = world_.post(base + "/peers/PB", R"({"role":"host","metadata":"m"})");  // 60
  EXPECT_EQ(text(promoted.body, "role"), "host");
  EXPECT_EQ(text(promoted.body, "metadata"), "m");
  EXPECT_EQ(text(ben->wait_for("on-policy-change"), "name"), "host");
  EXPECT_EQ(world_.post(base + "/peers/PB", R"({"role":"surgeon"})").status, 400);
  EXPECT_EQ(text(world_.post(base + "/send-message", R"({"message":"m","peer_id":"PB","role":"host"})").body,
                 "message"),
            "message sent");  // 61
  EXPECT_TRUE(json::bool_or(ben->wait_for("on-broadcast"), "private", false));
  EXPECT_EQ(world_.post(base + "/send-message", R"({"message":"m","peerId":"PB"})").status, 200);  // 62
  EXPECT_TRUE(json::bool_or(ben->wait_for("on-broadcast"), "private", false));
  EXPECT_FALSE(contains(ana->drain(), "on-broadcast"));
  EXPECT_EQ(world_.post(base + "/send-message", R"({"type":"chat"})").status, 400);  // 63
  EXPECT_EQ(world_.post(base + "/remove-peers").status, 400);                        // 64
  EXPECT_EQ(text(world_.post(base + "/remove-peers", R"({"peer_id":"PB","reason":"bye"})").body, "message"),
            "peer remove request submitted");
  EXPECT_EQ(text(ben->wait_for("on-peer-leave-request"), "reason"), "bye");
  const auto running = world_.get("/v2/sessions?room_id=" + room_ + "&active=true");  // 67
  ASSERT_EQ(json::array_at(running.body, "data")->size(), 1u);
  EXPECT_TRUE(json::bool_or(json::array_at(running.body, "data")->at(0).as_object(), "active", false));
  EXPECT_EQ(text(world_.post(base + "/end-room", R"({"lock":true,"reason":"over"})").body, "message"),
            "session is ending");  // 66
  const auto ended = ana->wait_for("on-peer-leave-request");
  EXPECT_TRUE(json::bool_or(ended, "room_end", false));
  EXPECT_EQ(text(ended, "reason"), "over");
  EXPECT_FALSE(json::bool_or(world_.get("/v2/rooms/" + room_).body, "enabled", true));
  const auto closed = world_.get("/v2/sessions/" + session);  // 68
  EXPECT_FALSE(json::bool_or(closed.body, "active", true));
  EXPECT_EQ(json::object_at(closed.body, "peers")->size(), 2u);
  for (const auto& [id, peer] : *json::object_at(closed.body, "peers"))
    EXPECT_TRUE(peer.as_object().contains("left_at"));
  EXPECT_EQ(world_.post(base + "/end-room").status, 404);
}

TEST_P(Signalling, RefusalsAreShownAndNothingBreaks) {
  EXPECT_EQ(WsClient(world_.address, "/v2/ws?peer=p&token=garbage").status(), 401);
  EXPECT_EQ(world_.socket(world_.app_token("room_1722500000000", "host"), "p")->status(), 401);
  // Known by its form only: policy first, so that the SDK gets to `join` and shows the answer.
  auto unknown = world_.socket(world_.app_token("66d1f0a2b3c4d5e6f7081920", "host"), "p");
  EXPECT_EQ(text(unknown->wait_for("on-policy-change"), "name"), "host");
  const auto reply = unknown->request("join", {{"name", "n"}});
  EXPECT_EQ(error_code(reply), 401);
  EXPECT_EQ(text(*json::object_at(reply, "error"), "message"), "invalid room id: 66d1f0a2b3c4d5e6f7081920");

  auto ana = world_.joined(room_, "host", "PA");
  for (const char* bad :
       {R"({"id":"1"})", "{}", R"({"method":"join"})",
        R"({"method":"offer","id":"2","params":{"desc":{"sdp":"v=0"}}})",
        R"({"method":"track-update","params":{"tracks":7}})", R"({"method":"broadcast","id":"3"})",
        R"({"method":"trickle","params":{"target":9}})",
        R"({"method":"answer","params":{"desc":{"sdp":5}}})"}) {
    ana->send_text(bad);
  }
  EXPECT_TRUE(succeeded(ana->request("ping", {{"timestamp", 7}})));
  for (const std::string& bad : {std::string("not json"), std::string("[]"), std::string(100000, '['),
                                 std::string("{\"a\":\"\xff\"}")}) {
    auto socket = world_.socket(world_.app_token(room_, "guest", "u-5"), "PX");
    socket->send_text(bad);
    EXPECT_EQ(socket->wait_close(), 1007);
  }
  auto large = world_.socket(world_.app_token(room_, "guest", "u-5"), "PX");
  large->send_text(std::string(1024 * 1024 + 1, ' '));
  EXPECT_NE(large->wait_close(), 0);
  auto flood = world_.socket(world_.app_token(room_, "guest", "u-5"), "PX");
  for (int i = 0; i < 600; ++i) flood->notify("analytics", {{"name", "x"}});
  EXPECT_NE(flood->wait_close(), 0);
  EXPECT_TRUE(succeeded(ana->request("ping", {{"timestamp", 8}})));
}

TEST(Host, MayBeRepeatedOnlyWhenItIsOne) {
  for (const char* good : {"localhost:8000", "clinic.example", "[::1]:8443", "10.0.0.7:80"})
    EXPECT_TRUE(is_host(good)) << good;
  for (const char* bad :
       {"", "a b", "evil/path", "user@host", "host:", "host:99999", "[::1", "a\"b", "host:1:2"})
    EXPECT_FALSE(is_host(bad)) << bad;
}

INSTANTIATE_TEST_SUITE_P(Databases, Signalling, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

}  // namespace
}  // namespace engine::testing
