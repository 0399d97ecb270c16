#include "visits/store/keys.h"

#include "visits/store/helpers.h"

namespace visits::store {
namespace {

constexpr const char* kColumns =
    "id, org_id, name, prefix, scopes, expires_at, revoked_at, last_used_at, created_by, created_at";

ApiKey key_of(const storage::Row& r) {
  ApiKey k;
  k.id = r.text("id");
  k.org_id = r.text("org_id");
  k.name = r.text("name");
  k.prefix = r.text("prefix");
  if (auto scopes = json::parse_tolerant(r.text("scopes")); scopes && scopes->is_array())
    for (const json::Value& name : scopes->as_array())
      if (name.is_string())
        if (const auto scope = parse_scope(std::string_view(name.as_string())))
          k.scopes = k.scopes.with(*scope);
  k.expires_at = r.maybe_time("expires_at");
  k.revoked_at = r.maybe_time("revoked_at");
  k.last_used_at = r.maybe_time("last_used_at");
  k.created_by = r.text("created_by");
  k.created_at = r.time("created_at");
  return k;
}

}  // namespace

base::Result<void> insert_api_key(storage::Transaction& t, const ApiKey& k, const storage::Blob& hash) {
  json::Array scopes;
  for (const std::string& name : k.scopes.names()) scopes.emplace_back(name);
  return only_status(t.query(
      "INSERT INTO api_keys (id, org_id, name, prefix, key_hash, scopes, expires_at, created_by, created_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
      {k.id, k.org_id, k.name, k.prefix, hash, json::serialize(json::Value(scopes)), k.expires_at,
       k.created_by, k.created_at}));
}

base::Result<std::optional<ApiKey>> find_api_key(storage::Transaction& t, const storage::Blob& hash) {
  return first<ApiKey>(
      t.query(std::string("SELECT ") + kColumns + " FROM api_keys WHERE key_hash = $1", {hash}), key_of);
}

base::Result<std::vector<ApiKey>> list_api_keys(storage::Transaction& t, const std::string& org_id) {
  return all<ApiKey>(
      t.query(std::string("SELECT ") + kColumns + " FROM api_keys WHERE org_id = $1 ORDER BY created_at, id",
              {org_id}),
      key_of);
}

base::Result<bool> revoke_api_key(storage::Transaction& t, const std::string& org_id, const std::string& id,
                                  base::WallTime now) {
  return one_row(
      t.query("UPDATE api_keys SET revoked_at = $1 WHERE org_id = $2 AND id = $3 AND revoked_at IS NULL",
              {now, org_id, id}));
}

base::Result<void> touch_api_key(storage::Transaction& t, const std::string& org_id, const std::string& id,
                                 base::WallTime now) {
  return only_status(
      t.query("UPDATE api_keys SET last_used_at = $1 WHERE org_id = $2 AND id = $3", {now, org_id, id}));
}

}  // namespace visits::store
