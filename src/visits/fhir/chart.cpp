#include "visits/fhir/chart.h"

#include <cmath>

#include "visits/fhir/appointment.h"
#include "visits/store/fhir.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr const char* kActor = "visit";

// A person who is known to be the patient is there before the visit starts.
bool patient_arrived(const std::vector<Participant>& people) {
  for (const Participant& p : people)
    if (p.type == "patient" && p.identity != "claimed" && (p.state == "waiting" || p.state == "connected"))
      return true;
  return false;
}

bool back_to_booked(const Visit& v) {
  return v.status_reason == "technical_failure" || v.status_reason == "ended_before_start";
}

// Empty: the Appointment stays as it is.
std::string appointment_status(const Visit& v, bool arrived) {
  if (v.status == "waiting") return arrived ? "arrived" : "";
  if (v.status == "active" || v.status == "ended") return "fulfilled";
  if (v.status == "no_show") return "noshow";
  if (v.status == "cancelled") return back_to_booked(v) ? "booked" : "cancelled";
  return "";
}

// Empty: no Encounter is made; one that exists stays as it is.
std::string encounter_status(const Visit& v, bool arrived) {
  if (v.status == "waiting") return arrived ? "arrived" : "";
  if (v.status == "active") return "in-progress";
  if (v.status == "ended") return "finished";
  if (v.status == "cancelled" || v.status == "no_show") return v.encounter_id ? "cancelled" : "";
  return "";
}

std::string cancelation_code(const std::string& reason) {
  static constexpr std::pair<std::string_view, std::string_view> kCodes[] = {
      {"patient", "pat"},
      {"patient_feeling_better", "pat-fb"},
      {"patient_unreachable", "pat-cpp"},
      {"provider", "prov"},
      {"provider_personal", "prov-pers"},
      {"host_absent", "prov"},
      {"no_interpreter", "oth-int"},
      {"error", "oth-err"}};
  for (const auto& [from, to] : kCodes)
    if (from == reason) return std::string(to);
  return "other";
}

json::Object coded(const char* system, std::string_view code) {
  json::Object coding;
  coding["system"] = system;
  coding["code"] = code;
  json::Object out;
  out["coding"] = json::Array{std::move(coding)};
  return out;
}

json::Object object_of(const FhirResource& resource) {
  auto parsed = json::parse_tolerant(resource.resource);
  return parsed && parsed->is_object() ? std::move(parsed->as_object()) : json::Object{};
}

base::Result<void> put(storage::Transaction& t, const std::string& org_id, FhirResource resource,
                       json::Object body, const std::vector<store::IndexEntry>& index) {
  json::Object meta;
  if (const json::Object* old = json::object_at(body, "meta")) meta = *old;
  meta["versionId"] = std::to_string(resource.version_id);
  meta["lastUpdated"] = base::format_rfc3339(resource.last_updated);
  body["meta"] = std::move(meta);
  resource.resource = json::serialize(body);
  return store::put_resource(t, org_id, resource, kActor, index);
}

base::Result<void> write_appointment(storage::Transaction& t, const Visit& v, const std::string& status,
                                     base::WallTime now) {
  if (status.empty() || !v.appointment_id) return {};
  auto found = store::find_resource(t, v.org_id, "Appointment", *v.appointment_id);
  if (!found) return base::fail(found.error());
  if (!*found || (*found)->deleted) return {};
  json::Object body = object_of(**found);
  const std::string current(json::text_or(body, "status"));
  for (const std::string_view closed : {"cancelled", "noshow", "entered-in-error"})
    if (current == closed) return {};
  if (current == status) return {};
  body["status"] = status;
  body.erase("cancelationReason");
  if (status == "cancelled")
    body["cancelationReason"] = coded("http://terminology.hl7.org/CodeSystem/appointment-cancellation-reason",
                                      cancelation_code(v.status_reason.value_or("")));
  FhirResource next = **found;
  ++next.version_id;
  next.last_updated = now;
  next.resource = json::serialize(body);
  const auto index = appointment_index(read_appointment(next));
  return put(t, v.org_id, std::move(next), std::move(body), index);
}

// A stored resource is referred to literally, an unknown id logically; never an invented resource.
base::Result<json::Object> reference(storage::Transaction& t, const Organization& org, const char* type,
                                     const char* system, const std::string& id) {
  auto found = store::find_resource(t, org.id, type, id);
  if (!found) return base::fail(found.error());
  json::Object out;
  if (*found && !(*found)->deleted) {
    out["reference"] = std::string(type) + "/" + id;
    return out;
  }
  json::Object identifier;
  identifier["system"] = org.fhir_system_base + system;
  identifier["value"] = id;
  out["type"] = type;
  out["identifier"] = std::move(identifier);
  return out;
}

base::Result<json::Object> new_encounter(storage::Transaction& t, const Organization& org, const Visit& v) {
  json::Object o;
  o["resourceType"] = "Encounter";
  o["id"] = *v.encounter_id;
  json::Object identifier;
  identifier["system"] = org.fhir_system_base + "/visit";
  identifier["value"] = v.id;
  o["identifier"] = json::Array{std::move(identifier)};
  json::Object kind;
  kind["system"] = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
  kind["code"] = "VR";
  kind["display"] = "virtual";
  o["class"] = std::move(kind);
  if (v.patient_id) {
    auto subject = reference(t, org, "Patient", "/ehr-patient", *v.patient_id);
    if (!subject) return subject;
    o["subject"] = std::move(*subject);
  }
  if (v.host_practitioner_id) {
    auto individual = reference(t, org, "Practitioner", "/ehr-practitioner", *v.host_practitioner_id);
    if (!individual) return individual;
    json::Object participant;
    participant["type"] =
        json::Array{coded("http://terminology.hl7.org/CodeSystem/v3-ParticipationType", "PPRF")};
    participant["individual"] = std::move(*individual);
    o["participant"] = json::Array{std::move(participant)};
  }
  if (v.appointment_id) {
    auto appointment = reference(t, org, "Appointment", "/ehr-appointment", *v.appointment_id);
    if (!appointment) return appointment;
    o["appointment"] = json::Array{std::move(*appointment)};
  }
  return o;
}

void note_status(json::Object& body, const std::string& status, base::WallTime now) {
  const std::string current(json::text_or(body, "status"));
  if (!current.empty()) {
    const json::Object* meta = json::object_at(body, "meta");
    json::Object period;
    period["start"] = meta ? json::text_or(*meta, "lastUpdated") : std::string_view();
    period["end"] = base::format_rfc3339(now);
    json::Object entry;
    entry["status"] = current;
    entry["period"] = std::move(period);
    json::Array history;
    if (const json::Array* earlier = json::array_at(body, "statusHistory")) history = *earlier;
    history.push_back(std::move(entry));
    body["statusHistory"] = std::move(history);
  }
  body["status"] = status;
}

void note_period(json::Object& body, const Visit& v) {
  if (!v.started_at) return;
  json::Object period;
  period["start"] = base::format_rfc3339(*v.started_at);
  if (v.ended_at) {
    period["end"] = base::format_rfc3339(*v.ended_at);
    json::Object length;
    const double minutes = static_cast<double>((*v.ended_at - *v.started_at).to_millis()) / 60'000.0;
    length["value"] = std::round(minutes * 100) / 100;
    length["unit"] = "min";
    length["system"] = "http://unitsofmeasure.org";
    length["code"] = "min";
    body["length"] = std::move(length);
  }
  body["period"] = std::move(period);
}

std::vector<store::IndexEntry> encounter_index(const Visit& v, const std::string& status) {
  std::vector<store::IndexEntry> out{{"status", status, std::nullopt, std::nullopt},
                                     {"class", "VR", std::nullopt, std::nullopt},
                                     {"identifier", v.id, std::nullopt, std::nullopt}};
  if (v.started_at) out.push_back({"date", "", v.started_at, v.ended_at ? v.ended_at : v.started_at});
  if (v.patient_id) out.push_back({"patient", "Patient/" + *v.patient_id, std::nullopt, std::nullopt});
  if (v.appointment_id)
    out.push_back({"appointment", "Appointment/" + *v.appointment_id, std::nullopt, std::nullopt});
  return out;
}

base::Result<void> write_encounter(storage::Transaction& t, base::Random& random, Visit& v,
                                   const std::string& status, base::WallTime now) {
  if (status.empty()) return {};
  FhirResource next{"Encounter", "", 1, now, false, ""};
  json::Object body;
  if (v.encounter_id) {
    auto found = store::find_resource(t, v.org_id, "Encounter", *v.encounter_id);
    if (!found) return base::fail(found.error());
    if (!*found || (*found)->deleted) return {};
    next.version_id = (*found)->version_id + 1;
    body = object_of(**found);
    if (json::text_or(body, "status") == status) return {};
  } else {
    auto org = store::find_organization(t, v.org_id);
    if (!org) return base::fail(org.error());
    if (!*org) return base::fail("not_found", "no such organisation");
    v.encounter_id = random.uuid();
    auto made = new_encounter(t, **org, v);
    if (!made) return base::fail(made.error());
    body = std::move(*made);
  }
  next.id = *v.encounter_id;
  note_status(body, status, now);
  note_period(body, v);
  return put(t, v.org_id, std::move(next), std::move(body), encounter_index(v, status));
}

}  // namespace

base::Result<void> write_chart(storage::Transaction& t, base::Random& random, Visit& v,
                               const std::vector<Participant>& people, base::WallTime now) {
  const bool arrived = patient_arrived(people);
  if (auto r = write_appointment(t, v, appointment_status(v, arrived), now); !r) return r;
  return write_encounter(t, random, v, encounter_status(v, arrived), now);
}

}  // namespace visits
