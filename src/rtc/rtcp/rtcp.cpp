#include "rtc/rtcp/rtcp.h"

#include <algorithm>

namespace rtc {
namespace {

void header(base::ByteWriter& out, std::uint8_t count, std::uint8_t type, std::size_t words_after_header) {
  out.u8(static_cast<std::uint8_t>(0x80 | count));
  out.u8(type);
  out.u16(static_cast<std::uint16_t>(words_after_header));
}

std::size_t finish(const base::ByteWriter& out) {
  return out.ok() ? out.size() : 0;
}

}  // namespace

std::optional<RtcpBlock> RtcpReader::next() {
  if (rest_.size() < 4 || rest_[0] >> 6 != 2) return std::nullopt;
  base::ByteReader in(rest_);
  const auto first = in.u8();
  RtcpBlock block;
  block.count = first & 0x1F;
  block.type = in.u8();
  const auto size = std::size_t{4} * in.u16();
  auto body = in.bytes(size);
  if (!in.ok()) return std::nullopt;
  rest_ = rest_.subspan(4 + size);
  if ((first & 0x20) != 0) {
    if (body.empty() || body.back() == 0 || body.back() > body.size()) return std::nullopt;
    body = body.first(body.size() - body.back());
  }
  block.body = body;
  return block;
}

std::optional<SenderInfo> read_sender_info(const RtcpBlock& block) {
  if (block.type != rtcp_type::kSenderReport) return std::nullopt;
  base::ByteReader in(block.body);
  SenderInfo info;
  info.ssrc = in.u32();
  info.ntp = in.u64();
  info.rtp_timestamp = in.u32();
  info.packets = in.u32();
  info.octets = in.u32();
  if (!in.ok()) return std::nullopt;
  return info;
}

std::optional<Feedback> read_feedback(const RtcpBlock& block) {
  if (block.type != rtcp_type::kTransportFeedback && block.type != rtcp_type::kPayloadFeedback)
    return std::nullopt;
  base::ByteReader in(block.body);
  Feedback f;
  f.sender_ssrc = in.u32();
  f.media_ssrc = in.u32();
  if (!in.ok()) return std::nullopt;
  f.fci = in.rest();
  if (block.type == rtcp_type::kTransportFeedback) {
    if (block.count == 1) f.kind = FeedbackKind::kNack;
    if (block.count == 15) f.kind = FeedbackKind::kTransportCc;
  } else {
    if (block.count == 1) f.kind = FeedbackKind::kPli;
    if (block.count == 4) f.kind = FeedbackKind::kFir;
    if (block.count == 15 && read_remb(f.fci)) f.kind = FeedbackKind::kRemb;
  }
  return f;
}

std::optional<std::uint64_t> read_remb(base::Bytes fci) {
  base::ByteReader in(fci);
  if (in.u32() != 0x52454D42) return std::nullopt;  // "REMB"
  in.skip(1);
  const auto value = in.u24();
  if (!in.ok()) return std::nullopt;
  const auto exponent = value >> 18;
  const std::uint64_t mantissa = value & 0x3FFFF;
  return exponent > 45 ? std::uint64_t{1} << 63 : mantissa << exponent;
}

std::size_t write_sender_report(base::MutableBytes buffer, const SenderInfo& info) {
  base::ByteWriter out(buffer);
  header(out, 0, rtcp_type::kSenderReport, 6);
  out.u32(info.ssrc);
  out.u64(info.ntp);
  out.u32(info.rtp_timestamp);
  out.u32(info.packets);
  out.u32(info.octets);
  return finish(out);
}

std::size_t write_receiver_report(base::MutableBytes buffer, std::uint32_t ssrc,
                                  std::span<const ReportBlock> reports) {
  reports = reports.first(std::min<std::size_t>(reports.size(), 31));
  base::ByteWriter out(buffer);
  header(out, static_cast<std::uint8_t>(reports.size()), rtcp_type::kReceiverReport, 1 + 6 * reports.size());
  out.u32(ssrc);
  for (const auto& r : reports) {
    out.u32(r.ssrc);
    out.u8(r.fraction_lost);
    out.u24(static_cast<std::uint32_t>(r.cumulative_lost) & 0xFFFFFF);
    out.u32(r.highest_sequence);
    out.u32(r.jitter);
    out.u32(r.last_sr);
    out.u32(r.delay_since_last_sr);
  }
  return finish(out);
}

std::size_t write_sdes_cname(base::MutableBytes buffer, std::uint32_t ssrc, std::string_view cname) {
  cname = cname.substr(0, 255);
  // Chunk: SSRC, CNAME item, at least one zero, padded to a word (RFC 3550 §6.5).
  const auto chunk = (4 + 2 + cname.size() + 1 + 3) / 4 * 4;
  base::ByteWriter out(buffer);
  header(out, 1, rtcp_type::kSdes, chunk / 4);
  out.u32(ssrc);
  out.u8(1);
  out.u8(static_cast<std::uint8_t>(cname.size()));
  out.bytes(base::as_bytes(cname));
  out.zeros(chunk - 6 - cname.size());
  return finish(out);
}

std::size_t write_bye(base::MutableBytes buffer, std::uint32_t ssrc) {
  base::ByteWriter out(buffer);
  header(out, 1, rtcp_type::kBye, 1);
  out.u32(ssrc);
  return finish(out);
}

std::size_t write_pli(base::MutableBytes buffer, std::uint32_t sender, std::uint32_t media) {
  base::ByteWriter out(buffer);
  header(out, 1, rtcp_type::kPayloadFeedback, 2);
  out.u32(sender);
  out.u32(media);
  return finish(out);
}

std::size_t write_fir(base::MutableBytes buffer, std::uint32_t sender, std::uint32_t media,
                      std::uint8_t command) {
  base::ByteWriter out(buffer);
  header(out, 4, rtcp_type::kPayloadFeedback, 4);
  out.u32(sender);
  out.u32(0);
  out.u32(media);
  out.u8(command);
  out.u24(0);
  return finish(out);
}

std::size_t write_nack(base::MutableBytes buffer, std::uint32_t sender, std::uint32_t media,
                       std::span<const std::uint16_t> sequences) {
  base::ByteWriter out(buffer);
  header(out, 1, rtcp_type::kTransportFeedback, 0);
  out.u32(sender);
  out.u32(media);
  std::size_t i = 0;
  while (i < sequences.size() && buffer.size() >= out.size() + 4) {
    const auto pid = sequences[i++];
    std::uint16_t mask = 0;
    for (; i < sequences.size(); ++i) {
      const auto distance = static_cast<std::uint16_t>(sequences[i] - pid);
      if (distance == 0 || distance > 16) break;
      mask = static_cast<std::uint16_t>(mask | 1u << (distance - 1));
    }
    out.u16(pid);
    out.u16(mask);
  }
  if (!out.ok()) return 0;
  out.patch_u16(2, static_cast<std::uint16_t>(out.size() / 4 - 1));
  return out.size();
}

}  // namespace rtc
