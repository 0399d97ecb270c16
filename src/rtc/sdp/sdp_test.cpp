#include "rtc/sdp/sdp.h"

#include <gtest/gtest.h>

#include "rtc/sdp/codecs.h"
#include "rtc/sdp/testing_chromium_offer.h"

namespace rtc {
namespace {

TEST(Sdp, ReadsWhatChromiumOffers) {
  const auto d = parse_sdp(testing::chromium_offer());
  ASSERT_TRUE(d);
  ASSERT_EQ(d->media.size(), 4u);
  EXPECT_EQ(d->bundle, (std::vector<std::string>{"0", "1", "2", "3"}));
  const auto& audio = d->media[0];
  EXPECT_EQ(audio.kind, SdpKind::kAudio);
  EXPECT_EQ(audio.mid, "0");
  EXPECT_EQ(audio.direction, Direction::kSendOnly);
  EXPECT_EQ(audio.msid_stream.size(), 36u);
  EXPECT_EQ(audio.msid_track.size(), 36u);
  EXPECT_GE(audio.ice_ufrag.size(), 4u);
  EXPECT_GE(audio.ice_password.size(), 22u);
  EXPECT_EQ(audio.fingerprint.size(), 95u);
  EXPECT_EQ(audio.setup, "actpass");
  ASSERT_NE(audio.find_format(111), nullptr);
  EXPECT_EQ(codec_of(*audio.find_format(111)), Codec::kOpus);
  EXPECT_EQ(audio.find_format(111)->channels, 2);
  EXPECT_EQ(audio.find_extension(kExtAudioLevel), 1);
  const auto& camera = d->media[1];
  EXPECT_EQ(camera.send_rids, (std::vector<std::string>{"f", "h", "q"}));
  EXPECT_EQ(camera.simulcast_send, camera.send_rids);
  EXPECT_TRUE(camera.rtcp_mux && camera.rtcp_rsize);
  const auto& plain = d->media[2];
  ASSERT_FALSE(plain.ssrc_groups.empty());
  EXPECT_EQ(plain.ssrc_groups[0].semantics, "FID");
  EXPECT_EQ(plain.ssrc_groups[0].ssrcs.size(), 2u);
  EXPECT_EQ(d->media[3].kind, SdpKind::kApplication);
  EXPECT_EQ(d->media[3].sctp_port, 5000);
}

TEST(Sdp, WhatIsWrittenReadsBackTheSame) {
  const auto d = parse_sdp(testing::chromium_offer());
  ASSERT_TRUE(d);
  const auto text = write_sdp(*d);
  const auto again = parse_sdp(text);
  ASSERT_TRUE(again);
  EXPECT_EQ(write_sdp(*again), text);
}

TEST(Sdp, AnswersOpusOnceAndVideoWithRetransmission) {
  const auto d = parse_sdp(testing::chromium_offer());
  ASSERT_TRUE(d);
  const auto audio = answer_formats(d->media[0], {});
  ASSERT_EQ(audio.size(), 1u);
  EXPECT_EQ(audio[0].payload_type, 111);
  EXPECT_EQ(audio[0].fmtp, d->media[0].find_format(111)->fmtp);
  const auto video = answer_formats(d->media[1], {.start_kbps = 2000});
  ASSERT_GE(video.size(), 2u);
  EXPECT_EQ(codec_of(video[0]), Codec::kVp8);
  EXPECT_EQ(video[0].fmtp, "x-google-start-bitrate=2000");
  EXPECT_EQ(video[0].feedback, (std::vector<std::string>{"transport-cc", "ccm fir", "nack", "nack pli"}));
  EXPECT_EQ(video[1].codec, "rtx");
  EXPECT_EQ(fmtp_value(video[1].fmtp, "apt"), std::to_string(video[0].payload_type));
  for (const auto& e : answer_extensions(d->media[1])) EXPECT_EQ(d->media[1].find_extension(e.uri), e.id);
  MediaSection answered;
  answered.formats = video;
  EXPECT_EQ(negotiated_codecs(answered).front().rtx_payload_type, video[1].payload_type);
}

TEST(Sdp, OnlyOneFormOfH264IsAnswered) {
  const auto d = parse_sdp(
      "v=0\r\nm=video 9 UDP/TLS/RTP/SAVPF 100 101 102\r\na=rtpmap:100 H264/90000\r\na=fmtp:100 "
      "packetization-mode=0;profile-level-id=42e01f\r\n"
      "a=rtpmap:101 H264/90000\r\na=fmtp:101 "
      "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42E01F\r\n"
      "a=rtpmap:102 H264/90000\r\na=fmtp:102 packetization-mode=1;profile-level-id=640032\r\n");
  ASSERT_TRUE(d);
  const auto formats = answer_formats(d->media[0], {});
  ASSERT_EQ(formats.size(), 1u);
  EXPECT_EQ(formats[0].payload_type, 101);
}

TEST(Sdp, SessionLevelTransportIsInherited) {
  const auto d = parse_sdp(
      "v=0\na=ice-ufrag:abcd\na=ice-pwd:0123456789012345678901\na=fingerprint:SHA-256 "
      "AA:BB\na=setup:active\na=ice-lite\nm=audio 9 X 0\n");
  ASSERT_TRUE(d);
  EXPECT_TRUE(d->ice_lite);
  EXPECT_EQ(d->media[0].ice_ufrag, "abcd");
  EXPECT_EQ(d->media[0].fingerprint, "AA:BB");
  EXPECT_EQ(d->media[0].setup, "active");
}

TEST(Sdp, ToleratesWhatItDoesNotKnow) {
  const auto d = parse_sdp(
      "v=0\r\nz\r\n\r\nq=?\r\na=\r\na=group:LS 1\r\nm=audio 9 RTP/AVP 0\r\na=rtpmap:77 x/1\r\na=extmap:0 "
      "u\r\na=ssrc:x y\r\na=rid:\r\n"
      "a=simulcast:send ~f,g;;h recv x junk\r\na=msid:-\r\n");
  ASSERT_TRUE(d);
  EXPECT_EQ(d->media[0].simulcast_send, (std::vector<std::string>{"f", "h"}));
  EXPECT_TRUE(d->media[0].ssrcs.empty());
}

TEST(Sdp, RefusesWhatIsNoneAndWhatIsTooMuch) {
  for (const std::string bad :
       {"", "hello", "m=audio 9 X 0\r\n", "v=0\r\nm=", "v=0\r\nm=audio", "v=0\r\nm=audio 99999 X 0\r\n",
        "v=0\r\nm=audio 9 X 128\r\n", "v=0\r\nm=audio 9 X abc\r\n"}) {
    const auto d = parse_sdp(bad);
    ASSERT_FALSE(d) << bad;
    EXPECT_EQ(d.error().code, "sdp_invalid");
  }
  std::string many = "v=0\r\n";
  for (std::size_t i = 0; i <= kMaxSdpMedia; ++i) many += "m=audio 9 X 0\r\n";
  EXPECT_FALSE(parse_sdp(many));
  std::string lines = "v=0\r\nm=audio 9 X 0\r\n";
  for (int i = 0; i < 300; ++i) lines += "a=ssrc:1 cname:x\r\n";
  EXPECT_FALSE(parse_sdp(lines));
  EXPECT_FALSE(parse_sdp("v=0\r\na=" + std::string(9000, 'x') + "\r\n"));
  EXPECT_FALSE(parse_sdp("v=0\r\n" + std::string(kMaxSdpBytes, '\n')));
}

TEST(Sdp, EveryPrefixOfAnOfferIsSafe) {
  const auto text = testing::chromium_offer();
  for (std::size_t n = 0; n < text.size(); n += 7) parse_sdp(std::string_view(text).substr(0, n));
}

}  // namespace
}  // namespace rtc
