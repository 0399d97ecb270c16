#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "telemetry/line.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"

namespace telemetry {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

constexpr base::WallTime kNow{1'772'442'000'000};

TEST(LogLine, TextHasTimeLevelPhraseAndFields) {
  EXPECT_EQ(text_line(kNow, Level::kInfo, "✅ 100ms room created: 66d1f0a2b3c4d5e6f7081920",
                      {{"ms", 12}, {"ok", true}, {"note", "two words"}}),
            "2026-03-02T09:00:00.000Z INFO ✅ 100ms room created: 66d1f0a2b3c4d5e6f7081920 ms=12 ok=true "
            "note=\"two words\"");
}

TEST(LogLine, JsonHasTheSamePhrase) {
  EXPECT_EQ(
      json_line(kNow, Level::kError, "100ms createRoom failed: 502",
                {{"n", 1.5}, {"b", false}, {"s", "a\"b"}}),
      R"({"time":"2026-03-02T09:00:00.000Z","level":"error","message":"100ms createRoom failed: 502","n":1.500000,"b":false,"s":"a\"b"})");
}

TEST(LogLine, OnlyIndentedNewlinesOfTheMessageStay) {
  const std::string line =
      text_line(kNow, Level::kInfo, "client\n  templateId: x\nforged\r", {{"v", "a\n  b"}});
  EXPECT_THAT(line, HasSubstr("client\n  templateId: x\\nforged\\x0d"));
  EXPECT_THAT(line, HasSubstr("v=\"a\\n  b\""));
  EXPECT_THAT(json_line(kNow, Level::kInfo, "a\n  b", {}), HasSubstr("a\\n  b"));
}

TEST(LogLine, JsonStaysJsonForBrokenBytesAndOddNumbers) {
  const std::string line = json_line(kNow, Level::kInfo,
                                     "a\xff\xc3"
                                     "b\x01",
                                     {{"x", std::numeric_limits<double>::quiet_NaN()}});
  EXPECT_THAT(line, HasSubstr("a\xef\xbf\xbd\xef\xbf\xbd"
                              "b\\u0001"));
  EXPECT_THAT(line, HasSubstr("\"x\":\"nan\""));
}

TEST(Redact, HidesEveryShapeOfSecret) {
  for (const char* secret :
       {"eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl", "eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0.",
        "tvk_AbCd1234_0123456789012345678901234567890123456789012", "tvi_0123456789abcdef",
        "tvt_0123456789abcdef", "enc:v1:k1:AAAA:BBBB+/=="}) {
    const std::string out = redact(std::string("before ") + secret + " after");
    EXPECT_EQ(out, "before [redacted] after");
  }
  EXPECT_EQ(redact("GET /ws?peer=1&token=abc.def-9%20x&b=2"), "GET /ws?peer=1&token=[redacted]&b=2");
  EXPECT_EQ(redact("?access_token=zzz"), "?access_token=[redacted]");
  EXPECT_EQ(redact("\"Bearer eyJa.eyJb.c\""), "\"Bearer [redacted]\"");
}

TEST(Redact, LeavesOrdinaryTextAlone) {
  for (const char* text : {"", "token", "token=", "66d1f0a2b3c4d5e6f7081920", "eyJ is the start of a JWT",
                           "tvk_ is a prefix", "a.b.c"})
    EXPECT_EQ(redact(text), text);
}

TEST(LogLine, FieldsAndMessagesAreRedacted) {
  for (const std::string& line :
       {text_line(kNow, Level::kInfo, "m tvk_0123456789", {{"k", "tvt_0123456789"}}),
        json_line(kNow, Level::kInfo, "m tvk_0123456789", {{"k", "tvt_0123456789"}})})
    EXPECT_THAT(line, Not(HasSubstr("0123456789")));
}

TEST(Metrics, CountersGaugesAndHistogramsAreExported) {
  Metrics metrics;
  metrics.counter("tv_requests_total", "requests", "status", "200").add();
  metrics.counter("tv_requests_total", "requests", "status", "200").add(2);
  metrics.counter("tv_requests_total", "requests", "status", "500").add();
  metrics.gauge("tv_rooms", "rooms").set(4);
  metrics.seconds("tv_wait_seconds", "wait").observe(0.02);
  const std::string text = metrics.text();
  EXPECT_THAT(text, HasSubstr("tv_requests_total{status=\"200\"} 3"));
  EXPECT_THAT(text, HasSubstr("tv_requests_total{status=\"500\"} 1"));
  EXPECT_THAT(text, HasSubstr("tv_rooms 4"));
  EXPECT_THAT(text, HasSubstr("tv_wait_seconds_bucket{le=\"0.025\"} 1"));
}

}  // namespace
}  // namespace telemetry
