#include "sfu/receive_stream.h"

#include <algorithm>

namespace sfu {
namespace {
constexpr std::int64_t kSeenBits = 16 * 64;
}

void ReceiveStream::bind(std::uint32_t ssrc) {
  if (bound_ && ssrc == ssrc_) return;
  ssrc_ = ssrc;
  bound_ = true;
  ++generation_;
  sequences_.reset();
  seen_.fill(0);
  received_ = expected_prior_ = received_prior_ = transit_ = jitter_q4_ = 0;
  sender_.reset();
  nack_ = NackGenerator();
  rates_ = {};
  if (cache_) cache_->clear();
}

std::optional<std::int64_t> ReceiveStream::on_packet(const rtc::RtpView& view, bool retransmitted,
                                                     base::SteadyTime now) {
  const bool first = !sequences_.started();
  if (first && retransmitted) return std::nullopt;
  const auto previous = sequences_.last();
  const auto n = sequences_.peek(view.sequence);
  if (!first && n <= previous - kSeenBits) return std::nullopt;
  sequences_.unwrap(view.sequence);
  const auto bit = [](std::int64_t s) { return std::uint64_t{1} << (s % 64); };
  const auto word = [](std::int64_t s) { return static_cast<std::size_t>(s / 64 % 16); };
  if (first) {
    base_sequence_ = n;
  } else if (n > previous) {
    if (n - previous >= kSeenBits) {
      seen_.fill(0);
    } else {
      for (auto s = previous + 1; s <= n; ++s) seen_[word(s)] &= ~bit(s);
    }
  } else if ((seen_[word(n)] & bit(n)) != 0) {
    return std::nullopt;
  }
  seen_[word(n)] |= bit(n);
  ++received_;
  last_packet_ = now;
  if (!retransmitted) {
    const auto arrival = now.us * clock_rate() / 1'000'000;
    const auto transit = arrival - view.timestamp;
    if (!first) {
      // On the wrapping 32-bit line, as RFC 3550 §A.8 does.
      const auto d = static_cast<std::int32_t>(static_cast<std::uint32_t>(transit - transit_));
      jitter_q4_ += std::abs(std::int64_t{d}) - ((jitter_q4_ + 8) >> 4);
    }
    transit_ = transit;
  }
  if (kind_ == MediaKind::kVideo && !nack_.on_packet(n, now)) need_key_frame_ = true;
  return n;
}

void ReceiveStream::on_sender_report(const rtc::SenderInfo& info, base::SteadyTime now) {
  sender_ = info;
  sender_at_ = now;
}

rtc::ReportBlock ReceiveStream::report(base::SteadyTime now) {
  const auto expected = sequences_.last() - base_sequence_ + 1;
  const auto expected_interval = expected - expected_prior_;
  const auto lost_interval = expected_interval - (received_ - received_prior_);
  expected_prior_ = expected;
  received_prior_ = received_;
  rtc::ReportBlock r;
  r.ssrc = ssrc_;
  if (expected_interval > 0 && lost_interval > 0) {
    r.fraction_lost =
        static_cast<std::uint8_t>(std::min<std::int64_t>(255, lost_interval * 256 / expected_interval));
  }
  r.cumulative_lost =
      static_cast<std::int32_t>(std::clamp<std::int64_t>(expected - received_, -0x800000, 0x7FFFFF));
  r.highest_sequence = static_cast<std::uint32_t>(sequences_.last() - 65536);
  r.jitter = static_cast<std::uint32_t>(jitter_q4_ >> 4);
  if (sender_) {
    r.last_sr = rtc::ntp_middle(sender_->ntp);
    r.delay_since_last_sr = static_cast<std::uint32_t>((now - sender_at_).us * 65536 / 1'000'000);
  }
  return r;
}

std::optional<ReceiveStream::Instant> ReceiveStream::instant(base::SteadyTime now) const {
  if (!sender_) return std::nullopt;
  const auto elapsed = static_cast<std::uint64_t>(std::max<std::int64_t>(0, (now - sender_at_).us));
  const auto ntp = sender_->ntp + (elapsed / 1'000'000 << 32) + ((elapsed % 1'000'000) << 32) / 1'000'000;
  return Instant{ntp,
                 sender_->rtp_timestamp + static_cast<std::uint32_t>(elapsed * clock_rate() / 1'000'000)};
}

std::optional<std::uint32_t> ReceiveStream::align(const ReceiveStream& other,
                                                  std::uint32_t our_offset) const {
  if (!sender_ || !other.sender_) return std::nullopt;
  // How far `other`'s report is behind or ahead of ours, in units of the media clock.
  const auto apart = static_cast<std::int64_t>(other.sender_->ntp - sender_->ntp);
  constexpr std::int64_t kHour = std::int64_t{3600} << 32;
  if (apart > kHour || apart < -kHour) return std::nullopt;
  const auto seconds_q16 = apart >> 16;
  const auto ticks = seconds_q16 * static_cast<std::int64_t>(clock_rate()) >> 16;
  const auto ours_at_other = sender_->rtp_timestamp + our_offset + static_cast<std::uint32_t>(ticks);
  return ours_at_other - other.sender_->rtp_timestamp;
}

}  // namespace sfu
