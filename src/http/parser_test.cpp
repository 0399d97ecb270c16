#include <gtest/gtest.h>

#include "http/request_parser.h"
#include "http/response_head.h"
#include "http/uri.h"
#include "http/websocket_codec.h"

namespace http {
namespace {

int status_for(std::string_view head) {
  HeadScanner scanner{HeadLimits{}};
  const auto found = scanner.scan(head);
  if (!found) return found.error().status;
  if (*found == 0) return -1;
  const auto parsed = parse_head(head.substr(0, *found), HeadLimits{});
  return parsed ? 200 : parsed.error().status;
}

TEST(RequestParser, ReadsAnOrdinaryHead) {
  const std::string_view text =
      "POST /v2/rooms?x=1 HTTP/1.1\r\nHost: a:80\r\nContent-Length: 12\r\nX-One:  two words \r\nExpect: "
      "100-continue\r\n\r\n";
  HeadScanner scanner{HeadLimits{}};
  ASSERT_EQ(scanner.scan(text).value(), text.size());
  const auto head = parse_head(text, HeadLimits{});
  ASSERT_TRUE(head) << head.error().detail;
  EXPECT_EQ(head->method, Method::kPost);
  EXPECT_EQ(head->target, "/v2/rooms?x=1");
  EXPECT_EQ(head->content_length, 12U);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_TRUE(head->expect_continue);
  EXPECT_EQ(head->headers[2], (Header{"x-one", "two words"}));
}

TEST(RequestParser, GivesTheSameAnswerAtEverySplit) {
  const std::string text = "\r\nGET / HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\nGET /next HTTP/1.1\r\n";
  const std::size_t end = text.find("GET /next");
  for (std::size_t split = 0; split < end; ++split) {
    HeadScanner scanner{HeadLimits{}};
    ASSERT_EQ(scanner.scan(text.substr(0, split)).value(), 0U) << split;
    ASSERT_EQ(scanner.scan(text).value(), end) << split;
  }
}

struct Row {
  std::string name;
  std::string head;
  int status;
};

class MalformedHead : public ::testing::TestWithParam<Row> {};

TEST_P(MalformedHead, IsRefused) {
  EXPECT_EQ(status_for(GetParam().head), GetParam().status) << GetParam().head;
}

std::string many_fields(int n) {
  std::string out = "GET / HTTP/1.1\r\nHost: a\r\n";
  for (int i = 1; i < n; ++i) out += "X-" + std::to_string(i) + ": 1\r\n";
  return out + "\r\n";
}

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows{
      {"good", "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"http10_without_host", "GET / HTTP/1.0\r\n\r\n", 200},
      {"length_and_encoding",
       "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"two_lengths", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", 400},
      {"list_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", 400},
      {"plus_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", 400},
      {"minus_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400},
      {"hex_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x10\r\n\r\n", 400},
      {"empty_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", 400},
      {"overflow_length", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 400},
      {"encoding_gzip_chunked", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
       400},
      {"encoding_identity", "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: identity\r\n\r\n", 400},
      {"encoding_twice",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"encoding_http10", "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"encoding_vertical_tab",
       "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\x0b"
       "chunked\r\n\r\n",
       400},
      {"bare_lf", "GET / HTTP/1.1\nHost: a\n\n", 400},
      {"bare_cr", "GET / HTTP/1.1\r\nHost: a\rX: 1\r\n\r\n", 400},
      {"obs_fold", "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\n 2\r\n\r\n", 400},
      {"space_before_colon", "GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400},
      {"no_colon", "GET / HTTP/1.1\r\nHost\r\n\r\n", 400},
      {"empty_name", "GET / HTTP/1.1\r\nHost: a\r\n: x\r\n\r\n", 400},
      {"nul", std::string("GET / HTTP/1.1\r\nHost: a\r\nX: \0\r\n\r\n", 33), 400},
      {"no_host", "GET / HTTP/1.1\r\n\r\n", 400},
      {"two_hosts", "GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", 400},
      {"odd_host", "GET / HTTP/1.1\r\nHost: a/b\r\n\r\n", 400},
      {"version_2", "GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400},
      {"version_12", "GET / HTTP/1.2\r\nHost: a\r\n\r\n", 400},
      {"version_lower", "GET / http/1.1\r\nHost: a\r\n\r\n", 400},
      {"no_version", "GET /\r\nHost: a\r\n\r\n", 400},
      {"two_spaces", "GET  / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"space_in_target", "GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"tls_hello", "\x16\x03\x01\x02", 400},
      {"trace", "TRACE / HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"connect", "CONNECT a:443 HTTP/1.1\r\nHost: a\r\n\r\n", 405},
      {"unknown_method", "BREW / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"lower_method", "get / HTTP/1.1\r\nHost: a\r\n\r\n", 501},
      {"odd_method", "G(T / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
      {"h2c", "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n\r\n",
       501},
      {"expectation", "GET / HTTP/1.1\r\nHost: a\r\nExpect: 200-ok\r\n\r\n", 417},
      {"target_8k", "GET /" + std::string(8191, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 200},
      {"target_over_8k", "GET /" + std::string(8192, 'a') + " HTTP/1.1\r\nHost: a\r\n\r\n", 414},
      {"target_endless", "GET /" + std::string(9000, 'a'), 414},
      {"headers_over_32k", "GET / HTTP/1.1\r\nHost: a\r\nX: " + std::string(33000, 'a'), 431},
      {"hundred_fields", many_fields(100), 200},
      {"over_hundred_fields", many_fields(101), 431},
      {"two_empty_lines", "\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", 400},
  };
  return kRows;
}

INSTANTIATE_TEST_SUITE_P(Rows, MalformedHead, ::testing::ValuesIn(rows()),
                         [](const auto& i) { return i.param.name; });

int body_status(std::string_view text, std::string* out, std::size_t limit = 100, std::size_t step = 1) {
  RequestHead head;
  head.chunked = true;
  BodyReader reader(head, limit);
  std::string body;
  for (std::size_t at = 0; at < text.size() && !reader.done();) {
    const auto used = reader.feed(text.substr(at, step), body);
    if (!used) return used.error().status;
    at += *used;
  }
  if (out != nullptr) *out = body;
  return reader.done() ? 200 : -1;
}

TEST(BodyReader, ReadsChunksWithExtensionsAndTrailers) {
  for (std::size_t step : {1U, 2U, 7U, 100U}) {
    std::string body;
    EXPECT_EQ(body_status("3;a=b\r\nabc\r\n0A\r\n0123456789\r\n0\r\nX-T: 1\r\n\r\n", &body, 100, step), 200);
    EXPECT_EQ(body, "abc0123456789");
  }
}

TEST(BodyReader, RefusesBadChunking) {
  for (const char* text : {"x\r\n", "-1\r\n", "0x3\r\nabc\r\n", "3\nabc", "3\r\nabcd\r\n", "\r\n",
                           "3 3\r\nabc\r\n", "111111111\r\n", "0\r\nno trailer\r\n\r\n"})
    EXPECT_EQ(body_status(text, nullptr), 400) << text;
  EXPECT_EQ(body_status(std::string(300, '1'), nullptr), 400);
  EXPECT_EQ(body_status("1;" + std::string(300, 'x'), nullptr), 400);
  EXPECT_EQ(body_status("65\r\n", nullptr), 413);
  EXPECT_EQ(body_status("60\r\n" + std::string(0x60, 'a') + "\r\n60\r\n", nullptr), 413);
  EXPECT_EQ(body_status("0\r\nX: " + std::string(9000, 'a'), nullptr), 431);
}

TEST(Uri, TakesTargetsApart) {
  const auto origin = parse_target("/v2/rooms?name=a%20b");
  ASSERT_TRUE(origin);
  EXPECT_EQ(origin->path, "/v2/rooms");
  EXPECT_EQ(origin->query, "name=a%20b");
  const auto absolute = parse_target("https://api.100ms.live/v2/rooms?x");
  ASSERT_TRUE(absolute);
  EXPECT_EQ(absolute->path, "/v2/rooms");
  EXPECT_EQ(absolute->authority, "api.100ms.live");
  EXPECT_EQ(parse_target("http://h")->path, "/");
  EXPECT_EQ(parse_target("http://h?q=1")->query, "q=1");
  for (const char* bad : {"", "rooms", "ftp://a/", "http:///x", "http://user@h/", "/a#b", "//\x7f"})
    EXPECT_FALSE(parse_target(bad)) << bad;
}

TEST(Uri, SplitsPathsAndRefusesTricks) {
  using Segments = std::vector<std::string>;
  EXPECT_EQ(split_path("/"), Segments{});
  EXPECT_EQ(split_path("/a/b/"), (Segments{"a", "b"}));
  EXPECT_EQ(split_path("/a//b"), (Segments{"a", "", "b"}));
  EXPECT_EQ(split_path("/role/lead%20nurse"), (Segments{"role", "lead nurse"}));
  for (const char* bad :
       {"/%", "/%4", "/%zz", "/%00", "/%c0%af", "/%ff", "/../x", "/a/%2e%2e/b", "/.%2E", "/./a"})
    EXPECT_FALSE(split_path(bad)) << bad;
}

TEST(Uri, QueriesAreForgiving) {
  const auto query = parse_query("from=2026-01-01T00:00:00.000Z&a=1&a=2&&pct=100%&plus=a+b&enc=%C3%A9&flag");
  ASSERT_TRUE(query);
  const std::vector<std::pair<std::string, std::string>> expected{{"from", "2026-01-01T00:00:00.000Z"},
                                                                  {"a", "1"},
                                                                  {"a", "2"},
                                                                  {"pct", "100%"},
                                                                  {"plus", "a b"},
                                                                  {"enc", "\xc3\xa9"},
                                                                  {"flag", ""}};
  EXPECT_EQ(*query, expected);
  EXPECT_FALSE(parse_query("a=%00"));
  EXPECT_FALSE(parse_query("a=%ff"));
}

TEST(ResponseHead, NeverLetsAHandlerSplitIt) {
  Response response;
  response.set("x-good", "1")
      .set("x-bad", "a\r\nset-cookie: x")
      .set("bad name", "1")
      .set("content-length", "7")
      .set("transfer-encoding", "chunked");
  HeadOptions options;
  options.request_id = "r-1";
  options.date = "now";
  options.content_length = 3;
  EXPECT_EQ(response_head(response, options),
            "HTTP/1.1 200 OK\r\nx-good: 1\r\ndate: now\r\nx-request-id: r-1\r\nx-content-type-options: "
            "nosniff\r\nreferrer-policy: no-referrer\r\n"
            "content-type: text/plain; charset=utf-8\r\ncontent-length: 3\r\n\r\n");
  EXPECT_EQ(http_date({784111777000}), "Sun, 06 Nov 1994 08:49:37 GMT");
}

struct Seen {
  std::vector<std::string> items;
  std::optional<std::uint16_t> failure;
};

Seen read_frames(std::string_view bytes, std::size_t step, std::size_t limit = 1000,
                 WebSocketRole role = WebSocketRole::kServer) {
  Seen seen;
  WebSocketFrameEvents events;
  events.on_text = [&](const std::string& t) { seen.items.push_back("text:" + t); };
  events.on_ping = [&](const std::string& p) { seen.items.push_back("ping:" + p); };
  events.on_pong = [&] { seen.items.emplace_back("pong"); };
  events.on_close = [&](std::uint16_t code, const std::string& reason) {
    seen.items.push_back("close:" + std::to_string(code) + reason);
  };
  WebSocketReader reader(role, limit);
  for (std::size_t at = 0; at < bytes.size() && !seen.failure; at += step)
    seen.failure = reader.feed(bytes.substr(at, step), events);
  return seen;
}

constexpr std::uint32_t kMask = 0x37fa213d;

TEST(WebSocketCodec, ReadsTheExamplesOfTheRfc) {
  // RFC 6455 §5.7.
  const std::string masked("\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
  EXPECT_EQ(encode_frame(WebSocketOpcode::kText, "Hello", kMask), masked);
  EXPECT_EQ(encode_frame(WebSocketOpcode::kText, "Hello"), std::string("\x81\x05Hello", 7));
  for (std::size_t step : {1U, 3U, 100U})
    EXPECT_EQ(read_frames(masked, step).items, std::vector<std::string>{"text:Hello"});
  const std::string fragments =
      std::string("\x01\x03Hel", 5) + std::string("\x89\x02hi", 4) + std::string("\x80\x02lo", 4);
  EXPECT_EQ(read_frames(fragments, 1, 100, WebSocketRole::kClient).items,
            (std::vector<std::string>{"ping:hi", "text:Hello"}));
}

TEST(WebSocketCodec, LongFramesSurviveEverySplit) {
  for (std::size_t size : {0U, 125U, 126U, 65535U, 65536U}) {
    const std::string text(size, 'x');
    const std::string frame =
        encode_frame(WebSocketOpcode::kText, text, kMask) + encode_close(1000, "bye", kMask);
    for (std::size_t step : {1U, 5U, 4096U, 1000000U})
      EXPECT_EQ(read_frames(frame, step, 70000).items,
                (std::vector<std::string>{"text:" + text, "close:1000bye"}))
          << size << ' ' << step;
  }
}

TEST(WebSocketCodec, FailsWithTheRightCode) {
  const auto frame = [](std::uint8_t first, std::string_view payload) {
    std::string out = encode_frame(WebSocketOpcode::kText, payload, kMask);
    out[0] = static_cast<char>(first);
    return out;
  };
  EXPECT_EQ(read_frames(std::string("\x81\x05Hello", 7), 1).failure, 1002);      // not masked
  EXPECT_EQ(read_frames(frame(0xc1, "x"), 1).failure, 1002);                     // reserved bit
  EXPECT_EQ(read_frames(frame(0x83, "x"), 1).failure, 1002);                     // unknown opcode
  EXPECT_EQ(read_frames(frame(0x80, "x"), 1).failure, 1002);                     // continuation of nothing
  EXPECT_EQ(read_frames(frame(0x01, "x") + frame(0x81, "y"), 1).failure, 1002);  // message inside a message
  EXPECT_EQ(read_frames(frame(0x09, "x"), 1).failure, 1002);                     // fragmented ping
  EXPECT_EQ(read_frames(frame(0x89, std::string(126, 'x')), 1).failure, 1002);   // long ping
  EXPECT_EQ(read_frames(frame(0x82, "x"), 1).failure, 1003);                     // binary
  EXPECT_EQ(read_frames(frame(0x81, "\xc3\x28"), 1).failure, 1007);              // not UTF-8
  EXPECT_EQ(read_frames(frame(0x81, std::string(1001, 'x')), 1).failure, 1009);  // too big
  EXPECT_EQ(read_frames(frame(0x01, std::string(999, 'x')) + frame(0x80, "xx"), 1).failure, 1009);
  EXPECT_EQ(read_frames(frame(0x88, "x"), 1).failure, 1002);                   // half a code
  EXPECT_EQ(read_frames(encode_close(1005 + 1, "", kMask), 1).failure, 1002);  // a code nobody may send
  EXPECT_EQ(read_frames(encode_close(1000, "\xff", kMask), 1).failure, 1007);
  EXPECT_EQ(read_frames(std::string("\x81\xfe\x00\x01", 4) + std::string(5, 'x'), 1).failure,
            1002);  // longer form than needed
}

}  // namespace
}  // namespace http
