#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <condition_variable>
#include <future>
#include <thread>

#include "http/problem.h"
#include "http/testing_socket.h"

namespace http {
namespace {

using testing::body_of;
using ::testing::HasSubstr;
using testing::header_of;
using ::testing::Not;
using testing::RawSocket;
using testing::status_of;
using testing::TestServer;

class HttpServer : public ::testing::Test {
 protected:
  HttpServer() {
    RouteGroup api;
    api.pool = &pool;
    api.body_limit = 1000;
    api.on_error = [](const Request& r, int status, std::string_view allow) {
      return json_response(status, "api:" + std::to_string(status) + ":" + r.path + ":" + std::string(allow));
    };
    api.after = [](const Request&, Response& r) { r.set("x-after", "yes"); };
    api.before = [](Request& r) -> std::optional<Response> {
      if (r.query_value("deny")) return json_response(403, "denied");
      return std::nullopt;
    };
    router.group("/api", api);
    RouteGroup rest;
    rest.pool = &pool;
    router.group("/", rest);
    router.add(Method::kGet, "/api/hello", [](const Request& r) {
      return json_response(200, "hello " + std::string(r.query_value("name").value_or("nobody")));
    });
    router.add(Method::kPost, "/api/echo", [](const Request& r) { return json_response(200, r.body); });
    router.add(Method::kGet, "/api/boom",
               [](const Request&) -> Response { throw std::runtime_error("boom"); });
    router.add(Method::kGet, "/api/empty", [](const Request&) {
      Response r;
      r.status = 204;
      return r;
    });
    router.add(Method::kGet, "/api/big",
               [](const Request&) { return json_response(200, std::string(8 << 20, 'b')); });
    router.add(Method::kGet, "/api/who", [](const Request& r) {
      return json_response(200, r.client_ip + " " + r.request_id + " " + r.listener + " " +
                                    std::string(r.header("host")) + " " + r.path);
    });
  }

  Router router;
  net::WorkerPool pool{"test", 4};  // ends before the router its handlers are in
};

std::string get(const std::string& path, const std::string& more = "") {
  return "GET " + path + " HTTP/1.1\r\nHost: t\r\n" + more + "\r\n";
}

TEST_F(HttpServer, AnswersWithTheHouseHeaders) {
  TestServer server(router);
  const std::string r = server.ask(get("/api/hello?name=Zo%C3%AB", "X-Request-Id: abc.DEF-123\r\n"));
  EXPECT_EQ(status_of(r), 200);
  EXPECT_EQ(body_of(r), "hello Zo\xc3\xab");
  EXPECT_EQ(header_of(r, "x-request-id"), "abc.DEF-123");
  EXPECT_EQ(header_of(r, "x-content-type-options"), "nosniff");
  EXPECT_EQ(header_of(r, "referrer-policy"), "no-referrer");
  EXPECT_EQ(header_of(r, "x-after"), "yes");
  EXPECT_THAT(header_of(r, "date"), HasSubstr(" GMT"));
  EXPECT_EQ(header_of(r, "server"), "");
}

TEST_F(HttpServer, ReplacesRequestIdsThatCouldNotBeOurs) {
  TestServer server(router);
  for (const char* bad : {"short", "has space in it", "x<script>alert", ""}) {
    const std::string id = header_of(
        server.ask(get("/api/hello", "X-Request-Id: " + std::string(bad) + "\r\n")), "x-request-id");
    EXPECT_TRUE(id.starts_with("r-") && id.size() == 18) << id;
  }
}

TEST_F(HttpServer, KeepsTheConnectionAndServesPipelinedRequestsInOrder) {
  TestServer server(router);
  RawSocket socket = server.connect();
  std::string all;
  for (int i = 0; i < 50; ++i) all += get("/api/hello?name=" + std::to_string(i));
  all += "POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc";
  all +=
      "POST /api/echo/ HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: "
      "chunked\r\n\r\n2\r\nde\r\n1\r\nf\r\n0\r\n\r\n";
  all += get("/api/empty") + "HEAD /api/hello HTTP/1.1\r\nHost: t\r\n\r\n" + get("/api/hello?name=last");
  socket.send(all);
  for (int i = 0; i < 50; ++i) ASSERT_EQ(body_of(socket.read_response()), "hello " + std::to_string(i));
  EXPECT_EQ(body_of(socket.read_response()), "abc");
  EXPECT_EQ(body_of(socket.read_response()), "def");
  const std::string empty = socket.read_until("\r\n\r\n");
  EXPECT_EQ(status_of(empty), 204);
  EXPECT_EQ(header_of(empty, "content-length"), "");
  EXPECT_EQ(header_of(socket.read_until("\r\n\r\n"), "content-length"), "12");
  EXPECT_EQ(body_of(socket.read_response()), "hello last");
}

TEST_F(HttpServer, ByteByByteRequestsWork) {
  TestServer server(router);
  RawSocket socket = server.connect();
  for (char c : "POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc" + std::string())
    socket.send(std::string_view(&c, 1));
  EXPECT_EQ(body_of(socket.read_response()), "abc");
}

TEST_F(HttpServer, Http10AndConnectionCloseEndTheConnection) {
  TestServer server(router);
  for (const std::string& request :
       {std::string("GET /api/hello HTTP/1.0\r\n\r\n"), get("/api/hello", "Connection: close\r\n")}) {
    RawSocket socket = server.connect();
    socket.send(request + get("/api/hello?name=second"));
    const std::string all = socket.read_to_end();
    EXPECT_EQ(status_of(all), 200);
    EXPECT_THAT(all, Not(HasSubstr("second")));
    EXPECT_EQ(header_of(all, "connection"), "close");
  }
  RawSocket kept = server.connect();
  kept.send("GET /api/hello HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_EQ(header_of(kept.read_response(), "connection"), "keep-alive");
  kept.send("GET /api/hello HTTP/1.0\r\n\r\n");
  EXPECT_EQ(status_of(kept.read_to_end()), 200);
}

TEST_F(HttpServer, AbsoluteFormTargetsAreReducedAndRuleTheHost) {
  TestServer server(router);
  const std::string r = server.ask(
      "GET https://api.100ms.live/api/who?x=1 HTTP/1.1\r\nHost: other\r\nX-Request-Id: 12345678\r\n\r\n");
  EXPECT_EQ(body_of(r), "127.0.0.1 12345678 test api.100ms.live /api/who");
}

TEST_F(HttpServer, ForwardedAddressesCountOnlyFromTrustedProxies) {
  TestServer plain(router);
  EXPECT_THAT(body_of(plain.ask(get("/api/who", "X-Forwarded-For: 9.9.9.9\r\n"))), HasSubstr("127.0.0.1 "));
  TestServer trusting(router, [](ServerConfig& c) { c.trusted_proxies = {"127.0.0.1"}; });
  EXPECT_THAT(body_of(trusting.ask(get("/api/who", "X-Forwarded-For: 8.8.8.8, 9.9.9.9\r\n"))),
              HasSubstr("9.9.9.9 "));
}

TEST_F(HttpServer, ErrorsSpeakTheStyleOfTheirGroup) {
  TestServer server(router);
  EXPECT_EQ(body_of(server.ask(get("/api/nothing"))), "api:404:/api/nothing:");
  EXPECT_EQ(body_of(server.ask("POST /api/nothing HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\n{}")),
            "api:404:/api/nothing:");
  const std::string wrong_method = server.ask("DELETE /api/echo HTTP/1.1\r\nHost: t\r\n\r\n");
  EXPECT_EQ(status_of(wrong_method), 405);
  EXPECT_EQ(header_of(wrong_method, "allow"), "POST");
  EXPECT_EQ(header_of(wrong_method, "x-after"), "yes");
  EXPECT_EQ(body_of(server.ask(get("/api/boom"))), "api:500:/api/boom:");
  EXPECT_EQ(body_of(server.ask(get("/api/hello?deny"))), "denied");
  for (const char* path :
       {"/api/%zz", "/api/%00", "/api/%c0%af", "/api/../x", "/api/%2e%2E/x", "/api/hello?a=%00"})
    EXPECT_EQ(status_of(server.ask(get(path))), 400) << path;
  const std::string plain = server.ask(get("/elsewhere"));
  EXPECT_EQ(status_of(plain), 404);
  EXPECT_EQ(header_of(plain, "content-type"), "application/problem+json");
  EXPECT_THAT(plain, HasSubstr("route_not_found"));
}

TEST_F(HttpServer, AnErrorBeforeASmallBodyKeepsTheConnection) {
  TestServer server(router);
  RawSocket socket = server.connect();
  socket.send(
      "POST /api/nothing HTTP/1.1\r\nHost: t\r\nContent-Length: 37\r\n\r\nGET /api/hello HTTP/1.1\r\nHost: "
      "t\r\n\r\n\n" +
      get("/api/hello?name=next"));
  EXPECT_EQ(status_of(socket.read_response()), 404);
  EXPECT_EQ(body_of(socket.read_response()), "hello next");
}

TEST_F(HttpServer, BodiesOverTheLimitGet413) {
  TestServer server(router);
  RawSocket declared = server.connect();
  declared.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n");
  EXPECT_EQ(status_of(declared.read_to_end()), 413);
  RawSocket chunked = server.connect();
  chunked.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
  EXPECT_EQ(status_of(chunked.read_to_end()), 413);
  RawSocket pushing = server.connect();
  pushing.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 500000\r\n\r\n" +
               std::string(500000, 'x'));
  EXPECT_EQ(status_of(pushing.read_to_end()), 413);
  EXPECT_EQ(status_of(server.ask("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n" +
                                 std::string(1000, 'x'))),
            200);
}

TEST_F(HttpServer, ExpectContinueIsAnswered) {
  TestServer server(router);
  RawSocket socket = server.connect();
  socket.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(socket.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  socket.send("abc");
  EXPECT_EQ(body_of(socket.read_response()), "abc");
  socket.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(status_of(socket.read_to_end()), 413);
}

TEST_F(HttpServer, MalformedRequestsAreAnsweredOnceAndClosed) {
  TestServer server(router);
  const std::vector<std::pair<std::string, int>> rows{
      {"POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: "
       "chunked\r\n\r\n0\r\n\r\n",
       400},
      {"POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 0x5\r\n\r\nhello", 400},
      {"POST /api/echo HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400},
      {"GET /api/hello HTTP/1.1\nHost: t\n\n", 400},
      {"GET /api/hello HTTP/1.1\r\nHost: t\r\nA: b\r\n c\r\n\r\n", 400},
      {"GET /api/hello HTTP/1.1\r\nHost : t\r\n\r\n", 400},
      {"GET /api/hello HTTP/1.1\r\n\r\n", 400},
      {"GET /api/hello HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400},
      {"GET /api/hello HTTP/3.0\r\nHost: t\r\n\r\n", 400},
      {"GET ftp://x/ HTTP/1.1\r\nHost: t\r\n\r\n", 400},
      {"TRACE /api/hello HTTP/1.1\r\nHost: t\r\nX-Secret: s\r\n\r\n", 405},
      {"CONNECT x:1 HTTP/1.1\r\nHost: t\r\n\r\n", 405},
      {"BREW /api/hello HTTP/1.1\r\nHost: t\r\n\r\n", 501},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400},
      {"GET /" + std::string(9000, 'a') + " HTTP/1.1\r\nHost: t\r\n\r\n", 414},
      {"GET / HTTP/1.1\r\nHost: t\r\nA: " + std::string(33000, 'a') + "\r\n\r\n", 431},
  };
  for (const auto& [request, status] : rows) {
    RawSocket socket = server.connect();
    socket.send(request + get("/api/hello?name=smuggled"));
    const std::string all = socket.read_to_end();
    EXPECT_EQ(status_of(all), status) << request.substr(0, 120);
    EXPECT_THAT(all, Not(HasSubstr("smuggled")));
    EXPECT_EQ(all.find("HTTP/1.1", 5), std::string::npos) << all;
    EXPECT_THAT(all, Not(HasSubstr("X-Secret")));
    EXPECT_EQ(header_of(all, "connection"), "close");
  }
}

TEST_F(HttpServer, RandomBytesNeverHurt) {
  TestServer server(router);
  base::SeededRandom random(7);
  for (int i = 0; i < 200; ++i) {
    std::vector<std::uint8_t> bytes(1 + random.below(3000));
    random.fill(bytes);
    RawSocket socket = server.connect();
    if (i % 2 == 0) socket.send("GET /api/hello HTTP/1.1\r\n");
    socket.send(std::string_view(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
    if (i % 3 == 0) {
      socket.reset();
    } else {
      socket.shutdown_send();
      socket.read_to_end();
    }
  }
  EXPECT_EQ(status_of(server.ask(get("/api/hello"))), 200);
}

void quick(ServerConfig& c) {
  c.limits.request = base::Duration::millis(300);
  c.limits.keep_alive = base::Duration::millis(150);
  c.limits.slow_window = base::Duration::millis(200);
  c.limits.linger = base::Duration::millis(50);
}

TEST_F(HttpServer, SlowRequestsGet408AndIdleConnectionsEnd) {
  TestServer server(router, quick);
  RawSocket head = server.connect();
  head.send("GET /api/hello HTTP/1.1\r\n");
  RawSocket body = server.connect();
  body.send("POST /api/echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
  RawSocket idle = server.connect();
  EXPECT_EQ(idle.read_to_end(), "");
  EXPECT_EQ(status_of(head.read_to_end()), 408);
  EXPECT_EQ(status_of(body.read_to_end()), 408);
}

TEST_F(HttpServer, ATrickleIsCutBeforeTheRequestTimeIsOver) {
  TestServer server(router, [](ServerConfig& c) {
    c.limits.request = base::Duration::seconds(3600);
    c.limits.slow_window = base::Duration::millis(100);
  });
  RawSocket socket = server.connect();
  std::atomic<bool> done{false};
  std::thread drip([&] {
    socket.send("GET /api/hello HTTP/1.1\r\nX: ");
    while (!done && socket.send("a")) std::this_thread::yield();
  });
  // Faster than slow_bytes per window would be legitimate, so the head limit (431) may come first on a fast
  // machine.
  const int status = status_of(socket.read_until("\r\n\r\n"));
  done = true;
  drip.join();
  EXPECT_THAT(status, ::testing::AnyOf(408, 431));
}

TEST_F(HttpServer, APeerThatDoesNotReadIsCut) {
  TestServer server(router, quick);
  RawSocket socket(server.address(), 4096);
  socket.send(get("/api/big"));
  socket.read(1);
  std::promise<void> waited;
  std::thread([&] {
    // The other end must give up by itself: a second request on a fresh connection shows that the server
    // lives meanwhile.
    for (int i = 0; i < 6; ++i) testing::RawSocket(server.address()).read_to_end();
    waited.set_value();
  }).join();
  EXPECT_LT(socket.read_to_end().size(), 8U << 20);
}

TEST_F(HttpServer, AFullPoolAnswers503) {
  net::WorkerPool tiny("tiny", 1, 1);
  std::promise<void> gate;
  auto open = gate.get_future().share();
  std::atomic<int> entered{0};
  Router slow;
  RouteGroup group;
  group.pool = &tiny;
  slow.group("/", group);
  slow.add(Method::kGet, "/wait", [&](const Request&) {
    ++entered;
    open.wait();
    return json_response(200, "done");
  });
  TestServer server(slow, [](ServerConfig& c) { c.limits.max_serving = 3; });
  std::vector<RawSocket> waiting;
  std::vector<int> seen;
  for (int i = 0; i < 5; ++i) waiting.push_back(server.connect());
  waiting[0].send(get("/wait"));
  while (entered == 0) std::this_thread::yield();
  for (std::size_t i = 1; i < 5; ++i) waiting[i].send(get("/wait"));
  // One runs and one waits in the queue; the other three are refused at once.
  std::vector<std::future<std::string>> answers;
  for (auto& socket : waiting)
    answers.push_back(std::async(std::launch::async, [&socket] { return socket.read_response(); }));
  std::size_t refused = 0;
  while (refused < 3) {
    refused = 0;
    for (auto& a : answers)
      if (a.wait_for(std::chrono::milliseconds(5)) == std::future_status::ready) ++refused;
  }
  gate.set_value();
  for (auto& a : answers) {
    const std::string r = a.get();
    seen.push_back(status_of(r));
    EXPECT_EQ(header_of(r, "retry-after"), seen.back() == 503 ? "1" : "");
  }
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 200), 2);
  EXPECT_EQ(std::count(seen.begin(), seen.end(), 503), 3);
}

TEST_F(HttpServer, StoppingLetsARunningHandlerFinish) {
  std::promise<void> entered;
  std::promise<void> gate;
  router.add(Method::kGet, "/api/wait", [&, open = gate.get_future().share()](const Request&) {
    entered.set_value();
    open.wait();
    return json_response(200, "finished");
  });
  auto server = std::make_unique<TestServer>(router);
  RawSocket busy = server->connect();
  RawSocket idle = server->connect();
  busy.send(get("/api/wait"));
  entered.get_future().wait();
  std::thread stopper([&] { server.reset(); });
  EXPECT_EQ(idle.read_to_end(), "");
  gate.set_value();
  const std::string r = busy.read_to_end();
  EXPECT_EQ(body_of(r), "finished");
  EXPECT_EQ(header_of(r, "connection"), "close");
  stopper.join();
}

TEST_F(HttpServer, AHandlerThatOutlivesTheServerIsHarmless) {
  std::promise<void> entered;
  std::promise<void> gate;
  router.add(Method::kGet, "/api/wait", [&, open = gate.get_future().share()](const Request&) {
    entered.set_value();
    open.wait();
    return json_response(200, "too late");
  });
  auto server = std::make_unique<TestServer>(
      router, [](ServerConfig& c) { c.limits.stop = base::Duration::millis(10); });
  RawSocket busy = server->connect();
  busy.send(get("/api/wait"));
  entered.get_future().wait();
  server.reset();
  EXPECT_EQ(busy.read_to_end(), "");
  gate.set_value();
}

TEST_F(HttpServer, ManyRequestsOverManyConnections) {
  TestServer server(router, [](ServerConfig& c) { c.io_threads = 2; });
  std::atomic<int> good{0};
  std::vector<std::thread> clients;
  for (int t = 0; t < 5; ++t) {
    clients.emplace_back([&, t] {
      std::vector<RawSocket> sockets;
      for (int c = 0; c < 10; ++c) sockets.push_back(server.connect());
      for (int i = 0; i < 100; ++i) {
        for (auto& s : sockets) s.send(get("/api/hello?name=" + std::to_string(t) + "-" + std::to_string(i)));
        for (auto& s : sockets)
          if (body_of(s.read_response()) == "hello " + std::to_string(t) + "-" + std::to_string(i)) ++good;
      }
    });
  }
  for (auto& c : clients) c.join();
  EXPECT_EQ(good, 5000);
}

class EventStreams : public HttpServer {
 protected:
  EventStreams() {
    router.add(Method::kGet, "/api/events", [this](const Request&) {
      Response r;
      r.on_stream = [this](std::shared_ptr<EventStream> s) { opened.set_value(std::move(s)); };
      return r;
    });
  }
  std::promise<std::shared_ptr<EventStream>> opened;
};

TEST_F(EventStreams, CarryEventsInOrderAndEndCleanly) {
  TestServer server(router);
  RawSocket socket = server.connect();
  socket.send(get("/api/events"));
  const auto stream = opened.get_future().get();
  EXPECT_TRUE(stream->send("visit", "7", "line one\nline two"));
  EXPECT_TRUE(stream->comment("beat"));
  EXPECT_TRUE(stream->send("x\ndata: forged", "", "last"));
  stream->close();
  EXPECT_FALSE(stream->send("", "", "after"));
  const std::string all = socket.read_to_end();
  EXPECT_EQ(header_of(all, "content-type"), "text/event-stream");
  EXPECT_EQ(header_of(all, "transfer-encoding"), "chunked");
  EXPECT_THAT(all, HasSubstr("event: visit\nid: 7\ndata: line one\ndata: line two\n\n"));
  EXPECT_THAT(all, HasSubstr(": beat\n\n"));
  EXPECT_THAT(all, HasSubstr("event: xdata: forged\ndata: last\n\n"));
  EXPECT_TRUE(all.ends_with("0\r\n\r\n"));
}

TEST_F(EventStreams, NoticeAClientThatLeft) {
  TestServer server(router);
  {
    RawSocket socket = server.connect();
    socket.send(get("/api/events"));
    socket.read_until("\r\n\r\n");
  }
  const auto stream = opened.get_future().get();
  while (stream->send("", "", "are you there")) std::this_thread::yield();
}

TEST_F(EventStreams, GiveUpAClientThatDoesNotRead) {
  TestServer server(router);
  RawSocket socket(server.address(), 4096);
  socket.send(get("/api/events"));
  const auto stream = opened.get_future().get();
  const std::string block(100 * 1024, 'x');
  int sent = 0;
  while (stream->send("", "", block)) ASSERT_LT(++sent, 100000);
  EXPECT_FALSE(stream->send("", "", "x"));
  EXPECT_FALSE(socket.read_to_end().ends_with("0\r\n\r\n"));  // cut, not ended
}

TEST_F(EventStreams, EndWithTheServerAndOutliveIt) {
  auto server = std::make_unique<TestServer>(router);
  RawSocket socket = server->connect();
  socket.send(get("/api/events"));
  const auto stream = opened.get_future().get();
  server.reset();
  EXPECT_TRUE(socket.read_to_end().ends_with("0\r\n\r\n"));
  EXPECT_FALSE(stream->send("", "", "late"));
}

TEST(Problem, HasTheShapeOfTheSpecification) {
  Request request;
  request.path = "/api/x";
  request.request_id = "r-1";
  Problem p;
  p.status = 422;
  p.code = "validation_failed";
  p.title = "t";
  p.errors.push_back({"/name", "required", "is required"});
  p.extra["visitId"] = "v1";
  p.retry_after_s = 3;
  const Response r = problem_response(p, request);
  EXPECT_EQ(r.status, 422);
  EXPECT_EQ(
      r.body,
      R"({"type":"/problems/validation_failed","title":"t","status":422,"code":"validation_failed","instance":"/api/x","requestId":"r-1",)"
      R"("errors":[{"pointer":"/name","code":"required","message":"is required"}],"retryAfter":3,"visitId":"v1"})");
}

}  // namespace
}  // namespace http
