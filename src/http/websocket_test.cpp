// The WebSocket server against Beast's client, which was written by others, and against raw frames.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <condition_variable>
#include <future>

#include "http/testing_socket.h"
#include "http/websocket_codec.h"

namespace http {
namespace {

using ::testing::HasSubstr;
using testing::RawSocket;
using testing::TestServer;
namespace beast = boost::beast;

constexpr std::uint32_t kMask = 0x01020304;

class WebSockets : public ::testing::Test {
 protected:
  WebSockets() {
    WebSocketLimits limits;
    limits.max_message = 100'000;
    limits.max_queued = 1'000'000;
    limits.idle = idle;
    router.websocket(
        "/ws/:room",
        [this](const Request& r, std::shared_ptr<WebSocket> ws) { return accept(r, std::move(ws)); }, limits);
    WebSocketLimits impatient = limits;
    impatient.idle = base::Duration::millis(50);
    router.websocket(
        "/impatient",
        [this](const Request& r, std::shared_ptr<WebSocket> ws) { return accept(r, std::move(ws)); },
        impatient);
  }

  tl::expected<WebSocketEvents, WebSocketRefusal> accept(const Request& r, std::shared_ptr<WebSocket> ws) {
    if (r.query_value("token") != "good")
      return tl::unexpected<WebSocketRefusal>(WebSocketRefusal{401, R"({"error":"no"})"});
    ws->send("welcome " + std::string(r.param("room")));
    WebSocketEvents events;
    events.on_text = [ws](std::string text) { ws->send("echo " + text); };
    events.on_close = [this](std::uint16_t code) {
      const std::lock_guard lock(mutex);
      closes.push_back(code);
      changed.notify_all();
    };
    const std::lock_guard lock(mutex);
    sockets.push_back(std::move(ws));
    changed.notify_all();
    return events;
  }

  std::uint16_t wait_close() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(10), [this] { return !closes.empty(); });
    return closes.empty() ? 0 : closes.front();
  }
  std::size_t closes_now() {
    const std::lock_guard lock(mutex);
    return closes.size();
  }
  std::shared_ptr<WebSocket> wait_socket() {
    std::unique_lock lock(mutex);
    changed.wait_for(lock, std::chrono::seconds(10), [this] { return !sockets.empty(); });
    return sockets.front();
  }

  // Upgrades by hand and swallows the welcome.
  static std::string open(RawSocket& s, const std::string& path = "/ws/r?token=good") {
    s.send("GET " + path +
           " HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: keep-alive, "
           "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
           "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
    std::string head = s.read_until("\r\n\r\n");
    if (testing::status_of(head) == 101) read_frame(s);
    return head;
  }

  struct Frame {
    int opcode = -1;
    std::string payload;
    int close_code() const {
      return payload.size() < 2
                 ? 0
                 : static_cast<std::uint8_t>(payload[0]) * 256 + static_cast<std::uint8_t>(payload[1]);
    }
  };
  static Frame read_frame(RawSocket& s) {
    const std::string head = s.read(2);
    if (head.size() < 2) return {};
    std::size_t length = static_cast<std::uint8_t>(head[1]);
    if (length == 126) {
      const std::string more = s.read(2);
      length = static_cast<std::size_t>(static_cast<std::uint8_t>(more[0]) * 256 +
                                        static_cast<std::uint8_t>(more[1]));
    }
    return {static_cast<std::uint8_t>(head[0]) & 0x0f, s.read(length)};
  }

  base::Duration idle = base::Duration::seconds(60);
  Router router;
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::uint16_t> closes;
  std::vector<std::shared_ptr<WebSocket>> sockets;
};

TEST_F(WebSockets, TalkWithBeastsClient) {
  TestServer server(router);
  boost::asio::io_context io;
  beast::websocket::stream<boost::asio::ip::tcp::socket> client(io);
  client.next_layer().connect({boost::asio::ip::address_v4::loopback(), server.address().port});
  client.handshake("t", "/ws/blue%20room?token=good");
  beast::flat_buffer buffer;
  const auto next = [&] {
    buffer.clear();
    client.read(buffer);
    return std::string(static_cast<const char*>(buffer.data().data()), buffer.size());
  };
  EXPECT_EQ(next(), "welcome blue room");
  client.text(true);
  for (std::size_t size : {0U, 1U, 125U, 126U, 65'535U, 65'536U, 99'000U}) {
    const std::string text(size, 'x');
    client.auto_fragment(size % 2 == 0);
    client.write(boost::asio::buffer(text));
    EXPECT_EQ(next(), "echo " + text);
  }
  client.ping("hi");
  client.write(boost::asio::buffer(std::string("after the ping")));
  EXPECT_EQ(next(), "echo after the ping");
  client.close(beast::websocket::close_code::normal);
  EXPECT_EQ(wait_close(), 1000);
}

TEST_F(WebSockets, OurCloseIsAnsweredByBeastsClient) {
  TestServer server(router);
  boost::asio::io_context io;
  beast::websocket::stream<boost::asio::ip::tcp::socket> client(io);
  client.next_layer().connect({boost::asio::ip::address_v4::loopback(), server.address().port});
  client.handshake("t", "/ws/r?token=good");
  const auto ws = wait_socket();
  ws->send("last");
  ws->close(4001, "moved");
  ws->send("never");
  beast::flat_buffer buffer;
  beast::error_code error;
  int messages = 0;
  while (client.read(buffer, error) > 0 && !error) ++messages;
  EXPECT_EQ(messages, 2);
  EXPECT_EQ(client.reason().code, 4001);
  EXPECT_EQ(client.reason().reason, "moved");
  EXPECT_EQ(wait_close(), 4001);
}

TEST_F(WebSockets, UpgradeCarriesTheAcceptKeyAndRefusalsTheirStatus) {
  TestServer server(router);
  RawSocket s = server.connect();
  const std::string head = open(s);
  EXPECT_EQ(testing::header_of(head, "sec-websocket-accept"),
            "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");  // RFC 6455 §1.3
  RawSocket refused = server.connect();
  refused.send(
      "GET /ws/r?token=bad HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n");
  const std::string answer = refused.read_response();
  EXPECT_EQ(testing::status_of(answer), 401);
  EXPECT_EQ(testing::body_of(answer), R"({"error":"no"})");
  EXPECT_EQ(testing::status_of(server.ask("GET /ws/r HTTP/1.1\r\nHost: t\r\n\r\n")), 426);
  EXPECT_EQ(
      testing::status_of(server.ask("GET /ws/r HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: "
                                    "Upgrade\r\nSec-WebSocket-Version: 8\r\n\r\n")),
      426);
  EXPECT_EQ(testing::status_of(server.ask("GET /ws/r HTTP/1.1\r\nHost: t\r\nUpgrade: "
                                          "websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                                          "Sec-WebSocket-Key: short\r\n\r\n")),
            400);
}

TEST_F(WebSockets, BrokenFramesEndWithTheirCode) {
  TestServer server(router);
  const std::vector<std::pair<std::string, int>> rows{
      {encode_frame(WebSocketOpcode::kText, "\xff\xfe", kMask), 1007},
      {encode_frame(WebSocketOpcode::kText, std::string(100'001, 'x'), kMask), 1009},
      {encode_frame(WebSocketOpcode::kBinary, "x", kMask), 1003},
      {encode_frame(WebSocketOpcode::kText, "not masked"), 1002},
      {std::string("GET / HTTP/1.1\r\n\r\n"), 1002},
  };
  for (const auto& [bytes, code] : rows) {
    closes.clear();
    RawSocket s = server.connect();
    open(s);
    s.send(bytes);
    const Frame frame = read_frame(s);
    EXPECT_EQ(frame.opcode, 8);
    EXPECT_EQ(frame.close_code(), code);
    EXPECT_EQ(wait_close(), code);
    EXPECT_EQ(s.read_to_end(), "");
  }
}

TEST_F(WebSockets, PingsGetTheirPayloadBackAndClosesTheirEcho) {
  TestServer server(router);
  RawSocket s = server.connect();
  open(s);
  s.send(encode_frame(WebSocketOpcode::kPing, "p1", kMask) + encode_close(4321, "bye", kMask));
  const Frame pong = read_frame(s);
  EXPECT_EQ(pong.opcode, 10);
  EXPECT_EQ(pong.payload, "p1");
  EXPECT_EQ(read_frame(s).close_code(), 4321);
  EXPECT_EQ(s.read_to_end(), "");
  EXPECT_EQ(wait_close(), 4321);
}

TEST_F(WebSockets, FramesSentTogetherWithTheUpgradeAreNotLost) {
  TestServer server(router);
  RawSocket s = server.connect();
  s.send(
      "GET /ws/r?token=good HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\nConnection: "
      "Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n" +
      encode_frame(WebSocketOpcode::kText, "early", kMask));
  s.read_until("\r\n\r\n");
  EXPECT_EQ(read_frame(s).payload, "welcome r");
  EXPECT_EQ(read_frame(s).payload, "echo early");
}

TEST_F(WebSockets, APeerThatVanishesIs1006) {
  TestServer server(router);
  RawSocket s = server.connect();
  open(s);
  s.reset();
  EXPECT_EQ(wait_close(), 1006);
  wait_socket()->send("into the void");
}

TEST_F(WebSockets, AnIdlePeerIsClosed) {
  TestServer server(router);
  RawSocket s = server.connect();
  open(s, "/impatient?token=good");
  EXPECT_EQ(read_frame(s).close_code(), 1001);
  EXPECT_EQ(wait_close(), 1006);
}

TEST_F(WebSockets, ASlowPeerIsClosedWith1013) {
  TestServer server(router, [](ServerConfig& c) { c.limits.websocket_close = base::Duration::millis(50); });
  RawSocket s(server.address(), 4096);
  open(s);
  const auto ws = wait_socket();
  for (int i = 0; i < 2000 && closes_now() == 0; ++i) ws->send(std::string(90'000, 'x'));
  EXPECT_EQ(wait_close(), 1013);
}

TEST_F(WebSockets, OrderIsKeptFromOneThread) {
  TestServer server(router);
  RawSocket s = server.connect();
  open(s);
  const auto ws = wait_socket();
  std::thread sender([&] {
    for (int i = 0; i < 5000; ++i) ws->send(std::to_string(i));
  });
  for (int i = 0; i < 5000; ++i) ASSERT_EQ(read_frame(s).payload, std::to_string(i));
  sender.join();
}

TEST_F(WebSockets, AStoppingServerSays1012) {
  auto server = std::make_unique<TestServer>(router);
  RawSocket polite = server->connect();
  open(polite);
  std::thread stopper([&] { server.reset(); });
  EXPECT_EQ(read_frame(polite).close_code(), 1012);
  polite.send(encode_close(1012, "", kMask));
  EXPECT_EQ(polite.read_to_end(), "");
  stopper.join();
  EXPECT_EQ(wait_close(), 1012);
  wait_socket()->send("late");
}

TEST_F(WebSockets, OnCloseComesOnceEvenWhenTheServerIsTornDown) {
  {
    TestServer server(router, [](ServerConfig& c) { c.limits.stop = base::Duration::millis(20); });
    RawSocket s = server.connect();
    open(s);
    wait_socket();
    server.server.reset();
  }
  EXPECT_EQ(closes.size(), 1U);
}

}  // namespace
}  // namespace http
