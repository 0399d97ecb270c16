#include "base/text.h"
#include "visits/api/support.h"
#include "visits/integrations/clients.h"
#include "visits/integrations/doctor.h"
#include "visits/store/organizations.h"

namespace visits::api {
namespace {

struct IntegrationBody {
  std::optional<std::string> org_id;
  std::optional<std::string> vendor_id;
  std::optional<std::string> environment;
  std::optional<bool> enabled;
  std::optional<std::int64_t> priority;
  std::optional<json::Object> credentials;
  std::optional<json::Value> usage_mappings;
  template <class V>
  static void fields(V& v) {
    v.field("orgId", &IntegrationBody::org_id, json::text().alias("org_id"));
    v.field("vendorId", &IntegrationBody::vendor_id, json::text().max(100).alias("vendor_id"));
    v.field("environment", &IntegrationBody::environment, json::text().one_of({"sandbox", "production"}));
    v.field("enabled", &IntegrationBody::enabled, json::boolean());
    v.field("priority", &IntegrationBody::priority, json::integer(0, 1000));
    v.field("credentials", &IntegrationBody::credentials, json::object());
    v.field("usageMappings", &IntegrationBody::usage_mappings, json::any().alias("usage_mappings"));
  }
};

struct ToggleBody {
  bool enabled = false;
  template <class V>
  static void fields(V& v) {
    v.field("enabled", &ToggleBody::enabled, json::boolean());
  }
};

struct TestBody {
  std::optional<std::string> depth;
  template <class V>
  static void fields(V& v) {
    v.field("depth", &TestBody::depth, json::text().one_of({"quick", "full"}));
  }
};

json::Object row_object(const Core& core, const Integration& row) {
  json::Object o;
  o["id"] = row.id;
  o["org_id"] = row.org_id;
  o["vendor_id"] = row.vendor_id;
  o["enabled"] = row.enabled;
  o["environment"] = row.environment;
  o["priority"] = row.priority;
  o["credentials"] = mask_credentials(core, row);
  auto mappings = json::parse_tolerant(row.usage_mappings);
  o["usage_mappings"] = mappings ? std::move(*mappings) : json::Value(json::Array{});
  o["health_status"] = row.health_status;
  o["last_tested_at"] =
      row.last_tested_at ? json::Value(base::format_rfc3339(*row.last_tested_at)) : json::Value(nullptr);
  o["last_error"] = row.last_error ? json::Value(*row.last_error) : json::Value(nullptr);
  o["rowVersion"] = row.row_version;
  o["created_at"] = base::format_rfc3339(row.created_at);
  o["updated_at"] = base::format_rfc3339(row.updated_at);
  return o;
}

Outcome<Integration> load(const Call& call, const std::string& id) {
  auto row = read(call.core, [&](storage::Transaction& t) {
    return store::find_integration(t, call.principal.org_id, id);
  });
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("not_found", "no such integration in this organisation");
  return std::move(**row);
}

http::Response row_answer(const Core& core, int status, const Integration& row,
                          const std::string& ignored = {}) {
  http::Response response = answer(status, row_object(core, row));
  response.set("etag", "\"r" + std::to_string(row.row_version) + "\"");
  note_ignored(response, ignored);
  return response;
}

Outcome<http::Response> reload(const Call& call, int status, const std::string& id,
                               const std::string& ignored) {
  auto row = load(call, id);
  if (!row) return refuse(std::move(row.error()));
  http::Response response = row_answer(call.core, status, *row, ignored);
  if (status == 201) response.set("location", "/api/integrations/" + id);
  return response;
}

// An enabled row must have what a call needs; the template may still be chosen by SQL later, so it is
// demanded here alone.
Outcome<void> check_complete(Core& core, const Integration& row) {
  auto opened = open_credentials(core, row);
  if (!opened) return refuse(std::move(opened.error()));
  ProviderConfig config = read_config(opened->plain);
  if (!config.allow_default_template && !base::is_object_id(config.template_id))
    config.missing.emplace_back("templateId");
  if (config.missing.empty()) return {};
  Failure failure("integration_incomplete", "the integration cannot be enabled before these members are set");
  for (const std::string& name : config.missing)
    failure.errors.push_back({"/credentials/" + name, "required", name + " is required"});
  return refuse(std::move(failure));
}

Outcome<void> check_precondition(const http::Request& request, const Integration& row) {
  const std::string_view tag = base::trim(request.header("if-match"));
  if (tag.empty()) return refuse("precondition_required", "this change needs If-Match");
  if (tag == "*" || tag == "\"r" + std::to_string(row.row_version) + "\"") return {};
  return refuse("precondition_failed", "the integration has changed since it was read");
}

Outcome<void> check_org(const Call& call, const std::optional<std::string>& org_id) {
  if (!org_id || base::equals_ignore_case(*org_id, call.principal.org_id)) return {};
  return refuse("org_mismatch", "orgId names another organisation");
}

Outcome<http::Response> list(const Call& call) {
  const auto org_id = call.request.query_value("org_id");
  if (org_id)
    if (auto same = check_org(call, std::string(*org_id)); !same) return refuse(std::move(same.error()));
  auto rows = read(
      call.core, [&](storage::Transaction& t) { return store::list_integrations(t, call.principal.org_id); });
  if (!rows) return refuse(Failure(rows.error()));
  const auto active = call.request.query_value("active");
  const auto vendor = call.request.query_value("vendor_id");
  json::Array data;
  for (const Integration& row : *rows) {
    if (active && row.enabled != (*active == "true")) continue;
    if (vendor && row.vendor_id != *vendor) continue;
    data.push_back(row_object(call.core, row));
  }
  json::Object body;
  body["success"] = true;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> vendors(const Call& call) {
  auto all = read(call.core, [](storage::Transaction& t) { return store::list_vendors(t); });
  if (!all) return refuse(Failure(all.error()));
  const auto category = call.request.query_value("category");
  const auto featured = call.request.query_value("featured");
  json::Array data;
  for (const Vendor& v : *all) {
    if (category && v.category != *category) continue;
    if (featured && v.featured != (*featured == "true")) continue;
    json::Object o;
    o["id"] = v.id;
    o["name"] = v.name;
    o["category"] = v.category;
    o["description"] = v.description;
    o["documentation"] = v.documentation;
    o["featured"] = v.featured;
    data.push_back(std::move(o));
  }
  json::Object body;
  body["success"] = true;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> schema(const Call& call) {
  if (call.request.param("vendorId") != "100ms") return refuse("not_found", "there is no such vendor");
  return answer(200, credentials_schema());
}

Outcome<http::Response> create(const Call& call) {
  auto body = read_body<IntegrationBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  const IntegrationBody& wanted = body->value;
  if (auto same = check_org(call, wanted.org_id); !same) return refuse(std::move(same.error()));
  if (!wanted.vendor_id) {
    Failure failure("validation_failed", "a member of the body is missing");
    failure.errors.push_back({"/vendor_id", "required", "is required"});
    return refuse(std::move(failure));
  }
  if (*wanted.vendor_id != "100ms") return refuse("vendor_unknown", "there is no handler for this vendor");
  Integration row;
  row.id = call.core.random.uuid();
  row.org_id = call.principal.org_id;
  row.vendor_id = *wanted.vendor_id;
  row.enabled = wanted.enabled.value_or(false);
  row.environment = wanted.environment.value_or("sandbox");
  row.priority = wanted.priority.value_or(100);
  if (wanted.usage_mappings) row.usage_mappings = json::serialize(*wanted.usage_mappings);
  json::Object credentials = wanted.credentials.value_or(json::Object{});
  if (!credentials.contains("apiEndpoint") && !credentials.contains("api_endpoint"))
    credentials["apiEndpoint"] = kDefaultEndpoint;
  if (auto merged = merge_credentials(call.core, row, credentials); !merged)
    return refuse(std::move(merged.error()));
  if (row.enabled)
    if (auto complete = check_complete(call.core, row); !complete) return refuse(std::move(complete.error()));
  auto stored = write(call.core, [&](storage::Transaction& t) -> base::Result<void> {
    if (auto r = store::insert_integration(t, row, call.principal.actor, call.core.now()); !r) return r;
    return store::log_activity(
        t, {row.org_id, row.id, "created", true, "{}", std::nullopt, call.principal.actor}, call.core.now());
  });
  if (!stored && stored.error().code == storage::kUnique)
    return refuse("integration_exists",
                  "this organisation has a " + row.vendor_id + " integration for " + row.environment);
  if (!stored) return refuse(Failure(stored.error()));
  return reload(call, 201, row.id, body->ignored);
}

Outcome<http::Response> save(const Call& call, Integration row, const std::string& activity,
                             const std::string& details, const std::string& ignored) {
  auto stored = write(call.core, [&](storage::Transaction& t) -> base::Result<bool> {
    auto updated = store::update_integration(t, row, call.principal.actor, call.core.now());
    if (!updated || !*updated) return updated;
    if (auto r = store::log_activity(
            t, {row.org_id, row.id, activity, true, details, std::nullopt, call.principal.actor},
            call.core.now());
        !r)
      return base::fail(r.error());
    return true;
  });
  if (!stored && stored.error().code == storage::kUnique)
    return refuse("integration_exists",
                  "this organisation has a " + row.vendor_id + " integration for " + row.environment);
  if (!stored) return refuse(Failure(stored.error()));
  if (!*stored) return refuse("precondition_failed", "the integration has changed since it was read");
  return reload(call, 200, row.id, ignored);
}

Outcome<http::Response> update(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<IntegrationBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  const IntegrationBody& wanted = body->value;
  if (auto same = check_org(call, wanted.org_id); !same) return refuse(std::move(same.error()));
  auto row = load(call, *id);
  if (!row) return refuse(std::move(row.error()));
  if (auto fresh = check_precondition(call.request, *row); !fresh) return refuse(std::move(fresh.error()));
  if (wanted.vendor_id && *wanted.vendor_id != row->vendor_id)
    return refuse("vendor_unknown", "the vendor of an integration does not change");
  if (wanted.enabled) row->enabled = *wanted.enabled;
  if (wanted.environment) row->environment = *wanted.environment;
  if (wanted.priority) row->priority = *wanted.priority;
  if (wanted.usage_mappings) row->usage_mappings = json::serialize(*wanted.usage_mappings);
  json::Array keys;
  if (wanted.credentials) {
    for (const auto& member : *wanted.credentials) keys.emplace_back(member.key());
    if (auto merged = merge_credentials(call.core, *row, *wanted.credentials); !merged)
      return refuse(std::move(merged.error()));
    row->health_status = "inactive";
    row->last_error.reset();
  }
  if (row->enabled && wanted.enabled)
    if (auto complete = check_complete(call.core, *row); !complete)
      return refuse(std::move(complete.error()));
  json::Object details;
  details["keys"] = std::move(keys);
  return save(call, std::move(*row), "updated", json::serialize(details), body->ignored);
}

Outcome<http::Response> toggle(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<ToggleBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  auto row = load(call, *id);
  if (!row) return refuse(std::move(row.error()));
  if (body->value.enabled)
    if (auto complete = check_complete(call.core, *row); !complete)
      return refuse(std::move(complete.error()));
  row->enabled = body->value.enabled;
  return save(call, std::move(*row), body->value.enabled ? "enabled" : "disabled", "{}", body->ignored);
}

void erase_secrets(json::Object& credentials) {
  std::vector<std::string> secrets;
  for (const auto& member : credentials)
    if (is_secret_member(std::string_view(member.key())))
      secrets.emplace_back(std::string_view(member.key()));
  for (const std::string& name : secrets) credentials.erase(name);
}

// A row that visits refer to stays, disabled and without its secrets.
Outcome<http::Response> remove(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto removed = write(call.core, [&](storage::Transaction& t) -> base::Result<void> {
    auto row = store::find_integration(t, call.principal.org_id, *id);
    if (!row) return base::fail(row.error());
    if (!*row) return base::fail("not_found", "no such integration in this organisation");
    auto uses = store::visits_of_integration(t, call.principal.org_id, *id);
    if (!uses) return base::fail(uses.error());
    if (uses->open > 0)
      return base::fail("integration_in_use",
                        std::to_string(uses->open) + " open visits use this integration");
    if (uses->all == 0) {
      if (auto r = store::delete_integration(t, call.principal.org_id, *id); !r) return r;
    } else {
      (*row)->enabled = false;
      (*row)->health_status = "inactive";
      erase_secrets((*row)->credentials);
      auto updated = store::update_integration(t, **row, call.principal.actor, call.core.now());
      if (!updated) return base::fail(updated.error());
    }
    return store::log_activity(
        t, {call.principal.org_id, *id, "deleted", true, "{}", std::nullopt, call.principal.actor},
        call.core.now());
  });
  if (!removed) return refuse(Failure(removed.error()));
  json::Object body;
  body["success"] = true;
  body["message"] = "Integration deleted";
  return answer(200, body);
}

Outcome<http::Response> test(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<TestBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  if (auto row = load(call, *id); !row) return refuse(std::move(row.error()));
  if (auto free = call.core.limits.test_integration(*id, call.core.clock.steady()); !free)
    return refuse(std::move(free.error()));
  auto run = run_test(call.core, call.principal, *id, "api");
  if (!run) return refuse(std::move(run.error()));
  http::Response response = answer(200, test_object(*run));
  note_ignored(response, body->ignored);
  return response;
}

Outcome<http::Response> tests(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto limit = query_number(call.request, "limit", 1, 200, 50);
  if (!limit) return refuse(std::move(limit.error()));
  if (auto row = load(call, *id); !row) return refuse(std::move(row.error()));
  auto runs = read(call.core, [&](storage::Transaction& t) {
    return store::list_check_runs(t, call.principal.org_id, *id, *limit);
  });
  if (!runs) return refuse(Failure(runs.error()));
  json::Array data;
  for (const CheckRun& run : *runs) {
    json::Object o;
    o["runId"] = run.id;
    o["origin"] = run.origin;
    o["startedAt"] = base::format_rfc3339(run.started_at);
    o["finishedAt"] =
        run.finished_at ? json::Value(base::format_rfc3339(*run.finished_at)) : json::Value(nullptr);
    o["outcome"] = run.outcome ? json::Value(*run.outcome) : json::Value(nullptr);
    auto checks = json::parse_tolerant(run.checks);
    o["checks"] = checks ? std::move(*checks) : json::Value(json::Array{});
    data.push_back(std::move(o));
  }
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> templates(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto found = live_templates(call.core, call.principal, *id);
  if (!found) return refuse(std::move(found.error()));
  json::Array data;
  for (const TemplateInfo& info : *found) {
    json::Object o;
    o["id"] = info.id;
    o["name"] = info.name;
    o["roles"] = json::Array(info.roles.begin(), info.roles.end());
    o["fits"] = info.fits;
    o["missing"] = json::Array(info.missing.begin(), info.missing.end());
    data.push_back(std::move(o));
  }
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> one(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto row = load(call, *id);
  if (!row) return refuse(std::move(row.error()));
  return row_answer(call.core, 200, *row);
}

}  // namespace

std::vector<StaffRoute> integration_routes() {
  using http::Method;
  return {
      {Method::kGet, "/api/integrations/vendors", Scope::kIntegrationsRead, vendors},
      {Method::kGet, "/api/integrations/vendors/:vendorId/schema", Scope::kIntegrationsRead, schema},
      {Method::kGet, "/api/integrations", Scope::kIntegrationsRead, list},
      {Method::kPost, "/api/integrations", Scope::kIntegrationsWrite, create},
      {Method::kGet, "/api/integrations/:id", Scope::kIntegrationsRead, one},
      {Method::kPut, "/api/integrations/:id", Scope::kIntegrationsWrite, update},
      {Method::kDelete, "/api/integrations/:id", Scope::kIntegrationsWrite, remove},
      {Method::kPost, "/api/integrations/:id/toggle", Scope::kIntegrationsWrite, toggle},
      {Method::kPost, "/api/integrations/:id/test", Scope::kIntegrationsTest, test},
      {Method::kGet, "/api/integrations/:id/tests", Scope::kIntegrationsRead, tests},
      {Method::kGet, "/api/integrations/:id/templates", Scope::kIntegrationsTest, templates},
  };
}

}  // namespace visits::api
