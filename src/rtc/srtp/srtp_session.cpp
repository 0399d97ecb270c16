#include "rtc/srtp/srtp_session.h"

#include <algorithm>

namespace rtc {

std::uint64_t estimate_srtp_index(std::uint64_t highest, std::uint16_t sequence) {
  const auto last = static_cast<std::uint16_t>(highest);
  auto roc = highest >> 16;
  if (last < 0x8000) {
    if (sequence > last && sequence - last > 0x8000 && roc > 0) --roc;
  } else if (last - 0x8000 > sequence) {
    ++roc;
  }
  return roc << 16 | sequence;
}

bool ReplayWindow::is_new(std::uint64_t index) const {
  if (!started_ || index > highest_) return true;
  if (highest_ - index >= kSize) return false;
  return (bits_[index % kSize / 64] >> (index % 64) & 1U) == 0;
}

void ReplayWindow::mark(std::uint64_t index) {
  if (!started_) {
    started_ = true;
    highest_ = index;
  } else if (index > highest_) {
    if (index - highest_ >= kSize) {
      bits_.fill(0);
    } else {
      for (auto i = highest_ + 1; i <= index; ++i) bits_[i % kSize / 64] &= ~(std::uint64_t{1} << (i % 64));
    }
    highest_ = index;
  }
  bits_[index % kSize / 64] |= std::uint64_t{1} << (index % 64);
}

SrtpSender::SrtpSender(SrtpProfile profile, const SrtpMasterKey& master)
    : rtp_(profile, SrtpCipher::Direction::kSeal, derive_srtp_keys(master, SrtpKind::kRtp)),
      rtcp_(profile, SrtpCipher::Direction::kSeal, derive_srtp_keys(master, SrtpKind::kRtcp)) {}

std::size_t SrtpSender::seal_rtp(base::Bytes plain, base::MutableBytes out) {
  const auto header = rtp_header_length(plain);
  if (!header) return 0;
  base::ByteReader in(plain);
  in.skip(2);
  const auto sequence = in.u16();
  in.skip(4);
  const auto ssrc = in.u32();
  auto* stream = streams_.find(ssrc);
  if (stream == nullptr) {
    stream = streams_.insert(ssrc);
    if (stream == nullptr) return 0;
    stream->highest = sequence;
  }
  const auto index = estimate_srtp_index(stream->highest, sequence);
  stream->highest = std::max(stream->highest, index);
  return rtp_.seal_rtp(plain, *header, index, out);
}

std::size_t SrtpSender::seal_rtcp(base::Bytes plain, base::MutableBytes out) {
  if (rtcp_index_ >= kSrtcpMaxIndex) return 0;
  const auto size = rtcp_.seal_rtcp(plain, rtcp_index_, out);
  if (size != 0) ++rtcp_index_;
  return size;
}

SrtpReceiver::SrtpReceiver(SrtpProfile profile, const SrtpMasterKey& master)
    : rtp_(profile, SrtpCipher::Direction::kOpen, derive_srtp_keys(master, SrtpKind::kRtp)),
      rtcp_(profile, SrtpCipher::Direction::kOpen, derive_srtp_keys(master, SrtpKind::kRtcp)),
      profile_(profile) {}

SrtpReceiver::Opened SrtpReceiver::open_rtp(base::MutableBytes packet) {
  const auto header = rtp_header_length(packet);
  if (!header || packet.size() < *header + srtp_tag_size(profile_)) return {Status::kMalformed, 0};
  base::ByteReader in(packet);
  in.skip(2);
  const auto sequence = in.u16();
  in.skip(4);
  const auto ssrc = in.u32();
  auto* window = rtp_streams_.find(ssrc);
  if (window == nullptr && rtp_streams_.size() >= kMaxSsrcs) return {Status::kTooManySsrcs, 0};
  const auto index = window == nullptr ? sequence : estimate_srtp_index(window->highest(), sequence);
  if (window != nullptr && !window->is_new(index)) return {Status::kReplayed, 0};
  const auto size = rtp_.open_rtp(packet, *header, index);
  if (size == 0) return {Status::kAuthFailed, 0};
  if (window == nullptr) window = rtp_streams_.insert(ssrc);
  window->mark(index);
  return {Status::kOk, size};
}

SrtpReceiver::Opened SrtpReceiver::open_rtcp(base::MutableBytes packet) {
  const auto tag_size = srtp_tag_size(profile_);
  if (packet.size() < kRtcpClearHeader + tag_size + 4 || packet[0] >> 6 != 2) return {Status::kMalformed, 0};
  base::ByteReader in(packet);
  in.skip(4);
  const auto ssrc = in.u32();
  const bool index_last = profile_ == SrtpProfile::kAeadAes128Gcm;
  base::ByteReader trailer(packet.last(index_last ? 4 : 4 + tag_size));
  const auto word = trailer.u32();
  if ((word & 0x80000000U) == 0) return {Status::kMalformed, 0};
  const auto index = word & kSrtcpMaxIndex;
  auto* window = rtcp_streams_.find(ssrc);
  if (window == nullptr && rtcp_streams_.size() >= kMaxSsrcs) return {Status::kTooManySsrcs, 0};
  if (window != nullptr && !window->is_new(index)) return {Status::kReplayed, 0};
  const auto size = rtcp_.open_rtcp(packet);
  if (size == 0) return {Status::kAuthFailed, 0};
  if (window == nullptr) window = rtcp_streams_.insert(ssrc);
  window->mark(index);
  return {Status::kOk, size};
}

}  // namespace rtc
