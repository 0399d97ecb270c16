// idempotency_keys. Every statement names its organisation, but for the removal of expired rows. Any worker
// thread.
#pragma once

#include <optional>
#include <string>

#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits::store {

struct IdempotencyKey {
  std::string org_id;
  std::string principal;
  std::string method;
  std::string path;
  std::string key;
};
struct IdempotencyRow {
  storage::Blob request_hash;
  bool done = false;
  std::int64_t status = 0;
  std::string body;  // an envelope
  base::WallTime created_at;
};
// Claims the key for this request; false when a row of it exists. Expired rows are removed before.
base::Result<bool> claim_key(storage::Transaction& t, const IdempotencyKey& k,
                             const storage::Blob& request_hash, base::WallTime now,
                             base::WallTime expires_at);
base::Result<std::optional<IdempotencyRow>> find_key(storage::Transaction& t, const IdempotencyKey& k);
// Takes over a row that is still running since before `older_than`; false when another did.
base::Result<bool> take_over_key(storage::Transaction& t, const IdempotencyKey& k, base::WallTime older_than,
                                 base::WallTime now);
base::Result<void> finish_key(storage::Transaction& t, const IdempotencyKey& k, int status,
                              const std::string& body);
base::Result<void> release_key(storage::Transaction& t, const IdempotencyKey& k);

}  // namespace visits::store
