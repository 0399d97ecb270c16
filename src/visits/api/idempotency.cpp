#include "visits/api/idempotency.h"

#include "base/bytes.h"
#include "crypto/digest.h"
#include "telemetry/log.h"
#include "visits/core/names.h"
#include "visits/store/idempotency.h"

namespace visits::api {
namespace {

constexpr base::Duration kKeptFor = base::Duration::seconds(24 * 3600);
// A request that runs longer than this has died with its process: the next one takes over.
constexpr base::Duration kLongestRun = base::Duration::seconds(60);

std::string aad_of(const store::IdempotencyKey& k) {
  return "televisit/v1/idempotency_keys/" + k.org_id + "/" + k.principal + "/" + k.method + k.path + "/" +
         k.key;
}

storage::Blob hash_of(const http::Request& request) {
  std::string text = request.body;
  for (const auto& [name, value] : request.query) text += "\n" + name + "=" + value;
  return secret_hash(text);
}

bool well_formed(std::string_view key) {
  if (key.empty() || key.size() > 255) return false;
  return std::all_of(key.begin(), key.end(), [](char c) { return c > 0x20 && c < 0x7f; });
}

std::string sealed(const Core& core, const store::IdempotencyKey& k, const http::Response& response) {
  json::Array headers;
  for (const auto& [name, value] : response.headers) headers.push_back(json::Array{name, value});
  json::Object o;
  o["headers"] = std::move(headers);
  o["body"] = response.body;
  return core.keyring.seal(base::Secret(json::serialize(o)), aad_of(k), core.random);
}

Outcome<http::Response> replayed(const Core& core, const store::IdempotencyKey& k,
                                 const store::IdempotencyRow& row) {
  auto plain = core.keyring.open(row.body, aad_of(k));
  if (!plain) return refuse("internal_error", "the stored answer of this key cannot be opened");
  auto parsed = json::parse_tolerant(plain->reveal(), {.max_bytes = 4 * 1024 * 1024});
  if (!parsed || !parsed->is_object())
    return refuse("internal_error", "the stored answer of this key is damaged");
  http::Response out;
  out.status = static_cast<int>(row.status);
  if (const json::Array* headers = json::array_at(parsed->as_object(), "headers"))
    for (const json::Value& pair : *headers)
      if (pair.is_array() && pair.as_array().size() == 2 && pair.at(0).is_string() && pair.at(1).is_string())
        out.set(std::string(std::string_view(pair.at(0).as_string())),
                std::string(std::string_view(pair.at(1).as_string())));
  out.body = json::text_or(parsed->as_object(), "body");
  out.set("idempotent-replayed", "true");
  return out;
}

// nullopt: the key is ours, the work may run.
Outcome<std::optional<store::IdempotencyRow>> claim(Core& core, const store::IdempotencyKey& k,
                                                    const storage::Blob& hash) {
  using Row = std::optional<store::IdempotencyRow>;
  auto claimed = write(core, [&](storage::Transaction& t) -> base::Result<Row> {
    const base::WallTime now = core.now();
    auto mine = store::claim_key(t, k, hash, now, now + kKeptFor);
    if (!mine) return base::fail(mine.error());
    if (*mine) return Row{};
    auto row = store::find_key(t, k);
    if (!row) return row;
    if (!*row) return base::fail(storage::kBusy, "the key was released meanwhile");
    if ((*row)->done || (*row)->request_hash != hash) return row;
    auto taken = store::take_over_key(t, k, now - kLongestRun, now);
    if (!taken) return base::fail(taken.error());
    return *taken ? Row{} : std::move(*row);
  });
  if (!claimed) return refuse(Failure(claimed.error()));
  return std::move(*claimed);
}

}  // namespace

Outcome<http::Response> once(Core& core, const Principal& principal, const http::Request& request,
                             const std::function<http::Response()>& work) {
  const std::string_view key = request.header("idempotency-key");
  if (key.empty() || request.method != http::Method::kPost) return work();
  if (!well_formed(key))
    return refuse("request_invalid", "Idempotency-Key has 1 to 255 visible ASCII characters");
  const store::IdempotencyKey k{principal.org_id, principal.actor, "POST", request.path, std::string(key)};
  const storage::Blob hash = hash_of(request);
  auto row = claim(core, k, hash);
  if (!row) return refuse(std::move(row.error()));
  if (*row) {
    if ((*row)->request_hash != hash)
      return refuse("idempotency_key_reused", "this Idempotency-Key was sent with another request");
    if ((*row)->done) return replayed(core, k, **row);
    Failure failure("idempotency_in_progress", "the first call with this Idempotency-Key still runs");
    failure.retry_after_s = 1;
    return refuse(std::move(failure));
  }
  http::Response response = work();
  const bool keep = response.status < 500 && response.status != 429;
  auto stored = write(core, [&](storage::Transaction& t) {
    return keep ? store::finish_key(t, k, response.status, sealed(core, k, response))
                : store::release_key(t, k);
  });
  if (!stored) telemetry::warn("an answer could not be kept for its key", {{"code", stored.error().code}});
  return response;
}

}  // namespace visits::api
