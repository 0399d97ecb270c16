#include "visits/fhir/appointment.h"

namespace visits {
namespace {

json::Object object_of(const FhirResource& resource) {
  auto parsed = json::parse_tolerant(resource.resource);
  return parsed && parsed->is_object() ? std::move(parsed->as_object()) : json::Object{};
}

bool is_primary_performer(const json::Object& participant) {
  const json::Array* types = json::array_at(participant, "type");
  if (!types) return false;
  for (const json::Value& type : *types) {
    const json::Array* codings = type.is_object() ? json::array_at(type.as_object(), "coding") : nullptr;
    if (!codings) continue;
    for (const json::Value& coding : *codings)
      if (coding.is_object() && json::text_or(coding.as_object(), "code") == "PPRF") return true;
  }
  return false;
}

void read_participant(const json::Object& participant, Appointment& out) {
  const json::Object* actor = json::object_at(participant, "actor");
  if (!actor) return;
  const std::string_view reference = json::text_or(*actor, "reference");
  const auto slash = reference.find('/');
  if (slash == std::string_view::npos) return;
  const std::string_view type = reference.substr(0, slash);
  const std::string id(reference.substr(slash + 1));
  if (type == "Patient") out.patients.push_back(id);
  if (type == "Practitioner")
    out.practitioners.insert(
        is_primary_performer(participant) ? out.practitioners.begin() : out.practitioners.end(), id);
}

std::string_view first_text(const json::Object& object, std::string_view list) {
  const json::Array* entries = json::array_at(object, list);
  if (!entries || entries->empty() || !entries->front().is_object()) return {};
  return json::text_or(entries->front().as_object(), "text");
}

}  // namespace

Appointment read_appointment(const FhirResource& resource) {
  const json::Object object = object_of(resource);
  Appointment out;
  out.id = resource.id;
  out.status = json::text_or(object, "status");
  out.start = base::parse_rfc3339(json::text_or(object, "start"));
  out.end = base::parse_rfc3339(json::text_or(object, "end"));
  out.reason = json::text_or(object, "description", first_text(object, "reasonCode"));
  if (const json::Array* participants = json::array_at(object, "participant"))
    for (const json::Value& participant : *participants)
      if (participant.is_object()) read_participant(participant.as_object(), out);
  return out;
}

std::vector<store::IndexEntry> appointment_index(const Appointment& a) {
  std::vector<store::IndexEntry> out;
  if (a.start) out.push_back({"date", "", a.start, a.end ? a.end : a.start});
  out.push_back({"status", a.status, std::nullopt, std::nullopt});
  for (const std::string& id : a.patients)
    out.push_back({"patient", "Patient/" + id, std::nullopt, std::nullopt});
  for (const std::string& id : a.practitioners)
    out.push_back({"practitioner", "Practitioner/" + id, std::nullopt, std::nullopt});
  return out;
}

std::string display_name(const FhirResource& person) {
  const json::Object object = object_of(person);
  const json::Array* names = json::array_at(object, "name");
  if (!names || names->empty() || !names->front().is_object()) return {};
  const json::Object& name = names->front().as_object();
  if (const std::string_view text = json::text_or(name, "text"); !text.empty()) return std::string(text);
  std::string out;
  const auto append = [&](std::string_view part) {
    if (part.empty()) return;
    if (!out.empty()) out += ' ';
    out += part;
  };
  for (const char* list : {"prefix", "given"})
    if (const json::Array* parts = json::array_at(name, list))
      for (const json::Value& part : *parts)
        if (part.is_string()) append(std::string_view(part.as_string()));
  append(json::text_or(name, "family"));
  return out;
}

}  // namespace visits
