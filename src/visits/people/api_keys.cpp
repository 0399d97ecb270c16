#include "visits/people/api_keys.h"

#include "telemetry/log.h"
#include "visits/core/names.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr std::size_t kKeysPerOrganisation = 200;
constexpr base::Duration kLongestLife = base::Duration::seconds(2LL * 366 * 24 * 3600);
constexpr base::Duration kTouchEvery = base::Duration::seconds(60);

Failure invalid(const char* pointer, const char* code, std::string words) {
  Failure failure("validation_failed", "a member of the body breaks a rule");
  failure.errors.push_back({pointer, code, std::move(words)});
  return failure;
}

Outcome<void> check(const Core& core, const Principal& principal, const WantedKey& wanted) {
  if (wanted.scopes.empty()) return refuse(invalid("/scopes", "too_few", "names at least one scope"));
  if (!wanted.scopes.within(principal.scopes))
    return refuse("forbidden_scope", "a key cannot have a scope its maker lacks");
  if (wanted.expires_at &&
      (*wanted.expires_at <= core.now() || *wanted.expires_at > core.now() + kLongestLife))
    return refuse(invalid("/expiresAt", "too_large", "is in the future and at most two years away"));
  return {};
}

}  // namespace

Outcome<IssuedKey> issue_key(Core& core, const Principal& principal, const WantedKey& wanted) {
  if (auto fine = check(core, principal, wanted); !fine) return refuse(std::move(fine.error()));
  IssuedKey out;
  out.row.id = core.random.uuid();
  out.row.org_id = principal.org_id;
  out.row.name = wanted.name;
  out.row.scopes = wanted.scopes;
  out.row.expires_at = wanted.expires_at;
  out.row.created_by = principal.actor;
  out.row.created_at = core.now();
  out.row.prefix = new_key_prefix(core.random);
  out.key = new_key(core.random, out.row.prefix);
  auto stored = write(core, [&](storage::Transaction& t) -> base::Result<void> {
    auto org = store::find_organization(t, principal.org_id);
    if (!org) return base::fail(org.error());
    if (!*org) return base::fail("not_found", "no such organisation");
    auto keys = store::list_api_keys(t, principal.org_id);
    if (!keys) return base::fail(keys.error());
    const auto live =
        std::count_if(keys->begin(), keys->end(), [](const ApiKey& k) { return !k.revoked_at; });
    if (static_cast<std::size_t>(live) >= kKeysPerOrganisation)
      return base::fail("conflict", "this organisation has 200 live keys");
    return store::insert_api_key(t, out.row, secret_hash(out.key.reveal()));
  });
  if (!stored && stored.error().code == storage::kUnique)
    return refuse("conflict", "a live key has this name");
  if (!stored) return refuse(Failure(stored.error()));
  telemetry::info("an API key was made", {{"key", out.row.id}, {"by", principal.actor}});
  return out;
}

Outcome<void> revoke_key(Core& core, const Principal& principal, const std::string& id) {
  auto revoked = write(core, [&](storage::Transaction& t) {
    return store::revoke_api_key(t, principal.org_id, id, core.now());
  });
  if (!revoked) return refuse(Failure(revoked.error()));
  if (!*revoked) return refuse("not_found", "no such live key in this organisation");
  telemetry::info("an API key was revoked", {{"key", id}, {"by", principal.actor}});
  return {};
}

Outcome<Principal> principal_of_key(Core& core, std::string_view key) {
  const base::WallTime now = core.now();
  auto found = read(core, [&](storage::Transaction& t) { return store::find_api_key(t, secret_hash(key)); });
  if (!found) return refuse(Failure(found.error()));
  const bool live = *found && !(*found)->revoked_at && (!(*found)->expires_at || now < *(*found)->expires_at);
  if (!live) return refuse("unauthenticated", "the credential is not known");
  const ApiKey& row = **found;
  if (!row.last_used_at || now - *row.last_used_at >= kTouchEvery) {
    auto touched = write(
        core, [&](storage::Transaction& t) { return store::touch_api_key(t, row.org_id, row.id, now); });
    if (!touched) telemetry::warn("the use of a key could not be noted", {{"code", touched.error().code}});
  }
  return Principal{Principal::Kind::kApiKey, row.org_id, "api_key:" + row.id, row.scopes};
}

}  // namespace visits
