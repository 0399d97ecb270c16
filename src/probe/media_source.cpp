#include "probe/media_source.h"

#include <algorithm>
#include <array>

#include "rtc/rtp/packet.h"

namespace probe {
namespace {

constexpr std::uint32_t kMagic = 0x54565042;
constexpr auto kKeyFrameInterval = base::Duration::millis(300);
constexpr std::size_t kAudioPayload = 80;  // 32 kbit/s
constexpr std::size_t kDescriptor = 4;     // X, I and a 15-bit picture id
constexpr std::size_t kKeyHeader = 10, kDeltaHeader = 3;

void element(base::ByteWriter& out, std::uint8_t id, base::Bytes data) {
  if (id == 0 || data.empty()) return;
  out.u8(static_cast<std::uint8_t>(unsigned{id} << 4 | (data.size() - 1)));
  out.bytes(data);
}

}  // namespace

void Mark::write(base::ByteWriter& out) const {
  out.u32(kMagic);
  out.u16(packet);
  out.u16(packets_in_frame);
  out.u64(static_cast<std::uint64_t>(sent.us));
}

std::optional<Mark> Mark::read(base::Bytes payload) {
  if (payload.size() < kSize) return std::nullopt;
  base::ByteReader in(payload.last(kSize));
  if (in.u32() != kMagic) return std::nullopt;
  Mark mark;
  mark.packet = in.u16();
  mark.packets_in_frame = in.u16();
  mark.sent.us = static_cast<std::int64_t>(in.u64());
  return mark;
}

base::ByteWriter RtpStream::begin(base::MutableBytes buffer, bool marker, std::uint32_t timestamp,
                                  base::SteadyTime now, TransportSequence& transport_sequence,
                                  std::optional<std::uint8_t> audio_level) {
  base::ByteWriter out(buffer);
  out.u8(0x90);
  out.u8(static_cast<std::uint8_t>((marker ? 0x80 : 0) | format_.payload_type));
  out.u16(sequence_);
  out.u32(timestamp);
  out.u32(format_.ssrc);
  out.u16(0xBEDE);
  out.u16(0);
  if (audio_level) {
    const std::array<std::uint8_t, 1> level{static_cast<std::uint8_t>(0x80 | *audio_level)};
    element(out, format_.audio_level, level);
  }
  const auto time = rtc::abs_send_time(now.us);
  const std::array<std::uint8_t, 3> stamp{static_cast<std::uint8_t>(time >> 16),
                                          static_cast<std::uint8_t>(time >> 8),
                                          static_cast<std::uint8_t>(time)};
  element(out, format_.abs_send_time, stamp);
  if (format_.transport_cc != 0) {
    const std::array<std::uint8_t, 2> number{static_cast<std::uint8_t>(transport_sequence >> 8),
                                             static_cast<std::uint8_t>(transport_sequence)};
    element(out, format_.transport_cc, number);
    ++transport_sequence;
  }
  element(out, format_.mid, base::as_bytes(format_.mid_text));
  element(out, format_.rid, base::as_bytes(format_.rid_text));
  out.zeros((4 - out.size() % 4) % 4);
  out.patch_u16(14, static_cast<std::uint16_t>((out.size() - 16) / 4));
  timestamp_ = timestamp;
  return out;
}

void RtpStream::sent(base::Bytes packet, std::size_t payload_size) {
  if (packet.empty()) return;
  ++sequence_;
  ++packets_;
  octets_ += static_cast<std::uint32_t>(payload_size);
}

std::size_t AudioSource::next(base::MutableBytes buffer, base::SteadyTime now,
                              TransportSequence& transport_sequence) {
  auto out = stream_.begin(buffer, stream_.packets() == 0, timestamp_, now, transport_sequence, 30);
  out.u8(0x78);  // TOC of RFC 6716: hybrid, 20 ms, one frame
  for (std::size_t i = 1; i + Mark::kSize < kAudioPayload; ++i) out.u8(static_cast<std::uint8_t>(i * 37));
  Mark{0, 1, now}.write(out);
  if (!out.ok()) return 0;
  stream_.sent(out.written(), kAudioPayload);
  timestamp_ += 960;
  due_ = due_ + kInterval;
  // A sender that was held up does not send what it missed.
  if (now - due_ > base::Duration::millis(200)) due_ = now + kInterval;
  return out.size();
}

VideoSource::VideoSource(StreamFormat format, VideoShape shape, base::SteadyTime start)
    : stream_(std::move(format)), shape_(shape), frame_due_(start) {}

base::SteadyTime VideoSource::due() const {
  return packet_ < packets_ ? packet_due_ : frame_due_;
}

void VideoSource::request_key_frame(base::SteadyTime now) {
  if (key_frames_ > 0 && now - last_key_ < kKeyFrameInterval) return;
  key_wanted_ = true;
}

void VideoSource::start_frame() {
  key_ = std::exchange(key_wanted_, false);
  frame_left_ = static_cast<std::size_t>(std::max(1, shape_.kbps * 125 / shape_.fps));
  if (key_) {
    frame_left_ *= VideoShape::kKeyFrameFactor;
    ++key_frames_;
  }
  packets_ =
      static_cast<std::uint16_t>((frame_left_ + VideoShape::kMaxPayload - 1) / VideoShape::kMaxPayload);
  packet_ = 0;
  packet_due_ = frame_due_;
  frame_due_ = frame_due_ + base::Duration::micros(1'000'000 / shape_.fps);
  timestamp_ += static_cast<std::uint32_t>(90000 / shape_.fps);
  picture_ = static_cast<std::uint16_t>((picture_ + 1) & 0x7FFF);
}

// libwebrtc cuts a frame into packets of about equal size.
std::size_t VideoSource::packet_payload() const {
  const auto packets_left = static_cast<std::size_t>(packets_ - packet_);
  return std::max<std::size_t>(frame_left_ / packets_left, kDescriptor + kKeyHeader + Mark::kSize);
}

std::size_t VideoSource::next(base::MutableBytes buffer, base::SteadyTime now,
                              TransportSequence& transport_sequence) {
  if (packet_ >= packets_) {
    start_frame();
    if (key_) last_key_ = now;
    if (now - frame_due_ > base::Duration::millis(500))
      frame_due_ = now + base::Duration::micros(1'000'000 / shape_.fps);
  }
  const auto size = packet_payload();
  const bool first = packet_ == 0, last = packet_ + 1 == packets_;
  auto out = stream_.begin(buffer, last, timestamp_, now, transport_sequence, std::nullopt);
  const auto payload_at = out.size();
  out.u8(static_cast<std::uint8_t>(0x80 | (first ? 0x10 : 0)));
  out.u8(0x80);
  out.u16(static_cast<std::uint16_t>(0x8000 | picture_));
  std::size_t filled = kDescriptor;
  if (first) {
    // Frame tag of RFC 6386 §9.1: bit 0 is 0 for a key frame; then its start code and size.
    out.u8(key_ ? 0x10 : 0x11);
    out.u16(0);
    filled += kDeltaHeader;
    if (key_) {
      out.u24(0x9D012A);
      out.u8(static_cast<std::uint8_t>(shape_.width));
      out.u8(static_cast<std::uint8_t>(shape_.width >> 8));
      out.u8(static_cast<std::uint8_t>(shape_.height));
      out.u8(static_cast<std::uint8_t>(shape_.height >> 8));
      filled += kKeyHeader - kDeltaHeader;
    }
  }
  out.zeros(size - filled - Mark::kSize);
  Mark{packet_, packets_, now}.write(out);
  if (!out.ok()) return 0;
  // The oldest buffer is used again.
  if (history_.size() < kHistory) {
    history_.emplace_back();
  } else {
    history_.push_back(std::move(history_.front()));
    history_.pop_front();
  }
  auto& kept = history_.back();
  kept.sequence = stream_.sequence();
  kept.bytes.assign(out.written().begin(), out.written().end());
  kept.payload_offset = payload_at;
  stream_.sent(out.written(), size);
  frame_left_ -= std::min(frame_left_, size);
  ++packet_;
  packet_due_ = packet_due_ + base::Duration::micros(static_cast<std::int64_t>(size) * 8 * 1000 * 2 /
                                                     (5 * std::int64_t{shape_.kbps}));
  return out.size();
}

std::size_t VideoSource::retransmit(std::uint16_t sequence, base::MutableBytes buffer) {
  const auto kept =
      std::find_if(history_.begin(), history_.end(), [&](const Kept& k) { return k.sequence == sequence; });
  if (kept == history_.end()) return 0;
  const auto& format = stream_.format();
  if (format.rtx_payload_type == 0) {
    if (kept->bytes.size() > buffer.size()) return 0;
    std::copy(kept->bytes.begin(), kept->bytes.end(), buffer.begin());
    return kept->bytes.size();
  }
  const auto size = rtc::wrap_rtx(kept->bytes, kept->payload_offset, format.rtx_ssrc, rtx_sequence_,
                                  format.rtx_payload_type, buffer);
  if (size > 0) ++rtx_sequence_;
  return size;
}

}  // namespace probe
