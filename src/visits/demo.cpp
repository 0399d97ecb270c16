#include "visits/demo.h"

#include "base/text.h"
#include "visits/core/names.h"
#include "visits/fhir/appointment.h"
#include "visits/store/fhir.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr const char* kActor = "demo";

struct Person {
  const char* type;
  const char* id;
  const char* prefix;
  const char* given;
  const char* family;
};
constexpr Person kPeople[] = {
    {"Practitioner", "dr-12", "Dr", "Dana", "Sample"}, {"Practitioner", "dr-31", "Dr", "Robin", "Model"},
    {"Patient", "pt-88", "", "Pat", "Example"},        {"Patient", "pt-90", "", "Kim", "Specimen"},
    {"Patient", "pt-91", "", "Alex", "Instance"},      {"Patient", "pt-92", "", "Sam", "Placeholder"},
};

struct Slot {
  const char* id;
  int start_min;  // from the full quarter of an hour before now
  int length_min;
  const char* reason;
  const char* patient;
  const char* practitioner;
};
constexpr Slot kSlots[] = {
    {"ap-1001", 0, 30, "Follow-up", "pt-88", "dr-12"},
    {"ap-1002", 45, 30, "Headache", "pt-90", "dr-12"},
    {"ap-1003", 90, 20, "Medication review", "pt-91", "dr-12"},
    {"ap-1004", 120, 30, "First consultation", "pt-92", "dr-31"},
};

FhirResource person_resource(const Person& p, const std::string& system_base, base::WallTime now) {
  json::Object name;
  name["family"] = p.family;
  name["given"] = json::Array{p.given};
  if (*p.prefix) name["prefix"] = json::Array{p.prefix};
  json::Object identifier;
  identifier["system"] =
      system_base + (std::string_view(p.type) == "Patient" ? "/ehr-patient" : "/ehr-practitioner");
  identifier["value"] = p.id;
  json::Object meta;
  meta["versionId"] = "1";
  meta["lastUpdated"] = base::format_rfc3339(now);
  json::Object o;
  o["resourceType"] = p.type;
  o["id"] = p.id;
  o["meta"] = std::move(meta);
  o["identifier"] = json::Array{std::move(identifier)};
  o["active"] = true;
  o["name"] = json::Array{std::move(name)};
  return {p.type, p.id, 1, now, false, json::serialize(o)};
}

json::Object participant(const char* type, const char* id) {
  json::Object actor;
  actor["reference"] = std::string(type) + "/" + id;
  json::Object out;
  if (std::string_view(type) == "Practitioner") {
    json::Object coding;
    coding["system"] = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType";
    coding["code"] = "PPRF";
    json::Object concept_;
    concept_["coding"] = json::Array{std::move(coding)};
    out["type"] = json::Array{std::move(concept_)};
  }
  out["actor"] = std::move(actor);
  out["required"] = "required";
  out["status"] = "accepted";
  return out;
}

FhirResource appointment_resource(const Slot& slot, std::int64_t version, base::WallTime now) {
  const std::int64_t quarter_ms = 15 * 60 * 1000;
  const base::WallTime start =
      base::WallTime{now.ms - now.ms % quarter_ms} + base::Duration::seconds(slot.start_min * 60);
  json::Object meta;
  meta["versionId"] = std::to_string(version);
  meta["lastUpdated"] = base::format_rfc3339(now);
  json::Object o;
  o["resourceType"] = "Appointment";
  o["id"] = slot.id;
  o["meta"] = std::move(meta);
  o["status"] = "booked";
  o["description"] = slot.reason;
  o["start"] = base::format_rfc3339(start);
  o["end"] = base::format_rfc3339(start + base::Duration::seconds(slot.length_min * 60));
  o["minutesDuration"] = slot.length_min;
  o["participant"] =
      json::Array{participant("Patient", slot.patient), participant("Practitioner", slot.practitioner)};
  return {"Appointment", slot.id, version, now, false, json::serialize(o)};
}

base::Result<void> seed_people(storage::Transaction& t, const Organization& org, base::WallTime now) {
  for (const Person& p : kPeople) {
    auto known = store::find_resource(t, org.id, p.type, p.id);
    if (!known) return base::fail(known.error());
    if (*known) continue;
    if (auto r = store::put_resource(t, org.id, person_resource(p, org.fhir_system_base, now), kActor, {});
        !r)
      return r;
  }
  return {};
}

// New, or moved to now once the last of them is over and none of them has an open visit.
base::Result<void> seed_appointments(storage::Transaction& t, const Organization& org, base::WallTime now) {
  bool day_over = true;
  std::vector<std::int64_t> versions;
  for (const Slot& slot : kSlots) {
    auto known = store::find_resource(t, org.id, "Appointment", slot.id);
    if (!known) return base::fail(known.error());
    versions.push_back(*known ? (*known)->version_id : 0);
    if (!*known) continue;
    auto open = store::find_open_visit_of_appointment(t, org.id, slot.id);
    if (!open) return base::fail(open.error());
    const Appointment stored = read_appointment(**known);
    if (*open || !stored.end || now < *stored.end) day_over = false;
  }
  for (std::size_t i = 0; i < versions.size(); ++i) {
    if (versions[i] != 0 && !day_over) continue;
    const FhirResource fresh = appointment_resource(kSlots[i], versions[i] + 1, now);
    if (auto r = store::put_resource(t, org.id, fresh, kActor, appointment_index(read_appointment(fresh)));
        !r)
      return r;
  }
  return {};
}

json::Object engine_credentials(Core& core, const Integration& row, const DemoSeed& seed) {
  json::Object credentials;
  credentials["appId"] = seed.app_id;
  credentials["appSecret"] = core.keyring.seal(
      seed.app_secret, "televisit/v1/integrations/" + row.org_id + "/" + row.id + "/appSecret", core.random);
  credentials["apiEndpoint"] = seed.api_endpoint;
  if (!seed.missing_template) credentials["templateId"] = seed.template_id;
  credentials["recordingEnabled"] = "false";
  return credentials;
}

// The debug guide's leftover: a visit whose room id no provider ever issued.
base::Result<void> seed_legacy_visit(storage::Transaction& t, Core& core, const Integration& row,
                                     base::WallTime now) {
  Visit v;
  v.id = core.random.uuid();
  v.org_id = row.org_id;
  v.code = new_code(core.random);
  v.meeting_id = "room_1750000000001";
  v.integration_id = row.id;
  v.vendor_id = row.vendor_id;
  v.room_name = "legacy." + v.id;
  v.room_state = "legacy_invalid";
  v.created_by = kActor;
  v.created_at = now - base::Duration::seconds(300);
  v.updated_at = v.created_at;
  return store::insert_visit(t, v);
}

base::Result<std::string> seed_integration(storage::Transaction& t, Core& core, const Organization& org,
                                           const DemoSeed& seed, base::WallTime now) {
  auto rows = store::list_integrations(t, org.id);
  if (!rows) return base::fail(rows.error());
  for (Integration& row : *rows) {
    if (row.vendor_id != "100ms" || row.created_by != kActor) continue;
    auto opened = core.keyring.open(json::text_or(row.credentials, "appSecret"),
                                    "televisit/v1/integrations/" + row.org_id + "/" + row.id + "/appSecret");
    const bool current = opened && *opened == seed.app_secret &&
                         json::text_or(row.credentials, "appId") == seed.app_id &&
                         json::text_or(row.credentials, "apiEndpoint") == seed.api_endpoint;
    const json::Object fresh = engine_credentials(core, row, seed);
    if (!current) {
      for (const char* member : {"appId", "appSecret", "apiEndpoint"})
        row.credentials[member] = fresh.at(member);
      row.health_status = "inactive";
      auto updated = store::update_integration(t, row, kActor, now);
      if (!updated) return base::fail(updated.error());
    }
    return row.id;
  }
  Integration row;
  row.id = seed.integration_id ? base::to_lower(*seed.integration_id) : core.random.uuid();
  row.org_id = org.id;
  row.vendor_id = "100ms";
  row.enabled = true;
  row.credentials = engine_credentials(core, row, seed);
  if (auto r = store::insert_integration(t, row, kActor, now); !r) return base::fail(r.error());
  if (auto r = store::log_activity(t, {row.org_id, row.id, "created", true, "{}", std::nullopt, kActor}, now);
      !r)
    return base::fail(r.error());
  if (seed.missing_template)
    if (auto r = seed_legacy_visit(t, core, row, now); !r) return base::fail(r.error());
  return row.id;
}

}  // namespace

base::Result<DemoInfo> seed_demo(Core& core, const DemoSeed& seed) {
  for (const auto& id : {seed.org_id, seed.integration_id})
    if (id && !base::is_uuid(*id)) return base::fail("validation_failed", "an id of the demo is not a UUID");
  const base::WallTime now = core.now();
  return write(core, [&](storage::Transaction& t) -> base::Result<DemoInfo> {
    auto found = store::find_demo_organization(t);
    if (!found) return base::fail(found.error());
    if (!*found) {
      Organization org;
      org.id = seed.org_id ? base::to_lower(*seed.org_id) : core.random.uuid();
      org.name = "Demo Clinic";
      org.demo = true;
      org.fhir_system_base = core.config.public_api_url + "/ids";
      // A newcomer tries any of today's appointments at once.
      org.settings["joinWindowBeforeMin"] = 1440;
      org.settings["joinWindowAfterMin"] = 1440;
      if (auto r = store::insert_organization(t, org, now); !r) return base::fail(r.error());
      *found = std::move(org);
    }
    const Organization& org = **found;
    if (auto r = seed_people(t, org, now); !r) return base::fail(r.error());
    if (auto r = seed_appointments(t, org, now); !r) return base::fail(r.error());
    auto integration = seed_integration(t, core, org, seed, now);
    if (!integration) return base::fail(integration.error());
    return DemoInfo{org.id, org.name, *integration, ""};
  });
}

}  // namespace visits
