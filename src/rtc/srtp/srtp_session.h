// SRTP of one connection: a sender and a receiver that keep the rollover counters and replay windows per SSRC
// (RFC 3711 §3.3.1, §3.3.2, App. A) around the ciphers. One thread. Only the first packet of an SSRC may
// allocate.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "rtc/srtp/srtp_cipher.h"

namespace rtc {

// The 48-bit index of `sequence` when the highest one so far is `highest` (RFC 3711 §3.3.1). Before the first
// wrap a lower sequence number is never taken for a packet from before index 0.
std::uint64_t estimate_srtp_index(std::uint64_t highest, std::uint16_t sequence);

// What was received in the last kSize indices.
class ReplayWindow {
 public:
  static constexpr std::uint64_t kSize = 512;
  bool is_new(std::uint64_t index) const;  // false: seen, or too old to tell
  void mark(std::uint64_t index);
  bool started() const { return started_; }
  std::uint64_t highest() const { return highest_; }

 private:
  std::array<std::uint64_t, kSize / 64> bits_{};
  std::uint64_t highest_ = 0;
  bool started_ = false;
};

// Sorted by SSRC, at most `limit` entries.
template <class Value>
class SsrcTable {
 public:
  explicit SsrcTable(std::size_t limit) : limit_(limit) { entries_.reserve(64); }
  Value* find(std::uint32_t ssrc) {
    const auto it = lower_bound(ssrc);
    return it != entries_.end() && it->ssrc == ssrc ? &it->value : nullptr;
  }
  // `ssrc` is not in the table. nullptr: full.
  Value* insert(std::uint32_t ssrc) {
    if (entries_.size() >= limit_) return nullptr;
    return &entries_.insert(lower_bound(ssrc), {ssrc, {}})->value;
  }
  std::size_t size() const { return entries_.size(); }

 private:
  struct Entry {
    std::uint32_t ssrc;
    Value value;
  };
  auto lower_bound(std::uint32_t ssrc) {
    return std::lower_bound(entries_.begin(), entries_.end(), ssrc,
                            [](const Entry& e, std::uint32_t s) { return e.ssrc < s; });
  }
  std::vector<Entry> entries_;
  const std::size_t limit_;
};

class SrtpSender {
 public:
  // An entry must live as long as the keys: one that started over would use a nonce twice. So the table only
  // grows, and is full far beyond what a room needs.
  static constexpr std::size_t kMaxSsrcs = 4096;
  SrtpSender(SrtpProfile profile, const SrtpMasterKey& master);

  // The sealed length, 0 when the packet is malformed, does not fit, or the limit of SSRCs is reached. A
  // sequence number may be sealed again (a retransmission without RTX), but only with the very same bytes:
  // different content under one index gives the keystream away (RFC 3711 §9.1).
  std::size_t seal_rtp(base::Bytes plain, base::MutableBytes out);
  // 0 also when all 2^31 indices are used.
  std::size_t seal_rtcp(base::Bytes plain, base::MutableBytes out);

 private:
  struct Stream {
    std::uint64_t highest = 0;
  };
  SrtpCipher rtp_;
  SrtpCipher rtcp_;
  SsrcTable<Stream> streams_{kMaxSsrcs};
  std::uint32_t rtcp_index_ = 0;  // one for all SSRCs: unique for each of them
};

class SrtpReceiver {
 public:
  // Only authenticated packets make an entry; this bounds what an authenticated peer can take.
  static constexpr std::size_t kMaxSsrcs = 1024;
  enum class Status { kOk, kMalformed, kAuthFailed, kReplayed, kTooManySsrcs };
  struct Opened {
    Status status = Status::kMalformed;
    std::size_t size = 0;
  };
  SrtpReceiver(SrtpProfile profile, const SrtpMasterKey& master);

  // In place; on failure the bytes are undefined and no state has changed.
  Opened open_rtp(base::MutableBytes packet);
  // RTCP that is authenticated but not encrypted is refused (kMalformed): RFC 8827 §6.5 requires both.
  Opened open_rtcp(base::MutableBytes packet);

 private:
  SrtpCipher rtp_;
  SrtpCipher rtcp_;
  SrtpProfile profile_;
  SsrcTable<ReplayWindow> rtp_streams_{kMaxSsrcs};
  SsrcTable<ReplayWindow> rtcp_streams_{kMaxSsrcs};
};

}  // namespace rtc
