#include "rtc/sctp/dcep.h"

#include <gtest/gtest.h>

namespace rtc {
namespace {

TEST(Dcep, WhatIsWrittenIsRead) {
  const auto message = make_dcep_open("ion-sfu");
  EXPECT_EQ(message.size(), 12U + 7U);
  const auto open = parse_dcep_open(message);
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->label, "ion-sfu");
  EXPECT_EQ(open->protocol, "");
}

TEST(Dcep, ReadsABrowsersOpenWithProtocol) {
  const std::vector<std::uint8_t> message{3, 0x80, 1, 0,   0,   0,   0,   0,   0,
                                          2, 0,    4, 'h', 'i', 'S', 'C', 'T', 'P'};
  const auto open = parse_dcep_open(message);
  ASSERT_TRUE(open.has_value());
  EXPECT_EQ(open->label, "hi");
  EXPECT_EQ(open->protocol, "SCTP");
}

TEST(Dcep, LengthsMustFitExactly) {
  const auto message = make_dcep_open("label");
  for (std::size_t n = 0; n < message.size(); ++n)
    EXPECT_FALSE(parse_dcep_open(base::Bytes(message).first(n)).has_value()) << n;
  auto longer = message;
  longer.push_back(0);
  EXPECT_FALSE(parse_dcep_open(longer).has_value());
  EXPECT_FALSE(parse_dcep_open(make_dcep_open(std::string(kMaxDcepLabel + 1, 'x'))).has_value());
  EXPECT_FALSE(is_dcep_ack(message));
  EXPECT_TRUE(is_dcep_ack(kDcepAck));
}

}  // namespace
}  // namespace rtc
