#include "rtc/rtcp/transport_cc.h"

#include <algorithm>

namespace rtc {
namespace detail {

bool next_chunk_symbols(base::ByteReader& in, std::array<std::uint8_t, 14>& symbols, std::size_t& count,
                        std::uint8_t& run_symbol, std::size_t& run) {
  const unsigned chunk = in.u16();
  if (!in.ok()) return false;
  run = 0;
  count = 0;
  if ((chunk & 0x8000) == 0) {  // run length: 2-bit symbol, 13-bit length
    run_symbol = static_cast<std::uint8_t>(chunk >> 13 & 3);
    run = chunk & 0x1FFF;
    return run > 0;
  }
  const bool two_bit = (chunk & 0x4000) != 0;
  count = two_bit ? 7 : 14;
  for (std::size_t i = 0; i < count; ++i) {
    symbols[i] = static_cast<std::uint8_t>(two_bit ? chunk >> (12 - 2 * i) & 3 : chunk >> (13 - i) & 1);
  }
  return true;
}

}  // namespace detail

void TransportCcRecorder::on_packet(std::uint16_t sequence, base::SteadyTime arrival) {
  const bool first = !sequences_.started();
  const auto previous = sequences_.last();
  const auto n = sequences_.unwrap(sequence);
  if (first) {
    arrival_us_.fill(kMissing);
    next_ = n;
  } else if (n > previous) {
    // A jump past the window forgets everything before it.
    const auto from = std::max(previous + 1, n - static_cast<std::int64_t>(kWindow) + 1);
    for (auto i = from; i < n; ++i) slot(i) = kMissing;
    next_ = std::max(next_, n - static_cast<std::int64_t>(kWindow) + 1);
  } else if (n < next_) {
    return;  // already reported
  }
  slot(n) = arrival.us;
  has_new_ = true;
}

std::size_t TransportCcRecorder::write_feedback(base::MutableBytes buffer, std::uint32_t sender,
                                                std::uint32_t media) {
  if (!pending()) return 0;
  // A packet covers at most so many numbers that chunks of seven and large deltas fit one datagram.
  constexpr std::int64_t kMaxPackets = 350;
  const auto first = next_;
  auto end = std::min(sequences_.last() + 1, first + kMaxPackets);

  auto base_us = kMissing;
  for (auto n = first; n < end && base_us < 0; ++n) base_us = slot(n);
  if (base_us < 0) {  // nothing but losses in reach: they are told when something arrives behind them
    next_ = end;
    return write_feedback(buffer, sender, media);
  }
  const auto reference = base_us / 64'000;

  std::array<std::uint8_t, kMaxPackets> symbols{};
  std::array<std::int16_t, kMaxPackets> deltas{};
  auto time = reference * 256;  // in 250 us units
  std::size_t count = 0;
  for (auto n = first; n < end; ++n, ++count) {
    const auto at = slot(n);
    if (at < 0) continue;
    const auto delta = at / 250 - time;
    if (delta < -32768 || delta > 32767) {
      end = n;
      break;
    }
    symbols[count] = delta >= 0 && delta <= 255 ? 1 : 2;
    deltas[count] = static_cast<std::int16_t>(delta);
    time += delta;
  }

  base::ByteWriter out(buffer);
  out.u8(0x80 | 15);
  out.u8(205);
  out.u16(0);
  out.u32(sender);
  out.u32(media);
  out.u16(static_cast<std::uint16_t>(first));
  out.u16(static_cast<std::uint16_t>(count));
  out.u24(static_cast<std::uint32_t>(reference) & 0xFFFFFF);
  out.u8(feedback_count_++);
  for (std::size_t i = 0; i < count;) {
    std::size_t run = 1;
    while (i + run < count && symbols[i + run] == symbols[i]) ++run;
    if (run >= 7) {
      out.u16(static_cast<std::uint16_t>(unsigned{symbols[i]} << 13 | run));
      i += run;
      continue;
    }
    unsigned chunk = 0xC000;
    for (std::size_t k = 0; k < 7 && i + k < count; ++k) chunk |= unsigned{symbols[i + k]} << (12 - 2 * k);
    out.u16(static_cast<std::uint16_t>(chunk));
    i += std::min<std::size_t>(7, count - i);
  }
  for (std::size_t i = 0; i < count; ++i) {
    if (symbols[i] == 1) out.u8(static_cast<std::uint8_t>(deltas[i]));
    if (symbols[i] == 2) out.u16(static_cast<std::uint16_t>(deltas[i]));
  }
  out.zeros((4 - out.size() % 4) % 4);
  out.patch_u16(2, static_cast<std::uint16_t>(out.size() / 4 - 1));
  next_ = end;
  has_new_ = end <= sequences_.last();
  return out.ok() ? out.size() : 0;
}

}  // namespace rtc
