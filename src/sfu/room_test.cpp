// Two and more participants over real sockets: what one sends and the other gets.
#include <gtest/gtest.h>

#include <algorithm>

#include "sfu/testing_harness.h"

namespace sfu {
namespace {

using testing::Client;
using testing::ClientConnection;
using testing::ClientTrack;
using testing::Harness;

std::vector<ClientConnection::Packet> of_ssrc(const ClientConnection& c, std::uint32_t ssrc) {
  std::vector<ClientConnection::Packet> out;
  std::copy_if(c.received.begin(), c.received.end(), std::back_inserter(out),
               [&](const auto& p) { return p.ssrc == ssrc; });
  return out;
}

// How many RTCP feedback blocks of the type and format arrived.
int count_feedback(const ClientConnection& c, rtc::FeedbackKind kind) {
  int n = 0;
  for (const auto& packet : c.received_rtcp) {
    rtc::RtcpReader reader(packet);
    while (const auto block = reader.next()) {
      const auto f = rtc::read_feedback(*block);
      if (f && f->kind == kind) ++n;
    }
  }
  return n;
}

class RoomTest : public ::testing::Test {
 protected:
  // A publishes audio "a1" and video "v1"; B is subscribed to both.
  void two_peers(bool simulcast = false) {
    a = &h.join("a");
    audio = &a->add_track(MediaKind::kAudio, "a1");
    video = &a->add_track(MediaKind::kVideo, "v1", simulcast);
    h.negotiate(*a);
    b = &h.join("b");
    h.run(20);
    ASSERT_NE(b->subscribed("a1"), nullptr);
    ASSERT_NE(b->subscribed("v1"), nullptr);
    audio_ssrc = Client::media_ssrc(*b->subscribed("a1"));
    video_ssrc = Client::media_ssrc(*b->subscribed("v1"));
  }
  void frame(bool key, std::uint32_t layer_offset = 0, std::string_view rid = {}) {
    auto& s = state[layer_offset];
    a->send_video(*video, video->ssrc + layer_offset, s.sequence++, s.timestamp += 3000, key, s.pid++,
                  s.tl0++, rid, static_cast<std::uint8_t>(layer_offset));
    h.run(5);
  }

  struct LayerState {
    std::uint16_t sequence = 65530;
    std::uint32_t timestamp = 0xFFFFF000;
    std::uint16_t pid = 0x7FFE;
    std::uint8_t tl0 = 254;
  };
  std::map<std::uint32_t, LayerState> state;
  Harness h;
  Client* a = nullptr;
  Client* b = nullptr;
  ClientTrack* audio = nullptr;
  ClientTrack* video = nullptr;
  std::uint32_t audio_ssrc = 0, video_ssrc = 0;
};

TEST_F(RoomTest, AudioReachesTheOtherWithOurSsrcAndPayloadType) {
  two_peers();
  EXPECT_EQ(b->subscribed("a1")->msid_stream, "stream-a");
  for (int i = 0; i < 20; ++i) {
    a->send_audio(*audio);
    h.run(20);
  }
  const auto packets = of_ssrc(*b->subscribe, audio_ssrc);
  ASSERT_EQ(packets.size(), 20u);
  for (std::size_t i = 0; i < packets.size(); ++i) {
    EXPECT_EQ(packets[i].payload_type, rtc::kSubscriberOpus);
    EXPECT_EQ(packets[i].sequence, static_cast<std::uint16_t>(packets[0].sequence + i));
    EXPECT_EQ(packets[i].timestamp - packets[0].timestamp, 960 * i);
    EXPECT_EQ(base::as_text(packets[i].payload), "opus-frame");
    EXPECT_EQ(packets[i].extension(rtc::SubscriberExtensions::kAudioLevel),
              std::vector<std::uint8_t>{0x80 | 30});
    EXPECT_EQ(packets[i].extension(rtc::SubscriberExtensions::kTransportCc).size(), 2u);
  }
  EXPECT_TRUE(a->subscribe->received.empty());
}

TEST_F(RoomTest, VideoWaitsForTheWishAndStartsAtAKeyFrame) {
  two_peers();
  frame(true);
  frame(false);
  EXPECT_TRUE(of_ssrc(*b->subscribe, video_ssrc).empty());
  a->publish->received_rtcp.clear();
  EXPECT_TRUE(h.prefer_video("b", "v1", Layer::kHigh));
  EXPECT_FALSE(h.prefer_video("b", "nothing", Layer::kHigh));
  h.run(20);
  EXPECT_EQ(count_feedback(*a->publish, rtc::FeedbackKind::kPli), 1);
  frame(false);
  EXPECT_TRUE(of_ssrc(*b->subscribe, video_ssrc).empty());
  frame(true);
  frame(false);
  const auto packets = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[0].payload_type, rtc::kSubscriberVp8);
  EXPECT_EQ(packets[0].payload[5] & 1, 0);
}

TEST_F(RoomTest, AMutedTrackIsNotForwardedWhateverArrives) {
  two_peers();
  h.prefer_video("b", "v1", Layer::kHigh);
  a->send_audio(*audio);
  frame(true);
  h.run(10);
  const auto heard = b->subscribe->received.size();
  ASSERT_EQ(heard, 2u);
  h.do_in_room([](Room& r) {
    r.set_muted(PeerId("a"), TrackId("a1"), true);
    r.set_muted(PeerId("a"), TrackId("v1"), true);
  });
  for (int i = 0; i < 50; ++i) {
    a->send_audio(*audio, 0);
    frame(true);
  }
  EXPECT_EQ(b->subscribe->received.size(), heard);
  EXPECT_EQ(h.worker->counters().dropped_muted.get(), 100u);

  h.do_in_room([](Room& r) { r.set_muted(PeerId("a"), TrackId("a1"), false); });
  a->send_audio(*audio);
  h.run(10);
  const auto packets = of_ssrc(*b->subscribe, audio_ssrc);
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[1].sequence, static_cast<std::uint16_t>(packets[0].sequence + 1));
  EXPECT_EQ(packets[1].timestamp - packets[0].timestamp, 51u * 960u);
}

TEST_F(RoomTest, TheMuteOfAReconnectOfferHolds) {
  two_peers();
  audio->info.muted = true;
  const auto first = h.negotiate(*a);
  EXPECT_FALSE(first.empty());
  for (int i = 0; i < 20; ++i) {
    h.negotiate(*a);
    a->send_audio(*audio);
    h.run(20);
  }
  EXPECT_TRUE(of_ssrc(*b->subscribe, audio_ssrc).empty());
}

TEST_F(RoomTest, ANackIsAnsweredByRtxFromTheCache) {
  two_peers();
  h.prefer_video("b", "v1", Layer::kHigh);
  frame(true);
  frame(false);
  frame(false);
  const auto packets = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(packets.size(), 3u);
  const auto rtx_ssrc = b->subscribed("v1")->ssrc_groups.at(0).ssrcs.at(1);
  h.run(50);
  b->send_nack(video_ssrc, {packets[1].sequence, packets[2].sequence,
                            static_cast<std::uint16_t>(packets[2].sequence + 50)});
  b->send_nack(video_ssrc, {packets[1].sequence});  // again at once: one answer is enough
  h.run(10);
  const auto answers = of_ssrc(*b->subscribe, rtx_ssrc);
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_EQ(answers[0].payload_type, rtc::kSubscriberVp8Rtx);
  EXPECT_EQ(answers[0].payload[0] << 8 | answers[0].payload[1], packets[1].sequence);
  EXPECT_TRUE(std::equal(packets[1].payload.begin(), packets[1].payload.end(), answers[0].payload.begin() + 2,
                         answers[0].payload.end()));
  EXPECT_EQ(answers[0].timestamp, packets[1].timestamp);
  EXPECT_EQ(answers[1].sequence, static_cast<std::uint16_t>(answers[0].sequence + 1));
}

// AES-GCM gives its keystream away when one number is sealed twice with different bytes (RFC 3711 §9.1), the
// sending time among them.
TEST_F(RoomTest, WithoutRtxARetransmissionIsTheVeryDatagramOfTheFirstTime) {
  a = &h.join("a");
  video = &a->add_track(MediaKind::kVideo, "v1");
  h.negotiate(*a);
  b = &h.add("b");
  b->accepts_rtx = false;
  h.negotiate(*b);
  h.do_in_room([&](Room& r) { r.start_subscribe(PeerId("b")); });
  h.run(500);
  ASSERT_TRUE(b->subscribe->connected);
  h.prefer_video("b", "v1", Layer::kHigh);
  b->subscribe->keep_datagrams = true;
  frame(true);
  b->subscribe->lossy = true;
  frame(false);
  frame(false);
  b->subscribe->lossy = false;
  const auto sent = b->subscribe->datagrams;
  ASSERT_EQ(sent.size(), 3u);
  video_ssrc = Client::media_ssrc(*b->subscribed("v1"));
  const auto first = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(first.size(), 1u);
  h.run(50);
  b->subscribe->datagrams.clear();
  b->send_nack(video_ssrc, {static_cast<std::uint16_t>(first[0].sequence + 1),
                            static_cast<std::uint16_t>(first[0].sequence + 2)});
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).size(), 3u);
  EXPECT_EQ(h.worker->counters().retransmitted.get(), 2u);
  ASSERT_EQ(b->subscribe->datagrams.size(), 2u);
  EXPECT_EQ(b->subscribe->datagrams[0], sent[1]);
  EXPECT_EQ(b->subscribe->datagrams[1], sent[2]);
}

TEST_F(RoomTest, RetransmissionsHaveABudget) {
  two_peers();
  h.prefer_video("b", "v1", Layer::kHigh);
  for (int i = 0; i < 200; ++i) frame(i == 0);
  const auto packets = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(packets.size(), 200u);
  std::vector<std::uint16_t> all;
  for (const auto& p : packets) all.push_back(p.sequence);
  for (int i = 0; i < 100; ++i) {
    b->send_nack(video_ssrc, all);
    h.run(25);
  }
  // 20,000 packets were asked for within 2.5 s; the budget is 400 kB and 250 kB/s at about 140 bytes each.
  EXPECT_LT(h.worker->counters().retransmitted.get(), 8500u);
  EXPECT_GT(h.worker->counters().retransmitted.get(), 1000u);
}

TEST_F(RoomTest, WhatThePublisherLostIsAskedForAndArrivesInPlace) {
  two_peers();
  h.prefer_video("b", "v1", Layer::kHigh);
  frame(true);
  state[0].sequence++;  // one packet is lost
  frame(false);
  h.run(30);
  ASSERT_EQ(count_feedback(*a->publish, rtc::FeedbackKind::kNack), 1);
  const auto packets = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(packets.size(), 2u);
  EXPECT_EQ(packets[1].sequence, static_cast<std::uint16_t>(packets[0].sequence + 2));

  // The retransmission, on the RTX stream: the lost number in front of the payload.
  std::array<std::uint8_t, 64> buffer;
  base::ByteWriter out(buffer);
  out.u8(0x80);
  out.u8(121);
  out.u16(9);
  out.u32(1);
  out.u32(video->ssrc + 1);
  out.u16(65531);
  for (const int byte : {0x90, 0xC0, 0x80, 0x05, 0x05, 0x11, 0x77}) out.u8(static_cast<std::uint8_t>(byte));
  a->publish->send_rtp(out.written());
  h.run(10);
  const auto healed = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_EQ(healed.size(), 3u);
  EXPECT_EQ(healed[2].sequence, static_cast<std::uint16_t>(packets[0].sequence + 1));
  EXPECT_EQ(healed[2].payload.back(), 0x77);
}

TEST_F(RoomTest, KeyFrameRequestsAreMergedAndLimited) {
  two_peers();
  h.prefer_video("b", "v1", Layer::kHigh);
  frame(true);
  h.run(1000);
  a->publish->received_rtcp.clear();
  for (int i = 0; i < 60; ++i) {
    b->send_pli(video_ssrc);
    h.run(5);
  }
  // 300 ms of requests: one at once, the kept one at 300 ms.
  h.run(20);
  EXPECT_EQ(count_feedback(*a->publish, rtc::FeedbackKind::kPli), 2);
  frame(true);
  h.run(1000);
  EXPECT_EQ(count_feedback(*a->publish, rtc::FeedbackKind::kPli), 2);
}

TEST_F(RoomTest, ASwitchOfLayerIsNotNoticedByADecoder) {
  two_peers(true);
  state[10] = {100, 777'000, 300, 9};
  state[20] = {40'000, 5, 12'000, 77};
  h.prefer_video("b", "v1", Layer::kHigh);
  const auto all = [&](bool key) {
    frame(key, 0, "f");
    frame(key, 10, "h");
    frame(key, 20, "q");
    h.run(18);
  };
  all(true);
  for (int i = 0; i < 10; ++i) all(false);
  ASSERT_FALSE(of_ssrc(*b->subscribe, video_ssrc).empty());
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).back().payload.back(), 0);  // f

  h.prefer_video("b", "v1", Layer::kLow);
  for (int i = 0; i < 5; ++i) all(false);
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).back().payload.back(),
            0);  // still f: no key frame of q so far
  all(true);
  for (int i = 0; i < 10; ++i) all(false);
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).back().payload.back(), 20);  // q
  h.prefer_video("b", "v1", Layer::kMedium);
  all(true);
  for (int i = 0; i < 10; ++i) all(false);
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).back().payload.back(), 10);  // h

  const auto packets = of_ssrc(*b->subscribe, video_ssrc);
  ASSERT_GT(packets.size(), 35u);
  for (std::size_t i = 1; i < packets.size(); ++i) {
    const auto vp8 = rtc::parse_vp8(packets[i].payload);
    const auto before = rtc::parse_vp8(packets[i - 1].payload);
    ASSERT_TRUE(vp8 && before);
    EXPECT_EQ(packets[i].sequence, static_cast<std::uint16_t>(packets[i - 1].sequence + 1));
    EXPECT_EQ(vp8->picture_id, (before->picture_id + 1) & 0x7FFF);
    EXPECT_EQ(vp8->tl0, static_cast<std::uint8_t>(before->tl0 + 1));
    EXPECT_GT(rtc::timestamp_diff(packets[i].timestamp, packets[i - 1].timestamp), 0);
    EXPECT_LT(rtc::timestamp_diff(packets[i].timestamp, packets[i - 1].timestamp), 18'000);
  }
}

TEST_F(RoomTest, AMissingLayerIsReplacedByTheNearestLiveOne) {
  two_peers(true);
  h.prefer_video("b", "v1", Layer::kLow);
  frame(true, 10, "h");
  frame(true, 0, "f");
  frame(true, 10, "h");
  ASSERT_FALSE(of_ssrc(*b->subscribe, video_ssrc).empty());
  EXPECT_EQ(of_ssrc(*b->subscribe, video_ssrc).back().payload.back(), 10);
}

TEST_F(RoomTest, SenderReportsCarryThePublishersClock) {
  two_peers();
  a->send_sender_report(audio->ssrc, std::uint64_t{5000} << 32, audio->timestamp);
  h.run(10);
  a->send_audio(*audio);
  h.run(100);
  std::optional<rtc::SenderInfo> info;
  for (const auto& packet : b->subscribe->received_rtcp) {
    rtc::RtcpReader reader(packet);
    while (const auto block = reader.next()) {
      if (const auto found = rtc::read_sender_info(*block)) info = found;
    }
  }
  ASSERT_TRUE(info);
  EXPECT_EQ(info->ssrc, audio_ssrc);
  EXPECT_EQ(info->ntp >> 32, 5000u);
  // Both grew by the same time: some 10 ms since the publisher's report.
  const auto elapsed_ms = (info->ntp & 0xFFFFFFFF) * 1000 >> 32;
  EXPECT_NEAR(static_cast<double>(info->rtp_timestamp - (audio->timestamp - 960)) / 48.0,
              static_cast<double>(elapsed_ms), 2.0);
}

TEST_F(RoomTest, ThePublisherGetsTransportFeedbackAndReceiverReports) {
  two_peers();
  for (int i = 0; i < 100; ++i) {
    a->send_audio(*audio);
    h.run(20);
  }
  std::size_t told = 0;
  bool report = false;
  for (const auto& packet : a->publish->received_rtcp) {
    rtc::RtcpReader reader(packet);
    while (const auto block = reader.next()) {
      if (block->type == rtc::rtcp_type::kReceiverReport) {
        rtc::for_each_report(*block, [&](const rtc::ReportBlock& r) {
          report = report || (r.ssrc == audio->ssrc && r.cumulative_lost == 0);
        });
      }
      const auto f = rtc::read_feedback(*block);
      if (!f || f->kind != rtc::FeedbackKind::kTransportCc) continue;
      EXPECT_TRUE(rtc::read_transport_cc(
          f->fci, [&](std::uint16_t, bool received, std::int64_t) { told += received ? 1 : 0; }));
    }
  }
  EXPECT_GE(told, 95u);
  EXPECT_TRUE(report);
}

TEST_F(RoomTest, LeavingMakesTheLinesInactiveAndTheOfferIsOneAtATime) {
  two_peers();
  const auto before = h.events.offers["b"].size();
  h.answering = false;
  h.do_in_room([](Room& r) { r.remove_peer(PeerId("a")); });
  h.clients.erase("a");
  h.run(10);
  ASSERT_EQ(h.events.offers["b"].size(), before + 1);
  const auto offer = rtc::parse_sdp(h.events.offers["b"].back());
  ASSERT_TRUE(offer);
  ASSERT_EQ(offer->media.size(), 3u);
  EXPECT_EQ(offer->media[1].direction, rtc::Direction::kInactive);
  EXPECT_EQ(offer->media[2].direction, rtc::Direction::kInactive);

  auto& c = h.add("c");
  c.add_track(MediaKind::kAudio, "c1");
  h.negotiate(c);
  EXPECT_EQ(h.events.offers["b"].size(), before + 1);  // the first is not answered yet
  h.run(9'900);
  EXPECT_EQ(h.events.offers["b"].size(), before + 1);
  h.run(300);
  EXPECT_EQ(h.events.offers["b"].size(), before + 2);
  EXPECT_EQ(rtc::parse_sdp(h.events.offers["b"].back())->media.size(), 4u);
}

TEST_F(RoomTest, AReconnectOfferKeepsTheConnectionAndTheMedia) {
  two_peers();
  const auto ufrag = a->publish_answer.media.at(0).ice_ufrag;
  a->send_audio(*audio);
  h.run(10);
  h.negotiate(*a);
  EXPECT_EQ(a->publish_answer.media.at(0).ice_ufrag, ufrag);
  a->send_audio(*audio);
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, audio_ssrc).size(), 2u);
}

TEST_F(RoomTest, AnIceRestartByThePublisherIsAnsweredWithNewCredentials) {
  two_peers();
  const auto ufrag = a->publish_answer.media.at(0).ice_ufrag;
  a->publish->restart_ice();
  h.negotiate(*a);
  EXPECT_NE(a->publish_answer.media.at(0).ice_ufrag, ufrag);
  h.run(200);
  a->send_audio(*audio);
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, audio_ssrc).size(), 1u);
}

TEST_F(RoomTest, ALostSubscriberIsToldOfAndGetsARestartOffer) {
  two_peers();
  const auto ufrag = b->subscribe_offer.media.at(0).ice_ufrag;
  const auto offers = h.events.offers["b"].size();
  h.answering = false;
  auto lost = std::move(h.clients.at("b"));
  h.clients.erase("b");
  h.run(31'000);
  EXPECT_NE(std::find(h.events.states.begin(), h.events.states.end(), "b:subscribe:down:consent"),
            h.events.states.end());
  ASSERT_GT(h.events.offers["b"].size(), offers);
  EXPECT_NE(rtc::parse_sdp(h.events.offers["b"].back())->media.at(0).ice_ufrag, ufrag);

  // It comes back.
  h.events.states.clear();
  lost->poll(h.clock.steady());
  lost->subscribe->restart_ice();
  h.clients.emplace("b", std::move(lost));
  h.answering = true;
  h.run(11'000);
  EXPECT_NE(std::find(h.events.states.begin(), h.events.states.end(), "b:subscribe:up"),
            h.events.states.end());
  b->subscribe->received.clear();
  a->send_audio(*audio);
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, audio_ssrc).size(), 1u);
}

TEST_F(RoomTest, ANatRebindingGoesOnAfterACheck) {
  two_peers();
  a->publish->rebind();
  a->send_audio(*audio);
  h.run(10);
  EXPECT_TRUE(of_ssrc(*b->subscribe, audio_ssrc).empty());  // an address nobody vouched for
  h.run(6'000);
  a->send_audio(*audio);
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, audio_ssrc).size(), 1u);
}

TEST_F(RoomTest, ResetForgetsThePeersMediaAndTheNextOfferStartsAnew) {
  two_peers();
  h.do_in_room([](Room& r) { r.reset_peer(PeerId("a")); });
  h.run(20);
  EXPECT_EQ(b->subscribed("a1"), nullptr);
  h.clients["a"] = std::make_unique<Client>(h.random, h.certificate, h.sctp.get(), "a");
  a = h.clients["a"].get();
  auto& again = a->add_track(MediaKind::kAudio, "a2");
  h.negotiate(*a);
  for (int i = 0; i < 50 && !(a->publish->connected && a->subscribe->connected); ++i) h.run(10);
  EXPECT_TRUE(a->subscribe->connected);
  a->send_audio(again);
  h.run(10);
  ASSERT_NE(b->subscribed("a2"), nullptr);
  EXPECT_EQ(of_ssrc(*b->subscribe, Client::media_ssrc(*b->subscribed("a2"))).size(), 1u);
}

TEST_F(RoomTest, TheApiChannelIsOursAndCarriesTextBothWays) {
  two_peers();
  h.run(200);
  EXPECT_EQ(b->subscribe->labels, std::vector<std::string>{"ion-sfu"});
  EXPECT_NE(std::find(h.events.channels.begin(), h.events.channels.end(), "b"), h.events.channels.end());
  b->subscribe->transport().send_text(b->subscribe->channel, "{\"id\":\"d1\"}");
  h.run(100);
  EXPECT_EQ(h.events.messages, std::vector<std::string>{"b:{\"id\":\"d1\"}"});
  h.do_in_room([](Room& r) { r.send_api_message(PeerId("b"), "{\"id\":\"d1\",\"result\":{}}"); });
  h.run(100);
  EXPECT_EQ(b->subscribe->texts, std::vector<std::string>{"{\"id\":\"d1\",\"result\":{}}"});
}

TEST_F(RoomTest, RolesDecideWhoGetsWhat) {
  auto guest = Harness::host();
  guest.role = "guest";
  guest.subscribe_to_roles = {"host"};
  auto& host = h.join("host");
  host.add_track(MediaKind::kAudio, "t-host");
  h.negotiate(host);
  auto& one = h.join("one", guest);
  one.add_track(MediaKind::kAudio, "t-one");
  h.negotiate(one);
  auto& two = h.join("two", guest);
  h.run(50);
  EXPECT_NE(two.subscribed("t-host"), nullptr);
  EXPECT_EQ(two.subscribed("t-one"), nullptr);
  EXPECT_NE(host.subscribed("t-one"), nullptr);
  guest.subscribe_to_roles = {"guest"};
  h.do_in_room([&](Room& r) { r.set_policy(PeerId("two"), guest); });
  h.run(50);
  EXPECT_EQ(two.subscribed("t-host"), nullptr);
  EXPECT_NE(two.subscribed("t-one"), nullptr);
}

TEST_F(RoomTest, WhatTheRoleForbidsIsAnsweredInactiveAndDropped) {
  two_peers();
  auto policy = Harness::host();
  policy.publish_audio = false;
  h.do_in_room([&](Room& r) { r.set_policy(PeerId("a"), policy); });
  a->send_audio(*audio);
  h.run(10);
  EXPECT_TRUE(of_ssrc(*b->subscribe, audio_ssrc).empty());
  h.negotiate(*a);
  EXPECT_EQ(a->publish_answer.media.at(1).direction, rtc::Direction::kInactive);
  EXPECT_EQ(a->publish_answer.media.at(2).direction, rtc::Direction::kRecvOnly);
  EXPECT_EQ(a->publish_answer.bundle, (std::vector<std::string>{"0", "1", "2"}));
  audio->removed = true;
  h.negotiate(*a);
  EXPECT_EQ(b->subscribed("a1"), nullptr);
  EXPECT_NE(b->subscribed("v1"), nullptr);
}

TEST_F(RoomTest, WithoutSsrcLinesTheMidNamesTheTrack) {
  a = &h.join("a");
  audio = &a->add_track(MediaKind::kAudio, "a1");
  audio->ssrc_in_sdp = false;
  h.negotiate(*a);
  b = &h.join("b");
  h.run(20);
  a->send_audio(*audio);
  h.run(10);
  ASSERT_NE(b->subscribed("a1"), nullptr);
  EXPECT_EQ(of_ssrc(*b->subscribe, Client::media_ssrc(*b->subscribed("a1"))).size(), 1u);
}

TEST_F(RoomTest, TheSpeakerIsToldWhenItChanges) {
  two_peers();
  for (int i = 0; i < 100; ++i) {
    a->send_audio(*audio, 10);
    h.run(20);
  }
  ASSERT_FALSE(h.events.speakers.empty());
  ASSERT_EQ(h.events.speakers.back().size(), 1u);
  EXPECT_EQ(h.events.speakers.back()[0].peer, PeerId("a"));
  EXPECT_EQ(h.events.speakers.back()[0].track, TrackId("a1"));
  EXPECT_GT(h.events.speakers.back()[0].level, 50);
  EXPECT_LE(h.events.speakers.size(), 4u);
  h.run(4000);
  EXPECT_TRUE(h.events.speakers.back().empty());
}

TEST_F(RoomTest, ManyTracksComeAndGoWithinBoundedLines) {
  a = &h.join("a");
  b = &h.join("b");
  for (int i = 0; i < 70; ++i) {
    auto& t = a->add_track(MediaKind::kAudio, "t" + std::to_string(i));
    h.negotiate(*a);
    h.run(10);
    ASSERT_NE(b->subscribed("t" + std::to_string(i)), nullptr) << i;
    t.removed = true;
    h.negotiate(*a);
    h.run(10);
  }
  EXPECT_LE(b->subscribe_offer.media.size(), 53u);
}

TEST_F(RoomTest, RandomBytesOnThePortChangeNothing) {
  two_peers();
  std::array<std::uint8_t, 300> noise;
  for (int i = 0; i < 3000; ++i) {
    h.random.fill(noise);
    if (i % 3 == 0) noise[0] = static_cast<std::uint8_t>(0x80 | (noise[0] & 0x3F));
    if (i % 3 == 1) noise[0] = static_cast<std::uint8_t>(noise[0] & 0x03);
    (i % 2 == 0 ? a->publish : b->subscribe)->send_raw(base::Bytes(noise).first(h.random.below(300)));
    if (i % 20 == 0) h.worker->run_once(0);
  }
  h.run(50);
  a->send_audio(*audio);
  h.run(10);
  EXPECT_EQ(of_ssrc(*b->subscribe, audio_ssrc).size(), 1u);
}

TEST_F(RoomTest, AnAnswerOfGarbageAndAnOfferOfGarbage) {
  a = &h.join("a");
  h.do_in_room([](Room& r) {
    r.subscribe_answer(PeerId("a"), "v=0\r\nm=");
    r.subscribe_answer(PeerId("nobody"), "v=0\r\n");
    std::string code;
    const auto keep = [&](const base::Result<std::string>& result) {
      code = result ? "" : result.error().code;
    };
    r.publish_offer(PeerId("a"), "hello", {}, keep);
    EXPECT_EQ(code, "sdp_invalid");
    r.publish_offer(PeerId("a"), "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n", {}, keep);
    EXPECT_EQ(code, "sdp_invalid");
    r.publish_offer(PeerId("nobody"), "v=0\r\n", {}, keep);
    EXPECT_EQ(code, "not_found");
  });
}

}  // namespace
}  // namespace sfu
