#include "rtc/dtls/dtls.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/srtp.h>
#include <openssl/x509.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <limits>
#include <optional>

#include "base/text.h"
#include "rtc/dtls/certificate.h"

namespace rtc {
namespace {

constexpr base::SteadyTime kNoTimer{std::numeric_limits<std::int64_t>::max()};
constexpr std::string_view kExporterLabel = "EXTRACTOR-dtls_srtp";  // RFC 5764 §4.2

std::optional<std::array<std::uint8_t, 32>> parse_fingerprint(std::string_view text) {
  std::string hex;
  for (auto part : base::split(text, ':')) {
    if (part.size() != 2) return std::nullopt;
    hex += part;
  }
  const auto bytes = base::from_hex(hex);
  std::array<std::uint8_t, 32> digest{};
  if (!bytes || bytes->size() != digest.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), digest.begin());
  return digest;
}

}  // namespace

struct Dtls::Impl {
  enum class State { kIdle, kHandshake, kConnected, kEnded };

  Impl(bool server, std::shared_ptr<const Certificate> shared_certificate, DtlsListener& owner)
      : is_server(server), listener(owner), certificate(std::move(shared_certificate)) {}

  bool open();
  void handshake();
  void complete();
  void read();
  void fail(std::string_view reason);
  void set_timer(timeval* openssl_timer);

  const bool is_server;
  DtlsListener& listener;
  std::shared_ptr<const Certificate> certificate;
  State state = State::kIdle;
  std::optional<std::array<std::uint8_t, 32>> expected;
  bool fingerprint_ok = false;
  bool fingerprint_differs = false;
  base::Bytes inbound;  // the datagram being handled, empty once OpenSSL took it
  base::SteadyTime now{};
  base::SteadyTime deadline = kNoTimer;
  base::Duration timeout = kFirstTimeout;
  timeval* timer = nullptr;
  OpenSslPtr<SSL> ssl;  // last: freeing it calls back into the members above
};

namespace {

Dtls::Impl* owner_of(BIO* bio) {
  return static_cast<Dtls::Impl*>(BIO_get_data(bio));
}

// OpenSSL's memory BIO is a byte stream; DTLS needs the datagrams' boundaries, so one write is one datagram
// and one read takes one whole.
int bio_write(BIO* bio, const char* data, int size) {
  if (size <= 0) return 0;
  owner_of(bio)->listener.on_dtls_send(
      {reinterpret_cast<const std::uint8_t*>(data), static_cast<std::size_t>(size)});
  return size;
}

int bio_read(BIO* bio, char* out, int size) {
  BIO_clear_retry_flags(bio);
  auto& inbound = owner_of(bio)->inbound;
  if (inbound.empty() || size <= 0) {
    BIO_set_retry_read(bio);
    return -1;
  }
  const auto n = std::min(inbound.size(), static_cast<std::size_t>(size));
  std::copy_n(inbound.begin(), n, reinterpret_cast<std::uint8_t*>(out));
  inbound = {};
  return static_cast<int>(n);
}

long bio_ctrl(BIO* bio, int command, long argument, void* pointer) {
  switch (command) {
    case BIO_CTRL_FLUSH:
      return 1;
    case BIO_CTRL_DGRAM_QUERY_MTU:
    case BIO_CTRL_DGRAM_GET_FALLBACK_MTU:
      return Dtls::kMtu;
    case BIO_CTRL_DGRAM_SET_MTU:
      return argument;
    case BIO_CTRL_DGRAM_SET_NEXT_TIMEOUT:
      owner_of(bio)->set_timer(static_cast<timeval*>(pointer));
      return 1;
    default:
      return 0;
  }
}

int bio_create(BIO* bio) {
  BIO_set_init(bio, 1);
  return 1;
}

}  // namespace

OpenSslPtr<BIO_METHOD> make_datagram_bio_method() {
  OpenSslPtr<BIO_METHOD> method(BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "datagram"));
  if (!method || BIO_meth_set_write(method.get(), &bio_write) != 1 ||
      BIO_meth_set_read(method.get(), &bio_read) != 1 || BIO_meth_set_ctrl(method.get(), &bio_ctrl) != 1 ||
      BIO_meth_set_create(method.get(), &bio_create) != 1) {
    return nullptr;
  }
  return method;
}

int verify_peer_certificate(X509_STORE_CTX* store, void*) {
  const auto* ssl =
      static_cast<const SSL*>(X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx()));
  auto* impl = ssl == nullptr ? nullptr : static_cast<Dtls::Impl*>(SSL_get_app_data(ssl));
  auto* certificate = X509_STORE_CTX_get0_cert(store);
  if (impl != nullptr && certificate != nullptr && impl->expected) {
    const auto digest = certificate_digest(certificate);
    impl->fingerprint_ok = CRYPTO_memcmp(digest.data(), impl->expected->data(), digest.size()) == 0;
  }
  if (impl != nullptr && impl->fingerprint_ok) {
    X509_STORE_CTX_set_error(store, X509_V_OK);
    return 1;
  }
  if (impl != nullptr) impl->fingerprint_differs = true;
  X509_STORE_CTX_set_error(store, X509_V_ERR_CERT_REJECTED);
  return 0;
}

// OpenSSL 3.0 reads the system's clock for its retransmission timer, and hands the BIO a pointer to the
// moment it computed. Ours is the injected clock: the real moment is pushed out of reach here and pulled into
// the past when our own deadline has come (handle_timeout). Should a later OpenSSL pass a copy instead, its
// own timer stays in force and retransmission follows the system's clock.
void Dtls::Impl::set_timer(timeval* openssl_timer) {
  timer = openssl_timer;
  if (timer == nullptr || (timer->tv_sec == 0 && timer->tv_usec == 0)) {
    deadline = kNoTimer;
    timeout = kFirstTimeout;
    return;
  }
  timer->tv_sec += 365L * 24 * 3600;
  deadline = now + timeout;
}

bool Dtls::Impl::open() {
  if (ssl) return true;
  const auto* own = dynamic_cast<const DtlsCertificate*>(certificate.get());
  if (own == nullptr) return false;
  ssl.reset(SSL_new(own->context()));
  BIO* bio = ssl ? BIO_new(own->bio_method()) : nullptr;
  if (bio == nullptr) return false;
  BIO_set_data(bio, this);
  SSL_set_bio(ssl.get(), bio, bio);
  SSL_set_app_data(ssl.get(), this);
  SSL_set_mtu(ssl.get(), kMtu);
  if (is_server) {
    SSL_set_accept_state(ssl.get());
  } else {
    SSL_set_connect_state(ssl.get());
  }
  state = State::kHandshake;
  return true;
}

void Dtls::Impl::fail(std::string_view reason) {
  if (state == State::kEnded) return;
  state = State::kEnded;
  deadline = kNoTimer;
  listener.on_dtls_failed(reason);
}

void Dtls::Impl::handshake() {
  ERR_clear_error();
  const int result = SSL_do_handshake(ssl.get());
  if (result == 1) {
    complete();
    return;
  }
  switch (SSL_get_error(ssl.get(), result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
      return;
    case SSL_ERROR_ZERO_RETURN:
      fail("closed");
      return;
    default:
      fail(fingerprint_differs ? "fingerprint" : "dtls");
  }
  ERR_clear_error();
}

void Dtls::Impl::complete() {
  if (!fingerprint_ok) {
    fail("fingerprint");
    return;
  }
  const auto* selected = SSL_get_selected_srtp_profile(ssl.get());
  if (selected == nullptr) {
    fail("dtls");
    return;
  }
  const auto profile =
      selected->id == SRTP_AEAD_AES_128_GCM ? SrtpProfile::kAeadAes128Gcm : SrtpProfile::kAes128CmSha1_80;
  const auto salt = srtp_salt_size(profile);
  // client key, server key, client salt, server salt (RFC 5764 §4.2)
  std::array<std::uint8_t, 2 * (kSrtpKeySize + 14)> material{};
  if (SSL_export_keying_material(ssl.get(), material.data(), 2 * (kSrtpKeySize + salt), kExporterLabel.data(),
                                 kExporterLabel.size(), nullptr, 0, 0) != 1) {
    fail("dtls");
    return;
  }
  base::ByteReader in(material);
  SrtpMasterKey client, server;
  std::ranges::copy(in.bytes(kSrtpKeySize), client.key.begin());
  std::ranges::copy(in.bytes(kSrtpKeySize), server.key.begin());
  std::ranges::copy(in.bytes(salt), client.salt.begin());
  std::ranges::copy(in.bytes(salt), server.salt.begin());
  OPENSSL_cleanse(material.data(), material.size());
  state = State::kConnected;
  listener.on_dtls_connected(profile, is_server ? server : client, is_server ? client : server);
}

void Dtls::Impl::read() {
  std::array<std::uint8_t, 16 * 1024> record;
  while (state == State::kConnected) {
    ERR_clear_error();
    const int n = SSL_read(ssl.get(), record.data(), static_cast<int>(record.size()));
    if (n > 0) {
      listener.on_dtls_data(base::Bytes(record).first(static_cast<std::size_t>(n)));
      continue;
    }
    switch (SSL_get_error(ssl.get(), n)) {
      case SSL_ERROR_WANT_READ:
      case SSL_ERROR_WANT_WRITE:
        return;
      case SSL_ERROR_ZERO_RETURN:
        fail("closed");
        return;
      default:
        ERR_clear_error();
        fail("dtls");
        return;
    }
  }
}

Dtls::Dtls(bool is_server, std::shared_ptr<const Certificate> certificate, DtlsListener& listener)
    : impl_(std::make_unique<Impl>(is_server, std::move(certificate), listener)) {}
Dtls::~Dtls() = default;

void Dtls::set_remote_fingerprint(std::string_view fingerprint) {
  impl_->expected = parse_fingerprint(fingerprint);
}

void Dtls::start(base::SteadyTime now) {
  if (impl_->is_server || impl_->state != Impl::State::kIdle) return;
  impl_->now = now;
  if (!impl_->open()) {
    impl_->fail("dtls");
    return;
  }
  impl_->handshake();
}

void Dtls::handle(base::Bytes datagram, base::SteadyTime now) {
  auto& d = *impl_;
  if (d.state == Impl::State::kEnded || datagram.empty() || (d.state == Impl::State::kIdle && !d.is_server))
    return;
  d.now = now;
  if (!d.open()) {
    d.fail("dtls");
    return;
  }
  d.inbound = datagram;
  if (d.state == Impl::State::kHandshake) d.handshake();
  d.read();
  d.inbound = {};
}

void Dtls::handle_timeout(base::SteadyTime now) {
  auto& d = *impl_;
  if (!d.ssl || d.state == Impl::State::kEnded || now < d.deadline) return;
  d.now = now;
  d.timeout = std::min(d.timeout * 2, kMaxTimeout);
  d.deadline = kNoTimer;  // set_timer() moves it when OpenSSL starts the timer again
  if (d.timer != nullptr) *d.timer = {1, 0};
  ERR_clear_error();
  if (DTLSv1_handle_timeout(d.ssl.get()) < 0) {
    ERR_clear_error();
    d.fail("dtls");
    return;
  }
  if (d.deadline == kNoTimer) {
    timeval left{};
    if (DTLSv1_get_timeout(d.ssl.get(), &left) == 1) d.deadline = now + d.timeout;
  }
}

base::SteadyTime Dtls::next_timeout() const {
  return impl_->deadline;
}
bool Dtls::connected() const {
  return impl_->state == Impl::State::kConnected;
}

bool Dtls::send(base::Bytes data) {
  if (!connected() || data.empty()) return false;
  ERR_clear_error();
  return SSL_write(impl_->ssl.get(), data.data(), static_cast<int>(data.size())) > 0;
}

void Dtls::close() {
  if (!impl_->ssl || impl_->state == Impl::State::kEnded) return;
  impl_->state = Impl::State::kEnded;
  impl_->deadline = kNoTimer;
  ERR_clear_error();
  SSL_shutdown(impl_->ssl.get());
  ERR_clear_error();
}

}  // namespace rtc
