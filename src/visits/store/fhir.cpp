#include "visits/store/fhir.h"

#include "visits/store/helpers.h"

namespace visits::store {
namespace {

FhirResource resource_of(const storage::Row& r) {
  return {r.text("resource_type"), r.text("id"),         r.integer("version_id"),
          r.time("last_updated"),  r.boolean("deleted"), r.text("resource")};
}

constexpr const char* kColumns = "resource_type, id, version_id, last_updated, deleted, resource";

struct Clause {
  std::string text;
  storage::Params values;
};

Clause appointments(const std::string& org_id, const AppointmentFilter& f) {
  Clause out;
  out.values = {org_id, false};
  out.text =
      "FROM fhir_resources r JOIN fhir_index d ON d.org_id = r.org_id AND d.resource_type = r.resource_type "
      "AND d.id = r.id AND "
      "d.param = 'date' WHERE r.org_id = $1 AND r.resource_type = 'Appointment' AND r.deleted = $2";
  const auto add = [&](const std::string& condition, storage::Param value) {
    out.values.push_back(std::move(value));
    out.text += " AND " + condition + "$" + std::to_string(out.values.size());
  };
  if (f.from) add("d.date_lo >= ", *f.from);
  if (f.to) add("d.date_lo < ", *f.to);
  if (f.status) {
    out.text +=
        " AND EXISTS (SELECT 1 FROM fhir_index s WHERE s.org_id = r.org_id AND s.resource_type = "
        "r.resource_type AND s.id = r.id AND "
        "s.param = 'status'";
    add("s.value = ", *f.status);
    out.text += ")";
  }
  return out;
}

}  // namespace

base::Result<void> put_resource(Transaction& t, const std::string& org_id, const FhirResource& r,
                                const std::string& actor, const std::vector<IndexEntry>& index) {
  auto stored = t.query(
      "INSERT INTO fhir_resources (org_id, resource_type, id, version_id, last_updated, deleted, resource) "
      "VALUES ($1, $2, $3, $4, $5, "
      "$6, $7) ON CONFLICT (org_id, resource_type, id) DO UPDATE SET version_id = excluded.version_id, "
      "last_updated = "
      "excluded.last_updated, deleted = excluded.deleted, resource = excluded.resource",
      {org_id, r.type, r.id, r.version_id, r.last_updated, r.deleted, r.resource});
  if (!stored) return base::fail(stored.error());
  auto history = t.query(
      "INSERT INTO fhir_versions (org_id, resource_type, id, version_id, last_updated, actor, deleted, "
      "resource) VALUES ($1, $2, $3, $4, "
      "$5, $6, $7, $8)",
      {org_id, r.type, r.id, r.version_id, r.last_updated, actor, r.deleted, r.resource});
  if (!history) return base::fail(history.error());
  auto cleared = t.query("DELETE FROM fhir_index WHERE org_id = $1 AND resource_type = $2 AND id = $3",
                         {org_id, r.type, r.id});
  if (!cleared) return base::fail(cleared.error());
  for (const IndexEntry& e : index) {
    auto added = t.query(
        "INSERT INTO fhir_index (org_id, resource_type, id, param, value, date_lo, date_hi) VALUES ($1, $2, "
        "$3, $4, $5, $6, $7)",
        {org_id, r.type, r.id, e.param, e.value, e.date_lo, e.date_hi});
    if (!added) return base::fail(added.error());
  }
  return {};
}

base::Result<std::optional<FhirResource>> find_resource(Transaction& t, const std::string& org_id,
                                                        const std::string& type, const std::string& id) {
  return first<FhirResource>(
      t.query(std::string("SELECT ") + kColumns +
                  " FROM fhir_resources WHERE org_id = $1 AND resource_type = $2 AND id = $3",
              {org_id, type, id}),
      resource_of);
}

base::Result<std::vector<FhirResource>> list_versions(Transaction& t, const std::string& org_id,
                                                      const std::string& type, const std::string& id) {
  return all<FhirResource>(t.query(std::string("SELECT ") + kColumns +
                                       " FROM fhir_versions WHERE org_id = $1 AND resource_type = $2 AND id "
                                       "= $3 ORDER BY version_id DESC",
                                   {org_id, type, id}),
                           resource_of);
}

base::Result<std::optional<FhirResource>> first_resource(Transaction& t, const std::string& org_id,
                                                         const std::string& type) {
  return first<FhirResource>(t.query(std::string("SELECT ") + kColumns +
                                         " FROM fhir_resources WHERE org_id = $1 AND resource_type = $2 AND "
                                         "deleted = $3 ORDER BY last_updated, id LIMIT 1",
                                     {org_id, type, false}),
                             resource_of);
}

base::Result<std::vector<FhirResource>> list_appointments(Transaction& t, const std::string& org_id,
                                                          const AppointmentFilter& filter) {
  Clause clause = appointments(org_id, filter);
  clause.values.push_back(filter.limit);
  return all<FhirResource>(
      t.query("SELECT r.resource_type AS resource_type, r.id AS id, r.version_id AS version_id, "
              "r.last_updated AS last_updated, "
              "r.deleted AS deleted, r.resource AS resource " +
                  clause.text + " ORDER BY d.date_lo, r.id LIMIT $" + std::to_string(clause.values.size()),
              clause.values),
      resource_of);
}

base::Result<std::int64_t> count_appointments(Transaction& t, const std::string& org_id,
                                              const AppointmentFilter& filter) {
  const Clause clause = appointments(org_id, filter);
  auto rows = t.query("SELECT count(*) AS n " + clause.text, clause.values);
  if (!rows) return base::fail(rows.error());
  return rows->rows.front().integer("n");
}

}  // namespace visits::store
