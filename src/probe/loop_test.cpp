// What needs sockets: the loop, the WebSocket client against a scripted server, and a whole peer connection
// against an rtc::Transport in the server role.
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <thread>

#include "base/random.h"
#include "base/text.h"
#include "probe/entrance.h"
#include "probe/media_flow.h"
#include "probe/peer_connection.h"
#include "probe/web_socket.h"

namespace probe {
namespace {

constexpr auto kPatience = base::Duration::seconds(10);

struct Fixture {
  base::SystemClock clock;
  base::SeededRandom random{11};
  std::unique_ptr<Loop> loop = std::move(*Loop::create(clock, Loop::DataChannels::kNo));
  bool until(const std::function<bool()>& done) { return loop->run_until(done, clock.steady() + kPatience); }
};

TEST(Loop, tasks_run_in_order_of_time_and_can_be_cancelled_from_inside) {
  Fixture f;
  std::string order;
  const auto now = f.clock.steady();
  const auto later = now + base::Duration::seconds(100);
  // Far enough behind the two of `a` that a loop woken late on a busy machine does not change the order.
  f.loop->start(now + base::Duration::millis(500), [&](base::SteadyTime) {
    order += 'b';
    return later;
  });
  TaskId a = 0;
  a = f.loop->start(now + base::Duration::millis(1), [&](base::SteadyTime t) {
    order += 'a';
    if (order == "aa") f.loop->cancel(a);
    return t + base::Duration::millis(1);
  });
  ASSERT_TRUE(f.until([&] { return order.size() == 3; }));
  EXPECT_EQ(order, "aab");
}

TEST(Loop, reading_in_intervals_loses_nothing_and_keeps_the_time_of_tasks) {
  Fixture f;
  f.loop->read_every(base::Duration::millis(20));
  std::array<int, 2> pair{};
  ASSERT_EQ(::socketpair(AF_UNIX, SOCK_STREAM, 0, pair.data()), 0);
  struct Reader final : Pollable {
    void on_ready(bool, bool, base::SteadyTime) override {
      char c = 0;
      got += ::recv(fd, &c, 1, MSG_DONTWAIT) == 1 ? 1 : 0;
      ++calls;
    }
    int fd = -1, got = 0, calls = 0;
  } reader;
  reader.fd = pair[0];
  f.loop->watch(pair[0], reader);
  int ticks = 0;
  f.loop->start(f.clock.steady(), [&](base::SteadyTime t) {
    ++ticks;
    EXPECT_EQ(::send(pair[1], "x", 1, 0), 1);
    return t + base::Duration::millis(1);
  });
  ASSERT_TRUE(f.until([&] { return reader.got >= 5; }));
  EXPECT_GT(ticks, 5 * 5) << "tasks do not wait for the interval";
  EXPECT_EQ(reader.calls, reader.got);
  f.loop->forget(pair[0]);
  ::close(pair[0]);
  ::close(pair[1]);
}

// Accepts one connection and lets a script answer; on a thread, since the client's loop is busy.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<void(int fd)> script) {
    listener_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(listener_, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    EXPECT_EQ(::listen(listener_, 1), 0);
    socklen_t size = sizeof any;
    ::getsockname(listener_, reinterpret_cast<sockaddr*>(&any), &size);
    address = base::SocketAddress::v4(INADDR_LOOPBACK, ntohs(any.sin_port));
    thread_ = std::thread([this, script = std::move(script)] {
      pollfd waiting{listener_, POLLIN, 0};
      if (::poll(&waiting, 1, 10'000) != 1) return;
      const int fd = ::accept(listener_, nullptr, nullptr);
      script(fd);
      ::close(fd);
    });
  }
  ~ScriptedServer() {
    thread_.join();
    ::close(listener_);
  }
  base::SocketAddress address;

 private:
  int listener_ = -1;
  std::thread thread_;
};

std::string read_until(int fd, const std::string& end) {
  std::string in;
  std::array<char, 1024> buffer;
  while (in.find(end) == std::string::npos) {
    const auto n = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (n <= 0) break;
    in.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return in;
}

void write_all(int fd, const std::string& text) {
  EXPECT_EQ(::send(fd, text.data(), text.size(), MSG_NOSIGNAL), static_cast<ssize_t>(text.size()));
}

std::string accept_of(const std::string& request) {
  const auto at = request.find("Sec-WebSocket-Key: ") + 19;
  const auto text = request.substr(at, request.find('\r', at) - at) + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<std::uint8_t, 20> digest{};
  EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha1(), nullptr);
  return base::to_base64(digest);
}

struct Seen {
  bool open = false;
  std::vector<std::string> texts;
  std::string closed;
  WebSocketClient::Handlers handlers() {
    return {[this] { open = true; }, [this](std::string text) { texts.push_back(std::move(text)); },
            [this](std::string reason) { closed = std::move(reason); }};
  }
};

TEST(WebSocketClient, opens_talks_both_ways_and_reports_the_close) {
  std::string request, frame;
  ScriptedServer server([&](int fd) {
    request = read_until(fd, "\r\n\r\n");
    // The first frame comes in one piece with the head.
    write_all(fd,
              "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: "
              "Upgrade\r\nsec-websocket-accept: " +
                  accept_of(request) + "\r\n\r\n" +
                  http::encode_frame(http::WebSocketOpcode::kText, "hello"));
    std::array<char, 7> head{};
    frame.resize(
        static_cast<std::size_t>(std::max<ssize_t>(0, ::recv(fd, head.data(), head.size(), MSG_WAITALL))));
    frame.assign(head.data(), frame.size());
    write_all(fd, http::encode_close(1001, "bye"));
  });
  Fixture f;
  Seen seen;
  WebSocketClient client(*f.loop, f.random, seen.handlers());
  auto address = parse_websocket_url("ws://127.0.0.1:" + std::to_string(server.address.port) + "/v2/ws?a=b");
  ASSERT_TRUE(address);
  ASSERT_TRUE(client.connect(*address, server.address, {"janus-protocol", {}}));
  ASSERT_TRUE(f.until([&] { return seen.texts.size() == 1; }));
  EXPECT_TRUE(seen.open);
  EXPECT_EQ(seen.texts[0], "hello");
  client.send_text("x");
  ASSERT_TRUE(f.until([&] { return !seen.closed.empty(); }));
  EXPECT_NE(seen.closed.find("1001 bye"), std::string::npos);
  EXPECT_EQ(request.rfind("GET /v2/ws?a=b HTTP/1.1\r\n", 0), 0U);
  EXPECT_NE(request.find("Sec-WebSocket-Protocol: janus-protocol\r\n"), std::string::npos);
  ASSERT_EQ(frame.size(), 7U);
  EXPECT_EQ(static_cast<std::uint8_t>(frame[1]), 0x81) << "a client masks";
  EXPECT_EQ(frame[6] ^ frame[2], 'x');
}

TEST(WebSocketClient, a_refusal_or_a_wrong_key_is_named) {
  for (const auto& [answer, expected] : std::vector<std::pair<std::string, std::string>>{
           {"HTTP/1.1 401 Unauthorized\r\n\r\n", "refused: HTTP/1.1 401 Unauthorized"},
           {"HTTP/1.1 101 Switching Protocols\r\nsec-websocket-accept: x\r\n\r\n", "wrong key"}}) {
    ScriptedServer server([&](int fd) {
      read_until(fd, "\r\n\r\n");
      write_all(fd, answer);
    });
    Fixture f;
    Seen seen;
    WebSocketClient client(*f.loop, f.random, seen.handlers());
    ASSERT_TRUE(client.connect({false, "127.0.0.1", "127.0.0.1", "/?token=secret", server.address.port},
                               server.address));
    ASSERT_TRUE(f.until([&] { return !seen.closed.empty(); }));
    EXPECT_NE(seen.closed.find(expected), std::string::npos) << seen.closed;
    EXPECT_FALSE(seen.open);
    EXPECT_EQ(seen.closed.find("secret"), std::string::npos);
  }
}

TEST(WebSocketUrl, parts) {
  const auto plain = parse_websocket_url("ws://localhost:8000/v2/ws?x=1#f");
  ASSERT_TRUE(plain);
  EXPECT_EQ(plain->host, "localhost");
  EXPECT_EQ(plain->port, 8000);
  EXPECT_EQ(plain->target, "/v2/ws?x=1");
  const auto tls = parse_websocket_url("wss://[::1]?t");
  ASSERT_TRUE(tls);
  EXPECT_EQ(tls->host, "::1");
  EXPECT_EQ(tls->port, 443);
  EXPECT_EQ(tls->target, "/?t");
  EXPECT_TRUE(tls->tls);
  for (const auto* bad : {"http://a", "ws://", "ws://a:0", "ws://a:70000", "ws://u@a", "ws://a/ b",
                          "ws://[::1", "ws://a/\r\nX: y"})
    EXPECT_FALSE(parse_websocket_url(bad)) << bad;
}

TEST(Entrance, the_answer_of_init_leads_to_the_socket) {
  const base::Secret token("a.b.c");
  const auto e = read_init_answer(R"({"endpoint":"ws://h:1/v2/ws","config":{"enabledFlags":["simulcast"]}})",
                                  token, "p1");
  ASSERT_TRUE(e);
  EXPECT_TRUE(e->simulcast);
  EXPECT_EQ(e->websocket.target.rfind("/v2/ws?peer=p1&token=a.b.c&", 0), 0U);
  // §2.2: the SDK hangs on an answer without config; here it is an error.
  EXPECT_FALSE(read_init_answer(R"({"endpoint":"ws://h/"})", token, "p"));
  EXPECT_FALSE(read_init_answer(R"({"endpoint":"http://h/","config":{}})", token, "p"));
  EXPECT_FALSE(read_init_answer("[]", token, "p"));
}

// The far end of a peer connection: echoes what arrives, as an SFU with one participant would.
class Echo final : public rtc::TransportListener, public Pollable {
 public:
  explicit Echo(Fixture& f) : f_(f), certificate_(*rtc::Certificate::generate(f.random)) {
    rtc::TransportConfig config;
    config.local = rtc::IceCredentials::generate(f.random);
    config.certificate = certificate_;
    config.data_channel = false;
    transport_ = std::make_unique<rtc::Transport>(std::move(config), *this, f.random, nullptr);
    fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::bind(fd_, reinterpret_cast<sockaddr*>(&any), sizeof any), 0);
    socklen_t size = sizeof any;
    ::getsockname(fd_, reinterpret_cast<sockaddr*>(&any), &size);
    port_ = ntohs(any.sin_port);
    f.loop->watch(fd_, *this);
    timer_ = f.loop->start(f.clock.steady(), [this](base::SteadyTime now) {
      transport_->handle_timeout(now);
      return now + base::Duration::millis(20);
    });
  }
  ~Echo() override {
    f_.loop->cancel(timer_);
    f_.loop->forget(fd_);
    ::close(fd_);
  }
  rtc::SessionDescription describe() const {
    rtc::SessionDescription d;
    d.ice_lite = true;
    auto m = describe_data_channel("0");
    m.ice_ufrag = transport_->local_credentials().ufrag;
    m.ice_password = transport_->local_credentials().password;
    m.fingerprint = certificate_->fingerprint();
    m.candidates = {"candidate:1 1 udp 2130706431 127.0.0.1 " + std::to_string(port_) + " typ host"};
    d.media.push_back(m);
    return d;
  }
  void meet(const PeerConnection& client) {
    rtc::MediaSection m;
    client.describe(m, "active");
    transport_->set_remote({m.ice_ufrag, m.ice_password}, m.fingerprint);
  }
  int drop_every = 0;  // nth RTP packet is not echoed
  int nacks = 0, reports = 0;

 private:
  void on_ready(bool, bool, base::SteadyTime now) override {
    std::array<std::uint8_t, 2048> buffer;
    sockaddr_in from{};
    for (;;) {
      socklen_t size = sizeof from;
      const auto n =
          ::recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
      if (n <= 0) return;
      transport_->handle(base::MutableBytes(buffer).first(static_cast<std::size_t>(n)),
                         base::SocketAddress::v4(ntohl(from.sin_addr.s_addr), ntohs(from.sin_port)), now);
    }
  }
  void on_send(base::Bytes datagram, const base::SocketAddress& to) override {
    sockaddr_storage address;
    const auto size = to_native(to, false, address);
    ::sendto(fd_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address), size);
  }
  void on_rtp(base::MutableBytes packet, base::SteadyTime) override {
    std::array<std::uint8_t, 1600> out;
    kept_.emplace_back(packet.begin(), packet.end());
    if (drop_every != 0 && static_cast<int>(kept_.size()) % drop_every == 0) return;
    on_send(base::Bytes(out).first(transport_->seal_rtp(packet, out)), *transport_->remote_address());
  }
  void on_rtcp(base::MutableBytes packet, base::SteadyTime) override {
    rtc::RtcpReader reader(packet);
    while (const auto block = reader.next()) {
      if (block->type == rtc::rtcp_type::kReceiverReport) ++reports;
      const auto feedback = rtc::read_feedback(*block);
      if (!feedback) continue;
      if (feedback->kind == rtc::FeedbackKind::kNack)
        rtc::for_each_nack(feedback->fci,
                           [&](std::uint16_t sequence) { answer_nack(feedback->media_ssrc, sequence); });
    }
  }
  void answer_nack(std::uint32_t ssrc, std::uint16_t sequence) {
    ++nacks;
    for (auto& bytes : kept_) {
      const auto view = rtc::RtpView::parse(bytes);
      if (!view || view->ssrc != ssrc || view->sequence != sequence) continue;
      std::array<std::uint8_t, 1600> plain, out;
      const auto size = rtc::wrap_rtx(bytes, view->payload_offset, 21, rtx_sequence_++, 97, plain);
      on_send(base::Bytes(out).first(transport_->seal_rtp(base::Bytes(plain).first(size), out)),
              *transport_->remote_address());
    }
  }
  void on_remote_address(const base::SocketAddress&) override {}
  void on_connected() override {}
  void on_failed(std::string_view) override {}
  void on_channel_open(std::uint16_t, std::string_view) override {}
  void on_channel_message(std::uint16_t, base::Bytes, bool) override {}

  Fixture& f_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  std::unique_ptr<rtc::Transport> transport_;
  std::vector<std::vector<std::uint8_t>> kept_;
  std::uint16_t rtx_sequence_ = 1;
  int fd_ = -1;
  std::uint16_t port_ = 0;
  TaskId timer_ = 0;
};

struct Client final : PeerConnectionListener {
  MediaSender* sender = nullptr;
  MediaReceiver* receiver = nullptr;
  std::string failure;
  void on_connected() override {}
  void on_failed(std::string_view reason) override { failure = reason; }
  void on_rtp(rtc::RtpView view, base::SteadyTime arrival) override { receiver->on_rtp(view, arrival); }
  void on_rtcp(base::Bytes packet, base::SteadyTime now) override { sender->on_rtcp(packet, now); }
  void on_channel_open(std::uint16_t, std::string_view) override {}
  void on_channel_text(std::uint16_t, std::string_view) override {}
};

TEST(PeerConnection, media_goes_out_comes_back_and_what_was_lost_is_asked_for) {
  Fixture f;
  Echo echo(f);
  echo.drop_every = 10;
  Client client;
  PeerConnection connection(*f.loop, f.random, *rtc::Certificate::generate(f.random), false, client);
  MediaSender sender(*f.loop, f.random, connection);
  MediaReceiver receiver(*f.loop, f.random, connection);
  client.sender = &sender;
  client.receiver = &receiver;
  echo.meet(connection);
  ASSERT_TRUE(connection.set_remote(echo.describe()));
  StreamFormat video;
  video.ssrc = 20;
  video.rtx_ssrc = 21;
  video.payload_type = 96;
  video.rtx_payload_type = 97;
  sender.add_video({video}, {});
  StreamFormat audio;
  audio.ssrc = 30;
  audio.payload_type = 111;
  sender.add_audio(audio);
  RemoteTrack seen;
  seen.video = true;
  seen.ssrc = 20;
  seen.rtx_ssrc = 21;
  seen.rtx_of = {{97, 96}};
  RemoteTrack heard;
  heard.ssrc = 30;
  receiver.set_tracks({seen, heard});
  ASSERT_TRUE(f.until([&] {
    const auto r = receiver.totals();
    return r.audio_packets > 40 && r.video_packets > 150 && r.recovered > 10 && echo.reports > 0;
  })) << client.failure
      << " " << receiver.totals().received();
  EXPECT_GT(echo.nacks, 10);
  EXPECT_GT(receiver.totals().frames, 20U);
  EXPECT_EQ(receiver.unknown_packets(), 0U);
  EXPECT_LT(receiver.tracks()[0]->latency().quantile(0.5), 50'000);
}

TEST(PeerConnection, a_description_without_candidate_is_refused) {
  Fixture f;
  Echo echo(f);
  Client client;
  PeerConnection connection(*f.loop, f.random, *rtc::Certificate::generate(f.random), false, client);
  auto description = echo.describe();
  description.media[0].candidates = {"candidate:1 1 tcp 1 127.0.0.1 9 typ host tcptype passive"};
  const auto result = connection.set_remote(description);
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().code, "candidate_missing");
}

}  // namespace
}  // namespace probe
