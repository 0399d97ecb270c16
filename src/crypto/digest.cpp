#include "crypto/digest.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>

#include <memory>
#include <stdexcept>

namespace crypto {

namespace {

struct MacDeleter {
  void operator()(EVP_MAC* p) const { EVP_MAC_free(p); }
  void operator()(EVP_MAC_CTX* p) const { EVP_MAC_CTX_free(p); }
};

// Fetching walks the provider's tables under a lock; once per process is enough. Immutable after
// construction.
EVP_MAC* hmac_algorithm() {
  static const std::unique_ptr<EVP_MAC, MacDeleter> mac(EVP_MAC_fetch(nullptr, "HMAC", nullptr));
  if (!mac) throw std::runtime_error("OpenSSL has no HMAC");
  return mac.get();
}

template <std::size_t N>
std::array<std::uint8_t, N> hmac(const char* digest, base::Bytes key, base::Bytes data) {
  std::array<std::uint8_t, N> out{};
  const std::unique_ptr<EVP_MAC_CTX, MacDeleter> context(EVP_MAC_CTX_new(hmac_algorithm()));
  char name[8] = {};
  std::snprintf(name, sizeof name, "%s", digest);
  const OSSL_PARAM params[] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, name, 0),
                               OSSL_PARAM_construct_end()};
  // A null key means "keep the earlier one" to OpenSSL; an empty key must still be a key.
  const std::uint8_t empty = 0;
  std::size_t written = 0;
  if (!context || EVP_MAC_init(context.get(), key.empty() ? &empty : key.data(), key.size(), params) != 1 ||
      EVP_MAC_update(context.get(), data.data(), data.size()) != 1 ||
      EVP_MAC_final(context.get(), out.data(), &written, out.size()) != 1 || written != N)
    throw std::runtime_error("HMAC failed");
  return out;
}

}  // namespace

Sha256Digest sha256(base::Bytes data) {
  Sha256Digest out{};
  unsigned int written = 0;
  if (EVP_Digest(data.data(), data.size(), out.data(), &written, EVP_sha256(), nullptr) != 1 ||
      written != out.size())
    throw std::runtime_error("SHA-256 failed");
  return out;
}

Sha256Digest hmac_sha256(base::Bytes key, base::Bytes data) {
  return hmac<32>("SHA256", key, data);
}
Sha1Digest hmac_sha1(base::Bytes key, base::Bytes data) {
  return hmac<20>("SHA1", key, data);
}

bool equal_constant_time(base::Bytes a, base::Bytes b) {
  return a.size() == b.size() && (a.empty() || CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0);
}

void SystemRandom::fill(std::span<std::uint8_t> out) {
  while (!out.empty()) {
    const std::size_t n = std::min<std::size_t>(out.size(), 1 << 20);
    if (RAND_bytes(out.data(), static_cast<int>(n)) != 1)
      throw std::runtime_error("the system has no randomness to give");
    out = out.subspan(n);
  }
}

}  // namespace crypto
