#include "sfu/bandwidth/bandwidth_estimator.h"

#include <algorithm>

#include "rtc/rtcp/transport_cc.h"

namespace sfu {
namespace {

constexpr auto kDecreaseInterval = base::Duration::millis(300);
// A path that showed no limit so far is believed to have one when the queue keeps growing, not when the delay
// moved once.
constexpr auto kFirstLimit = base::Duration::millis(150);
constexpr auto kHold = base::Duration::millis(500);  // after a decrease: the queue drains first
constexpr auto kLossInterval = base::Duration::millis(300);
constexpr std::int64_t kLossPackets = 20;
constexpr auto kProbeAnswer = base::Duration::millis(600);  // how long the reports of a probe may take
constexpr auto kProbePause = base::Duration::seconds(2);
constexpr auto kMaxProbePause = base::Duration::seconds(5);
constexpr auto kProbeAfterDecrease = base::Duration::millis(1500);
constexpr std::size_t kUdpIp = 28;

}  // namespace

BandwidthEstimator::Probe::Probe() = default;

void BandwidthEstimator::on_sent(std::uint16_t number, std::size_t bytes, base::SteadyTime now) {
  const auto n = numbers_.unwrap(number);
  bytes += kUdpIp;
  const bool in_probe = probing(now);
  (*sent_)[static_cast<std::size_t>(n) % kSent] = {n, now, static_cast<std::uint16_t>(bytes), in_probe,
                                                   false};
  if (!in_probe) return;
  probe_->sent_bytes += bytes;
  ++probe_->sent_packets;
  probe_->last_sent_bytes = bytes;
  probe_->last_sent = now;
}

bool BandwidthEstimator::on_feedback(base::Bytes fci, base::SteadyTime now) {
  if (!numbers_.started()) return true;
  base::SteadyTime newest;
  const auto summary =
      rtc::read_transport_cc(fci, [&](std::uint16_t number, bool received, std::int64_t arrival_us) {
        const auto n = numbers_.peek(number);
        if (n < 0) return;
        auto& sent = (*sent_)[static_cast<std::size_t>(n) % kSent];
        if (sent.number != n || sent.told) return;
        sent.told = true;
        ++told_;
        if (received) {
          newest = std::max(newest, sent.at);
          on_received(sent, arrival_us);
        } else {
          ++lost_;
        }
      });
  if (newest_arrival_us_ >= 0) acknowledged_ = arrived_.kbps(newest_arrival_us_);
  if (newest.us != 0) {
    const auto sample = now - newest;
    round_trip_ = round_trip_.us == 0 ? sample : base::Duration::micros((round_trip_.us * 7 + sample.us) / 8);
  }
  on_delay(now);
  on_losses(now);
  finish_probe(now);
  return summary.has_value();
}

void BandwidthEstimator::on_received(Sent& sent, std::int64_t arrival_us) {
  delay_.on_packet(sent.at, arrival_us);
  // The reference time of the reports wraps, and a receiver may start over.
  if (arrival_us < newest_arrival_us_ - 3'000'000) {
    arrived_ = {};
    newest_arrival_us_ = -1;
  }
  arrived_.add(arrival_us, sent.bytes);
  newest_arrival_us_ = std::max(newest_arrival_us_, arrival_us);
  if (!sent.probe || !probe_) return;
  auto& p = *probe_;
  if (p.got_packets++ == 0) {
    p.first_arrival_us = p.last_arrival_us = arrival_us;
    p.first_got_bytes = sent.bytes;
  }
  p.got_bytes += sent.bytes;
  p.last_arrival_us = std::max(p.last_arrival_us, arrival_us);
}

void BandwidthEstimator::on_delay(base::SteadyTime now) {
  if (delay_.use() != PathUse::kOver) over_since_.reset();
  switch (delay_.use()) {
    case PathUse::kOver: {
      if (!over_since_) over_since_ = now;
      const bool due =
          estimate_ ? now - last_decrease_ >= kDecreaseInterval : now - *over_since_ >= kFirstLimit;
      if (acknowledged_ > 0 && due) decrease(acknowledged_ * 85 / 100, now);
      return;
    }
    case PathUse::kNormal:
      increase(now);
      return;
    case PathUse::kUnder:
      return;
  }
}

// Losses without a growing queue are the path's own (radio) or a policer's. Down to what arrives, not below:
// less would not heal the first kind.
void BandwidthEstimator::on_losses(base::SteadyTime now) {
  if (told_ < kLossPackets || now - loss_since_ < kLossInterval) return;
  const bool heavy = lost_ * 10 > told_;
  const auto share = lost_ * 1000 / told_;
  told_ = lost_ = 0;
  loss_since_ = now;
  if (!heavy || acknowledged_ == 0) return;
  const auto from = estimate_.value_or(acknowledged_ * 3 / 2);
  decrease(std::max(acknowledged_, from * (2000 - share) / 2000), now);
}

void BandwidthEstimator::decrease(std::int64_t to, base::SteadyTime now) {
  to = std::max(to, kMinKbps);
  if (estimate_ && to >= *estimate_) return;
  estimate_ = to;
  last_decrease_ = last_change_ = now;
}

// 8 % a second, as long as what is sent comes near it (§5.5); a larger step takes a probe.
void BandwidthEstimator::increase(base::SteadyTime now) {
  if (!estimate_ || now - last_decrease_ < kHold) {
    last_change_ = now;
    return;
  }
  const auto limit = acknowledged_ * 3 / 2 + 10;
  const auto elapsed_ms = std::min<std::int64_t>((now - last_change_).to_millis(), 1000);
  const auto step = *estimate_ * 8 * elapsed_ms / 100'000;
  if (step == 0) return;
  last_change_ = now;
  if (*estimate_ < limit) estimate_ = std::min(*estimate_ + step, limit);
}

bool BandwidthEstimator::may_probe(base::SteadyTime now) const {
  return estimate_ && !probe_ && now >= next_probe_ && now - last_decrease_ >= kProbeAfterDecrease;
}

void BandwidthEstimator::start_probe(std::int64_t kbps, base::SteadyTime now) {
  probe_.emplace();
  probe_->kbps = kbps;
  probe_->start = now;
  probe_->until = now + kProbeTime;
}

std::size_t BandwidthEstimator::padding_due(base::SteadyTime now) const {
  if (!probing(now)) return 0;
  const auto due = static_cast<std::size_t>(probe_->kbps * (now - probe_->start).us / 8000);
  return due > probe_->sent_bytes ? due - probe_->sent_bytes : 0;
}

void BandwidthEstimator::finish_probe(base::SteadyTime now) {
  if (!probe_ || now < probe_->until) return;
  const auto& p = *probe_;
  const bool complete = p.got_packets == p.sent_packets;
  if (!complete && now - p.until < kProbeAnswer) return;
  const auto sent_us = (p.last_sent - p.start).us;
  const auto got_us = p.last_arrival_us - p.first_arrival_us;
  bool better = false;
  if (p.got_packets >= 5 && p.got_packets * 10 >= p.sent_packets * 8 && sent_us > 50'000 && got_us > 50'000) {
    const auto sent_kbps = static_cast<std::int64_t>(p.sent_bytes - p.last_sent_bytes) * 8000 / sent_us;
    const auto got_kbps = static_cast<std::int64_t>(p.got_bytes - p.first_got_bytes) * 8000 / got_us;
    // Slower at the far end than sent: that is the path's rate, and the queue it left wants room.
    const auto found = got_kbps * 10 < sent_kbps * 9 ? got_kbps * 95 / 100 : std::min(sent_kbps, got_kbps);
    if (found > *estimate_ && delay_.use() != PathUse::kOver) {
      better = found * 10 > *estimate_ * 12;
      estimate_ = found;
      last_change_ = now;
    }
  }
  probe_.reset();
  probe_pause_ = better ? kProbePause : std::min(probe_pause_ * 2, kMaxProbePause);
  next_probe_ = now + (better ? base::Duration::millis(500) : probe_pause_);
}

}  // namespace sfu
