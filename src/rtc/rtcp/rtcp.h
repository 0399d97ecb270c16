// RTCP (RFC 3550 §6, RFC 4585, RFC 5104, RFC 5506): a bounded reader over a compound packet and builders into
// caller-owned buffers. No allocation. A malformed block ends the walk; what came before it counts.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "base/bytes.h"

namespace rtc {

namespace rtcp_type {
inline constexpr std::uint8_t kSenderReport = 200, kReceiverReport = 201, kSdes = 202, kBye = 203,
                              kTransportFeedback = 205, kPayloadFeedback = 206;
}  // namespace rtcp_type

struct RtcpBlock {
  std::uint8_t type = 0;
  std::uint8_t count = 0;  // report count or feedback format
  base::Bytes body;        // after the common header, without padding
};

// Walks the blocks of a compound packet.
class RtcpReader {
 public:
  explicit RtcpReader(base::Bytes packet) : rest_(packet) {}
  std::optional<RtcpBlock> next();

 private:
  base::Bytes rest_;
};

// 64-bit NTP time, RFC 3550 §4.
using NtpTime = std::uint64_t;
constexpr std::uint32_t ntp_middle(NtpTime t) {
  return static_cast<std::uint32_t>(t >> 16);
}

struct SenderInfo {
  std::uint32_t ssrc = 0;
  NtpTime ntp = 0;
  std::uint32_t rtp_timestamp = 0;
  std::uint32_t packets = 0;
  std::uint32_t octets = 0;
};

struct ReportBlock {
  std::uint32_t ssrc = 0;
  std::uint8_t fraction_lost = 0;
  std::int32_t cumulative_lost = 0;
  std::uint32_t highest_sequence = 0;
  std::uint32_t jitter = 0;
  std::uint32_t last_sr = 0;
  std::uint32_t delay_since_last_sr = 0;
};

std::optional<SenderInfo> read_sender_info(const RtcpBlock& block);

// Report blocks of an SR or RR.
template <class Visit>
void for_each_report(const RtcpBlock& block, Visit&& visit) {
  base::ByteReader in(block.body);
  in.skip(block.type == rtcp_type::kSenderReport ? 24 : 4);
  for (int i = 0; i < block.count && in.ok() && in.remaining() >= 24; ++i) {
    ReportBlock r;
    r.ssrc = in.u32();
    r.fraction_lost = in.u8();
    const auto lost = in.u24();
    r.cumulative_lost = static_cast<std::int32_t>((lost & 0x800000) != 0 ? lost | 0xFF000000 : lost);
    r.highest_sequence = in.u32();
    r.jitter = in.u32();
    r.last_sr = in.u32();
    r.delay_since_last_sr = in.u32();
    visit(r);
  }
}

template <class Visit>
void for_each_bye(const RtcpBlock& block, Visit&& visit) {
  base::ByteReader in(block.body);
  for (int i = 0; i < block.count && in.remaining() >= 4; ++i) visit(in.u32());
}

enum class FeedbackKind { kNack, kPli, kFir, kRemb, kTransportCc, kOther };
struct Feedback {
  FeedbackKind kind = FeedbackKind::kOther;
  std::uint32_t sender_ssrc = 0;
  std::uint32_t media_ssrc = 0;
  base::Bytes fci;
};
std::optional<Feedback> read_feedback(const RtcpBlock& block);

// Sequence numbers asked for by a generic NACK (RFC 4585 §6.2.1), in order of appearance.
template <class Visit>
void for_each_nack(base::Bytes fci, Visit&& visit) {
  base::ByteReader in(fci);
  while (in.remaining() >= 4) {
    const auto pid = in.u16();
    const auto mask = in.u16();
    visit(pid);
    for (unsigned bit = 0; bit < 16; ++bit) {
      if ((mask >> bit & 1) != 0) visit(static_cast<std::uint16_t>(pid + bit + 1));
    }
  }
}

// The ssrcs a FIR asks a key frame of (RFC 5104 §4.3.1).
template <class Visit>
void for_each_fir(base::Bytes fci, Visit&& visit) {
  base::ByteReader in(fci);
  while (in.remaining() >= 8) {
    visit(in.u32());
    in.skip(4);
  }
}

// draft-alvestrand-rmcat-remb-03: bits per second; nullopt when it is none.
std::optional<std::uint64_t> read_remb(base::Bytes fci);

// Each returns the bytes written, 0 when `out` is too small.
std::size_t write_sender_report(base::MutableBytes out, const SenderInfo& info);
std::size_t write_receiver_report(base::MutableBytes out, std::uint32_t ssrc,
                                  std::span<const ReportBlock> reports);  // <= 31
std::size_t write_sdes_cname(base::MutableBytes out, std::uint32_t ssrc, std::string_view cname);
std::size_t write_bye(base::MutableBytes out, std::uint32_t ssrc);
std::size_t write_pli(base::MutableBytes out, std::uint32_t sender, std::uint32_t media);
std::size_t write_fir(base::MutableBytes out, std::uint32_t sender, std::uint32_t media,
                      std::uint8_t command);
// `sequences` in rising order. Packs as many as fit.
std::size_t write_nack(base::MutableBytes out, std::uint32_t sender, std::uint32_t media,
                       std::span<const std::uint16_t> sequences);

}  // namespace rtc
