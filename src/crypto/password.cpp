#include "crypto/password.h"

#include <argon2.h>
#include <openssl/crypto.h>

#include <stdexcept>

#include "base/text.h"
#include "crypto/digest.h"

namespace crypto {

namespace {

constexpr std::uint32_t kMemoryKib = 64 * 1024;
constexpr std::uint32_t kPasses = 3;
constexpr std::uint32_t kLanes = 1;
constexpr std::size_t kSaltBytes = 16;
constexpr std::size_t kHashBytes = 32;

struct Phc {
  std::uint32_t memory_kib = 0, passes = 0, lanes = 0;
  std::string salt, hash;
};

std::optional<std::uint32_t> number_after(std::string_view text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return std::nullopt;
  const auto n = base::parse_u64(text.substr(prefix.size()));
  if (!n || *n > 0xffffffffu) return std::nullopt;
  return static_cast<std::uint32_t>(*n);
}

std::optional<Phc> parse_phc(std::string_view text) {
  const auto parts = base::split(text, '$');
  if (parts.size() != 6 || !parts[0].empty() || parts[1] != "argon2id" || parts[2] != "v=19")
    return std::nullopt;
  const auto costs = base::split(parts[3], ',');
  if (costs.size() != 3) return std::nullopt;
  const auto memory = number_after(costs[0], "m=");
  const auto passes = number_after(costs[1], "t=");
  const auto lanes = number_after(costs[2], "p=");
  const auto salt = base::from_base64(parts[4]);
  const auto hash = base::from_base64(parts[5]);
  if (!memory || !passes || !lanes || !salt || !hash) return std::nullopt;
  if (*memory < 8 || *memory > 256 * 1024 || *passes < 1 || *passes > 16 || *lanes < 1 || *lanes > 16 ||
      salt->size() < 8 || salt->size() > 64 || hash->size() < 16 || hash->size() > 64)
    return std::nullopt;
  return Phc{*memory, *passes, *lanes, *salt, *hash};
}

std::string unpadded(std::string text) {
  while (text.ends_with('=')) text.pop_back();
  return text;
}

std::string argon2id(const base::Secret& password, const Phc& phc, std::size_t length) {
  std::string out(length, '\0');
  const int rc =
      argon2id_hash_raw(phc.passes, phc.memory_kib, phc.lanes, password.reveal().data(),
                        password.reveal().size(), phc.salt.data(), phc.salt.size(), out.data(), out.size());
  if (rc != ARGON2_OK) throw std::runtime_error(std::string("Argon2id: ") + argon2_error_message(rc));
  return out;
}

}  // namespace

std::string hash_password(const base::Secret& password, base::Random& random) {
  Phc phc{kMemoryKib, kPasses, kLanes, std::string(kSaltBytes, '\0'), {}};
  random.fill({reinterpret_cast<std::uint8_t*>(phc.salt.data()), phc.salt.size()});
  const std::string hash = argon2id(password, phc, kHashBytes);
  return "$argon2id$v=19$m=" + std::to_string(kMemoryKib) + ",t=" + std::to_string(kPasses) +
         ",p=" + std::to_string(kLanes) + "$" + unpadded(base::to_base64(base::as_bytes(phc.salt))) + "$" +
         unpadded(base::to_base64(base::as_bytes(hash)));
}

bool verify_password(const base::Secret& password, std::string_view text) {
  const auto phc = parse_phc(text);
  if (!phc) return false;
  const std::string hash = argon2id(password, *phc, phc->hash.size());
  return equal_constant_time(base::as_bytes(hash), base::as_bytes(phc->hash));
}

bool password_needs_rehash(std::string_view text) {
  const auto phc = parse_phc(text);
  return !phc || phc->memory_kib < kMemoryKib || phc->passes < kPasses || phc->salt.size() < kSaltBytes ||
         phc->hash.size() < kHashBytes;
}

const std::string& unmatchable_password_hash() {
  // 32 bytes of zero as the hash: finding a password for it is a preimage search.
  static const std::string hash = "$argon2id$v=19$m=" + std::to_string(kMemoryKib) +
                                  ",t=" + std::to_string(kPasses) + ",p=" + std::to_string(kLanes) + "$" +
                                  std::string(22, 'A') + "$" + std::string(43, 'A');
  return hash;
}

}  // namespace crypto
