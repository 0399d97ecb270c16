#include <gtest/gtest.h>

#include <vector>

#include "rtc/rtp/packet.h"
#include "rtc/rtp/payload.h"
#include "rtc/rtp/sequence.h"

namespace rtc {
namespace {

using Raw = std::vector<std::uint8_t>;

TEST(RtpView, ReadsHeaderExtensionsAndPadding) {
  Raw p{0xB1, 0xE0, 0x12, 0x34, 0,    0,    0,    5, 0, 0, 0, 9, 1, 2, 3, 4,
        0xBE, 0xDE, 0,    2,    0x10, 0xAA, 0x32, 1, 2, 3, 0, 0, 7, 8, 0, 2};
  const auto v = RtpView::parse(p);
  ASSERT_TRUE(v);
  EXPECT_TRUE(v->marker);
  EXPECT_EQ(v->payload_type, 96);
  EXPECT_EQ(v->sequence, 0x1234);
  EXPECT_EQ(v->timestamp, 5u);
  EXPECT_EQ(v->ssrc, 9u);
  EXPECT_EQ(v->padding, 2);
  EXPECT_EQ(v->payload_size, 2u);
  EXPECT_EQ(v->payload()[0], 7);
  EXPECT_EQ(v->extension(1).size(), 1u);
  EXPECT_EQ(v->extension(3).size(), 3u);
  EXPECT_TRUE(v->extension(2).empty());
  for (std::size_t n = 0; n < p.size(); ++n) {  // every cut is safe
    Raw cut(p.begin(), p.begin() + static_cast<std::ptrdiff_t>(n));
    RtpView::parse(cut);
  }
}

TEST(RtpView, ReadsTwoByteExtensions) {
  Raw p{0x90, 96, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0x10, 0x00, 0, 2, 20, 3, 1, 2, 3, 0, 21, 0, 9};
  const auto v = RtpView::parse(p);
  ASSERT_TRUE(v);
  EXPECT_EQ(v->extension(20).size(), 3u);
  EXPECT_TRUE(v->extension(21).empty());
}

TEST(RtpView, RefusesWhatDoesNotFit) {
  for (Raw p : {Raw{}, Raw(11, 0x80), Raw{0x40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                Raw{0x81, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
                Raw{0x90, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xBE, 0xDE, 0, 1},
                Raw{0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, Raw{0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2},
                Raw{0xA0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}}) {
    EXPECT_FALSE(RtpView::parse(p)) << p.size();
  }
}

TEST(Rtx, WrapAndUnwrap) {
  Raw p{0x80, 0x80 | 96, 0x12, 0x34, 0, 0, 0, 5, 0, 0, 0, 9, 1, 2, 3};
  Raw out(64);
  const auto n = wrap_rtx(p, 12, 77, 4321, 97, out);
  ASSERT_EQ(n, p.size() + 2);
  const auto rtx = RtpView::parse(base::MutableBytes(out).first(n));
  ASSERT_TRUE(rtx);
  EXPECT_EQ(rtx->ssrc, 77u);
  EXPECT_EQ(rtx->sequence, 4321);
  EXPECT_EQ(rtx->payload_type, 97);
  EXPECT_TRUE(rtx->marker);
  const auto back = unwrap_rtx(*rtx, 9, 96);
  ASSERT_TRUE(back);
  EXPECT_EQ(Raw(back->bytes.begin(), back->bytes.end()), p);
  EXPECT_EQ(wrap_rtx(p, 12, 77, 1, 97, base::MutableBytes(out).first(16)), 0u);
  Raw probe{0xA0, 97, 0, 1, 0, 0, 0, 5, 0, 0, 0, 9, 0, 0, 3};
  EXPECT_FALSE(unwrap_rtx(*RtpView::parse(probe), 9, 96));
}

TEST(Vp8, ReadsAndRewritesTheDescriptor) {
  Raw p{0x90, 0xE0, 0x92, 0x34, 0x07, 0x40, 0x10, 0, 0};
  const auto d = parse_vp8(p);
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->start_of_frame);
  EXPECT_TRUE(d->key_frame);
  EXPECT_EQ(d->picture_id_bits, 15);
  EXPECT_EQ(d->picture_id, 0x1234);
  EXPECT_EQ(d->tl0, 7);
  EXPECT_EQ(d->temporal_id, 1);
  rewrite_vp8(p, *d, 0x7FFF, 200);
  const auto again = parse_vp8(p);
  EXPECT_EQ(again->picture_id, 0x7FFF);
  EXPECT_EQ(again->tl0, 200);

  Raw short_id{0x90, 0x80, 0x12, 0x11, 0};
  const auto s = parse_vp8(short_id);
  EXPECT_EQ(s->picture_id_bits, 7);
  EXPECT_FALSE(s->key_frame);
  rewrite_vp8(short_id, *s, 0xFFFF, 0);
  EXPECT_EQ(parse_vp8(short_id)->picture_id, 0x7F);

  EXPECT_FALSE(parse_vp8(Raw{0x80}));
  EXPECT_FALSE(parse_vp8(Raw{0x90, 0xF0, 0x80, 1, 2}));
  EXPECT_FALSE(parse_vp8(Raw{}));
  EXPECT_FALSE(parse_vp8(Raw{0x00, 0x00})->key_frame);  // a continuation
}

TEST(H264, FindsKeyFrames) {
  EXPECT_TRUE(h264_starts_key_frame(Raw{0x65, 1}));
  EXPECT_TRUE(h264_starts_key_frame(Raw{0x67, 1}));
  EXPECT_FALSE(h264_starts_key_frame(Raw{0x61, 1}));
  EXPECT_TRUE(h264_starts_key_frame(Raw{0x7C, 0x85, 1}));
  EXPECT_FALSE(h264_starts_key_frame(Raw{0x7C, 0x05, 1}));
  EXPECT_TRUE(h264_starts_key_frame(Raw{0x78, 0, 1, 0x06, 0, 1, 0x67}));
  EXPECT_FALSE(h264_starts_key_frame(Raw{0x78, 0, 9, 0x67}));
  EXPECT_FALSE(h264_starts_key_frame(Raw{0x78, 0, 0, 0, 0}));
  EXPECT_FALSE(h264_starts_key_frame(Raw{}));
}

TEST(SequenceNumbers, WrapAround) {
  EXPECT_TRUE(sequence_newer(0, 65535));
  EXPECT_FALSE(sequence_newer(65535, 0));
  EXPECT_EQ(timestamp_diff(5, 0xFFFFFFFB), 10);
  Unwrapper<std::uint16_t> u;
  const auto first = u.unwrap(65530);
  EXPECT_EQ(u.unwrap(4) - first, 10);
  EXPECT_EQ(u.unwrap(65529) - first, -1);
  EXPECT_EQ(u.unwrap(5) - first, 11);
}

TEST(AbsSendTime, IsSixPointEighteen) {
  EXPECT_EQ(abs_send_time(1'000'000), 1u << 18);
  EXPECT_EQ(abs_send_time(500'000), 1u << 17);
  EXPECT_EQ(abs_send_time(64'000'000), 0u);
}

}  // namespace
}  // namespace rtc
