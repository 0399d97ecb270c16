// Strangers at the socket: other workspaces, random bytes and JSON, crowds that say nothing, floods.
#include <gtest/gtest.h>

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/testing_engine.h"

namespace engine::testing {
namespace {

std::string text(const json::Object& o, std::string_view key) {
  return std::string(json::text_or(o, key));
}
int error_code(const json::Object& reply) {
  const auto* error = json::object_at(reply, "error");
  return error ? static_cast<int>(json::int_or(*error, "code", 0)) : 0;
}

// A deterministic source of odd frames: half of them are the protocol's own words in the wrong places.
class Oddities {
 public:
  explicit Oddities(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next(std::uint64_t below) {
    state_ = state_ * 6364136223846793005ULL + 1442695040888963407ULL;
    return (state_ >> 33) % below;
  }
  json::Value value(int depth) {
    static const std::vector<std::string> kWords{
        "", "PA", "host", "a-1", "v=0", "_handraise", "\xC3\xA9\xE2\x82\xAC", "0"};
    switch (next(depth > 0 ? 8 : 6)) {
      case 0:
        return nullptr;
      case 1:
        return next(2) == 0;
      case 2:
        return static_cast<std::int64_t>(next(1000)) - 500;
      case 3:
        return static_cast<double>(next(1000)) / 7;
      case 4:
        return json::Value(kWords[next(kWords.size())]);
      case 5:
        return json::Value(std::string(next(300), 'x'));
      case 6: {
        json::Array list;
        for (auto n = next(4); n > 0; --n) list.push_back(value(depth - 1));
        return list;
      }
      default:
        return object(depth - 1);
    }
  }
  json::Object object(int depth) {
    static const std::vector<std::string> kKeys{
        "name",          "data",    "offer",   "desc",      "sdp",       "tracks", "track_id",
        "mute",          "type",    "role",    "roles",     "token",     "key",    "keys",
        "info",          "peer_id", "limit",   "query",     "value",     "target", "candidate",
        "requested_for", "force",   "poll_id", "questions", "responses", "state",  "count"};
    json::Object out;
    for (auto n = next(6); n > 0; --n) out[kKeys[next(kKeys.size())]] = value(depth);
    return out;
  }
  std::string frame() {
    static const std::vector<std::string> kMethods{"join",
                                                   "offer",
                                                   "answer",
                                                   "trickle",
                                                   "track-update",
                                                   "broadcast",
                                                   "peer-update",
                                                   "group-join",
                                                   "group-leave",
                                                   "group-add",
                                                   "group-remove",
                                                   "role-change-request",
                                                   "role-change",
                                                   "track-update-request",
                                                   "change-track-mute-state-request",
                                                   "get-peer",
                                                   "find-peer",
                                                   "peer-iter-next",
                                                   "peer-name-search",
                                                   "set-metadata",
                                                   "get-metadata",
                                                   "listen-metadata-change",
                                                   "analytics",
                                                   "ping",
                                                   "poll-info-set",
                                                   "poll-questions-set",
                                                   "poll-questions-get",
                                                   "poll-start",
                                                   "poll-stop",
                                                   "poll-response",
                                                   "poll-responses",
                                                   "poll-result",
                                                   "poll-list",
                                                   "poll-leaderboard",
                                                   "hls-start",
                                                   "whatever",
                                                   ""};
    json::Object out{{"method", kMethods[next(kMethods.size())]}};
    if (next(3) != 0) out["id"] = "odd";
    out["params"] = next(8) == 0 ? value(2) : json::Value(object(3));
    return json::serialize(out);
  }

 private:
  std::uint64_t state_;
};

TEST(Hostile, AnotherWorkspacesTokenOpensNoRoomOfOurs) {
  World world;
  const std::string room = world.make_room();
  const auto mine = *world.workspace;
  auto other = world.engine->create_workspace("second");
  ASSERT_TRUE(other) << other.error().detail;

  // First at an empty room: ours must still open after it.
  world.workspace = *other;
  auto early = world.socket(world.app_token(room, "host", "thief"), "PT");
  early->wait_for("on-policy-change");
  EXPECT_EQ(error_code(early->request("join", {{"name", "n"}})), 401);
  world.workspace = mine;
  auto ana = world.joined(room, "host", "PA");

  // And with somebody inside: nothing of them is heard, nothing of ours taken over.
  world.workspace = *other;
  auto thief = world.socket(world.app_token(room, "host", "thief"), "PX");
  thief->wait_for("on-policy-change");
  const auto refused = thief->request("join", {{"name", "n"}});
  EXPECT_EQ(error_code(refused), 401);
  EXPECT_EQ(text(*json::object_at(refused, "error"), "message"), "invalid room id: " + room);
  auto double_of_ana = world.socket(world.app_token(room, "host", "u-1"), "PA");
  EXPECT_NE(error_code(double_of_ana->request("offer", {{"desc", json::Object{{"sdp", "v=0"}}}})), 0);
  world.workspace = mine;
  const auto list = world.get("/v2/active-rooms/" + room + "/peers");
  EXPECT_EQ(json::object_at(list.body, "peers")->size(), 1u);
  EXPECT_TRUE(json::object_at(ana->request("ping", {{"timestamp", 1}}), "result"));
}

TEST(Hostile, RandomJsonNeverEndsTheServerAndAlwaysGetsAnAllowedAnswer) {
  World world;
  const std::string room = world.make_room();
  auto witness = world.joined(room, "host", "PA");
  Oddities odd(20260214);
  for (int socket = 0; socket < 12; ++socket) {
    const std::string peer = "PS" + std::to_string(socket);
    auto stranger = socket % 3 == 0 ? world.socket(world.app_token(room, "guest", "u-9"), peer)
                                    : world.joined(room, socket % 3 == 1 ? "host" : "guest", peer, "u-9");
    for (int i = 0; i < 150; ++i) stranger->send_text(odd.frame());
    const auto pong = stranger->request("ping", {{"timestamp", 5}});
    // Every reply on the way was a result or an error below 500: those the SDK does not retry (§3.4).
    for (const auto& frame : stranger->take_waiting()) {
      if (!frame.contains("id")) continue;
      const int code = error_code(frame);
      EXPECT_LT(code, 500) << json::serialize(frame);
      EXPECT_TRUE(code != 0 || json::object_at(frame, "result")) << json::serialize(frame);
    }
    (void)pong;
    stranger->vanish();
    world.clock.advance(base::Duration::seconds(100));
    ASSERT_TRUE(json::object_at(witness->request("ping", {{"timestamp", 1}}), "result"));
  }
}

TEST(Hostile, RandomBytesEndTheirOwnSocketOnly) {
  World world;
  const std::string room = world.make_room();
  auto witness = world.joined(room, "host", "PA");
  Oddities odd(7);
  for (int i = 0; i < 60; ++i) {
    auto stranger = world.socket(world.app_token(room, "guest", "u-9"), "PS");
    std::string bytes;
    for (auto n = odd.next(200); n > 0; --n) bytes += static_cast<char>(odd.next(256));
    stranger->send_text(bytes);
    EXPECT_EQ(stranger->wait_close(), 1007) << i;
  }
  auto nothing = world.socket(world.app_token(room, "guest", "u-9"), "PS");
  nothing->send_text("");
  EXPECT_EQ(nothing->wait_close(), 1007) << "a frame of 0 bytes is no JSON";
  EXPECT_TRUE(json::object_at(witness->request("ping", {{"timestamp", 1}}), "result"));
}

TEST(Hostile, FiveHundredSocketsThatSayNothing) {
  World world;
  const std::string room = world.make_room();
  auto witness = world.joined(room, "host", "PA");
  std::vector<std::unique_ptr<WsClient>> crowd;
  for (int i = 0; i < 500; ++i) {
    crowd.push_back(world.socket(world.app_token(room, "guest", "u-9"), "Q" + std::to_string(i)));
    ASSERT_EQ(crowd.back()->status(), 101) << i;
  }
  EXPECT_EQ(json::object_at(world.get("/v2/active-rooms/" + room + "/peers").body, "peers")->size(), 1u);
  auto ben = world.joined(room, "guest", "PB", "u-2");
  EXPECT_EQ(text(witness->wait_for("on-peer-join"), "peer_id"), "PB");
  crowd.clear();
  EXPECT_TRUE(json::object_at(ben->request("ping", {{"timestamp", 1}}), "result"));
}

TEST(Hostile, AFloodIsClosedAndOthersFeelNothing) {
  World world;
  const std::string room = world.make_room();
  auto witness = world.joined(room, "host", "PA");
  auto flood = world.joined(room, "guest", "PF", "u-9");
  witness->drain();
  for (int i = 0; i < 700; ++i) flood->notify("broadcast", {{"info", json::Object{{"message", "x"}}}});
  EXPECT_EQ(flood->wait_close(), 1008);
  EXPECT_TRUE(json::object_at(witness->request("ping", {{"timestamp", 1}}), "result"));
}

// Row 79: the official SDK behind HTTPS_PROXY sends the whole URL as the target.
TEST(Hostile, AbsoluteFormIsTheSameRequest) {
  World world;
  const std::string name = "absolute-form-room";
  const std::string body = "{\"name\":\"" + name + "\"}";
  const std::string request =
      "POST http://any.example/v2/rooms?x=1 HTTP/1.1\r\nHost: api.100ms.live\r\nConnection: close\r\n"
      "Authorization: Bearer " +
      world.management_token() + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body;
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in to{};
  to.sin_family = AF_INET;
  to.sin_port = htons(world.address.port);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  ASSERT_EQ(::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
  ASSERT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::string answer;
  char buffer[4096];
  pollfd poll{fd, POLLIN, 0};
  while (::poll(&poll, 1, 5000) > 0) {
    const auto n = ::recv(fd, buffer, sizeof buffer, 0);
    if (n <= 0) break;
    answer.append(buffer, static_cast<std::size_t>(n));
  }
  ::close(fd);
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200")) << answer;
  EXPECT_EQ(json::array_at(world.get("/v2/rooms?name=" + name).body, "data")->size(), 1u);
}

}  // namespace
}  // namespace engine::testing
