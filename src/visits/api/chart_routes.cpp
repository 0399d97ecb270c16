#include <map>

#include "base/text.h"
#include "visits/api/support.h"
#include "visits/core/names.h"
#include "visits/fhir/appointment.h"
#include "visits/meetings/links.h"
#include "visits/problems.h"
#include "visits/store/fhir.h"
#include "visits/store/meetings.h"

namespace visits::api {
namespace {

constexpr base::Duration kDay = base::Duration::seconds(24 * 3600);

struct Listed {
  Appointment appointment;
  std::optional<Visit> visit;
};

struct Day {
  std::vector<Listed> listed;
  std::map<std::string, std::string> names;  // "Patient/pt-88" -> "Pat Example"
};

base::Result<void> add_name(storage::Transaction& t, const std::string& org_id, const char* type,
                            const std::vector<std::string>& ids, Day& day) {
  if (ids.empty()) return {};
  const std::string key = std::string(type) + "/" + ids.front();
  if (day.names.contains(key)) return {};
  auto person = store::find_resource(t, org_id, type, ids.front());
  if (!person) return base::fail(person.error());
  day.names[key] = *person ? display_name(**person) : std::string();
  return {};
}

base::Result<Day> load_day(storage::Transaction& t, const std::string& org_id,
                           const store::AppointmentFilter& filter) {
  auto found = store::list_appointments(t, org_id, filter);
  if (!found) return base::fail(found.error());
  Day day;
  for (const FhirResource& resource : *found) {
    Listed listed{read_appointment(resource), std::nullopt};
    auto visit = store::find_last_visit_of_appointment(t, org_id, listed.appointment.id);
    if (!visit) return base::fail(visit.error());
    listed.visit = std::move(*visit);
    if (auto r = add_name(t, org_id, "Patient", listed.appointment.patients, day); !r)
      return base::fail(r.error());
    if (auto r = add_name(t, org_id, "Practitioner", listed.appointment.practitioners, day); !r)
      return base::fail(r.error());
    day.listed.push_back(std::move(listed));
  }
  return day;
}

json::Value person(const Day& day, const char* type, const std::vector<std::string>& ids) {
  if (ids.empty()) return nullptr;
  json::Object o;
  o["id"] = ids.front();
  const auto name = day.names.find(std::string(type) + "/" + ids.front());
  o["name"] = name == day.names.end() ? std::string() : name->second;
  return o;
}

Outcome<store::AppointmentFilter> range_of(const http::Request& request) {
  store::AppointmentFilter filter;
  if (const auto date = request.query_value("date")) {
    const auto start = base::parse_rfc3339(std::string(*date) + "T00:00:00Z");
    if (date->size() != 10 || !start) return refuse(bad_query("date", "is a day such as 2026-03-02"));
    filter.from = *start;
    filter.to = *start + kDay;
    return filter;
  }
  auto from = query_time(request, "from");
  if (!from) return refuse(std::move(from.error()));
  auto to = query_time(request, "to");
  if (!to) return refuse(std::move(to.error()));
  filter.from = *from;
  filter.to = *to;
  return filter;
}

Outcome<http::Response> appointments(const Call& call) {
  auto filter = range_of(call.request);
  if (!filter) return refuse(std::move(filter.error()));
  auto day =
      read(call.core, [&](storage::Transaction& t) { return load_day(t, call.principal.org_id, *filter); });
  if (!day) return refuse(Failure(day.error()));
  json::Array data;
  for (Listed& listed : day->listed) {
    json::Object o;
    o["id"] = listed.appointment.id;
    o["start"] = time_value(listed.appointment.start);
    o["end"] = time_value(listed.appointment.end);
    o["status"] = listed.appointment.status;
    o["reason"] = listed.appointment.reason;
    o["patient"] = person(*day, "Patient", listed.appointment.patients);
    o["practitioner"] = person(*day, "Practitioner", listed.appointment.practitioners);
    o["visit"] = nullptr;
    if (listed.visit) {
      const Visit now = call.presence.refreshed(std::move(*listed.visit));
      auto people =
          read(call.core, [&](storage::Transaction& t) { return store::presence(t, now.org_id, now.id); });
      if (!people) return refuse(Failure(people.error()));
      o["visit"] = visit_object(call.core.config, now, *people);
    }
    data.push_back(std::move(o));
  }
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

// FHIR answers carry problems as OperationOutcome with our code in issue.details (visit-api.md §9.1).
http::Response fhir_answer(int status, const std::string& body) {
  http::Response response;
  response.status = status;
  response.set("content-type", "application/fhir+json");
  response.body = body;
  return response;
}

http::Response outcome(const Failure& failure, const http::Request&) {
  const http::Problem p = to_problem(failure);
  json::Object coding;
  coding["code"] = p.code;
  json::Object details;
  details["coding"] = json::Array{std::move(coding)};
  json::Object issue;
  issue["severity"] = "error";
  issue["code"] = p.status == 404                      ? "not-found"
                  : p.status == 400                    ? "invalid"
                  : p.status == 401 || p.status == 403 ? "security"
                                                       : "exception";
  issue["details"] = std::move(details);
  issue["diagnostics"] = p.errors.empty() ? p.detail
                                          : p.detail + ": " + p.errors.front().pointer.substr(1) + " " +
                                                p.errors.front().message;
  json::Object o;
  o["resourceType"] = "OperationOutcome";
  o["issue"] = json::Array{std::move(issue)};
  return fhir_answer(p.status, json::serialize(o));
}

StaffHandler fhir_read(const char* type) {
  return [type](const Call& call) -> Outcome<http::Response> {
    const std::string id(call.request.param("id"));
    if (!is_fhir_id(id)) return refuse("not_found", std::string("no such ") + type);
    auto found = read(call.core, [&](storage::Transaction& t) {
      return store::find_resource(t, call.principal.org_id, type, id);
    });
    if (!found) return refuse(Failure(found.error()));
    if (!*found || (*found)->deleted) return refuse("not_found", std::string("no such ") + type);
    http::Response response = fhir_answer(200, (*found)->resource);
    response.set("etag", "W/\"" + std::to_string((*found)->version_id) + "\"");
    return response;
  };
}

Outcome<std::vector<FhirResource>> versions_of(const Call& call, const char* type) {
  const std::string id(call.request.param("id"));
  if (!is_fhir_id(id)) return refuse("not_found", std::string("no such ") + type);
  auto versions = read(call.core, [&](storage::Transaction& t) {
    return store::list_versions(t, call.principal.org_id, type, id);
  });
  if (!versions) return refuse(Failure(versions.error()));
  if (versions->empty()) return refuse("not_found", std::string("no such ") + type);
  return std::move(*versions);
}

StaffHandler fhir_vread(const char* type) {
  return [type](const Call& call) -> Outcome<http::Response> {
    auto versions = versions_of(call, type);
    if (!versions) return refuse(std::move(versions.error()));
    for (const FhirResource& version : *versions) {
      if (std::to_string(version.version_id) != call.request.param("vid") || version.deleted) continue;
      http::Response response = fhir_answer(200, version.resource);
      response.set("etag", "W/\"" + std::to_string(version.version_id) + "\"");
      return response;
    }
    return refuse("not_found", std::string("no such version of this ") + type);
  };
}

// Newest first.
StaffHandler fhir_history(const char* type) {
  return [type](const Call& call) -> Outcome<http::Response> {
    auto versions = versions_of(call, type);
    if (!versions) return refuse(std::move(versions.error()));
    json::Array entries;
    for (const FhirResource& version : *versions) {
      auto parsed = json::parse_tolerant(version.resource);
      if (!parsed) continue;
      const std::string path = std::string(type) + "/" + version.id;
      json::Object request;
      request["method"] = version.version_id == 1 ? "POST" : "PUT";
      request["url"] = version.version_id == 1 ? std::string(type) : path;
      json::Object response;
      response["status"] = version.version_id == 1 ? "201" : "200";
      response["etag"] = "W/\"" + std::to_string(version.version_id) + "\"";
      response["lastModified"] = base::format_rfc3339(version.last_updated);
      json::Object entry;
      entry["fullUrl"] = call.core.config.public_api_url + "/fhir/R4/" + path;
      entry["resource"] = std::move(*parsed);
      entry["request"] = std::move(request);
      entry["response"] = std::move(response);
      entries.push_back(std::move(entry));
    }
    json::Object bundle;
    bundle["resourceType"] = "Bundle";
    bundle["type"] = "history";
    bundle["total"] = static_cast<std::int64_t>(entries.size());
    bundle["entry"] = std::move(entries);
    return fhir_answer(200, json::serialize(bundle));
  };
}

// date=ge2026-03-02, date=lt2026-03-03T00:00:00Z, or a whole day.
Outcome<void> add_date(const std::string& value, store::AppointmentFilter& filter) {
  std::string_view text = value;
  std::string_view prefix;
  if (text.size() > 2 && text[0] >= 'a' && text[0] <= 'z') {
    prefix = text.substr(0, 2);
    text = text.substr(2);
  }
  const bool whole_day = text.size() == 10;
  const auto time = base::parse_rfc3339(whole_day ? std::string(text) + "T00:00:00Z" : std::string(text));
  const bool known = prefix.empty() || prefix == "ge" || prefix == "gt" || prefix == "le" || prefix == "lt" ||
                     prefix == "eq";
  if (!time || !known)
    return refuse(bad_query("date", "is a date or time with ge, gt, le, lt, eq or no prefix"));
  const base::WallTime end = whole_day ? *time + kDay : *time + base::Duration::millis(1);
  if (prefix.empty() || prefix == "eq") {
    filter.from = *time;
    filter.to = end;
  } else if (prefix == "ge") {
    filter.from = *time;
  } else if (prefix == "gt") {
    filter.from = end;
  } else if (prefix == "lt") {
    filter.to = *time;
  } else {
    filter.to = end;
  }
  return {};
}

Outcome<http::Response> fhir_search(const Call& call) {
  store::AppointmentFilter filter;
  filter.limit = 50;
  for (const auto& [name, value] : call.request.query) {
    if (name == "date") {
      if (auto added = add_date(value, filter); !added) return refuse(std::move(added.error()));
    } else if (name == "status") {
      filter.status = value;
    } else if (name == "_count") {
      auto count = query_number(call.request, "_count", 1, 200, 50);
      if (!count) return refuse(std::move(count.error()));
      filter.limit = *count;
    } else {
      return refuse(bad_query(name.substr(0, 60), "is not a search parameter of this server"));
    }
  }
  struct Page {
    std::vector<FhirResource> resources;
    std::int64_t total = 0;
  };
  auto page = read(call.core, [&](storage::Transaction& t) -> base::Result<Page> {
    auto resources = store::list_appointments(t, call.principal.org_id, filter);
    if (!resources) return base::fail(resources.error());
    auto total = store::count_appointments(t, call.principal.org_id, filter);
    if (!total) return base::fail(total.error());
    return Page{std::move(*resources), *total};
  });
  if (!page) return refuse(Failure(page.error()));
  json::Array entries;
  for (const FhirResource& resource : page->resources) {
    auto parsed = json::parse_tolerant(resource.resource);
    if (!parsed) continue;
    json::Object search;
    search["mode"] = "match";
    json::Object entry;
    entry["fullUrl"] = call.core.config.public_api_url + "/fhir/R4/Appointment/" + resource.id;
    entry["resource"] = std::move(*parsed);
    entry["search"] = std::move(search);
    entries.push_back(std::move(entry));
  }
  json::Object bundle;
  bundle["resourceType"] = "Bundle";
  bundle["type"] = "searchset";
  bundle["total"] = page->total;
  if (!entries.empty()) bundle["entry"] = std::move(entries);
  return fhir_answer(200, json::serialize(bundle));
}

}  // namespace

std::vector<StaffRoute> chart_routes() {
  using http::Method;
  std::vector<StaffRoute> out{
      {Method::kGet, "/api/appointments", Scope::kMeetingsRead, appointments},
      {Method::kGet, "/fhir/R4/Appointment", Scope::kFhirRead, fhir_search, outcome},
  };
  for (const char* type : {"Appointment", "Encounter", "Patient", "Practitioner"}) {
    const std::string path = std::string("/fhir/R4/") + type + "/:id";
    out.push_back({Method::kGet, path, Scope::kFhirRead, fhir_read(type), outcome});
    out.push_back({Method::kGet, path + "/_history", Scope::kFhirRead, fhir_history(type), outcome});
    out.push_back({Method::kGet, path + "/_history/:vid", Scope::kFhirRead, fhir_vread(type), outcome});
  }
  return out;
}

}  // namespace visits::api
