#include "visits/store/organizations.h"

#include "visits/store/helpers.h"

namespace visits::store {
namespace {

json::Object object_of(const std::string& text) {
  auto parsed = json::parse_tolerant(text);
  return parsed && parsed->is_object() ? std::move(parsed->as_object()) : json::Object{};
}

Organization organization_of(const storage::Row& r) {
  return {r.text("id"), r.text("name"), r.boolean("demo"), object_of(r.text("settings")),
          r.text("fhir_system_base")};
}

constexpr const char* kIntegrationColumns =
    "id, org_id, vendor_id, enabled, environment, priority, credentials, usage_mappings, health_status, "
    "last_tested_at, "
    "last_error, row_version, created_by, created_at, updated_at";

Integration integration_of(const storage::Row& r) {
  Integration out;
  out.id = r.text("id");
  out.org_id = r.text("org_id");
  out.vendor_id = r.text("vendor_id");
  out.enabled = r.boolean("enabled");
  out.environment = r.text("environment");
  out.priority = r.integer("priority");
  out.credentials_text = r.text("credentials");
  out.credentials = object_of(out.credentials_text);
  out.usage_mappings = r.text("usage_mappings");
  out.health_status = r.text("health_status");
  out.last_tested_at = r.maybe_time("last_tested_at");
  out.last_error = r.maybe_text("last_error");
  out.row_version = r.integer("row_version");
  out.created_by = r.maybe_text("created_by");
  out.created_at = r.time("created_at");
  out.updated_at = r.time("updated_at");
  return out;
}

}  // namespace

base::Result<std::optional<Organization>> find_organization(Transaction& t, const std::string& org_id) {
  return first<Organization>(
      t.query("SELECT id, name, demo, settings, fhir_system_base FROM organizations WHERE id = $1", {org_id}),
      organization_of);
}

base::Result<std::optional<Organization>> find_demo_organization(Transaction& t) {
  return first<Organization>(
      t.query("SELECT id, name, demo, settings, fhir_system_base FROM organizations WHERE demo = $1 "
              "ORDER BY created_at, id LIMIT 1",
              {true}),
      organization_of);
}

base::Result<void> insert_organization(Transaction& t, const Organization& org, base::WallTime now) {
  return only_status(t.query(
      "INSERT INTO organizations (id, name, demo, settings, fhir_system_base, created_at, updated_at) "
      "VALUES ($1, $2, $3, $4, $5, $6, $7)",
      {org.id, org.name, org.demo, json::serialize(org.settings), org.fhir_system_base, now, now}));
}

base::Result<void> ping(Transaction& t) {
  return only_status(t.query("SELECT 1 AS one"));
}

base::Result<std::vector<Vendor>> list_vendors(Transaction& t) {
  return all<Vendor>(
      t.query("SELECT id, name, category, description, documentation, featured FROM integration_vendors "
              "WHERE active = $1 ORDER BY sort_order, id",
              {true}),
      [](const storage::Row& r) {
        return Vendor{r.text("id"),          r.text("name"),          r.text("category"),
                      r.text("description"), r.text("documentation"), r.boolean("featured")};
      });
}

base::Result<std::optional<Integration>> find_integration(Transaction& t, const std::string& org_id,
                                                          const std::string& id) {
  return first<Integration>(t.query(std::string("SELECT ") + kIntegrationColumns +
                                        " FROM integrations WHERE org_id = $1 AND id = $2",
                                    {org_id, id}),
                            integration_of);
}

base::Result<std::vector<Integration>> list_integrations(Transaction& t, const std::string& org_id) {
  return all<Integration>(
      t.query(std::string("SELECT ") + kIntegrationColumns +
                  " FROM integrations WHERE org_id = $1 ORDER BY priority, created_at, id",
              {org_id}),
      integration_of);
}

base::Result<void> insert_integration(Transaction& t, const Integration& row, const std::string& actor,
                                      base::WallTime now) {
  return only_status(t.query(
      "INSERT INTO integrations (id, org_id, vendor_id, enabled, environment, priority, credentials, "
      "usage_mappings, created_by, "
      "updated_by, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {row.id, row.org_id, row.vendor_id, row.enabled, row.environment, row.priority,
       json::serialize(row.credentials), row.usage_mappings, actor, actor, now, now}));
}

base::Result<bool> update_integration(Transaction& t, const Integration& row, const std::string& actor,
                                      base::WallTime now) {
  auto done = t.query(
      "UPDATE integrations SET enabled = $1, environment = $2, priority = $3, credentials = $4, "
      "usage_mappings = $5, "
      "health_status = $6, last_error = $7, updated_by = $8, updated_at = $9, row_version = row_version + 1 "
      "WHERE org_id = $10 AND id = $11 AND row_version = $12",
      {row.enabled, row.environment, row.priority, json::serialize(row.credentials), row.usage_mappings,
       row.health_status, row.last_error, actor, now, row.org_id, row.id, row.row_version});
  if (!done) return base::fail(done.error());
  return done->affected == 1;
}

base::Result<bool> swap_credentials(Transaction& t, const Integration& row, const std::string& credentials,
                                    base::WallTime now) {
  auto done = t.query(
      "UPDATE integrations SET credentials = $1, updated_at = $2, row_version = row_version + 1 WHERE org_id "
      "= $3 AND id = $4 AND "
      "credentials = $5",
      {credentials, now, row.org_id, row.id, row.credentials_text});
  if (!done) return base::fail(done.error());
  return done->affected == 1;
}

base::Result<void> save_health(Transaction& t, const std::string& org_id, const std::string& id,
                               const std::string& status, OptionalTime tested_at, OptionalText last_error) {
  if (!tested_at)
    return only_status(
        t.query("UPDATE integrations SET health_status = $1, row_version = row_version + 1 WHERE org_id = $2 "
                "AND id = $3",
                {status, org_id, id}));
  return only_status(
      t.query("UPDATE integrations SET health_status = $1, last_tested_at = $2, last_error = $3, row_version "
              "= row_version + 1 "
              "WHERE org_id = $4 AND id = $5",
              {status, *tested_at, last_error, org_id, id}));
}

base::Result<void> delete_integration(Transaction& t, const std::string& org_id, const std::string& id) {
  return only_status(t.query("DELETE FROM integrations WHERE org_id = $1 AND id = $2", {org_id, id}));
}

base::Result<Uses> visits_of_integration(Transaction& t, const std::string& org_id, const std::string& id) {
  auto rows = t.query(
      "SELECT count(*) AS every, count(CASE WHEN status IN ('scheduled','waiting','active') THEN 1 END) AS "
      "open_ones "
      "FROM virtual_meetings WHERE org_id = $1 AND integration_id = $2",
      {org_id, id});
  if (!rows) return base::fail(rows.error());
  return Uses{rows->rows.front().integer("open_ones"), rows->rows.front().integer("every")};
}

base::Result<void> log_activity(Transaction& t, const Activity& a, base::WallTime now) {
  return only_status(
      t.query("INSERT INTO integration_activity_log (org_id, integration_id, activity_type, status, details, "
              "error_code, actor, "
              "created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
              {a.org_id, a.integration_id, a.type, a.success ? "success" : "error", a.details, a.error_code,
               a.actor, now}));
}

base::Result<void> start_check_run(Transaction& t, const std::string& org_id,
                                   const std::string& integration_id, const CheckRun& run) {
  return only_status(
      t.query("INSERT INTO integration_checks (id, org_id, integration_id, origin, started_at) VALUES ($1, "
              "$2, $3, $4, $5)",
              {run.id, org_id, integration_id, run.origin, run.started_at}));
}

base::Result<void> finish_check_run(Transaction& t, const std::string& org_id, const CheckRun& run) {
  return only_status(
      t.query("UPDATE integration_checks SET finished_at = $1, outcome = $2, checks = $3 WHERE org_id = $4 "
              "AND id = $5",
              {run.finished_at, run.outcome, run.checks, org_id, run.id}));
}

base::Result<std::vector<CheckRun>> list_check_runs(Transaction& t, const std::string& org_id,
                                                    const std::string& integration_id, std::int64_t limit) {
  return all<CheckRun>(
      t.query("SELECT id, origin, started_at, finished_at, outcome, checks FROM integration_checks "
              "WHERE org_id = $1 AND integration_id = $2 ORDER BY started_at DESC, id LIMIT $3",
              {org_id, integration_id, limit}),
      [](const storage::Row& r) {
        return CheckRun{r.text("id"),
                        r.text("origin"),
                        r.time("started_at"),
                        r.maybe_time("finished_at"),
                        r.maybe_text("outcome"),
                        r.text("checks")};
      });
}

base::Result<void> abort_open_check_runs(Transaction& t, base::WallTime now) {
  auto health = t.query(
      "UPDATE integrations SET health_status = 'inactive', row_version = row_version + 1 WHERE health_status "
      "= 'testing'");
  if (!health) return base::fail(health.error());
  return only_status(
      t.query("UPDATE integration_checks SET finished_at = $1, outcome = 'aborted' WHERE finished_at IS NULL",
              {now}));
}

}  // namespace visits::store
