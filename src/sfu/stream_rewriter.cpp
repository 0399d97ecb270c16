#include "sfu/stream_rewriter.h"

#include <algorithm>

#include "rtc/rtp/sequence.h"

namespace sfu {

void StreamRewriter::start_piece(std::optional<std::uint32_t> timestamp_offset) {
  starting_ = true;
  same_source_ = false;
  wanted_offset_ = timestamp_offset;
}

void StreamRewriter::resume_piece() {
  starting_ = true;
  same_source_ = true;
  wanted_offset_ = timestamp_offset_;
}

void StreamRewriter::begin(std::int64_t sequence, std::uint32_t timestamp, const rtc::Vp8Descriptor* vp8,
                           base::SteadyTime now) {
  starting_ = false;
  first_in_ = sequence;
  oldest_mappable_ = sequence;
  sequence_offset_ = next_sequence_ - sequence;
  skip_count_ = 0;
  newest_in_ = sequence - 1;
  if (!started_) {
    started_ = true;
    timestamp_offset_ = 0;
    last_timestamp_ = timestamp - 1;
  } else {
    const auto elapsed_us = std::max<std::int64_t>((now - last_time_).us, 1000);
    const auto by_arrival =
        last_timestamp_ + static_cast<std::uint32_t>(elapsed_us * clock_rate_ / 1'000'000);
    timestamp_offset_ = by_arrival - timestamp;
    if (wanted_offset_) {
      // Trusted as long as time moves forward and, for another source, both ways of reckoning agree within
      // half a second.
      const auto wanted = timestamp + *wanted_offset_;
      const auto apart = rtc::timestamp_diff(wanted, by_arrival);
      const auto limit = static_cast<std::int32_t>(clock_rate_ / 2);
      if (rtc::timestamp_diff(wanted, last_timestamp_) > 0 &&
          (same_source_ || (apart < limit && apart > -limit)))
        timestamp_offset_ = *wanted_offset_;
    }
  }
  pictures_.reset();
  skipped_picture_count_ = 0;
  if (vp8 && vp8->picture_id_bits > 0) {
    picture_offset_ =
        has_picture_ ? static_cast<std::uint16_t>(last_picture_ + 1 - vp8->picture_id) : std::uint16_t{0};
    tl0_offset_ = has_picture_ ? static_cast<std::uint8_t>(last_tl0_ + 1 - vp8->tl0) : std::uint8_t{0};
  }
}

std::optional<RewrittenFields> StreamRewriter::map(std::int64_t sequence, std::uint32_t timestamp,
                                                   const rtc::Vp8Descriptor* vp8, base::SteadyTime now) {
  if (starting_) begin(sequence, timestamp, vp8, now);
  if (sequence < oldest_mappable_) return std::nullopt;
  const auto end = skips_.begin() + static_cast<std::ptrdiff_t>(skip_count_);
  const auto skip_at = std::lower_bound(skips_.begin(), end, sequence);
  if (skip_at != end && *skip_at == sequence) return std::nullopt;  // its number went to the one behind it
  const auto skipped_before = skip_at - skips_.begin();
  RewrittenFields out;
  out.sequence = sequence + sequence_offset_ - skipped_before;
  out.timestamp = timestamp + timestamp_offset_;
  if (vp8) {
    const auto skipped = vp8->picture_id_bits == 15 ? skipped_before_picture(vp8->picture_id) : 0u;
    const auto mask = vp8->picture_id_bits == 7 ? 0x7Fu : 0x7FFFu;
    out.picture_id =
        static_cast<std::uint16_t>((vp8->picture_id + unsigned{picture_offset_} - skipped) & mask);
    out.tl0 = static_cast<std::uint8_t>(vp8->tl0 + tl0_offset_);
  }
  if (sequence > newest_in_) {
    newest_in_ = sequence;
    next_sequence_ = out.sequence + 1;
    if (rtc::timestamp_diff(out.timestamp, last_timestamp_) > 0) last_timestamp_ = out.timestamp;
    last_time_ = now;
    if (vp8 && vp8->picture_id_bits > 0) {
      has_picture_ = true;
      last_picture_ = out.picture_id;
      last_tl0_ = out.tl0;
    }
  }
  return out;
}

void StreamRewriter::skip(std::int64_t sequence) {
  if (starting_ || sequence < oldest_mappable_) return;
  const auto end = skips_.begin() + static_cast<std::ptrdiff_t>(skip_count_);
  const auto at = std::lower_bound(skips_.begin(), end, sequence);
  if (at != end && *at == sequence) return;
  if (sequence < newest_in_) return;  // numbers behind it are on the wire already: it stays a hole
  if (skip_count_ == kSkips) {
    oldest_mappable_ = skips_[0] + 1;
    --sequence_offset_;
    std::move(skips_.begin() + 1, skips_.end(), skips_.begin());
    --skip_count_;
  }
  skips_[skip_count_++] = sequence;
  newest_in_ = sequence;
  // The next number is unchanged only when nothing is missing in between; a hole keeps its numbers.
  next_sequence_ = sequence + sequence_offset_ - static_cast<std::int64_t>(skip_count_ - 1);
}

unsigned StreamRewriter::skipped_before_picture(std::uint16_t picture_id) {
  const auto n = pictures_.unwrap(static_cast<std::uint16_t>(picture_id << 1)) >> 1;
  const auto end = skipped_pictures_.begin() + static_cast<std::ptrdiff_t>(skipped_picture_count_);
  return static_cast<unsigned>(std::lower_bound(skipped_pictures_.begin(), end, n) -
                               skipped_pictures_.begin());
}

void StreamRewriter::skip_picture(std::uint16_t picture_id) {
  if (starting_) return;
  const auto n = pictures_.unwrap(static_cast<std::uint16_t>(picture_id << 1)) >> 1;
  auto end = skipped_pictures_.begin() + static_cast<std::ptrdiff_t>(skipped_picture_count_);
  const auto at = std::lower_bound(skipped_pictures_.begin(), end, n);
  if (at != end) return;  // listed, or so late that the ids behind it are on the wire
  if (skipped_picture_count_ == kSkips) {
    // Packets from before it are older than any that skip() still maps.
    --picture_offset_;
    std::move(skipped_pictures_.begin() + 1, skipped_pictures_.end(), skipped_pictures_.begin());
    --skipped_picture_count_;
  }
  skipped_pictures_[skipped_picture_count_++] = n;
}

}  // namespace sfu
