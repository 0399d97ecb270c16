// Makes one outgoing stream out of pieces of several incoming ones: sequence numbers without holes of our
// making, a timestamp line that moves on, and VP8's picture ids and TL0PICIDX continued, so that a decoder
// never notices a switch of layer, a mute or a gap. Pure arithmetic; a few hundred bytes; no allocation.
//
// Holes of the network stay holes (so that the subscriber can ask for the packet); packets we leave out on
// purpose are told by skip().
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/clock.h"
#include "rtc/rtp/payload.h"
#include "rtc/rtp/sequence.h"

namespace sfu {

struct RewrittenFields {
  std::int64_t sequence = 0;  // extended; the low 16 bits go on the wire
  std::uint32_t timestamp = 0;
  std::uint16_t picture_id = 0;
  std::uint8_t tl0 = 0;
};

class StreamRewriter {
 public:
  explicit StreamRewriter(std::uint32_t clock_rate, std::uint16_t first_sequence = 0)
      : clock_rate_(clock_rate), next_sequence_(std::int64_t{1} << 16 | first_sequence) {}

  // The next packet given to map() starts a new piece. `timestamp_offset`: out - in on the new source's
  // timeline as sender reports of both tell it; otherwise, or when the two disagree, the pause is taken from
  // the arrival times.
  void start_piece(std::optional<std::uint32_t> timestamp_offset);
  // The same source goes on after a pause: its timeline stays.
  void resume_piece();

  // nullopt: the packet is from before the start of the piece (late), was skipped, or is so late that the
  // skips before it are forgotten.
  std::optional<RewrittenFields> map(std::int64_t sequence, std::uint32_t timestamp,
                                     const rtc::Vp8Descriptor* vp8, base::SteadyTime now);
  // A packet of the current piece that is not forwarded.
  void skip(std::int64_t sequence);
  // A picture (15-bit id) of the current piece none of whose packets are forwarded: the ids behind it close
  // up.
  void skip_picture(std::uint16_t picture_id);

  bool started() const { return started_; }
  std::uint32_t timestamp_offset() const { return timestamp_offset_; }

 private:
  void begin(std::int64_t sequence, std::uint32_t timestamp, const rtc::Vp8Descriptor* vp8,
             base::SteadyTime now);

  unsigned skipped_before_picture(std::uint16_t picture_id);

  static constexpr std::size_t kSkips = 64;

  std::uint32_t clock_rate_;
  bool started_ = false;
  bool starting_ = true;
  bool same_source_ = false;
  std::optional<std::uint32_t> wanted_offset_;

  // The current piece.
  std::int64_t first_in_ = 0;
  std::int64_t sequence_offset_ = 0;  // out - in, before skips still listed
  std::int64_t oldest_mappable_ = 0;
  std::array<std::int64_t, kSkips> skips_{};  // rising
  std::size_t skip_count_ = 0;
  std::uint32_t timestamp_offset_ = 0;
  std::uint16_t picture_offset_ = 0;                     // out - in, before skipped pictures still listed
  rtc::Unwrapper<std::uint16_t> pictures_;               // of ids shifted to 16 bits
  std::array<std::int64_t, kSkips> skipped_pictures_{};  // rising
  std::size_t skipped_picture_count_ = 0;
  std::uint8_t tl0_offset_ = 0;

  // The newest packet sent.
  std::int64_t newest_in_ = 0;
  std::int64_t next_sequence_;
  std::uint32_t last_timestamp_ = 0;
  base::SteadyTime last_time_;
  std::uint16_t last_picture_ = 0;
  std::uint8_t last_tl0_ = 0;
  bool has_picture_ = false;
};

}  // namespace sfu
