// The outbound client against a scripted server that says exactly what each case needs.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <zlib.h>

#include <filesystem>
#include <future>
#include <thread>

#include "http/client.h"
#include "http/testing_socket.h"

namespace http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using testing::RawSocket;
using testing::ScriptedServer;

ClientRequest to(const std::string& url) {
  ClientRequest r;
  r.url = url;
  r.total_timeout = base::Duration::seconds(5);
  return r;
}

// Sends `answer` to the first request of every connection and closes.
ScriptedServer answering(std::string answer) {
  return ScriptedServer([answer](RawSocket& s) {
    s.read_until("\r\n\r\n");
    s.send(answer);
  });
}

std::string describe(const tl::expected<ClientResponse, ClientError>& r) {
  return r ? std::to_string(r->status) + " " + r->body : std::string(to_string(r.error().failure));
}

TEST(Client, SendsWhatItIsGivenAndReturnsTheAnswer) {
  std::promise<std::string> asked;
  ScriptedServer server([&](RawSocket& s) {
    std::string request = s.read_until("\r\n\r\n");
    request += s.read(5);
    s.send("HTTP/1.1 201 Created\r\nContent-Length: 2\r\nX-Thing: A b\r\n\r\nok");
    asked.set_value(request);
  });
  ClientRequest request = to(server.url("/v2/rooms?a=b"));
  request.method = "POST";
  request.body = "{\"a\"}";
  request.headers = {{"Authorization", "Bearer x"}, {"X-Empty", ""}};
  Client client;
  const auto answer = client.send(request);
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 201);
  EXPECT_EQ(answer->body, "ok");
  EXPECT_EQ(answer->header("x-thing"), "A b");
  const std::string text = asked.get_future().get();
  EXPECT_THAT(text, HasSubstr("POST /v2/rooms?a=b HTTP/1.1\r\n"));
  EXPECT_THAT(text, HasSubstr("Authorization: Bearer x\r\n"));
  EXPECT_THAT(text, HasSubstr("Content-Length: 5\r\n"));
  EXPECT_THAT(text, HasSubstr("X-Empty:\r\n"));
  EXPECT_THAT(text, HasSubstr("{\"a\"}"));
  EXPECT_THAT(text, Not(HasSubstr("Expect")));
  EXPECT_THAT(text, Not(HasSubstr("form-urlencoded")));
}

TEST(Client, AnEmptyPostSaysLengthZeroAndDeleteWorks) {
  Router router;
  router.add(Method::kPost, "/p", [](const Request& r) {
    return json_response(200, "len " + std::string(r.header("content-length")));
  });
  router.add(Method::kDelete, "/p", [](const Request&) { return json_response(200, "gone"); });
  router.add(Method::kGet, "/p", [](const Request&) { return json_response(200, "body"); });
  testing::TestServer server(router);
  Client client;
  ClientRequest request = to(server.url("/p"));
  request.method = "POST";
  EXPECT_EQ(describe(client.send(request)), "200 len 0");
  request.method = "DELETE";
  EXPECT_EQ(describe(client.send(request)), "200 gone");
  request.method = "HEAD";
  EXPECT_EQ(describe(client.send(request)), "200 ");
}

TEST(Client, ConnectionsAreKept) {
  std::atomic<int> served{0};
  ScriptedServer server([&](RawSocket& s) {
    while (!s.read_until("\r\n\r\n").empty()) {
      ++served;
      s.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
    }
  });
  {
    Client client;
    for (int i = 0; i < 5; ++i) EXPECT_EQ(describe(client.send(to(server.url()))), "200 x");
  }
  EXPECT_EQ(served, 5);
  EXPECT_EQ(server.connections(), 1);
}

TEST(Client, HtmlRedirectsAndErrorsAreAnswers) {
  for (const char* answer :
       {"HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\n<html>",
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\r\nuntil the end"}) {
    ScriptedServer server = answering(answer);
    Client client;
    EXPECT_TRUE(client.send(to(server.url()))) << answer;
  }
}

TEST(Client, BrokenAnswersAreBadResponses) {
  for (const char* answer :
       {"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", "not http at all\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 7\r\n\r\nnotgzip"}) {
    ScriptedServer server = answering(answer);
    Client client;
    EXPECT_EQ(describe(client.send(to(server.url()))), "bad_response") << answer;
  }
  ScriptedServer headers = answering("HTTP/1.1 200 OK\r\nX: " + std::string(90'000, 'a') + "\r\n\r\n");
  Client client;
  EXPECT_EQ(describe(client.send(to(headers.url()))), "bad_response");
}

TEST(Client, AClosedDoorOrAnEarlyHangUpIsUnreachable) {
  Client client;
  base::SocketAddress nobody;
  {
    const ScriptedServer gone([](RawSocket&) {});
    nobody = gone.address();
  }
  EXPECT_EQ(describe(client.send(to("http://" + nobody.text() + "/"))), "unreachable");
  EXPECT_EQ(describe(client.send(to("http://nosuchhost.invalid/"))), "unreachable");
  ScriptedServer silent([](RawSocket& s) { s.read_until("\r\n\r\n"); });
  EXPECT_EQ(describe(client.send(to(silent.url()))), "unreachable");
  ScriptedServer resets([](RawSocket& s) {
    s.read_until("\r\n\r\n");
    s.reset();
  });
  EXPECT_EQ(describe(client.send(to(resets.url()))), "unreachable");
}

TEST(Client, OtherSchemesAndSplitHeadersAreRefused) {
  Client client;
  EXPECT_FALSE(client.send(to("file:///etc/passwd")));
  EXPECT_FALSE(client.send(to("gopher://127.0.0.1/")));
  ScriptedServer server = answering("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n");
  ClientRequest request = to(server.url());
  request.headers = {{"X", "a\r\nY: b"}};
  EXPECT_FALSE(client.send(request));
  EXPECT_EQ(server.connections(), 0);
}

TEST(Client, DripFeedAndSilenceTimeOut) {
  std::promise<void> release;
  ScriptedServer server([&, gate = release.get_future().share()](RawSocket& s) {
    s.read_until("\r\n\r\n");
    s.send("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nab");
    gate.wait();
  });
  ClientRequest request = to(server.url());
  request.total_timeout = base::Duration::millis(150);
  Client client;
  EXPECT_EQ(describe(client.send(request)), "timeout");
  release.set_value();
}

std::string gzip(const std::string& text) {
  z_stream z{};
  deflateInit2(&z, Z_BEST_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&z, text.size()) + 64, '\0');
  z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
  z.avail_in = static_cast<uInt>(text.size());
  z.next_out = reinterpret_cast<Bytef*>(out.data());
  z.avail_out = static_cast<uInt>(out.size());
  deflate(&z, Z_FINISH);
  out.resize(z.total_out);
  deflateEnd(&z);
  return out;
}

TEST(Client, BodiesAreBoundedAfterDecompression) {
  const std::string small = gzip(std::string(1000, 'a'));
  ScriptedServer fits = answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                                  std::to_string(small.size()) + "\r\n\r\n" + small);
  Client client;
  EXPECT_EQ(describe(client.send(to(fits.url()))), "200 " + std::string(1000, 'a'));
  const std::string bomb = gzip(std::string(20'000'000, 'a'));
  ScriptedServer server = answering("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: " +
                                    std::to_string(bomb.size()) + "\r\n\r\n" + bomb);
  EXPECT_EQ(describe(client.send(to(server.url()))), "too_large");
  ScriptedServer plain = answering("HTTP/1.1 200 OK\r\n\r\n" + std::string(2'000'000, 'x'));
  EXPECT_EQ(describe(client.send(to(plain.url()))), "too_large");
}

TEST(Client, AddressesAreCheckedBeforeAPacketIsSentAndOnReuse) {
  ScriptedServer server([](RawSocket& s) {
    while (!s.read_until("\r\n\r\n").empty()) s.send("HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx");
  });
  {
    Client client;
    ClientRequest request = to(server.url());
    request.address_allowed = [](const base::SocketAddress& a) { return !a.is_loopback(); };
    EXPECT_EQ(describe(client.send(request)), "unreachable");
    EXPECT_EQ(server.connections(), 0);
    EXPECT_EQ(describe(client.send(to(server.url()))), "200 x");
    EXPECT_EQ(describe(client.send(request)), "unreachable");
    request.address_allowed = [&](const base::SocketAddress& a) { return a == server.address(); };
    EXPECT_EQ(describe(client.send(request)), "200 x");
  }
}

TEST(Client, ManyThreadsShareOne) {
  Router router;
  router.add(Method::kGet, "/n/:n",
             [](const Request& r) { return json_response(200, std::string(r.param("n"))); });
  testing::TestServer server(router);
  Client client;
  std::atomic<int> good{0};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      for (int i = 0; i < 100; ++i) {
        const std::string n = std::to_string(t * 1000 + i);
        if (describe(client.send(to(server.url("/n/" + n)))) == "200 " + n) ++good;
      }
    });
  for (auto& t : threads) t.join();
  EXPECT_EQ(good, 400);
}

class Tls : public ::testing::Test {
 protected:
  Tls() {
    testing::write_certificate(folder + "/cert.pem", folder + "/key.pem", "first");
    router.add(Method::kGet, "/hello", [](const Request&) { return json_response(200, "secure"); });
    router.add(Method::kGet, "/big",
               [](const Request&) { return json_response(200, std::string(900'000, 'b')); });
    server = std::make_unique<testing::TestServer>(router, [this](ServerConfig& c) {
      c.listeners[0].tls_certificate_file = folder + "/cert.pem";
      c.listeners[0].tls_key_file = folder + "/key.pem";
    });
  }
  ~Tls() override { std::filesystem::remove_all(folder); }
  std::string url(const std::string& host, const std::string& path) const {
    return "https://" + host + ":" + std::to_string(server->address().port) + path;
  }

  std::string folder = testing::temporary_folder();
  Router router;
  std::unique_ptr<testing::TestServer> server;
};

TEST_F(Tls, ServesThoseWhoTrustTheCertificate) {
  Client client(ClientOptions{folder + "/cert.pem"});
  EXPECT_EQ(describe(client.send(to(url("127.0.0.1", "/hello")))), "200 secure");
  EXPECT_EQ(client.send(to(url("127.0.0.1", "/big")))->body.size(), 900'000U);
}

TEST_F(Tls, AnUnknownIssuerAWrongNameAndAPlainServerAreTlsFailures) {
  Client client;
  EXPECT_EQ(describe(client.send(to(url("127.0.0.1", "/hello")))), "tls");
  Client trusting(ClientOptions{folder + "/cert.pem"});
  EXPECT_EQ(describe(trusting.send(to(url("127.0.0.2", "/hello")))), "unreachable");  // nobody listens there
  ScriptedServer plain([](RawSocket& s) {
    s.read(5);
    s.send("HTTP/1.1 200 OK\r\n\r\n");
  });
  EXPECT_EQ(describe(trusting.send(to("https://" + plain.address().text() + "/"))), "tls");
}

TEST_F(Tls, PlainTextOnTheTlsPortAndGarbageDoNotHurt) {
  for (int i = 0; i < 20; ++i) {
    RawSocket s = server->connect();
    s.send(i % 2 == 0 ? "GET / HTTP/1.1\r\nHost: t\r\n\r\n" : std::string("\x16\x03\x01\x00\x05garbage", 12));
    s.read_to_end();
  }
  Client client(ClientOptions{folder + "/cert.pem"});
  EXPECT_EQ(describe(client.send(to(url("127.0.0.1", "/hello")))), "200 secure");
}

TEST_F(Tls, ChangedFilesAreUsedWithoutARestart) {
  const std::string old_certificate = folder + "/old.pem";
  std::filesystem::copy_file(folder + "/cert.pem", old_certificate);
  testing::write_certificate(folder + "/cert.pem", folder + "/key.pem", "second");
  // The files are looked at once per second, so the new certificate must be in use soon, and the old one no
  // longer.
  const auto begun = std::chrono::steady_clock::now();
  bool renewed = false;
  while (!renewed && std::chrono::steady_clock::now() - begun < std::chrono::seconds(5)) {
    Client fresh(ClientOptions{folder + "/cert.pem"});
    renewed = describe(fresh.send(to(url("127.0.0.1", "/hello")))) == "200 secure";
  }
  EXPECT_TRUE(renewed);
  Client old(ClientOptions{old_certificate});
  EXPECT_EQ(describe(old.send(to(url("127.0.0.1", "/hello")))), "tls");
}

TEST(TlsStart, NamesTheFileThatDoesNotLoad) {
  Router router;
  base::SeededRandom random(1);
  ServerConfig config;
  config.listeners.push_back({"t", base::SocketAddress::v4(0x7f000001, 0), &router, "/nonexistent/cert.pem",
                              "/nonexistent/key.pem"});
  const auto server = Server::start(config, random);
  ASSERT_FALSE(server);
  EXPECT_THAT(server.error().detail, HasSubstr("/nonexistent/cert.pem"));
}

TEST(ServerStart, ATakenPortIsSaid) {
  Router router;
  testing::TestServer first(router);
  base::SeededRandom random(1);
  ServerConfig config;
  config.listeners.push_back({"t", first.address(), &router, {}, {}});
  const auto second = Server::start(config, random);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, "address_in_use");
}

}  // namespace
}  // namespace http
