#include "sfu/testing_media.h"

#include <algorithm>

#include "rtc/rtp/payload.h"

namespace sfu::testing {
namespace {

constexpr std::uint8_t kTransportCcId = 3, kMidId = 4, kRidId = 10, kRepairedRidId = 11;
constexpr std::size_t kPayload = 1000;
constexpr auto kFrame = base::Duration::millis(40);

// Behind the VP8 descriptor (6 bytes) and its first payload byte.
struct Marks {
  std::uint32_t frame = 0;
  std::uint16_t index = 0, count = 0;
  std::uint64_t sent_us = 0;
  std::uint16_t kbps = 0;
  bool key = false;
};
constexpr std::size_t kMarksAt = 7;

Marks read_marks(base::Bytes payload) {
  base::ByteReader in(payload);
  in.skip(kMarksAt);
  Marks m;
  m.frame = in.u32();
  m.index = in.u16();
  m.count = in.u16();
  m.sent_us = in.u64();
  m.kbps = in.u16();
  m.key = in.u8() != 0;
  return m;
}

void element(base::ByteWriter& out, std::uint8_t id, base::Bytes data) {
  if (data.empty()) return;
  out.u8(static_cast<std::uint8_t>(unsigned{id} << 4 | (data.size() - 1)));
  out.bytes(data);
}

}  // namespace

VideoSource::VideoSource(Client& client, ClientTrack& track, std::vector<LayerSettings> layers)
    : client_(client), track_(track) {
  for (auto& s : layers) {
    Layer l;
    l.ssrc = track.ssrc + s.ssrc_offset;
    l.settings = std::move(s);
    layers_.push_back(std::move(l));
  }
}

void VideoSource::make_frame(Layer& l, base::SteadyTime now) {
  const bool key = std::exchange(l.key_wanted, false);
  const bool upper = l.settings.temporal_layers > 1 && !key && l.number % 2 == 1;
  auto bytes = static_cast<std::size_t>(l.settings.kbps) * 1000 / 8 / 25;
  if (key) bytes *= 4;
  const auto count = std::max<std::size_t>(1, bytes / kPayload);
  ++frames;
  if (key) ++key_frames;
  l.timestamp += 3600;
  l.picture = static_cast<std::uint16_t>((l.picture + 1) & 0x7FFF);
  if (!upper) ++l.tl0;
  for (std::size_t i = 0; i < count; ++i) {
    std::vector<std::uint8_t> packet(1200);
    base::ByteWriter out(packet);
    out.u8(0x90);
    out.u8(static_cast<std::uint8_t>((i + 1 == count ? 0x80 : 0) | 120));
    out.u16(l.sequence);
    out.u32(l.timestamp);
    out.u32(l.ssrc);
    out.u16(0xBEDE);
    out.u16(3);
    const std::array<std::uint8_t, 2> number{};
    element(out, kTransportCcId, number);
    element(out, kMidId, base::as_bytes(track_.mid));
    element(out, kRidId, base::as_bytes(l.settings.rid));
    out.zeros(28 - out.size());
    out.u8(i == 0 ? 0x90 : 0x80);
    out.u8(0xE0);
    out.u16(static_cast<std::uint16_t>(0x8000 | l.picture));
    out.u8(l.tl0);
    out.u8(upper ? 0x60 : 0x00);
    out.u8(key ? 0x10 : 0x11);
    out.u32(l.number);
    out.u16(static_cast<std::uint16_t>(i));
    out.u16(static_cast<std::uint16_t>(count));
    out.u64(static_cast<std::uint64_t>(now.us));
    out.u16(static_cast<std::uint16_t>(l.settings.kbps));
    out.u8(key ? 1 : 0);
    out.zeros(std::min(kPayload, bytes) - std::min<std::size_t>(std::min(kPayload, bytes), 26));
    packet.resize(out.size());
    l.history[l.sequence] = std::move(packet);
    l.history.erase(static_cast<std::uint16_t>(l.sequence - 1000));
    ++packets;
    if (drop && drop(key, static_cast<int>(i))) {
      l.history.erase(l.sequence);
    } else {
      l.queue.push_back(l.sequence);
    }
    ++l.sequence;
  }
  ++l.number;
}

void VideoSource::send(std::vector<std::uint8_t> plain) {
  // The transport-wide number is the first element.
  plain[17] = static_cast<std::uint8_t>(client_.transport_sequence >> 8);
  plain[18] = static_cast<std::uint8_t>(client_.transport_sequence);
  ++client_.transport_sequence;
  client_.publish->send_rtp(plain);
}

void VideoSource::resend(Layer& l, std::uint16_t sequence) {
  const auto at = l.history.find(sequence);
  if (at == l.history.end()) return;
  std::vector<std::uint8_t> out(at->second.size() + 2);
  const auto size = rtc::wrap_rtx(at->second, 28, l.ssrc + 1, l.rtx_sequence++, 121, out);
  out.resize(size);
  // On a retransmission stream the layer's name is the repaired one (RFC 8852 §3.2).
  for (std::size_t i = 19; i < 28 && !l.settings.rid.empty(); ++i) {
    if (out[i] == kRidId << 4) out[i] = kRepairedRidId << 4;
  }
  ++retransmissions;
  send(std::move(out));
}

void VideoSource::feedback(base::Bytes packet) {
  rtc::RtcpReader reader(packet);
  while (const auto block = reader.next()) {
    const auto f = rtc::read_feedback(*block);
    if (!f) continue;
    for (auto& l : layers_) {
      if (l.ssrc != f->media_ssrc) continue;
      if (f->kind == rtc::FeedbackKind::kPli) l.key_wanted = true;
      if (f->kind == rtc::FeedbackKind::kNack)
        rtc::for_each_nack(f->fci, [&](std::uint16_t s) { resend(l, s); });
    }
  }
}

void VideoSource::tick(base::SteadyTime now) {
  for (const auto& packet : std::exchange(client_.publish->received_rtcp, {})) feedback(packet);
  if (now >= next_frame_) {
    next_frame_ = std::max(next_frame_ + kFrame, now);
    for (auto& l : layers_) make_frame(l, now);
  }
  for (auto& l : layers_) {
    // A frame goes out within some ten milliseconds.
    const auto n = (l.queue.size() + 9) / 10;
    for (std::size_t i = 0; i < n; ++i) send(l.history[l.queue[i]]);
    l.queue.erase(l.queue.begin(), l.queue.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

Receiver::Video& Receiver::video(const std::string& track_id) {
  auto& v = videos_[track_id];
  if (const auto* section = client_.subscribed(track_id); section && v.media == 0) {
    v.media = Client::media_ssrc(*section);
    if (!section->ssrc_groups.empty()) v.rtx = section->ssrc_groups.front().ssrcs.at(1);
  }
  return v;
}

Receiver::Audio& Receiver::audio(const std::string& track_id) {
  auto& a = audios_[track_id];
  if (const auto* section = client_.subscribed(track_id)) a.first = Client::media_ssrc(*section);
  return a.second;
}

void Receiver::take(const ClientConnection::Packet& packet, base::SteadyTime now) {
  if (const auto n = packet.extension(rtc::SubscriberExtensions::kTransportCc); n.size() == 2) {
    arrivals_.on_packet(static_cast<std::uint16_t>(n[0] << 8 | n[1]), now);
  }
  for (auto& [id, a] : audios_) {
    if (a.first != packet.ssrc) continue;
    if (a.second.packets++ > 0)
      a.second.longest_pause = std::max(a.second.longest_pause, now - a.second.last);
    a.second.last = now;
  }
  for (auto& [id, v] : videos_) {
    if (packet.ssrc == v.media) {
      take_video(v, packet.sequence, packet.payload, false, now);
    } else if (packet.ssrc == v.rtx && packet.payload.size() <= 2) {
      ++padding;
    } else if (packet.ssrc == v.rtx) {
      const auto original = static_cast<std::uint16_t>(packet.payload[0] << 8 | packet.payload[1]);
      take_video(v, original, {packet.payload.begin() + 2, packet.payload.end()}, true, now);
    }
  }
}

void Receiver::take_video(Video& v, std::uint16_t sequence, std::vector<std::uint8_t> payload, bool rtx,
                          base::SteadyTime now) {
  if (rtx && !v.unwrap_.started()) return;
  const auto n = v.unwrap_.unwrap(sequence);
  if (v.lowest_ < 0) v.lowest_ = v.next_ = n;
  v.highest_ = std::max(v.highest_, n);
  if (!v.nack_.on_packet(n, now)) v.need_key_ = true;
  if (n < v.next_ || v.waiting_.contains(n)) return;
  ++v.packets;
  if (rtx) ++v.repaired;
  const auto sent = static_cast<std::int64_t>(read_marks(payload).sent_us);
  if (now.us - sent > in_time.us) ++v.late;
  v.waiting_.emplace(n, std::move(payload));
}

// In order, whole frames; what is not decodable by RFC 7741's counters is counted as wrong.
void Receiver::decode(Video& v, base::SteadyTime now) {
  for (;;) {
    auto at = v.waiting_.find(v.next_);
    if (v.need_key_) {
      // Starts over at the newest key frame that is there in whole.
      const auto whole_key = [&](auto start) {
        const auto m = read_marks(start->second);
        if (!m.key || m.index != 0) return false;
        for (auto s = start->first; s < start->first + m.count; ++s) {
          if (!v.waiting_.contains(s)) return false;
        }
        return true;
      };
      at = v.waiting_.end();
      for (auto i = v.waiting_.begin(); i != v.waiting_.end(); ++i) {
        if (whole_key(i)) at = i;
      }
    }
    if (at == v.waiting_.end()) return;
    const auto first = read_marks(at->second);
    const auto start = at->first;
    const auto end = start + first.count;
    bool whole = first.index == 0;
    bool broken_off = false;
    for (auto s = start; s < end && whole; ++s) {
      const auto p = v.waiting_.find(s);
      if (p == v.waiting_.end()) return;
      const auto m = read_marks(p->second);
      whole = m.frame == first.frame && m.index == s - start && m.kbps == first.kbps;
      if (!whole && m.key && m.index == 0 && s > start) {
        broken_off = true;
        v.next_ = s;
      }
    }
    // Another layer began before the frame was complete; its key frame goes on from here.
    if (broken_off) {
      v.need_key_ = true;
      v.waiting_.erase(v.waiting_.begin(), v.waiting_.lower_bound(v.next_));
      continue;
    }
    const auto vp8 = rtc::parse_vp8(at->second);
    const bool follows = vp8 && vp8->picture_id == ((v.last_picture_ + 1) & 0x7FFF) &&
                         static_cast<std::uint8_t>(vp8->tl0 - v.last_tl0_) == (vp8->temporal_id == 0 ? 1 : 0);
    const bool other_layer = v.frames > 0 && first.kbps != v.layer_kbps;
    if (!whole || !vp8 || (!first.key && (other_layer || !follows || v.need_key_)) ||
        (first.key && !v.need_key_ && v.frames > 0 && !follows)) {
      ++v.wrong;
      v.need_key_ = true;
      v.next_ = start + 1;
      v.waiting_.erase(v.waiting_.begin(), v.waiting_.upper_bound(start));
      continue;
    }
    v.need_key_ = false;
    v.last_picture_ = vp8->picture_id;
    v.last_tl0_ = vp8->tl0;
    v.layer_kbps = first.kbps;
    v.temporal_max = std::max(v.temporal_max, int{vp8->temporal_id});
    if (v.frames > 0) v.longest_pause = std::max(v.longest_pause, now - v.last_frame);
    v.last_frame = now;
    ++v.frames;
    if (first.key) ++v.key_frames;
    ++v.frames_by_kbps[first.kbps];
    v.next_ = end;
    v.waiting_.erase(v.waiting_.begin(), v.waiting_.lower_bound(end));
  }
}

void Receiver::tick(base::SteadyTime now) {
  for (const auto& packet : std::exchange(client_.subscribe->received, {})) take(packet, now);
  for (auto& [id, v] : videos_) decode(v, now);
  if (now >= next_nack_) {
    next_nack_ = now + base::Duration::millis(10);
    std::array<std::uint16_t, 64> numbers;
    for (auto& [id, v] : videos_) {
      const auto n = v.nack_.collect(now, base::Duration::millis(60), numbers);
      if (n > 0)
        client_.send_nack(v.media, {numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(n)});
      if (v.nack_.take_gave_up()) {
        ++v.gave_up;
        v.need_key_ = true;
      }
      if (v.need_key_ && v.highest_ >= 0 && now - v.last_pli_ > base::Duration::millis(200)) {
        v.last_pli_ = now;
        client_.send_pli(v.media);
      }
    }
  }
  if (reports_arrivals && now >= next_feedback_) {
    next_feedback_ = now + base::Duration::millis(50);
    std::array<std::uint8_t, 1200> buffer;
    while (const auto size = arrivals_.write_feedback(buffer, 7, 1))
      client_.subscribe->send_rtcp(base::Bytes(buffer).first(size));
  }
}

}  // namespace sfu::testing
