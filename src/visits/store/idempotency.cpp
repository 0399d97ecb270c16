#include "visits/store/idempotency.h"

#include "visits/store/helpers.h"

namespace visits::store {
namespace {

constexpr const char* kOne =
    " WHERE org_id = $1 AND principal = $2 AND method = $3 AND path = $4 AND key = $5";

storage::Params values_of(const IdempotencyKey& k) {
  return {k.org_id, k.principal, k.method, k.path, k.key};
}

}  // namespace

base::Result<bool> claim_key(storage::Transaction& t, const IdempotencyKey& k,
                             const storage::Blob& request_hash, base::WallTime now,
                             base::WallTime expires_at) {
  if (auto r = t.query("DELETE FROM idempotency_keys WHERE expires_at <= $1", {now}); !r)
    return base::fail(r.error());
  return one_row(
      t.query("INSERT INTO idempotency_keys (org_id, principal, method, path, key, request_sha256, state, "
              "created_at, "
              "expires_at) VALUES ($1, $2, $3, $4, $5, $6, 'running', $7, $8) ON CONFLICT DO NOTHING",
              {k.org_id, k.principal, k.method, k.path, k.key, request_hash, now, expires_at}));
}

base::Result<std::optional<IdempotencyRow>> find_key(storage::Transaction& t, const IdempotencyKey& k) {
  return first<IdempotencyRow>(
      t.query(
          std::string("SELECT request_sha256, state, status, body_enc, created_at FROM idempotency_keys") +
              kOne,
          values_of(k)),
      [](const storage::Row& r) {
        return IdempotencyRow{storage::Blob{r.blob("request_sha256")}, r.text("state") == "done",
                              r.integer("status"), r.is_null("body_enc") ? std::string() : r.blob("body_enc"),
                              r.time("created_at")};
      });
}

base::Result<bool> take_over_key(storage::Transaction& t, const IdempotencyKey& k, base::WallTime older_than,
                                 base::WallTime now) {
  storage::Params values = values_of(k);
  values.emplace_back(older_than);
  values.emplace_back(now);
  return one_row(t.query(std::string("UPDATE idempotency_keys SET created_at = $7") + kOne +
                             " AND state = 'running' AND created_at <= $6",
                         values));
}

base::Result<void> finish_key(storage::Transaction& t, const IdempotencyKey& k, int status,
                              const std::string& body) {
  storage::Params values = values_of(k);
  values.emplace_back(status);
  values.emplace_back(storage::Blob{body});
  return only_status(t.query(
      std::string("UPDATE idempotency_keys SET state = 'done', status = $6, body_enc = $7") + kOne, values));
}

base::Result<void> release_key(storage::Transaction& t, const IdempotencyKey& k) {
  return only_status(t.query(std::string("DELETE FROM idempotency_keys") + kOne, values_of(k)));
}

}  // namespace visits::store
