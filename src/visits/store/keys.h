// api_keys. Every statement names its organisation, but for the look-up by the key itself. Any worker thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "visits/core/scopes.h"
#include "visits/store/rows.h"

namespace visits {

struct ApiKey {
  std::string id;
  std::string org_id;
  std::string name;
  std::string prefix;
  Scopes scopes;
  OptionalTime expires_at;
  OptionalTime revoked_at;
  OptionalTime last_used_at;
  std::string created_by;
  base::WallTime created_at;
};

namespace store {

// Error db_unique_violation: a key of this name exists.
base::Result<void> insert_api_key(storage::Transaction& t, const ApiKey& key, const storage::Blob& hash);
base::Result<std::optional<ApiKey>> find_api_key(storage::Transaction& t, const storage::Blob& hash);
base::Result<std::vector<ApiKey>> list_api_keys(storage::Transaction& t, const std::string& org_id);
// False when there is no such key that is not revoked yet.
base::Result<bool> revoke_api_key(storage::Transaction& t, const std::string& org_id, const std::string& id,
                                  base::WallTime now);
base::Result<void> touch_api_key(storage::Transaction& t, const std::string& org_id, const std::string& id,
                                 base::WallTime now);

}  // namespace store
}  // namespace visits
