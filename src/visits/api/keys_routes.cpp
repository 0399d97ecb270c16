#include "base/text.h"
#include "visits/api/support.h"
#include "visits/people/api_keys.h"

namespace visits::api {
namespace {

struct KeyBody {
  std::string name;
  std::vector<std::string> scopes;
  std::optional<base::WallTime> expires_at;
  template <class V>
  static void fields(V& v) {
    v.field("name", &KeyBody::name, json::text().min(1).max(80).name().single_line());
    v.field("scopes", &KeyBody::scopes, json::list(json::text().max(40)).min(1).max(20));
    v.field("expiresAt", &KeyBody::expires_at, json::time());
  }
};

json::Object key_object(const ApiKey& k) {
  json::Object o;
  o["id"] = k.id;
  o["name"] = k.name;
  o["prefix"] = k.prefix;
  json::Array scopes;
  for (const std::string& name : k.scopes.names()) scopes.emplace_back(name);
  o["scopes"] = std::move(scopes);
  const auto time = [](const OptionalTime& t) {
    return t ? json::Value(base::format_rfc3339(*t)) : json::Value(nullptr);
  };
  o["expiresAt"] = time(k.expires_at);
  o["revokedAt"] = time(k.revoked_at);
  o["lastUsedAt"] = time(k.last_used_at);
  o["createdAt"] = base::format_rfc3339(k.created_at);
  return o;
}

Outcome<http::Response> list(const Call& call) {
  auto keys = read(call.core,
                   [&](storage::Transaction& t) { return store::list_api_keys(t, call.principal.org_id); });
  if (!keys) return refuse(Failure(keys.error()));
  json::Array data;
  for (const ApiKey& key : *keys) data.push_back(key_object(key));
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> create(const Call& call) {
  auto body = read_body<KeyBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  const auto scopes = Scopes::parse(body->value.scopes);
  if (!scopes) {
    Failure failure("validation_failed", "a member of the body breaks a rule");
    failure.errors.push_back({"/scopes", "one_of", "names a scope that does not exist"});
    return refuse(std::move(failure));
  }
  auto issued = issue_key(call.core, call.principal, {body->value.name, *scopes, body->value.expires_at});
  if (!issued) return refuse(std::move(issued.error()));
  json::Object out = key_object(issued->row);
  out["key"] = issued->key.reveal();
  http::Response response = answer(201, out);
  response.set("location", "/api/api-keys/" + issued->row.id);
  note_ignored(response, body->ignored);
  return response;
}

Outcome<http::Response> revoke(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  if (auto done = revoke_key(call.core, call.principal, *id); !done) return refuse(std::move(done.error()));
  http::Response response;
  response.status = 204;
  return response;
}

}  // namespace

std::vector<StaffRoute> key_routes() {
  using http::Method;
  return {
      {Method::kGet, "/api/api-keys", Scope::kAdmin, list},
      {Method::kPost, "/api/api-keys", Scope::kAdmin, create},
      {Method::kDelete, "/api/api-keys/:id", Scope::kAdmin, revoke},
  };
}

}  // namespace visits::api
