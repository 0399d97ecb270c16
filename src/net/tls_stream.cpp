#include <linux/sockios.h>
#include <sys/ioctl.h>
#include <sys/stat.h>

#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>

#include "net/stream.h"
#include "telemetry/log.h"

namespace net {
namespace {

using boost::asio::ip::tcp;
namespace ssl = boost::asio::ssl;

class TlsStream final : public Stream {
 public:
  TlsStream(tcp::socket socket, ssl::context& context) : stream_(std::move(socket), context) {
    ErrorCode ignored;
    const auto endpoint = stream_.next_layer().remote_endpoint(ignored);
    if (!ignored) remote_ = to_address(endpoint);
  }

  void handshake(std::function<void(ErrorCode)> done) override {
    stream_.async_handshake(ssl::stream_base::server, std::move(done));
  }
  void read_some(char* data, std::size_t size, Done done) override {
    stream_.async_read_some(boost::asio::buffer(data, size), std::move(done));
  }
  void write_some(const char* data, std::size_t size, Done done) override {
    stream_.async_write_some(boost::asio::buffer(data, size), std::move(done));
  }
  void finish_sending(std::function<void()> done) override {
    // Also waits for the peer's close_notify, which many never send: the session's linger time cuts it off.
    stream_.async_shutdown([done = std::move(done)](ErrorCode) { done(); });
  }
  void close() override {
    ErrorCode ignored;
    stream_.next_layer().close(ignored);
  }
  std::size_t unacknowledged() override {
    int pending = 0;
    if (!stream_.next_layer().is_open() ||
        ioctl(stream_.next_layer().native_handle(), SIOCOUTQ, &pending) != 0)
      return 0;
    return static_cast<std::size_t>(std::max(0, pending));
  }
  base::SocketAddress remote() const override { return remote_; }

 private:
  ssl::stream<tcp::socket> stream_;
  base::SocketAddress remote_;
};

struct FileState {
  std::int64_t mtime_ns = 0;
  std::int64_t size = 0;
  std::uint64_t inode = 0;
  bool operator==(const FileState&) const = default;
};

FileState state_of(const std::string& path) {
  struct stat s{};
  if (stat(path.c_str(), &s) != 0) return {};
  return {s.st_mtim.tv_sec * 1'000'000'000LL + s.st_mtim.tv_nsec, s.st_size, s.st_ino};
}

// RFC 7301: only HTTP/1.1 is spoken here; a client that offers others as well is told so.
int select_alpn(SSL*, const unsigned char** out, unsigned char* out_length, const unsigned char* in,
                unsigned int in_length, void*) {
  static constexpr std::array<unsigned char, 9> kHttp11{8, 'h', 't', 't', 'p', '/', '1', '.', '1'};
  unsigned char* selected = nullptr;
  if (SSL_select_next_proto(&selected, out_length, kHttp11.data(), kHttp11.size(), in, in_length) !=
      OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_NOACK;
  *out = selected;
  return SSL_TLSEXT_ERR_OK;
}

base::Result<std::shared_ptr<ssl::context>> load(const std::string& certificate, const std::string& key) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls_server);
  SSL_CTX* native = context->native_handle();
  SSL_CTX_set_min_proto_version(native, TLS1_2_VERSION);
  SSL_CTX_set_options(native,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_alpn_select_cb(native, &select_alpn, nullptr);
  ErrorCode error;
  context->use_certificate_chain_file(certificate, error);
  if (error) return base::fail("tls_certificate_unreadable", certificate + ": " + error.message());
  context->use_private_key_file(key, ssl::context::pem, error);
  if (error) return base::fail("tls_key_unreadable", key + ": " + error.message());
  if (SSL_CTX_check_private_key(native) != 1)
    return base::fail("tls_key_mismatch", key + " does not belong to " + certificate);
  return context;
}

class ReloadingTlsFiles final : public TlsFiles {
 public:
  ReloadingTlsFiles(std::string certificate, std::string key, std::shared_ptr<ssl::context> context)
      : certificate_(std::move(certificate)),
        key_(std::move(key)),
        context_(std::move(context)),
        seen_{state_of(certificate_), state_of(key_)} {}

  std::unique_ptr<Stream> make_stream(tcp::socket socket) override {
    return std::make_unique<TlsStream>(std::move(socket), *current());
  }

 private:
  // The SSL object holds its own reference to the SSL_CTX, so a replaced context may go while streams live.
  std::shared_ptr<ssl::context> current() {
    const std::lock_guard lock(mutex_);
    const auto now = std::chrono::steady_clock::now();
    if (now - checked_ < std::chrono::seconds(1)) return context_;
    checked_ = now;
    const std::pair<FileState, FileState> found{state_of(certificate_), state_of(key_)};
    if (found == seen_) return context_;
    seen_ = found;
    auto fresh = load(certificate_, key_);
    if (fresh) {
      context_ = std::move(*fresh);
      telemetry::info("TLS certificate reloaded", {{"file", certificate_}});
    } else {
      telemetry::error("TLS certificate not reloaded, the old one stays in use",
                       {{"code", fresh.error().code}, {"detail", fresh.error().detail}});
    }
    return context_;
  }

  const std::string certificate_;
  const std::string key_;
  std::mutex mutex_;
  std::shared_ptr<ssl::context> context_;            // guarded by mutex_
  std::pair<FileState, FileState> seen_;             // guarded by mutex_
  std::chrono::steady_clock::time_point checked_{};  // guarded by mutex_
};

}  // namespace

base::Result<std::shared_ptr<TlsFiles>> TlsFiles::open(std::string certificate_file, std::string key_file) {
  auto context = load(certificate_file, key_file);
  if (!context) return base::fail(context.error());
  return std::make_shared<ReloadingTlsFiles>(std::move(certificate_file), std::move(key_file),
                                             std::move(*context));
}

}  // namespace net
