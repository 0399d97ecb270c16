// API keys (visit-api.md §3.2 K, §3.3): `tvk_<8>_<43>`, stored as SHA-256, shown once. Worker threads.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/sensitive.h"
#include "visits/core/core.h"
#include "visits/store/keys.h"

namespace visits {

struct WantedKey {
  std::string name;
  Scopes scopes;
  OptionalTime expires_at;
};
struct IssuedKey {
  ApiKey row;
  base::Secret key;
};
// The scopes must be within the principal's own. Codes forbidden_scope, conflict (a live key has this name),
// validation_failed (no scope, expiry in the past or more than two years away, 200 keys).
Outcome<IssuedKey> issue_key(Core& core, const Principal& principal, const WantedKey& wanted);
Outcome<void> revoke_key(Core& core, const Principal& principal, const std::string& id);

// Who sent this key. Code unauthenticated for anything that is not a live key: the same words for each.
Outcome<Principal> principal_of_key(Core& core, std::string_view key);

}  // namespace visits
