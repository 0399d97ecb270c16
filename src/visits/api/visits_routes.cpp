#include "base/text.h"
#include "visits/api/support.h"
#include "visits/core/names.h"
#include "visits/meetings/close.h"
#include "visits/meetings/create.h"
#include "visits/meetings/links.h"
#include "visits/meetings/repair.h"
#include "visits/store/events.h"
#include "visits/store/meetings.h"

namespace visits::api {
namespace {

bool fhir_id(std::string_view text) {
  return is_fhir_id(text);
}

struct InstantBody {
  std::optional<std::string> org_id;
  std::optional<std::string> appointment_id;
  std::optional<std::string> patient_id;
  std::optional<std::string> practitioner_id;
  std::optional<std::string> display_name;
  std::optional<bool> waiting_room;
  std::optional<bool> recording_enabled;
  std::optional<std::int64_t> duration_minutes;
  template <class V>
  static void fields(V& v) {
    v.field("orgId", &InstantBody::org_id, json::text().max(64));
    v.field("appointmentId", &InstantBody::appointment_id, json::text().pattern(fhir_id, "a FHIR id"));
    v.field("patientId", &InstantBody::patient_id, json::text().pattern(fhir_id, "a FHIR id"));
    v.field("practitionerId", &InstantBody::practitioner_id, json::text().pattern(fhir_id, "a FHIR id"));
    v.field("displayName", &InstantBody::display_name, json::text().min(1).max(120).name().single_line());
    v.field("waitingRoom", &InstantBody::waiting_room, json::boolean());
    v.field("recordingEnabled", &InstantBody::recording_enabled, json::boolean());
    v.field("durationMinutes", &InstantBody::duration_minutes, json::integer(2, 720));
  }
};

struct AppointmentBody {
  std::optional<bool> waiting_room;
  std::optional<bool> recording_enabled;
  std::optional<bool> reopen;
  template <class V>
  static void fields(V& v) {
    v.field("waitingRoom", &AppointmentBody::waiting_room, json::boolean());
    v.field("recordingEnabled", &AppointmentBody::recording_enabled, json::boolean());
    v.field("reopen", &AppointmentBody::reopen, json::boolean());
  }
};

struct EndBody {
  std::optional<std::string> reason;
  template <class V>
  static void fields(V& v) {
    v.field("reason", &EndBody::reason, json::text().max(200));
  }
};

struct CancelBody {
  std::string reason_code;
  std::optional<std::string> comment;
  template <class V>
  static void fields(V& v) {
    v.field(
        "reasonCode", &CancelBody::reason_code,
        json::text().one_of({"patient", "patient_feeling_better", "patient_unreachable", "provider",
                             "provider_personal", "no_interpreter", "error", "other", "technical_failure"}));
    v.field("comment", &CancelBody::comment, json::text().max(500));
  }
};

struct NoShowBody {
  std::string who;
  template <class V>
  static void fields(V& v) {
    v.field("who", &NoShowBody::who, json::text().one_of({"patient", "provider", "both"}));
  }
};

struct HostLinkBody {
  std::optional<std::string> practitioner_id;
  template <class V>
  static void fields(V& v) {
    v.field("practitionerId", &HostLinkBody::practitioner_id, json::text().pattern(fhir_id, "a FHIR id"));
  }
};

// The waiting room and recording do not exist in this program yet: asking for them is refused, never silently
// dropped.
Outcome<void> check_features(const std::optional<bool>& waiting_room, const std::optional<bool>& recording) {
  Failure failure("validation_failed", "this server does not offer what was asked for");
  if (waiting_room.value_or(false)) {
    failure.errors.push_back({"/waitingRoom", "one_of", "must be false: this server has no waiting room"});
    failure.remedy = "Leave waitingRoom out or send false; people then enter once they pass the lobby.";
  }
  if (recording.value_or(false)) {
    failure.errors.push_back({"/recordingEnabled", "one_of", "must be false: this server does not record"});
    if (failure.remedy.empty()) failure.remedy = "Leave recordingEnabled out or send false.";
  }
  if (failure.errors.empty()) return {};
  return refuse(std::move(failure));
}

Outcome<json::Object> shown(const Call& call, const Visit& visit) {
  auto people =
      read(call.core, [&](storage::Transaction& t) { return store::presence(t, visit.org_id, visit.id); });
  if (!people) return refuse(Failure(people.error()));
  return visit_object(call.core.config, visit, *people);
}

http::Response visit_answer(int status, json::Object body, const Visit& visit, const std::string& ignored) {
  http::Response response = answer(status, body);
  response.set("etag", "\"r" + std::to_string(visit.row_version) + "\"");
  if (status == 201) response.set("location", "/api/virtual-meetings/" + visit.id);
  note_ignored(response, ignored);
  return response;
}

Outcome<http::Response> created(const Call& call, const CreatedVisit& made, const std::string& ignored) {
  auto body = shown(call, made.visit);
  if (!body) return refuse(std::move(body.error()));
  if (made.reused)
    (*body)["reused"] = true;
  else
    (*body)["hostLink"] = text_value(made.host_link);
  return visit_answer(made.reused ? 200 : 201, std::move(*body), made.visit, ignored);
}

Outcome<http::Response> instant(const Call& call) {
  auto body = read_body<InstantBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  const InstantBody& b = body->value;
  if (b.org_id && !base::equals_ignore_case(*b.org_id, call.principal.org_id))
    return refuse("org_mismatch", "orgId names another organisation");
  if (auto fine = check_features(b.waiting_room, b.recording_enabled); !fine)
    return refuse(std::move(fine.error()));
  NewVisit wanted;
  wanted.appointment_id = b.appointment_id;
  wanted.patient_id = b.patient_id;
  wanted.practitioner_id = b.practitioner_id;
  wanted.display_name = b.display_name;
  wanted.duration_minutes = b.duration_minutes;
  wanted.request_id = call.request.request_id;
  auto made = create_visit(call.core, call.principal, wanted);
  if (!made) return refuse(std::move(made.error()));
  return created(call, *made, body->ignored);
}

Outcome<http::Response> of_appointment(const Call& call) {
  const std::string id(call.request.param("appointmentId"));
  if (!is_fhir_id(id)) return refuse("route_not_found", "there is no such path");
  auto body = read_body<AppointmentBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  if (auto fine = check_features(body->value.waiting_room, body->value.recording_enabled); !fine)
    return refuse(std::move(fine.error()));
  auto made = create_visit_of_appointment(call.core, call.principal, id, body->value.reopen.value_or(false),
                                          call.request.request_id);
  if (!made) return refuse(std::move(made.error()));
  return created(call, *made, body->ignored);
}

Outcome<store::VisitFilter> filter_of(const Call& call) {
  store::VisitFilter filter;
  for (const auto& [name, value] : call.request.query) {
    if (name != "status") continue;
    bool known = false;
    for (const std::string_view status : {"scheduled", "waiting", "active", "ended", "cancelled", "no_show"})
      known = known || value == status;
    if (!known || filter.statuses.size() >= 6)
      return refuse(bad_query("status", "is scheduled, waiting, active, ended, cancelled or no_show"));
    filter.statuses.push_back(value);
  }
  auto limit = query_number(call.request, "limit", 1, 200, 50);
  if (!limit) return refuse(std::move(limit.error()));
  auto offset = query_number(call.request, "offset", 0, 10000, 0);
  if (!offset) return refuse(std::move(offset.error()));
  auto from = query_time(call.request, "startDate");
  if (!from) return refuse(std::move(from.error()));
  auto to = query_time(call.request, "endDate");
  if (!to) return refuse(std::move(to.error()));
  auto position = read_cursor(call.core, call.request);
  if (!position) return refuse(std::move(position.error()));
  filter.limit = *limit;
  filter.offset = *offset;
  filter.created_from = *from;
  filter.created_to = *to;
  if (*position) {
    filter.before_created = (*position)->created;
    filter.before_id = (*position)->id;
  }
  if (const auto id = call.request.query_value("patientId")) filter.patient_id = std::string(*id);
  if (const auto id = call.request.query_value("practitionerId")) filter.practitioner_id = std::string(*id);
  if (const auto q = call.request.query_value("q")) filter.code = normalise_code(*q).value_or("-");
  return filter;
}

Outcome<http::Response> list(const Call& call) {
  auto org_id = path_uuid(call.request, "orgId");
  if (!org_id) return refuse(std::move(org_id.error()));
  if (*org_id != call.principal.org_id) return refuse("org_mismatch", "the path names another organisation");
  auto filter = filter_of(call);
  if (!filter) return refuse(std::move(filter.error()));
  struct Page {
    std::vector<Visit> visits;
    std::int64_t total = 0;
  };
  auto page = read(call.core, [&](storage::Transaction& t) -> base::Result<Page> {
    auto visits = store::list_visits(t, *org_id, *filter);
    if (!visits) return base::fail(visits.error());
    auto total = store::count_visits(t, *org_id, *filter);
    if (!total) return base::fail(total.error());
    return Page{std::move(*visits), *total};
  });
  if (!page) return refuse(Failure(page.error()));
  json::Array data;
  for (Visit& visit : page->visits) {
    visit = call.presence.refreshed(std::move(visit));
    auto body = shown(call, visit);
    if (!body) return refuse(std::move(body.error()));
    data.push_back(std::move(*body));
  }
  json::Object pagination;
  pagination["limit"] = filter->limit;
  pagination["next"] = nullptr;
  if (static_cast<std::int64_t>(page->visits.size()) == filter->limit && page->total > filter->limit)
    pagination["next"] = make_cursor(call.core, {page->visits.back().created_at, page->visits.back().id});
  pagination["total"] = page->total;
  json::Object body;
  body["data"] = std::move(data);
  body["pagination"] = std::move(pagination);
  return answer(200, body);
}

Outcome<Visit> load(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto visit = read(
      call.core, [&](storage::Transaction& t) { return store::find_visit(t, call.principal.org_id, *id); });
  if (!visit) return refuse(Failure(visit.error()));
  if (!*visit) return refuse("not_found", "no such visit in this organisation");
  return std::move(**visit);
}

Outcome<http::Response> one(const Call& call) {
  auto visit = load(call);
  if (!visit) return refuse(std::move(visit.error()));
  const Visit now = call.presence.refreshed(std::move(*visit));
  auto body = shown(call, now);
  if (!body) return refuse(std::move(body.error()));
  return visit_answer(200, std::move(*body), now, {});
}

Outcome<http::Response> end(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<EndBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  auto ended = end_visit(call.core, call.principal, *id, "ended_by_host", body->value.reason);
  if (!ended) return refuse(std::move(ended.error()));
  const bool closing = ended->visit.room_state == "closing";
  json::Object out;
  out["success"] = true;
  out["message"] = closing ? "The visit has ended; the provider has not confirmed yet that the room is closed"
                           : "Meeting ended successfully";
  out["status"] = ended->visit.status;
  out["encounterId"] = text_value(ended->visit.encounter_id);
  out["roomState"] = ended->visit.room_state;
  if (ended->already) out["alreadyEnded"] = true;
  http::Response response = answer(closing ? 202 : 200, out);
  note_ignored(response, body->ignored);
  return response;
}

Outcome<http::Response> closed_answer(const Call& call, Outcome<ClosedVisit> closed,
                                      const std::string& ignored) {
  if (!closed) return refuse(std::move(closed.error()));
  auto out = shown(call, closed->visit);
  if (!out) return refuse(std::move(out.error()));
  return visit_answer(200, std::move(*out), closed->visit, ignored);
}

Outcome<http::Response> cancel(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<CancelBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  return closed_answer(
      call, cancel_visit(call.core, call.principal, *id, body->value.reason_code, body->value.comment),
      body->ignored);
}

Outcome<http::Response> no_show(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto body = read_body<NoShowBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  return closed_answer(call, mark_no_show(call.core, call.principal, *id, body->value.who), body->ignored);
}

Outcome<http::Response> repair(const Call& call) {
  auto id = path_uuid(call.request, "id");
  if (!id) return refuse(std::move(id.error()));
  auto repaired = repair_visit(call.core, call.principal, *id, call.request.request_id);
  if (!repaired) return refuse(std::move(repaired.error()));
  auto out = shown(call, repaired->visit);
  if (!out) return refuse(std::move(out.error()));
  (*out)["repaired"] = repaired->repaired;
  return visit_answer(200, std::move(*out), repaired->visit, {});
}

Outcome<http::Response> host_link_route(const Call& call) {
  auto body = read_body<HostLinkBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  auto visit = load(call);
  if (!visit) return refuse(std::move(visit.error()));
  OptionalText practitioner =
      body->value.practitioner_id ? body->value.practitioner_id : visit->host_practitioner_id;
  if (!practitioner) {
    Failure failure("validation_failed", "the visit names no practitioner");
    failure.errors.push_back({"/practitionerId", "required", "is required"});
    return refuse(std::move(failure));
  }
  auto link = make_host_link(call.core, call.principal, visit->id, *practitioner);
  if (!link) return refuse(std::move(link.error()));
  json::Object out;
  out["hostLink"] = link->link;
  out["expiresAt"] = base::format_rfc3339(link->expires_at);
  http::Response response = answer(201, out);
  note_ignored(response, body->ignored);
  return response;
}

Outcome<http::Response> participants(const Call& call) {
  auto visit = load(call);
  if (!visit) return refuse(std::move(visit.error()));
  const Visit now = call.presence.refreshed(std::move(*visit));
  auto people = read(
      call.core, [&](storage::Transaction& t) { return store::list_participants(t, now.org_id, now.id); });
  if (!people) return refuse(Failure(people.error()));
  json::Array data;
  for (const Participant& p : *people) data.push_back(participant_object(p));
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

Outcome<http::Response> events(const Call& call) {
  auto visit = load(call);
  if (!visit) return refuse(std::move(visit.error()));
  auto after = query_number(call.request, "cursor", 0, 1'000'000'000, 0);
  if (!after) return refuse(std::move(after.error()));
  auto found = read(call.core, [&](storage::Transaction& t) {
    return store::list_events(t, visit->org_id, visit->id, *after, 200);
  });
  if (!found) return refuse(Failure(found.error()));
  json::Array data;
  for (const store::StoredEvent& e : *found) {
    json::Object actor;
    actor["kind"] = e.event.actor_kind;
    actor["id"] = text_value(e.event.actor_id);
    json::Object o;
    o["seq"] = e.seq;
    o["type"] = e.event.type;
    o["occurredAt"] = base::format_rfc3339(e.event.occurred_at);
    o["actor"] = std::move(actor);
    o["data"] = e.event.data;
    o["hash"] = base::to_hex(std::span(reinterpret_cast<const std::uint8_t*>(e.hash.data()), e.hash.size()));
    data.push_back(std::move(o));
  }
  json::Object body;
  body["data"] = std::move(data);
  return answer(200, body);
}

}  // namespace

std::vector<StaffRoute> visit_routes() {
  using http::Method;
  return {
      {Method::kPost, "/api/virtual-meetings/instant", Scope::kMeetingsWrite, instant},
      {Method::kPost, "/api/virtual-meetings/appointment/:appointmentId", Scope::kMeetingsWrite,
       of_appointment},
      {Method::kGet, "/api/virtual-meetings/org/:orgId", Scope::kMeetingsRead, list},
      {Method::kGet, "/api/virtual-meetings/:id", Scope::kMeetingsRead, one},
      {Method::kPost, "/api/virtual-meetings/:id/end", Scope::kMeetingsHost, end},
      {Method::kPost, "/api/virtual-meetings/:id/cancel", Scope::kMeetingsWrite, cancel},
      {Method::kPost, "/api/virtual-meetings/:id/no-show", Scope::kMeetingsWrite, no_show},
      {Method::kPost, "/api/virtual-meetings/:id/repair", Scope::kMeetingsWrite, repair},
      {Method::kPost, "/api/virtual-meetings/:id/host-link", Scope::kMeetingsHost, host_link_route},
      {Method::kGet, "/api/virtual-meetings/:id/participants", Scope::kMeetingsRead, participants},
      {Method::kGet, "/api/virtual-meetings/:id/events", Scope::kMeetingsRead, events},
  };
}

}  // namespace visits::api
