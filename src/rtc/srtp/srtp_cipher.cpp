#include "rtc/srtp/srtp_cipher.h"

#include <openssl/crypto.h>

#include <algorithm>

namespace rtc {
namespace {

std::uint32_t read_u32(base::Bytes bytes, std::size_t at) {
  return base::ByteReader(bytes.subspan(at)).u32();
}

std::array<std::uint8_t, 4> big_endian(std::uint32_t v) {
  return {static_cast<std::uint8_t>(v >> 24), static_cast<std::uint8_t>(v >> 16),
          static_cast<std::uint8_t>(v >> 8), static_cast<std::uint8_t>(v)};
}

}  // namespace

std::optional<std::size_t> rtp_header_length(base::Bytes packet) {
  base::ByteReader in(packet);
  const unsigned first = in.u8();
  in.skip(11);
  in.skip(4U * (first & 15U));
  if ((first & 0x10U) != 0) {
    in.skip(2);
    in.skip(4U * in.u16());
  }
  if (!in.ok() || first >> 6 != 2) return std::nullopt;
  return in.position();
}

HmacSha1::HmacSha1(base::Bytes key) : sha1_(EVP_MD_fetch(nullptr, "SHA1", nullptr)), ctx_(EVP_MD_CTX_new()) {
  inner_.fill(0x36);
  outer_.fill(0x5c);
  for (std::size_t i = 0; i < std::min(key.size(), inner_.size()); ++i) {
    inner_[i] ^= key[i];
    outer_[i] ^= key[i];
  }
  EVP_DigestInit_ex(ctx_.get(), sha1_.get(), nullptr);
}

HmacSha1::Tag HmacSha1::compute(base::Bytes a, base::Bytes b) {
  Tag tag{};
  auto* ctx = ctx_.get();
  EVP_DigestInit_ex(ctx, nullptr, nullptr);
  EVP_DigestUpdate(ctx, inner_.data(), inner_.size());
  EVP_DigestUpdate(ctx, a.data(), a.size());
  EVP_DigestUpdate(ctx, b.data(), b.size());
  EVP_DigestFinal_ex(ctx, tag.data(), nullptr);
  EVP_DigestInit_ex(ctx, nullptr, nullptr);
  EVP_DigestUpdate(ctx, outer_.data(), outer_.size());
  EVP_DigestUpdate(ctx, tag.data(), tag.size());
  EVP_DigestFinal_ex(ctx, tag.data(), nullptr);
  return tag;
}

SrtpCipher::SrtpCipher(SrtpProfile profile, Direction direction, const SrtpSessionKeys& keys)
    : profile_(profile), salt_(keys.salt), ctx_(EVP_CIPHER_CTX_new()) {
  if (profile == SrtpProfile::kAeadAes128Gcm) {
    EVP_CipherInit_ex(ctx_.get(), EVP_aes_128_gcm(), nullptr, keys.cipher.data(), nullptr,
                      direction == Direction::kSeal ? 1 : 0);
  } else {
    EVP_CipherInit_ex(ctx_.get(), EVP_aes_128_ctr(), nullptr, keys.cipher.data(), nullptr, 1);
    hmac_.emplace(keys.auth);
  }
}

// RFC 3711 §4.1.1: salt * 2^16 XOR SSRC * 2^64 XOR index * 2^16
SrtpCipher::Iv SrtpCipher::make_iv(std::uint32_t ssrc, std::uint64_t index) const {
  Iv iv{};
  std::copy(salt_.begin(), salt_.end(), iv.begin());
  for (std::size_t i = 0; i < 4; ++i) iv[4 + i] ^= static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  for (std::size_t i = 0; i < 6; ++i) iv[8 + i] ^= static_cast<std::uint8_t>(index >> (40 - 8 * i));
  return iv;
}

// RFC 7714 §8.1: 00 00 | SSRC | ROC | SEQ, and §9.1: 00 00 | SSRC | 00 00 | index; both are the SSRC and a
// 48-bit number.
SrtpCipher::Iv SrtpCipher::make_gcm_iv(std::uint32_t ssrc, std::uint64_t index) const {
  Iv iv{};
  std::copy_n(salt_.begin(), 12, iv.begin());
  for (std::size_t i = 0; i < 4; ++i) iv[2 + i] ^= static_cast<std::uint8_t>(ssrc >> (24 - 8 * i));
  for (std::size_t i = 0; i < 6; ++i) iv[6 + i] ^= static_cast<std::uint8_t>(index >> (40 - 8 * i));
  return iv;
}

bool SrtpCipher::gcm_seal(const Iv& iv, base::Bytes clear, base::Bytes trailer, base::Bytes plain,
                          std::uint8_t* out) {
  auto* ctx = ctx_.get();
  int n = 0;
  if (EVP_EncryptInit_ex(ctx, nullptr, nullptr, nullptr, iv.data()) != 1) return false;
  if (EVP_EncryptUpdate(ctx, nullptr, &n, clear.data(), static_cast<int>(clear.size())) != 1) return false;
  if (!trailer.empty() &&
      EVP_EncryptUpdate(ctx, nullptr, &n, trailer.data(), static_cast<int>(trailer.size())) != 1)
    return false;
  if (!plain.empty() && EVP_EncryptUpdate(ctx, out, &n, plain.data(), static_cast<int>(plain.size())) != 1)
    return false;
  if (EVP_EncryptFinal_ex(ctx, out + plain.size(), &n) != 1) return false;
  return EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, out + plain.size()) == 1;
}

bool SrtpCipher::gcm_open(const Iv& iv, base::Bytes clear, base::Bytes trailer, base::MutableBytes sealed,
                          base::Bytes tag) {
  auto* ctx = ctx_.get();
  int n = 0;
  std::array<std::uint8_t, 16> given{};
  std::copy_n(tag.begin(), given.size(), given.begin());
  if (EVP_DecryptInit_ex(ctx, nullptr, nullptr, nullptr, iv.data()) != 1) return false;
  if (EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, given.data()) != 1) return false;
  if (EVP_DecryptUpdate(ctx, nullptr, &n, clear.data(), static_cast<int>(clear.size())) != 1) return false;
  if (!trailer.empty() &&
      EVP_DecryptUpdate(ctx, nullptr, &n, trailer.data(), static_cast<int>(trailer.size())) != 1)
    return false;
  if (!sealed.empty() &&
      EVP_DecryptUpdate(ctx, sealed.data(), &n, sealed.data(), static_cast<int>(sealed.size())) != 1)
    return false;
  std::array<std::uint8_t, 16> rest;
  return EVP_DecryptFinal_ex(ctx, rest.data(), &n) == 1;
}

bool SrtpCipher::ctr(const Iv& iv, base::Bytes in, std::uint8_t* out) {
  if (in.empty()) return true;
  int n = 0;
  return EVP_EncryptInit_ex(ctx_.get(), nullptr, nullptr, nullptr, iv.data()) == 1 &&
         EVP_EncryptUpdate(ctx_.get(), out, &n, in.data(), static_cast<int>(in.size())) == 1;
}

std::size_t SrtpCipher::seal_rtp(base::Bytes plain, std::size_t header, std::uint64_t index,
                                 base::MutableBytes out) {
  const auto tag_size = srtp_tag_size(profile_);
  if (header < 12 || header > plain.size() || out.size() < plain.size() + tag_size) return 0;
  const auto ssrc = read_u32(plain, 8);
  const auto clear = plain.first(header);
  std::copy(clear.begin(), clear.end(), out.begin());
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    if (!gcm_seal(make_gcm_iv(ssrc, index), clear, {}, plain.subspan(header), out.data() + header)) return 0;
  } else {
    if (!ctr(make_iv(ssrc, index), plain.subspan(header), out.data() + header)) return 0;
    const auto tag =
        hmac_->compute(out.first(plain.size()), big_endian(static_cast<std::uint32_t>(index >> 16)));
    std::copy_n(tag.begin(), tag_size, out.begin() + static_cast<std::ptrdiff_t>(plain.size()));
  }
  return plain.size() + tag_size;
}

std::size_t SrtpCipher::open_rtp(base::MutableBytes packet, std::size_t header, std::uint64_t index) {
  const auto tag_size = srtp_tag_size(profile_);
  if (header < 12 || packet.size() < header + tag_size) return 0;
  const auto size = packet.size() - tag_size;
  const auto ssrc = read_u32(packet, 8);
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    if (!gcm_open(make_gcm_iv(ssrc, index), packet.first(header), {}, packet.subspan(header, size - header),
                  packet.subspan(size)))
      return 0;
    return size;
  }
  const auto tag = hmac_->compute(packet.first(size), big_endian(static_cast<std::uint32_t>(index >> 16)));
  if (CRYPTO_memcmp(tag.data(), packet.data() + size, tag_size) != 0) return 0;
  return ctr(make_iv(ssrc, index), packet.subspan(header, size - header), packet.data() + header) ? size : 0;
}

std::size_t SrtpCipher::seal_rtcp(base::Bytes plain, std::uint32_t index, base::MutableBytes out) {
  const auto tag_size = srtp_tag_size(profile_);
  if (plain.size() < kRtcpClearHeader || index > kSrtcpMaxIndex || out.size() < plain.size() + tag_size + 4)
    return 0;
  const auto ssrc = read_u32(plain, 4);
  const auto clear = plain.first(kRtcpClearHeader);
  const auto body = plain.subspan(kRtcpClearHeader);
  const auto word = big_endian(0x80000000U | index);
  std::copy(clear.begin(), clear.end(), out.begin());
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    // The tag follows the ciphertext, the index comes last (RFC 7714 §9.2).
    if (!gcm_seal(make_gcm_iv(ssrc, index), clear, word, body, out.data() + kRtcpClearHeader)) return 0;
    std::copy(word.begin(), word.end(), out.begin() + static_cast<std::ptrdiff_t>(plain.size() + tag_size));
  } else {
    // The index follows the ciphertext and is authenticated, the tag comes last (RFC 3711 §3.4).
    if (!ctr(make_iv(ssrc, index), body, out.data() + kRtcpClearHeader)) return 0;
    std::copy(word.begin(), word.end(), out.begin() + static_cast<std::ptrdiff_t>(plain.size()));
    const auto tag = hmac_->compute(out.first(plain.size() + 4), {});
    std::copy_n(tag.begin(), tag_size, out.begin() + static_cast<std::ptrdiff_t>(plain.size() + 4));
  }
  return plain.size() + tag_size + 4;
}

std::size_t SrtpCipher::open_rtcp(base::MutableBytes packet) {
  const auto tag_size = srtp_tag_size(profile_);
  if (packet.size() < kRtcpClearHeader + tag_size + 4) return 0;
  const auto size = packet.size() - tag_size - 4;
  const auto ssrc = read_u32(packet, 4);
  const auto body = packet.subspan(kRtcpClearHeader, size - kRtcpClearHeader);
  if (profile_ == SrtpProfile::kAeadAes128Gcm) {
    const auto word = packet.subspan(size + tag_size, 4);
    const auto index = read_u32(word, 0) & kSrtcpMaxIndex;
    return gcm_open(make_gcm_iv(ssrc, index), packet.first(kRtcpClearHeader), word, body,
                    packet.subspan(size, tag_size))
               ? size
               : 0;
  }
  const auto index = read_u32(packet, size) & kSrtcpMaxIndex;
  const auto tag = hmac_->compute(packet.first(size + 4), {});
  if (CRYPTO_memcmp(tag.data(), packet.data() + size + 4, tag_size) != 0) return 0;
  return ctr(make_iv(ssrc, index), body, body.data()) ? size : 0;
}

}  // namespace rtc
