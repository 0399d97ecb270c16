#include "rtc/dtls/certificate.h"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>

#include <array>

namespace rtc {
namespace {

OpenSslPtr<X509> make_certificate(EVP_PKEY* key, base::Random& random) {
  OpenSslPtr<X509> x(X509_new());
  std::array<std::uint8_t, 16> serial{};
  random.fill(serial);
  serial[0] = static_cast<std::uint8_t>((serial[0] & 0x7F) | 0x40);
  const std::unique_ptr<BIGNUM, decltype(&BN_free)> number(
      BN_bin2bn(serial.data(), static_cast<int>(serial.size()), nullptr), &BN_free);
  if (!x || !number || X509_set_version(x.get(), X509_VERSION_3) != 1 ||
      BN_to_ASN1_INTEGER(number.get(), X509_get_serialNumber(x.get())) == nullptr) {
    return nullptr;
  }
  // Peers compare the fingerprint and nothing else (RFC 8122), so the validity is fixed: no clock is read.
  // The end is RFC 5280 §4.1.2.5's "no well-defined expiration".
  if (ASN1_TIME_set_string_X509(X509_getm_notBefore(x.get()), "20200101000000Z") != 1 ||
      ASN1_TIME_set_string_X509(X509_getm_notAfter(x.get()), "99991231235959Z") != 1) {
    return nullptr;
  }
  auto* name = X509_get_subject_name(x.get());
  const std::string common = random.text("abcdefghijklmnopqrstuvwxyz0123456789", 16);
  if (X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC,
                                 reinterpret_cast<const unsigned char*>(common.data()),
                                 static_cast<int>(common.size()), -1, 0) != 1 ||
      X509_set_issuer_name(x.get(), name) != 1 || X509_set_pubkey(x.get(), key) != 1 ||
      X509_sign(x.get(), key, EVP_sha256()) == 0) {
    return nullptr;
  }
  return x;
}

OpenSslPtr<SSL_CTX> make_context(X509* certificate, EVP_PKEY* key) {
  OpenSslPtr<SSL_CTX> ctx(SSL_CTX_new(DTLS_method()));
  if (!ctx) return nullptr;
  SSL_CTX_set_min_proto_version(ctx.get(), DTLS1_2_VERSION);
  SSL_CTX_set_max_proto_version(ctx.get(), DTLS1_2_VERSION);
  // Resumption would skip the certificate check, renegotiation would change keys under SRTP.
  SSL_CTX_set_session_cache_mode(ctx.get(), SSL_SESS_CACHE_OFF);
  SSL_CTX_set_options(ctx.get(), SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                     SSL_OP_NO_QUERY_MTU | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_read_ahead(ctx.get(), 1);
  if (SSL_CTX_use_certificate(ctx.get(), certificate) != 1 || SSL_CTX_use_PrivateKey(ctx.get(), key) != 1)
    return nullptr;
  if (SSL_CTX_set_cipher_list(
          ctx.get(),
          "ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:"
          "ECDHE-RSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305") != 1) {
    return nullptr;
  }
  if (SSL_CTX_set1_groups_list(ctx.get(), "X25519:P-256:P-384") != 1) return nullptr;
  // This call returns 0 for success.
  if (SSL_CTX_set_tlsext_use_srtp(ctx.get(), "SRTP_AEAD_AES_128_GCM:SRTP_AES128_CM_SHA1_80") != 0)
    return nullptr;
  SSL_CTX_set_verify(ctx.get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
  SSL_CTX_set_cert_verify_callback(ctx.get(), &verify_peer_certificate, nullptr);
  return ctx;
}

std::string fingerprint_text(const std::array<std::uint8_t, 32>& digest) {
  constexpr std::string_view kHex = "0123456789ABCDEF";
  std::string text;
  for (auto b : digest) {
    if (!text.empty()) text += ':';
    text += kHex[b >> 4];
    text += kHex[b & 15];
  }
  return text;
}

}  // namespace

std::array<std::uint8_t, 32> certificate_digest(X509* certificate) {
  std::array<std::uint8_t, 32> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) digest.fill(0);
  return digest;
}

base::Result<std::shared_ptr<const Certificate>> Certificate::generate(base::Random& random) {
  const auto failed = [] {
    ERR_clear_error();
    return base::fail("certificate_failed", "OpenSSL could not make the DTLS certificate.");
  };
  OpenSslPtr<EVP_PKEY> key(EVP_EC_gen("P-256"));
  if (!key) return failed();
  const auto certificate = make_certificate(key.get(), random);
  if (!certificate) return failed();
  auto context = make_context(certificate.get(), key.get());
  auto bio = make_datagram_bio_method();
  if (!context || !bio) return failed();
  return std::make_shared<const DtlsCertificate>(std::move(context), std::move(bio),
                                                 fingerprint_text(certificate_digest(certificate.get())));
}

}  // namespace rtc
