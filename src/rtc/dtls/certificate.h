// The OpenSSL side of a Certificate: one SSL_CTX for both roles, shared by all transports of the process.
// Internal to rtc.
#pragma once

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include <memory>
#include <string>

#include "rtc/transport.h"

namespace rtc {

struct OpenSslDelete {
  void operator()(SSL_CTX* p) const { SSL_CTX_free(p); }
  void operator()(SSL* p) const { SSL_free(p); }
  void operator()(BIO_METHOD* p) const { BIO_meth_free(p); }
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
};
template <class T>
using OpenSslPtr = std::unique_ptr<T, OpenSslDelete>;

class DtlsCertificate final : public Certificate {
 public:
  DtlsCertificate(OpenSslPtr<SSL_CTX> context, OpenSslPtr<BIO_METHOD> bio, std::string fingerprint)
      : bio_(std::move(bio)), context_(std::move(context)), fingerprint_(std::move(fingerprint)) {}
  const std::string& fingerprint() const override { return fingerprint_; }
  SSL_CTX* context() const { return context_.get(); }
  const BIO_METHOD* bio_method() const { return bio_.get(); }

 private:
  OpenSslPtr<BIO_METHOD> bio_;
  OpenSslPtr<SSL_CTX> context_;
  std::string fingerprint_;
};

// SHA-256 over the DER form; all zeros when OpenSSL fails.
std::array<std::uint8_t, 32> certificate_digest(X509* certificate);
// Called by OpenSSL while it verifies the peer's certificate; `context_argument` is unused, the Dtls object
// is the SSL's app data. In dtls.cpp.
int verify_peer_certificate(X509_STORE_CTX* store, void* context_argument);
// The datagram BIO's methods. In dtls.cpp.
OpenSslPtr<BIO_METHOD> make_datagram_bio_method();

}  // namespace rtc
