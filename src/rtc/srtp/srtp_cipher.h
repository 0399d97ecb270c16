// The per-packet cryptography of SRTP for one direction and one kind, RTP or RTCP (RFC 3711 §4.1.1 and
// §4.2.1, RFC 7714 §8 and §9). Stateless between packets: the index (rollover counter and sequence number, or
// SRTCP index) is the caller's. Keyed once; no allocation per packet.
#pragma once

#include <openssl/evp.h>

#include <array>
#include <cstdint>
#include <memory>
#include <optional>

#include "base/bytes.h"
#include "rtc/srtp/srtp_keys.h"

namespace rtc {

// Length of the fixed header, CSRCs and extension: what stays in clear. nullopt when it is not RTP or does
// not fit.
std::optional<std::size_t> rtp_header_length(base::Bytes packet);

inline constexpr std::size_t kRtcpClearHeader = 8;
inline constexpr std::uint32_t kSrtcpMaxIndex = 0x7FFFFFFF;
constexpr std::size_t srtp_tag_size(SrtpProfile profile) {
  return profile == SrtpProfile::kAeadAes128Gcm ? 16 : 10;
}

// HMAC-SHA1 with the padded key hashed at the start of each message: EVP in OpenSSL 3.0 allocates when a
// started digest is copied, so two more SHA-1 blocks are the cheaper way.
class HmacSha1 {
 public:
  explicit HmacSha1(base::Bytes key);  // <= 64 bytes
  using Tag = std::array<std::uint8_t, 20>;
  Tag compute(base::Bytes a, base::Bytes b);

 private:
  struct Delete {
    void operator()(EVP_MD* p) const { EVP_MD_free(p); }
    void operator()(EVP_MD_CTX* p) const { EVP_MD_CTX_free(p); }
  };
  std::unique_ptr<EVP_MD, Delete> sha1_;
  std::unique_ptr<EVP_MD_CTX, Delete> ctx_;
  std::array<std::uint8_t, 64> inner_{};
  std::array<std::uint8_t, 64> outer_{};
};

class SrtpCipher {
 public:
  enum class Direction { kSeal, kOpen };
  SrtpCipher(SrtpProfile profile, Direction direction, const SrtpSessionKeys& keys);

  // `index` is ROC << 16 | SEQ; `header` from rtp_header_length(). `out` holds plain.size() + tag. Returns
  // the sealed length, 0 on failure.
  std::size_t seal_rtp(base::Bytes plain, std::size_t header, std::uint64_t index, base::MutableBytes out);
  // In place. The plain length, 0 when the tag is wrong.
  std::size_t open_rtp(base::MutableBytes packet, std::size_t header, std::uint64_t index);

  std::size_t seal_rtcp(base::Bytes plain, std::uint32_t index, base::MutableBytes out);
  // In place; the index is the packet's own, and the encryption bit is set.
  std::size_t open_rtcp(base::MutableBytes packet);

 private:
  using Iv = std::array<std::uint8_t, 16>;
  Iv make_iv(std::uint32_t ssrc, std::uint64_t index) const;
  Iv make_gcm_iv(std::uint32_t ssrc, std::uint64_t index) const;
  bool gcm_seal(const Iv& iv, base::Bytes clear, base::Bytes trailer, base::Bytes plain, std::uint8_t* out);
  bool gcm_open(const Iv& iv, base::Bytes clear, base::Bytes trailer, base::MutableBytes sealed,
                base::Bytes tag);
  bool ctr(const Iv& iv, base::Bytes in, std::uint8_t* out);

  struct Delete {
    void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  };
  const SrtpProfile profile_;
  std::array<std::uint8_t, 14> salt_{};
  std::unique_ptr<EVP_CIPHER_CTX, Delete> ctx_;
  std::optional<HmacSha1> hmac_;
};

}  // namespace rtc
