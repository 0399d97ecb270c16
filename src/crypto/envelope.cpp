#include "crypto/envelope.h"

#include <fcntl.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <set>
#include <stdexcept>

#include "base/bytes.h"
#include "base/text.h"

namespace crypto {

namespace {

constexpr std::string_view kPrefix = "enc:v1:";
constexpr std::size_t kKeyBytes = 32, kNonceBytes = 12, kTagBytes = 16;
constexpr std::size_t kMaxKeyFile = 64 * 1024;

struct Deleter {
  void operator()(EVP_CIPHER_CTX* p) const { EVP_CIPHER_CTX_free(p); }
  void operator()(EVP_KDF* p) const { EVP_KDF_free(p); }
  void operator()(EVP_KDF_CTX* p) const { EVP_KDF_CTX_free(p); }
};

class File {
 public:
  explicit File(int fd) : fd_(fd) {}
  ~File() {
    if (fd_ >= 0) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int fd() const { return fd_; }

 private:
  int fd_;
};

const std::uint8_t* bytes(const std::string& s) {
  return reinterpret_cast<const std::uint8_t*>(s.data());
}
std::uint8_t* bytes(std::string& s) {
  return reinterpret_cast<std::uint8_t*>(s.data());
}

bool is_kid(std::string_view kid) {
  return !kid.empty() && kid.size() <= 64 && std::all_of(kid.begin(), kid.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
           c == '_' || c == '.';
  });
}

base::Result<std::string> read_all(int fd, const std::string& path) {
  std::string out;
  char buffer[4096];
  while (true) {
    const auto n = ::read(fd, buffer, sizeof buffer);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return base::fail("key_file_unreadable", path + ": " + std::strerror(errno));
    if (n == 0) return out;
    out.append(buffer, static_cast<std::size_t>(n));
    if (out.size() > kMaxKeyFile) return base::fail("key_file_invalid", path + ": too large for a key file");
  }
}

std::string line_of(std::string_view kid, const std::string& key) {
  return std::string(kid) + ":" + base::to_base64(base::as_bytes(key)) + "\n";
}

std::string new_key(base::Random& random) {
  std::string key(kKeyBytes, '\0');
  random.fill({bytes(key), key.size()});
  return key;
}

std::string new_kid(base::Random& random) {
  return "k" + random.text("0123456789abcdef", 8);
}

// Written beside its place and then put there, so that a crash leaves no half file. With `replace` it takes
// the place of the old file; without, of two starting processes one wins and the other reads the winner's.
base::Result<void> put_file(const std::string& path, const std::string& text, bool replace,
                            base::Random& random) {
  const std::string temporary = path + "." + random.text("0123456789abcdef", 16) + ".new";
  const auto unreadable = [&](const char* what) {
    const std::string why = std::strerror(errno);
    ::unlink(temporary.c_str());
    return base::fail("key_file_unreadable", path + ": cannot " + what + ": " + why);
  };
  {
    const File file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600));
    if (file.fd() < 0) return unreadable("create");
    if (::write(file.fd(), text.data(), text.size()) != static_cast<ssize_t>(text.size()) ||
        ::fsync(file.fd()) != 0)
      return unreadable("write");
  }
  if (replace) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) return unreadable("replace");
  } else {
    if (::link(temporary.c_str(), path.c_str()) != 0 && errno != EEXIST) return unreadable("create");
    ::unlink(temporary.c_str());
  }
  // The folder's entry too: an envelope whose key was lost with the power can never be opened.
  const auto slash = path.rfind('/');
  const std::string folder = slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash);
  const File directory(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (directory.fd() < 0 || ::fsync(directory.fd()) != 0)
    return base::fail("key_file_unreadable", path + ": cannot write its folder: " + std::strerror(errno));
  return {};
}

}  // namespace

base::Result<Keyring> Keyring::load_or_create(const std::string& path, base::Random& random) {
  int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0 && errno == ENOENT) {
    if (auto made = put_file(path, line_of(new_kid(random), new_key(random)), false, random); !made)
      return base::fail(std::move(made.error()));
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  }
  const File file(fd);
  if (fd < 0) return base::fail("key_file_unreadable", path + ": " + std::strerror(errno));
  struct stat info{};
  if (::fstat(fd, &info) != 0) return base::fail("key_file_unreadable", path + ": " + std::strerror(errno));
  if (!S_ISREG(info.st_mode)) return base::fail("key_file_invalid", path + ": not a regular file");
  if ((info.st_mode & 077) != 0)
    return base::fail("key_file_invalid", path + ": readable by others; run chmod 600 on it");
  const auto text = read_all(fd, path);
  if (!text) return base::fail(text.error());

  Keyring ring;
  std::set<std::string> seen;
  std::size_t number = 0;
  for (const auto raw : base::split(*text, '\n')) {
    ++number;
    const auto line = base::trim(raw);
    if (line.empty()) continue;
    const auto invalid = [&](const char* why) {
      return base::fail("key_file_invalid", path + ": line " + std::to_string(number) + ": " + why);
    };
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_kid(line.substr(0, colon))) return invalid("not kid:base64");
    auto key = base::from_base64(line.substr(colon + 1));
    if (!key || key->size() != kKeyBytes) return invalid("the key is not 32 bytes of base64");
    const std::string kid(line.substr(0, colon));
    if (!seen.insert(kid).second) return invalid("the key id is there twice");
    ring.keys_.push_back({kid, base::Secret(std::move(*key))});
  }
  if (ring.keys_.empty()) return base::fail("key_file_invalid", path + ": no key in it");
  return ring;
}

std::string Keyring::seal(const base::Secret& plain, std::string_view aad, base::Random& random) const {
  const Key& key = keys_.front();
  const std::string& text = plain.reveal();
  std::array<std::uint8_t, kNonceBytes> nonce{};
  random.fill(nonce);
  std::string box(text.size() + kTagBytes, '\0');
  int written = 0, rest = 0;
  const std::unique_ptr<EVP_CIPHER_CTX, Deleter> context(EVP_CIPHER_CTX_new());
  if (!context ||
      EVP_EncryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key.bytes.reveal()),
                         nonce.data()) != 1 ||
      EVP_EncryptUpdate(context.get(), nullptr, &written, reinterpret_cast<const std::uint8_t*>(aad.data()),
                        static_cast<int>(aad.size())) != 1 ||
      EVP_EncryptUpdate(context.get(), bytes(box), &written, bytes(text), static_cast<int>(text.size())) !=
          1 ||
      EVP_EncryptFinal_ex(context.get(), bytes(box) + written, &rest) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_GET_TAG, kTagBytes, bytes(box) + text.size()) != 1)
    throw std::runtime_error("AES-256-GCM failed");
  return std::string(kPrefix) + key.kid + ":" + base::to_base64url(nonce) + ":" +
         base::to_base64url(base::as_bytes(box));
}

base::Result<base::Secret> Keyring::open(std::string_view envelope, std::string_view aad) const {
  const auto unreadable = [](const char* why) {
    return base::fail("integration_secret_unreadable",
                      std::string("the stored secret cannot be opened: ") + why);
  };
  if (!is_envelope(envelope)) return unreadable("not an envelope");
  const auto parts = base::split(envelope.substr(kPrefix.size()), ':');
  if (parts.size() != 3) return unreadable("not of the form kid:nonce:box");
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const Key& k) { return k.kid == parts[0]; });
  if (key == keys_.end()) return unreadable("its key is not in the key file");
  if (envelope.find('=') != std::string_view::npos) return unreadable("bad encoding");
  const auto nonce = base::from_base64url(parts[1]);
  auto box = base::from_base64url(parts[2]);
  if (!nonce || nonce->size() != kNonceBytes || !box || box->size() < kTagBytes)
    return unreadable("bad encoding");

  const std::size_t size = box->size() - kTagBytes;
  std::string plain(size, '\0');
  int written = 0, rest = 0;
  const std::unique_ptr<EVP_CIPHER_CTX, Deleter> context(EVP_CIPHER_CTX_new());
  // The final call compares the tag in constant time; nothing of `plain` is used before it.
  if (!context ||
      EVP_DecryptInit_ex(context.get(), EVP_aes_256_gcm(), nullptr, bytes(key->bytes.reveal()),
                         bytes(*nonce)) != 1 ||
      EVP_DecryptUpdate(context.get(), nullptr, &written, reinterpret_cast<const std::uint8_t*>(aad.data()),
                        static_cast<int>(aad.size())) != 1 ||
      EVP_DecryptUpdate(context.get(), bytes(plain), &written, bytes(*box), static_cast<int>(size)) != 1 ||
      EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_GCM_SET_TAG, kTagBytes, bytes(*box) + size) != 1 ||
      EVP_DecryptFinal_ex(context.get(), bytes(plain) + written, &rest) != 1)
    return unreadable("it was changed, or copied from another row");
  return base::Secret(std::move(plain));
}

bool Keyring::is_envelope(std::string_view text) {
  return text.starts_with(kPrefix);
}

const std::string& Keyring::active_kid() const {
  return keys_.front().kid;
}

std::vector<std::string> Keyring::kids() const {
  std::vector<std::string> out;
  for (const auto& key : keys_) out.push_back(key.kid);
  return out;
}

std::string_view Keyring::kid_of(std::string_view envelope) {
  if (!is_envelope(envelope)) return {};
  envelope.remove_prefix(kPrefix.size());
  return envelope.substr(0, envelope.find(':'));
}

base::Result<std::string> Keyring::rotate(const std::string& path, base::Random& random) {
  const auto ring = load_or_create(path, random);
  if (!ring) return base::fail(ring.error());
  const std::string kid = new_kid(random);
  std::string text = line_of(kid, new_key(random));
  for (const auto& key : ring->keys_) text += line_of(key.kid, key.bytes.reveal());
  if (auto done = put_file(path, text, true, random); !done) return base::fail(std::move(done.error()));
  return kid;
}

base::Result<void> Keyring::retire(const std::string& path, std::string_view kid, base::Random& random) {
  const auto ring = load_or_create(path, random);
  if (!ring) return base::fail(ring.error());
  if (ring->active_kid() == kid)
    return base::fail("key_active", "the active key cannot be retired; rotate first");
  std::string text;
  std::size_t kept = 0;
  for (const auto& key : ring->keys_) {
    if (key.kid == kid) continue;
    text += line_of(key.kid, key.bytes.reveal());
    ++kept;
  }
  if (kept == ring->keys_.size()) return base::fail("key_unknown", "the key file has no key of that id");
  return put_file(path, text, true, random);
}

base::Secret Keyring::derive(std::string_view label) const {
  const std::unique_ptr<EVP_KDF, Deleter> kdf(EVP_KDF_fetch(nullptr, "HKDF", nullptr));
  const std::unique_ptr<EVP_KDF_CTX, Deleter> context(kdf ? EVP_KDF_CTX_new(kdf.get()) : nullptr);
  std::string key = keys_.front().bytes.reveal();
  std::string info = "televisit/derive/v1/" + std::string(label);
  char digest[] = "SHA256";
  const OSSL_PARAM params[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, 0),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, key.data(), key.size()),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, info.data(), info.size()),
      OSSL_PARAM_construct_end()};
  std::string out(kKeyBytes, '\0');
  if (!context || EVP_KDF_derive(context.get(), bytes(out), out.size(), params) != 1)
    throw std::runtime_error("HKDF failed");
  return base::Secret(std::move(out));
}

}  // namespace crypto
