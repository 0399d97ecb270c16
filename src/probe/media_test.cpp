// Sources and receivers of media, without a socket.
#include <gtest/gtest.h>

#include <array>
#include <set>

#include "base/random.h"
#include "probe/descriptions.h"
#include "probe/latency.h"
#include "probe/media_source.h"
#include "probe/receive_track.h"
#include "rtc/rtp/payload.h"
#include "rtc/sdp/codecs.h"

namespace probe {
namespace {

using Packet = std::vector<std::uint8_t>;

StreamFormat video_format() {
  StreamFormat f;
  f.ssrc = 1000;
  f.payload_type = 96;
  f.rtx_ssrc = 1001;
  f.rtx_payload_type = 97;
  f.abs_send_time = 2;
  f.transport_cc = 3;
  f.mid = 4;
  f.mid_text = "2";
  return f;
}

rtc::RtpView view_of(Packet& packet) {
  const auto view = rtc::RtpView::parse(packet);
  EXPECT_TRUE(view);
  return view.value_or(rtc::RtpView{});
}

struct Timed {
  base::SteadyTime at;
  Packet bytes;
};

// Everything a camera sends in `span`.
std::vector<Timed> film(VideoSource& source, base::SteadyTime from, base::Duration span) {
  std::vector<Timed> out;
  TransportSequence transport = 0;
  std::array<std::uint8_t, 1500> buffer;
  while (source.due() < from + span) {
    const auto now = source.due();
    const auto size = source.next(buffer, now, transport);
    out.push_back({now, {buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(size)}});
  }
  return out;
}

TEST(AudioSource, sends_fifty_packets_a_second_with_level_and_mark) {
  StreamFormat format;
  format.ssrc = 7;
  format.payload_type = 111;
  format.audio_level = 1;
  AudioSource source(format, {0});
  TransportSequence transport = 0;
  std::array<std::uint8_t, 1500> buffer;
  std::vector<std::uint32_t> stamps;
  while (source.due() < base::SteadyTime{1'000'000}) {
    const auto now = source.due();
    Packet packet(buffer.begin(),
                  buffer.begin() + static_cast<std::ptrdiff_t>(source.next(buffer, now, transport)));
    const auto view = view_of(packet);
    stamps.push_back(view.timestamp);
    EXPECT_EQ(view.payload_type, 111);
    ASSERT_TRUE(rtc::read_audio_level(view.extension(1)));
    const auto mark = Mark::read(view.payload());
    ASSERT_TRUE(mark);
    EXPECT_EQ(mark->sent, now);
  }
  ASSERT_EQ(stamps.size(), 50U);
  EXPECT_EQ(stamps[1] - stamps[0], 960U);
  EXPECT_EQ(transport, 0) << "not negotiated, so not counted";
}

TEST(VideoSource, keeps_the_rate_and_never_bursts) {
  VideoSource source(video_format(), {}, {0});
  auto packets = film(source, {0}, base::Duration::seconds(5));
  std::size_t bytes = 0;
  std::set<std::uint32_t> frames;
  for (auto& p : packets) {
    const auto view = view_of(p.bytes);
    bytes += view.payload_size;
    frames.insert(view.timestamp);
    EXPECT_LE(p.bytes.size(), 1200U);
  }
  EXPECT_NEAR(static_cast<double>(frames.size()), 150, 2);
  EXPECT_NEAR(static_cast<double>(bytes) * 8 / 5 / 1000, 1440, 60);
  std::size_t gaps = 0;
  for (std::size_t i = 1; i < packets.size(); ++i)
    gaps += packets[i].at - packets[i - 1].at >= base::Duration::millis(1);
  EXPECT_GE(gaps, packets.size() * 95 / 100);
}

TEST(VideoSource, begins_with_a_key_frame_and_makes_others_when_asked_but_not_too_often) {
  VideoSource source(video_format(), {}, {0});
  auto packets = film(source, {0}, base::Duration::seconds(1));
  const auto first = rtc::parse_vp8(view_of(packets.front().bytes).payload());
  ASSERT_TRUE(first);
  EXPECT_TRUE(first->key_frame);
  EXPECT_EQ(first->picture_id_bits, 15);
  EXPECT_EQ(source.key_frames(), 1U);
  for (int i = 0; i < 10; ++i) {
    source.request_key_frame({1'000'000 + i * 10'000});
    film(source, {1'000'000 + i * 10'000}, base::Duration::millis(10));
  }
  EXPECT_EQ(source.key_frames(), 2U);
}

TEST(VideoSource, retransmits_what_it_remembers) {
  VideoSource source(video_format(), {}, {0});
  auto packets = film(source, {0}, base::Duration::millis(200));
  const auto original = view_of(packets[5].bytes);
  std::array<std::uint8_t, 1500> buffer;
  Packet rtx(buffer.begin(),
             buffer.begin() + static_cast<std::ptrdiff_t>(source.retransmit(original.sequence, buffer)));
  auto view = view_of(rtx);
  EXPECT_EQ(view.ssrc, 1001U);
  const auto back = rtc::unwrap_rtx(view, 1000, 96);
  ASSERT_TRUE(back);
  EXPECT_EQ(back->sequence, original.sequence);
  EXPECT_EQ(Packet(back->payload().begin(), back->payload().end()),
            Packet(original.payload().begin(), original.payload().end()));
  EXPECT_EQ(source.retransmit(static_cast<std::uint16_t>(original.sequence - 200), buffer), 0U);
}

TEST(ReceiveTrack, counts_packets_frames_loss_and_latency) {
  VideoSource source(video_format(), {}, {0});
  auto packets = film(source, {0}, base::Duration::seconds(1));
  ReceiveTrack track(true, 1000);
  std::uint16_t lost = 0;
  std::size_t lost_at = 0;
  for (std::size_t i = 0; i < packets.size(); ++i) {
    const auto view = view_of(packets[i].bytes);
    if (i == 40) {
      lost = view.sequence;
      lost_at = i;
      continue;
    }
    track.on_packet(view, packets[i].at + base::Duration::micros(300), false);
    if (i == 50) track.on_packet(view, packets[i].at, false);  // a duplicate
  }
  EXPECT_EQ(track.expected(), packets.size());
  EXPECT_EQ(track.received(), packets.size() - 1);
  EXPECT_EQ(track.key_frames(), 1U);
  EXPECT_NEAR(static_cast<double>(track.latency().quantile(0.5)), 300, 10);
  const auto frames = track.frames();
  const auto now = packets.back().at + base::Duration::millis(20);
  EXPECT_EQ(track.take_missing(now), std::vector<std::uint16_t>{lost});
  EXPECT_TRUE(track.take_missing(now).empty()) << "asked a moment ago";
  EXPECT_EQ(track.take_missing(now + base::Duration::millis(150)).size(), 1U);
  const auto report = track.take_report(now);
  EXPECT_EQ(report.cumulative_lost, 1);
  EXPECT_GT(report.fraction_lost, 0);
  track.on_packet(view_of(packets[lost_at].bytes), now, true);
  EXPECT_EQ(track.received(), track.expected());
  EXPECT_EQ(track.recovered(), 1U);
  EXPECT_EQ(track.frames(), frames + 1);
  EXPECT_TRUE(track.take_missing(now + base::Duration::seconds(1)).empty());
}

TEST(ReceiveTrack, survives_a_wrap_of_the_sequence_number) {
  ReceiveTrack track(false, 1);
  for (std::uint32_t i = 0; i < 200'000; ++i) {
    Packet p{0x80, 111, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i), 0, 0, 0, 0, 0, 0, 0,
             1,    9};
    track.on_packet(view_of(p), {static_cast<std::int64_t>(i)}, false);
  }
  EXPECT_EQ(track.received(), 200'000U);
  EXPECT_EQ(track.expected(), 200'000U);
}

TEST(ReceiveTrack, asks_for_a_key_frame_when_the_stream_has_none) {
  VideoSource source(video_format(), {}, {0});
  auto packets = film(source, {0}, base::Duration::seconds(1));
  ReceiveTrack track(true, 1000);
  EXPECT_FALSE(track.wants_key_frame({1}));
  track.on_packet(view_of(packets[60].bytes), packets[60].at, false);
  EXPECT_TRUE(track.wants_key_frame({1'000'000}));
  EXPECT_FALSE(track.wants_key_frame({1'100'000}));
  EXPECT_TRUE(track.wants_key_frame({1'600'000}));
}

TEST(LatencyHistogram, quantiles_are_within_a_bucket) {
  LatencyHistogram h;
  EXPECT_EQ(h.quantile(0.5), 0);
  for (int i = 1; i <= 10'000; ++i) h.add(i);
  EXPECT_NEAR(static_cast<double>(h.quantile(0.5)), 5000, 5000.0 / 32);
  EXPECT_NEAR(static_cast<double>(h.quantile(0.99)), 9900, 9900.0 / 32);
  h.add(1'000'000'000'000);
  EXPECT_GT(h.quantile(1.0), 60'000'000);
}

TEST(Descriptions, simulcast_is_offered_in_order_and_falls_back_to_the_best_layer) {
  LocalTrack track;
  track.video = true;
  track.track_id = "t";
  track.stream_id = "s";
  track.mid = "1";
  track.ssrc = 0x100;
  track.rids = {"f", "h", "q"};
  rtc::SessionDescription d;
  d.media.push_back(describe_track(track));
  const auto text = rtc::write_sdp(d);
  EXPECT_NE(text.find("a=simulcast:send f;h;q"), std::string::npos);
  EXPECT_NE(text.find("a=msid:s t"), std::string::npos);

  auto answer = d.media.front();
  answer.direction = rtc::Direction::kRecvOnly;
  answer.simulcast_receive = {"f", "h", "q"};
  auto streams = negotiated_streams(track, answer);
  ASSERT_EQ(streams.size(), 3U);
  EXPECT_EQ(streams[2].rid_text, "q");
  EXPECT_EQ(streams[2].ssrc, 0x104U);
  EXPECT_EQ(streams[2].rtx_payload_type, 97);
  answer.simulcast_receive.clear();
  streams = negotiated_streams(track, answer);
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].rid_text, "f");
  answer.direction = rtc::Direction::kInactive;
  EXPECT_TRUE(negotiated_streams(track, answer).empty());
}

}  // namespace
}  // namespace probe
