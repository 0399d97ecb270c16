// What a microphone and a camera send, packet by packet, without a socket: Opus-looking audio and VP8-shaped
// video with a Mark at the end of each payload, from which a receiver tells latency and whole frames.
// Sans-IO: time in, plain RTP packets out. One thread.
//
// Sizes and timing follow libwebrtc: audio every 20 ms; a frame's packets spaced by a pacer at 2.5 times the
// target rate, never as one burst.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/clock.h"

namespace probe {

// The last 16 bytes of every payload.
struct Mark {
  static constexpr std::size_t kSize = 16;
  std::uint16_t packet = 0;  // of the frame, from 0
  std::uint16_t packets_in_frame = 1;
  base::SteadyTime sent;

  void write(base::ByteWriter& out) const;
  static std::optional<Mark> read(base::Bytes payload);
};

// What the negotiation decided for one stream. Extension id 0 = not negotiated.
struct StreamFormat {
  std::uint32_t ssrc = 0;
  std::uint8_t payload_type = 0;
  std::uint32_t rtx_ssrc = 0;
  std::uint8_t rtx_payload_type = 0;  // 0 = no RTX
  std::uint8_t audio_level = 0, abs_send_time = 0, transport_cc = 0, mid = 0, rid = 0;
  std::string mid_text, rid_text;
};

// One connection's transport-wide counter.
using TransportSequence = std::uint16_t;

class RtpStream {
 public:
  explicit RtpStream(StreamFormat format) : format_(std::move(format)) {}
  // Starts a packet with its header and extensions; the payload follows.
  base::ByteWriter begin(base::MutableBytes buffer, bool marker, std::uint32_t timestamp,
                         base::SteadyTime now, TransportSequence& transport_sequence,
                         std::optional<std::uint8_t> audio_level);
  void sent(base::Bytes packet, std::size_t payload_size);

  const StreamFormat& format() const { return format_; }
  std::uint16_t sequence() const { return sequence_; }
  std::uint32_t timestamp() const { return timestamp_; }
  std::uint32_t packets() const { return packets_; }
  std::uint32_t octets() const { return octets_; }

 private:
  StreamFormat format_;
  std::uint16_t sequence_ = 100;
  std::uint32_t timestamp_ = 0;
  std::uint32_t packets_ = 0;
  std::uint32_t octets_ = 0;
};

class AudioSource {
 public:
  static constexpr auto kInterval = base::Duration::millis(20);

  AudioSource(StreamFormat format, base::SteadyTime start) : stream_(std::move(format)), due_(start) {}
  base::SteadyTime due() const { return due_; }
  // Builds the packet that is due; returns its size.
  std::size_t next(base::MutableBytes buffer, base::SteadyTime now, TransportSequence& transport_sequence);
  const RtpStream& stream() const { return stream_; }

 private:
  RtpStream stream_;
  base::SteadyTime due_;
  std::uint32_t timestamp_ = 48000;
};

struct VideoShape {
  int kbps = 1440;
  int fps = 30;
  int width = 1280, height = 720;
  static constexpr int kKeyFrameFactor = 4;         // a key frame is that many times a delta frame
  static constexpr std::size_t kMaxPayload = 1150;  // libwebrtc keeps packets below 1200 bytes
};

class VideoSource {
 public:
  VideoSource(StreamFormat format, VideoShape shape, base::SteadyTime start);
  base::SteadyTime due() const;
  std::size_t next(base::MutableBytes buffer, base::SteadyTime now, TransportSequence& transport_sequence);
  // Honoured by the next frame, at most every 300 ms as libwebrtc does.
  void request_key_frame(base::SteadyTime now);
  // A packet of the last kHistory ones as RTX (or the same bytes without RTX); 0 when it is gone.
  std::size_t retransmit(std::uint16_t sequence, base::MutableBytes buffer);
  const RtpStream& stream() const { return stream_; }
  std::uint64_t key_frames() const { return key_frames_; }

 private:
  static constexpr std::size_t kHistory = 64;
  struct Kept {
    std::uint16_t sequence = 0;
    std::vector<std::uint8_t> bytes;
    std::size_t payload_offset = 0;
  };
  void start_frame();
  std::size_t packet_payload() const;

  RtpStream stream_;
  VideoShape shape_;
  std::deque<Kept> history_;
  base::SteadyTime frame_due_;
  base::SteadyTime packet_due_;
  base::SteadyTime last_key_;
  bool key_wanted_ = true;
  bool key_ = false;
  std::uint32_t timestamp_ = 90000;
  std::uint16_t picture_ = 1;
  std::uint16_t packets_ = 0;  // of the frame under way
  std::uint16_t packet_ = 0;   // the next one; == packets_ between frames
  std::size_t frame_left_ = 0;
  std::uint16_t rtx_sequence_ = 7;
  std::uint64_t key_frames_ = 0;
};

}  // namespace probe
