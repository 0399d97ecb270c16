// Counters written by one media worker and read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace sfu {

// One writer: a relaxed load and store, no locked instruction.
class Count {
 public:
  void add(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
  }
  void subtract(std::uint64_t n = 1) {
    value_.store(value_.load(std::memory_order_relaxed) - n, std::memory_order_relaxed);
  }
  std::uint64_t get() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

struct Counters {
  Count packets_in, packets_out, bytes_in, bytes_out;
  Count dropped_muted, dropped_unauthenticated, srtp_failures;
  Count nacks_in, retransmitted, keyframe_requests;
  Count audio_forwarded, video_forwarded;
  Count transport_feedback_in, send_drops, padding_sent;
  Count rooms, peers;
};

}  // namespace sfu
