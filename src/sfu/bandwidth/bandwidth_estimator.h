// What the path to one subscriber carries, from its transport-wide feedback: queue growth (DelayDetector),
// losses, and probes. Until the path has shown a limit there is none: a visit on a good network starts at
// full quality. Sans-IO; fixed memory; no allocation after construction.
//
// Source: draft-ietf-rmcat-gcc-02 (§5.5 rate control, §6 loss),
// draft-holmer-rmcat-transport-wide-cc-extensions-01.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "rtc/rtp/sequence.h"
#include "sfu/bandwidth/delay_detector.h"
#include "sfu/bandwidth/rate_meter.h"

namespace sfu {

class BandwidthEstimator {
 public:
  static constexpr std::int64_t kMinKbps = 50;
  static constexpr base::Duration kProbeTime = base::Duration::millis(200);

  BandwidthEstimator() : sent_(std::make_unique<std::array<Sent, kSent>>()) {}

  void on_sent(std::uint16_t number, std::size_t bytes, base::SteadyTime now);
  // The FCI of one feedback packet. False when it is malformed.
  bool on_feedback(base::Bytes fci, base::SteadyTime now);

  // nullopt: no limit was seen so far.
  std::optional<std::int64_t> kbps() const { return estimate_; }
  // From sending to the report, the waiting of the report included.
  base::Duration round_trip() const { return round_trip_; }
  std::int64_t acknowledged_kbps() const { return acknowledged_; }

  // A probe: for kProbeTime the owner sends `kbps` in all, padding included.
  bool probing(base::SteadyTime now) const { return probe_ && now < probe_->until; }
  bool may_probe(base::SteadyTime now) const;
  void start_probe(std::int64_t kbps, base::SteadyTime now);
  // How many bytes of padding are due now.
  std::size_t padding_due(base::SteadyTime now) const;

 private:
  static constexpr std::size_t kSent = 2048;
  struct Sent {
    std::int64_t number = -1;
    base::SteadyTime at;
    std::uint16_t bytes = 0;
    bool probe = false;
    bool told = false;
  };
  struct Probe {
    Probe();  // out of line: optional<Probe> is complete before the initializers below are
    std::int64_t kbps = 0;
    base::SteadyTime start, until;
    std::size_t sent_bytes = 0, sent_packets = 0;
    std::size_t got_bytes = 0, got_packets = 0, last_sent_bytes = 0, first_got_bytes = 0;
    base::SteadyTime last_sent;
    std::int64_t first_arrival_us = 0, last_arrival_us = 0;
  };
  void on_received(Sent& sent, std::int64_t arrival_us);
  void on_delay(base::SteadyTime now);
  void on_losses(base::SteadyTime now);
  void decrease(std::int64_t to, base::SteadyTime now);
  void increase(base::SteadyTime now);
  void finish_probe(base::SteadyTime now);

  std::unique_ptr<std::array<Sent, kSent>> sent_;
  rtc::Unwrapper<std::uint16_t> numbers_;
  DelayDetector delay_;
  RateMeter<30, 10'000> arrived_;
  std::int64_t acknowledged_ = 0;  // kbit/s
  std::int64_t newest_arrival_us_ = -1;
  base::Duration round_trip_{};
  std::optional<std::int64_t> estimate_;
  std::optional<base::SteadyTime> over_since_;
  base::SteadyTime last_decrease_, last_change_;
  std::int64_t told_ = 0, lost_ = 0;  // since loss_since_
  base::SteadyTime loss_since_;
  std::optional<Probe> probe_;
  base::SteadyTime next_probe_;
  base::Duration probe_pause_ = base::Duration::seconds(2);
};

}  // namespace sfu
