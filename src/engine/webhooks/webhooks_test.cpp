// What a clinic's backend receives: which events, in which order, signed how, tried how often, over a restart
// too; the history of deliveries and the replay. The receiver is an HTTP server of the test's own.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <thread>

#include "base/bytes.h"
#include "base/text.h"
#include "engine/testing_engine.h"

namespace engine::testing {
namespace {

std::string text(const json::Object& o, std::string_view key) {
  return std::string(json::text_or(o, key));
}

class Receiver {
 public:
  struct Got {
    std::string path, body, signature, custom;
    json::Object event;
  };
  Receiver() {
    http::RouteGroup group;
    group.pool = &pool_;
    router_.group("/", group);
    router_.add(http::Method::kPost, "/*rest",
                [this](const http::Request& request) { return take(request); });
    http::ServerConfig config;
    http::ListenerConfig listener;
    listener.name = "hook";
    listener.address = base::SocketAddress::v4(0x7f000001, 0);
    listener.router = &router_;
    config.listeners.push_back(listener);
    auto started = http::Server::start(config, random_);
    if (!started) throw std::runtime_error(started.error().detail);
    server_ = std::move(*started);
  }
  std::string url(const std::string& path) const {
    return "http://" + server_->address("hook").text() + path;
  }
  // Waits until `n` requests have come; what has come then.
  std::vector<Got> wait_for(std::size_t n) {
    std::unique_lock lock(mutex_);
    came_.wait_for(lock, std::chrono::seconds(5), [&] { return got_.size() >= n; });
    return got_;
  }
  std::atomic<int> status{200};
  std::atomic<int> most_at_once{0};

 private:
  http::Response take(const http::Request& request) {
    const int now = ++at_once_;
    if (now > most_at_once) most_at_once = now;
    Got got{request.path,
            request.body,
            std::string(request.header("x-100ms-signature")),
            std::string(request.header("x-k")),
            {}};
    if (auto value = json::parse_tolerant(request.body); value && value->is_object())
      got.event = value->as_object();
    {
      const std::lock_guard lock(mutex_);
      got_.push_back(std::move(got));
    }
    --at_once_;
    came_.notify_all();
    return http::json_response(status, "{}");
  }

  crypto::SystemRandom random_;
  net::WorkerPool pool_{"hook", 4};
  http::Router router_;
  std::mutex mutex_;
  std::condition_variable came_;
  std::vector<Got> got_;  // guarded by mutex_
  std::atomic<int> at_once_{0};
  std::unique_ptr<http::Server> server_;
};

std::vector<std::string> types_of(const std::vector<Receiver::Got>& all) {
  std::vector<std::string> types;
  for (const auto& got : all) types.push_back(text(got.event, "type"));
  return types;
}
const json::Object& data_of(const Receiver::Got& got) {
  return *json::object_at(got.event, "data");
}

class Webhooks : public ::testing::TestWithParam<storage::Backend> {
 protected:
  std::string room_with_hook(const std::string& path) {
    return world_.make_room(R"({"name":"visit","webhook":{"url":")" + receiver_.url(path) +
                            R"(","headers":{"x-k":"k-113"}}})");
  }
  // Nothing else comes: what is in the outbox has been looked at since the clock was turned.
  std::vector<Receiver::Got> after(base::Duration d, std::size_t expected) {
    world_.clock.advance(d);
    return receiver_.wait_for(expected);
  }
  std::string status_of(const std::string& type) {
    const auto history = world_.get("/v2/analytics/webhooks?event_names=" + type);
    const auto* events = json::array_at(history.body, "events");
    return events && !events->empty() ? text(events->front().as_object(), "status") : std::string();
  }
  template <class F>
  bool eventually(F f) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!f()) {
      if (std::chrono::steady_clock::now() > deadline) return false;
      std::this_thread::yield();
    }
    return true;
  }
  // The next attempt is due from when the outcome of the one before is stored.
  bool attempts(const std::string& type, std::int64_t n) {
    return eventually([&] {
      auto rows = world_.database.db().query("SELECT attempts FROM webhook_events WHERE type = $1", {type});
      return rows && !rows->empty() && rows->rows.front().integer("attempts") == n;
    });
  }
  bool becomes(const std::string& type, const std::string& status) {
    return eventually([&] { return status_of(type) == status; });
  }

  Receiver receiver_;  // ends after the engine that calls it
  World world_{GetParam()};
};

TEST_P(Webhooks, Rows60To77AVisitIsToldInOrderAndSigned) {
  ASSERT_EQ(world_.post("/v2/workspace/webhook", R"({"url":")" + receiver_.url("/workspace") + "\"}").status,
            200);
  const std::string room = room_with_hook("/room");
  auto ana = world_.joined(room, "host", "PA", "dr-12");
  auto ben = world_.joined(room, "guest", "PB", "pt-1");
  world_.clock.advance(base::Duration::seconds(30));
  const std::string base = "/v2/active-rooms/" + room;
  world_.post(base + "/peers/PB", R"({"role":"waiting-room"})");  // 60
  ana->request("role-change-request", {{"requested_for", "PB"}, {"role", "guest"}, {"force", true}});
  world_.post(base + "/remove-peers", R"({"peer_id":"PB","reason":"bye"})");  // 65
  world_.post(base + "/end-room", R"({"lock":true,"reason":"over"})");        // 66
  const auto all = receiver_.wait_for(9);
  EXPECT_EQ(types_of(all), (std::vector<std::string>{
                               "session.open.success", "peer.join.success", "peer.join.success",
                               "role.change.success", "role.change.success", "peer.leave.success",
                               "room.end.success", "peer.leave.success", "session.close.success"}));  // 77
  EXPECT_EQ(receiver_.most_at_once, 1);
  for (const auto& got : all) {
    EXPECT_EQ(got.path, "/room");    // 74: the workspace's URL hears nothing of it
    EXPECT_EQ(got.custom, "k-113");  // 75
    EXPECT_EQ(got.signature,
              base::to_hex(crypto::hmac_sha256(base::as_bytes(world_.workspace->secret.reveal()),
                                               base::as_bytes(got.body))));  // 76
    EXPECT_EQ(text(got.event, "version"), "2.0");
    EXPECT_TRUE(base::is_uuid(text(got.event, "id")));
    EXPECT_TRUE(base::is_object_id(text(got.event, "account_id")));
    EXPECT_EQ(text(data_of(got), "room_id"), room);
    EXPECT_EQ(text(data_of(got), "room_name"), "visit");
    EXPECT_EQ(text(data_of(got), "template_id"), world_.workspace->template_id);
    EXPECT_FALSE(text(data_of(got), "session_started_at").empty());
  }
  EXPECT_EQ(text(data_of(all[1]), "user_id"), "dr-12");
  EXPECT_EQ(text(data_of(all[1]), "type"), "regular");
  EXPECT_FALSE(data_of(all[3]).contains("role_change_requested_by")) << "asked by the API";
  EXPECT_EQ(text(data_of(all[3]), "previous_role"), "guest");
  EXPECT_EQ(text(data_of(all[4]), "role_change_requested_by"), "PA");
  EXPECT_EQ(text(data_of(all[5]), "reason"), "peer kicked");
  EXPECT_EQ(text(data_of(all[5]), "message"), "bye");
  EXPECT_EQ(json::int_or(data_of(all[5]), "duration", 0), 30);
  EXPECT_TRUE(json::bool_or(data_of(all[6]), "lock_room", false));
  EXPECT_EQ(text(data_of(all[6]), "source"), "api");
  EXPECT_EQ(json::int_or(data_of(all[8]), "session_duration", 0), 30);

  // A room without a webhook of its own is told to the workspace's; then to nobody.
  const std::string plain = world_.make_room();
  world_.joined(plain, "host", "PC")->close(1000);
  const auto more = receiver_.wait_for(13);
  ASSERT_EQ(more.size(), 13u);
  EXPECT_EQ(more[9].path, "/workspace");
  EXPECT_EQ(text(data_of(more[11]), "reason"), "client request");
  EXPECT_EQ(world_.post("/v2/workspace/webhook", R"({"url":""})").status, 200);
  world_.joined(world_.make_room(), "host", "PD")->close(1000);
  EXPECT_EQ(
      json::int_or(*json::object_at(world_.get("/v2/analytics/webhooks").body, "summary"), "total_events", 0),
      13);
}

TEST_P(Webhooks, Row73ThreeMoreAttemptsThenGivenUpThenReplayed) {
  receiver_.status = 500;
  const std::string room = room_with_hook("/room");
  auto ana = world_.joined(room, "host", "PA");
  EXPECT_EQ(receiver_.wait_for(1).size(), 1u);
  ASSERT_TRUE(attempts("session.open.success", 1));
  EXPECT_EQ(after(base::Duration::millis(900), 1).size(), 1u);
  EXPECT_EQ(after(base::Duration::millis(100), 2).size(), 2u);
  ASSERT_TRUE(attempts("session.open.success", 2));
  EXPECT_EQ(after(base::Duration::millis(2900), 2).size(), 2u);
  EXPECT_EQ(after(base::Duration::millis(100), 3).size(), 3u);
  ASSERT_TRUE(attempts("session.open.success", 3));
  EXPECT_EQ(after(base::Duration::millis(9900), 3).size(), 3u);
  const auto four = after(base::Duration::millis(100), 4);
  ASSERT_GE(four.size(), 4u);
  for (std::size_t i = 0; i < 4; ++i) EXPECT_EQ(four[i].body, four[0].body);
  EXPECT_TRUE(becomes("session.open.success", "failed"));
  EXPECT_EQ(receiver_.wait_for(5)[4].event.at("type").as_string(), "peer.join.success")
      << "only now the next one";

  ASSERT_TRUE(attempts("peer.join.success", 1));
  receiver_.status = 204;
  after(base::Duration::seconds(2), 6);
  EXPECT_TRUE(becomes("peer.join.success", "success")) << "any 2xx";
  const auto replay =
      world_.post("/v2/analytics/webhooks/replay", R"({"event_names":["session.open.success"]})");
  ASSERT_EQ(replay.status, 200) << replay.text;
  EXPECT_EQ(text(replay.body, "status"), "started");
  const auto again = receiver_.wait_for(7);
  ASSERT_EQ(again.size(), 7u);
  EXPECT_TRUE(json::bool_or(again[6].event, "is_replay", false));
  EXPECT_EQ(text(again[6].event, "id"), text(again[0].event, "id"));
  const std::string state = "/v2/analytics/webhooks/replay/" + text(replay.body, "workflow_id");
  EXPECT_TRUE(eventually([&] { return text(world_.get(state).body, "status") == "completed"; }));
  EXPECT_EQ(json::int_or(*json::object_at(world_.get(state).body, "result"), "success", 0), 1);
  EXPECT_EQ(world_.get("/v2/analytics/webhooks/replay/000000000000000000000000").status, 404);
  for (const char* bad : {"?limit=0", "?page=0", "?status=odd", "?start_time=yesterday",
                          "?start_time=2001-01-01T00:00:00Z", "?room_id=room_1"}) {
    EXPECT_EQ(world_.get(std::string("/v2/analytics/webhooks") + bad).status, 400) << bad;
  }
}

TEST_P(Webhooks, WhatWasNotDeliveredIsAfterARestart) {
  receiver_.status = 503;
  const std::string room = room_with_hook("/room");
  auto ana = world_.joined(room, "host", "PA");
  ASSERT_TRUE(attempts("session.open.success", 1));
  world_.restart();
  receiver_.status = 200;
  const std::size_t before = receiver_.wait_for(0).size();
  const auto all = after(base::Duration::seconds(1), before + 2);
  ASSERT_EQ(all.size(), before + 2);
  EXPECT_EQ(all[before].body, all[0].body) << "the same event, the same bytes";
  EXPECT_EQ(text(all[before + 1].event, "type"), "peer.join.success");
}

TEST_P(Webhooks, ARefusedJoinIsToldAndBadSettingsAreNot) {
  const std::string hook = R"("webhook":{"url":")" + receiver_.url("/room") + "\"}";
  const auto t = world_.post("/v2/templates", R"({"name":"small","roles":{"one":{"maxPeerCount":1}}})");
  const std::string room = world_.make_room("{" + hook + R"(,"template_id":")" + text(t.body, "id") + "\"}");
  auto first = world_.joined(room, "one", "P1");
  auto second = world_.socket(world_.app_token(room, "one", "u-2"), "P2");
  second->wait_for("on-policy-change");
  second->request("join", {{"name", "Second"}});
  const auto all = receiver_.wait_for(3);
  ASSERT_EQ(all.size(), 3u);
  EXPECT_EQ(text(all[2].event, "type"), "peer.join.failure");
  EXPECT_EQ(text(data_of(all[2]), "error_message"), "role not allowed");
  EXPECT_EQ(text(data_of(all[2]), "user_name"), "Second");
  for (const char* bad :
       {R"({"url":"ftp://x"})", R"({"url":7})", R"({})", R"({"url":"http://h/","headers":{"host":"x"}})",
        R"({"url":"http://h/","headers":{"a b":"x"}})", R"({"url":"http://h/","headers":{"x":"a\r\nb"}})",
        R"({"url":"http://h/","headers":{"x":1}})"}) {
    EXPECT_EQ(world_.post("/v2/workspace/webhook", bad).status, 400) << bad;
  }
  EXPECT_EQ(text(world_.get("/v2/workspace/webhook").body, "url"), "");
}

INSTANTIATE_TEST_SUITE_P(Databases, Webhooks, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

}  // namespace
}  // namespace engine::testing
