#include <gtest/gtest.h>

#include "base/address.h"
#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/text.h"

TEST(Rfc3339, ReadsWhatDatabasesAndClientsWrite) {
  const struct {
    const char* text;
    std::int64_t ms;
  } rows[] = {
      {"2026-03-02T09:00:00Z", 1772442000000},          {"2026-03-02T09:00:00.5Z", 1772442000500},
      {"2026-03-02 09:00:00.123456+00", 1772442000123}, {"2026-03-02T10:00:00.000+01:00", 1772442000000},
      {"0001-01-01T00:00:00Z", -62135596800000},
  };
  for (const auto& row : rows) {
    const auto t = base::parse_rfc3339(row.text);
    ASSERT_TRUE(t) << row.text;
    EXPECT_EQ(t->ms, row.ms) << row.text;
  }
  for (const char* bad :
       {"", "2026-03-02", "2026-03-02T09:00:00", "2026-02-30T00:00:00Z", "2026-03-02T24:00:00Z",
        "2026-03-02T09:00:00.Z", "2026-03-02T09:00:00Zx", "2026-03-02T09:00:00.1234567890Z"})
    EXPECT_FALSE(base::parse_rfc3339(bad)) << bad;
  EXPECT_EQ(base::format_rfc3339({1772442000005}), "2026-03-02T09:00:00.005Z");
}

TEST(Base64, RoundTripsAndRefusesSecondEncodings) {
  base::SeededRandom random(1);
  for (std::size_t n = 0; n < 70; ++n) {
    std::vector<std::uint8_t> bytes(n);
    random.fill(bytes);
    const std::string raw(bytes.begin(), bytes.end());
    EXPECT_EQ(base::from_base64(base::to_base64(bytes)), raw);
    EXPECT_EQ(base::from_base64url(base::to_base64url(bytes)), raw);
  }
  EXPECT_FALSE(base::from_base64("QQ=Q"));
  EXPECT_FALSE(base::from_base64("QR"));
  EXPECT_FALSE(base::from_base64url("Q"));
  EXPECT_FALSE(base::from_base64url("+/+/"));
}

TEST(Utf8, RefusesOverlongSurrogatesAndCutForms) {
  EXPECT_TRUE(base::is_valid_utf8("a\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  for (const char* bad : {"\x80", "\xc0\x80", "\xe0\x80\x80", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"})
    EXPECT_FALSE(base::is_valid_utf8(bad));
}

TEST(ByteReader, FailsForGoodAtTheFirstOverrun) {
  const std::uint8_t data[] = {1, 2, 3};
  base::ByteReader r(data);
  EXPECT_EQ(r.u16(), 0x0102);
  EXPECT_EQ(r.u16(), 0);
  EXPECT_FALSE(r.ok());
  EXPECT_EQ(r.u8(), 0);
  EXPECT_FALSE(r.ok());
}

TEST(ByteWriter, StopsAtItsEnd) {
  std::uint8_t out[3];
  base::ByteWriter w(out);
  w.u16(0x0a0b);
  w.u16(1);
  EXPECT_FALSE(w.ok());
  EXPECT_EQ(w.size(), 2u);
}

TEST(SocketAddress, ReadsAndPrintsBothFamilies) {
  EXPECT_EQ(base::SocketAddress::parse("127.0.0.1", 80)->text(), "127.0.0.1:80");
  EXPECT_EQ(base::SocketAddress::parse("::1", 80)->text(), "[::1]:80");
  EXPECT_TRUE(base::SocketAddress::parse("127.9.9.9", 1)->is_loopback());
  EXPECT_TRUE(base::SocketAddress::parse("::1", 1)->is_loopback());
  EXPECT_EQ(*base::SocketAddress::parse("192.0.2.1", 7), base::SocketAddress::v4(0xc0000201, 7));
  EXPECT_FALSE(base::SocketAddress::parse("192.0.2", 7));
}

TEST(Random, UuidHasItsForm) {
  base::SeededRandom random(7);
  const auto id = random.uuid();
  EXPECT_TRUE(base::is_uuid(id));
  EXPECT_EQ(id[14], '4');
}
