// SRTP profiles and keys: what DTLS exports (RFC 5764 §4.2) and what packets are sealed with (RFC 3711 §4.3,
// RFC 7714 §11). Values, no state.
#pragma once

#include <array>
#include <cstdint>

#include "base/bytes.h"

namespace rtc {

enum class SrtpProfile { kAeadAes128Gcm, kAes128CmSha1_80 };

inline constexpr std::size_t kSrtpKeySize = 16;
constexpr std::size_t srtp_salt_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes128Gcm ? 12 : 14;
}

// GCM uses the first 12 bytes of a salt; the rest is zero.
struct SrtpMasterKey {
  std::array<std::uint8_t, kSrtpKeySize> key{};
  std::array<std::uint8_t, 14> salt{};
};

// Session keys of one direction for either RTP or RTCP. `auth` is unused by GCM.
struct SrtpSessionKeys {
  std::array<std::uint8_t, kSrtpKeySize> cipher{};
  std::array<std::uint8_t, 14> salt{};
  std::array<std::uint8_t, 20> auth{};
};

enum class SrtpKind { kRtp, kRtcp };

// RFC 3711 §4.3 with key_derivation_rate 0. For GCM the 12-byte salt is padded with zeros on the right (RFC
// 7714 §11).
SrtpSessionKeys derive_srtp_keys(const SrtpMasterKey& master, SrtpKind kind);
// The AES-CM pseudo-random function for one label, for any length up to 256.
void derive_srtp_key(const SrtpMasterKey& master, std::uint8_t label, base::MutableBytes out);

}  // namespace rtc
