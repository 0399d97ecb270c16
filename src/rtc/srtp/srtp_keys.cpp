#include "rtc/srtp/srtp_keys.h"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>

namespace rtc {

void derive_srtp_key(const SrtpMasterKey& master, std::uint8_t label, base::MutableBytes out) {
  // x = label << 48 XOR salt (112 bits), the block counter in the last 16 bits.
  std::array<std::uint8_t, 16> iv{};
  std::copy(master.salt.begin(), master.salt.end(), iv.begin());
  iv[7] ^= label;
  std::array<std::uint8_t, 256> zeros{};
  const auto size = std::min(out.size(), zeros.size());
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&EVP_CIPHER_CTX_free)> ctx(EVP_CIPHER_CTX_new(),
                                                                            &EVP_CIPHER_CTX_free);
  int written = 0;
  EVP_EncryptInit_ex(ctx.get(), EVP_aes_128_ctr(), nullptr, master.key.data(), iv.data());
  EVP_EncryptUpdate(ctx.get(), out.data(), &written, zeros.data(), static_cast<int>(size));
}

SrtpSessionKeys derive_srtp_keys(const SrtpMasterKey& master, SrtpKind kind) {
  const std::uint8_t first = kind == SrtpKind::kRtp ? 0 : 3;
  SrtpSessionKeys keys;
  derive_srtp_key(master, first, keys.cipher);
  derive_srtp_key(master, static_cast<std::uint8_t>(first + 1), keys.auth);
  derive_srtp_key(master, static_cast<std::uint8_t>(first + 2), keys.salt);
  return keys;
}

}  // namespace rtc
