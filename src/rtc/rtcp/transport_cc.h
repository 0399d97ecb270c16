// Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01 §3):
// building it for what arrived, and reading it.
//
//   | base sequence number          | packet status count           |
//   | reference time (24, 64 ms)                    | fb pkt count  |
//   | packet chunk …                | receive deltas (250 us) …     |
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "base/bytes.h"
#include "base/clock.h"
#include "rtc/rtp/sequence.h"

namespace rtc {

// Remembers arrivals of one connection. Fixed memory; arrivals older than the window are reported lost.
class TransportCcRecorder {
 public:
  static constexpr std::size_t kWindow = 1024;

  void on_packet(std::uint16_t sequence, base::SteadyTime arrival);
  // Writes one feedback packet for what was not reported yet; 0 when there is nothing. Call again until 0: a
  // packet covers as much as fits.
  std::size_t write_feedback(base::MutableBytes out, std::uint32_t sender, std::uint32_t media);
  bool pending() const { return next_ <= sequences_.last() && sequences_.started() && has_new_; }

 private:
  static constexpr std::int64_t kMissing = -1;
  std::int64_t& slot(std::int64_t sequence) {
    return arrival_us_[static_cast<std::size_t>(sequence) % kWindow];
  }

  std::array<std::int64_t, kWindow> arrival_us_{};
  Unwrapper<std::uint16_t> sequences_;
  std::int64_t next_ = 0;  // first number not reported
  bool has_new_ = false;
  std::uint8_t feedback_count_ = 0;
};

struct TransportCcSummary {
  std::uint16_t base_sequence = 0;
  std::uint16_t packet_count = 0;
  std::uint32_t reference_time = 0;
  std::uint8_t feedback_count = 0;
};

// Calls `visit(sequence, received, arrival_us)` for every packet; arrival_us counts from the reference time's
// epoch. nullopt when malformed (packets visited before the fault stand).
template <class Visit>
std::optional<TransportCcSummary> read_transport_cc(base::Bytes fci, Visit&& visit);

namespace detail {
// Expands the status symbols (0 lost, 1 small delta, 2 large or negative delta) of the chunks; false when
// they end too early.
bool next_chunk_symbols(base::ByteReader& in, std::array<std::uint8_t, 14>& symbols, std::size_t& count,
                        std::uint8_t& run_symbol, std::size_t& run);
}  // namespace detail

template <class Visit>
std::optional<TransportCcSummary> read_transport_cc(base::Bytes fci, Visit&& visit) {
  base::ByteReader in(fci);
  TransportCcSummary s;
  s.base_sequence = in.u16();
  s.packet_count = in.u16();
  s.reference_time = in.u24();
  s.feedback_count = in.u8();
  if (!in.ok()) return std::nullopt;

  // First pass: where the deltas start.
  std::array<std::uint8_t, 14> symbols{};
  std::size_t count = 0, run = 0, seen = 0;
  std::uint8_t run_symbol = 0;
  const auto chunks_at = in.position();
  while (seen < s.packet_count) {
    if (!detail::next_chunk_symbols(in, symbols, count, run_symbol, run)) return std::nullopt;
    seen += run > 0 ? run : count;
  }
  base::ByteReader deltas(fci);
  deltas.skip(in.position());
  base::ByteReader chunks(fci);
  chunks.skip(chunks_at);

  std::int64_t time_us = std::int64_t{s.reference_time} * 64'000;
  seen = 0;
  while (seen < s.packet_count) {
    detail::next_chunk_symbols(chunks, symbols, count, run_symbol, run);
    const auto n = run > 0 ? run : count;
    for (std::size_t i = 0; i < n && seen < s.packet_count; ++i, ++seen) {
      const auto symbol = run > 0 ? run_symbol : symbols[i];
      const bool received = symbol == 1 || symbol == 2;
      if (symbol == 1) time_us += std::int64_t{deltas.u8()} * 250;
      if (symbol == 2) time_us += std::int64_t{static_cast<std::int16_t>(deltas.u16())} * 250;
      if (!deltas.ok()) return std::nullopt;
      visit(static_cast<std::uint16_t>(s.base_sequence + seen), received,
            received ? time_us : std::int64_t{0});
    }
  }
  return s;
}

}  // namespace rtc
