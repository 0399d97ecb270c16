// Envelope encryption of secret members (visit-api.md §2.2): enc:v1:<kid>:<nonce>:<box>, AES-256-GCM,
// base64url without padding. The key file holds lines "kid:base64(32 bytes)", first line active, mode 0600.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "base/sensitive.h"

namespace crypto {

// Immutable after load; thread-safe.
class Keyring {
 public:
  // Reads the file; creates it with one new key when it does not exist. Errors: "key_file_unreadable",
  // "key_file_invalid".
  static base::Result<Keyring> load_or_create(const std::string& path, base::Random& random);

  // `aad` binds the envelope to its place: "televisit/v1/<table>/<org_id>/<row id>/<member>".
  std::string seal(const base::Secret& plain, std::string_view aad, base::Random& random) const;
  // Errors: "integration_secret_unreadable" (unknown kid, bad tag, bad form).
  base::Result<base::Secret> open(std::string_view envelope, std::string_view aad) const;

  static bool is_envelope(std::string_view text);  // starts with "enc:v1:"
  const std::string& active_kid() const;
  std::vector<std::string> kids() const;                      // the active one first
  static std::string_view kid_of(std::string_view envelope);  // empty when it is not one

  // For `televisit keys`: rewrite the file in one step (a crash leaves the old or the new one). A running
  // program keeps the keys it loaded. rotate() puts a new key first and returns its kid; retire() removes one
  // that is not the active one: the caller has made sure that no envelope names it. Errors: as
  // load_or_create, and "key_unknown", "key_active".
  static base::Result<std::string> rotate(const std::string& path, base::Random& random);
  static base::Result<void> retire(const std::string& path, std::string_view kid, base::Random& random);
  // A key for other purposes, derived (HKDF-SHA256) from the active key by label, e.g. "cursor",
  // "webhook-hook".
  base::Secret derive(std::string_view label) const;

 private:
  struct Key {
    std::string kid;
    base::Secret bytes;
  };
  std::vector<Key> keys_;
};

}  // namespace crypto
