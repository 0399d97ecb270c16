#include "visits/meetings/create.h"

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/core/names.h"
#include "visits/core/settings.h"
#include "visits/fhir/appointment.h"
#include "visits/integrations/clients.h"
#include "visits/meetings/links.h"
#include "visits/store/events.h"
#include "visits/store/fhir.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr base::Duration kOperationPatience = base::Duration::seconds(60);
constexpr base::Duration kInstantInviteLife = base::Duration::seconds(24 * 3600);

struct Gathered {
  Organization org;
  std::vector<Integration> integrations;
  std::optional<Visit> open;
  std::vector<std::string> warnings;
  OptionalText host_practitioner;  // whom the host link is for
};

base::Result<bool> known(storage::Transaction& t, const std::string& org_id, const char* type,
                         const OptionalText& id) {
  if (!id) return true;
  auto found = store::find_resource(t, org_id, type, *id);
  if (!found) return base::fail(found.error());
  return found->has_value() && !(*found)->deleted;
}

base::Result<Gathered> gather(storage::Transaction& t, const Principal& principal, const NewVisit& wanted) {
  Gathered out;
  auto org = store::find_organization(t, principal.org_id);
  if (!org) return base::fail(org.error());
  if (!*org) return base::fail("not_found", "no such organisation");
  out.org = std::move(**org);
  if (wanted.appointment_id) {
    auto open = store::find_open_visit_of_appointment(t, principal.org_id, *wanted.appointment_id);
    if (!open) return base::fail(open.error());
    out.open = std::move(*open);
  }
  auto integrations = store::list_integrations(t, principal.org_id);
  if (!integrations) return base::fail(integrations.error());
  out.integrations = std::move(*integrations);
  const std::pair<const char*, const OptionalText*> references[] = {
      {"Appointment", &wanted.appointment_id},
      {"Patient", &wanted.patient_id},
      {"Practitioner", &wanted.practitioner_id}};
  for (const auto& [type, id] : references) {
    auto stored = known(t, principal.org_id, type, *id);
    if (!stored) return base::fail(stored.error());
    if (!*stored) out.warnings.push_back(base::to_lower(type) + "_unknown");
  }
  out.host_practitioner = wanted.practitioner_id;
  if (!out.host_practitioner && principal.kind == Principal::Kind::kOpenLoopback) {
    auto first = store::first_resource(t, principal.org_id, "Practitioner");
    if (!first) return base::fail(first.error());
    if (*first) out.host_practitioner = (*first)->id;
  }
  if (!out.host_practitioner) out.warnings.emplace_back("no_practitioner");
  return out;
}

Outcome<void> check_wanted(const NewVisit& wanted, const Gathered& gathered) {
  if (wanted.patient_id && wanted.practitioner_id && *wanted.patient_id == *wanted.practitioner_id) {
    Failure failure("validation_failed", "the patient and the practitioner are the same");
    failure.errors.push_back({"/practitionerId", "format", "must differ from patientId"});
    return refuse(std::move(failure));
  }
  if (!Settings::of(gathered.org.settings).strict_references) return {};
  for (const std::string& warning : gathered.warnings)
    if (warning != "no_practitioner")
      return refuse("reference_unknown", "an id of the request is not stored here: " + warning);
  return {};
}

// The operation row that is there before the provider is asked.
struct Attempt {
  Operation operation;
  provider::RoomSpec spec;
};

Attempt new_attempt(Core& core, const Principal& principal, const Integration& row, const Video& video,
                    const NewVisit& wanted) {
  Attempt out;
  const base::WallTime now = core.now();
  out.spec.name = new_room_name(core.random);
  out.spec.template_id = video.config.template_id;
  out.spec.region = video.config.region;
  out.spec.size = video.config.room_size;
  out.spec.max_duration_seconds = 60 * wanted.duration_minutes.value_or(video.config.max_duration_min);
  json::Object args;
  args["templateId"] = out.spec.template_id;
  args["region"] = out.spec.region;
  out.operation.id = core.random.uuid();
  out.operation.org_id = principal.org_id;
  out.operation.integration_id = row.id;
  out.operation.op = "create_room";
  out.operation.args = json::serialize(args);
  out.operation.room_name = out.spec.name;
  out.operation.created_at = now;
  out.operation.next_attempt_at = now + kOperationPatience;
  return out;
}

void give_up(Core& core, Operation operation, const std::string& code, bool may_have_acted) {
  operation.state = may_have_acted ? "compensating" : "failed";
  operation.next_attempt_at = core.now();
  auto done = write(
      core, [&](storage::Transaction& t) { return store::update_operation(t, operation, code, core.now()); });
  // The row then stays pending and the compensator finds it after kOperationPatience.
  if (!done)
    telemetry::warn("an operation could not be marked",
                    {{"operation", operation.id}, {"code", done.error().code}});
}

std::string link_of(const provider::Failure& failure) {
  if (failure.code == "integration_credentials_rejected") return "token.accepted";
  if (failure.code == "integration_template_unknown") return "template.id";
  if (failure.code == "provider_unreachable" || failure.code == "provider_timeout" ||
      failure.code == "provider_tls_invalid" || failure.code == "provider_circuit_open")
    return "endpoint.reachable";
  return failure.detail.find("read-back") != std::string::npos ? "room.readback" : "room.create";
}

void log_failure(const Failure& failure, const std::string& cause, const std::string& request_id) {
  telemetry::warn("100ms createRoom failed: " + cause + " " + failure.code + " link=" + failure.link +
                  " requestId=" + request_id);
}

struct Confirmed {
  Attempt attempt;
  provider::Room room;
  std::shared_ptr<Video> video;
};

Outcome<Confirmed> confirm_room(Core& core, const Principal& principal, const Integration& row,
                                const NewVisit& wanted, base::SteadyTime deadline) {
  auto video = core.clients->of(row);
  if (!video) {
    log_failure(video.error(), "configuration", wanted.request_id);
    return refuse(std::move(video.error()));
  }
  if (auto fits = (*video)->check_template(core, deadline); !fits) {
    log_failure(fits.error(), "template check", wanted.request_id);
    return refuse(std::move(fits.error()));
  }
  Attempt attempt = new_attempt(core, principal, row, **video, wanted);
  auto noted =
      write(core, [&](storage::Transaction& t) { return store::insert_operation(t, attempt.operation); });
  if (!noted) return refuse(Failure(noted.error()));
  auto room = (*video)->client.create_confirmed_room(attempt.spec, deadline);
  if (!room) {
    give_up(core, attempt.operation, room.error().code, room.error().may_have_acted);
    Failure failure = from_provider(room.error(), link_of(room.error()));
    log_failure(failure, room.error().cause, wanted.request_id);
    return refuse(std::move(failure));
  }
  attempt.operation.room_id = room->id;
  return Confirmed{std::move(attempt), std::move(*room), std::move(*video)};
}

Visit new_visit(Core& core, const Principal& principal, const Integration& row, const Confirmed& confirmed,
                const NewVisit& wanted, const Gathered& gathered, const json::Array& failover) {
  const base::WallTime now = core.now();
  Visit v;
  v.id = core.random.uuid();
  v.org_id = principal.org_id;
  v.meeting_id = confirmed.room.id;
  v.kind = wanted.kind;
  v.integration_id = row.id;
  v.vendor_id = row.vendor_id;
  v.template_id =
      confirmed.room.template_id.empty() ? confirmed.attempt.spec.template_id : confirmed.room.template_id;
  v.region = confirmed.room.region.empty() ? confirmed.attempt.spec.region : confirmed.room.region;
  v.room_name = confirmed.attempt.spec.name;
  v.room_verified_at = now;
  v.failover = json::serialize(json::Value(failover));
  if (wanted.display_name) v.display_name = *wanted.display_name;
  v.appointment_id = wanted.appointment_id;
  v.patient_id = wanted.patient_id;
  v.host_practitioner_id = wanted.practitioner_id;
  v.scheduled_start = wanted.scheduled_start;
  v.scheduled_end = wanted.scheduled_end;
  json::Array warnings;
  for (const std::string& warning : gathered.warnings) warnings.emplace_back(warning);
  if (!failover.empty()) warnings.emplace_back("failed_over");
  if (confirmed.attempt.spec.template_id.empty()) warnings.emplace_back("default_template");
  v.config["warnings"] = std::move(warnings);
  v.created_by = principal.actor;
  v.created_at = now;
  v.updated_at = now;
  return v;
}

base::WallTime invite_expiry(const Core& core, const Visit& v, const Settings& settings) {
  const base::WallTime day = core.now() + kInstantInviteLife;
  if (!v.scheduled_end) return day;
  return std::max(*v.scheduled_end + settings.join_window_after, core.now() + settings.join_window_after);
}

base::Result<void> add_host_invite(storage::Transaction& t, Core& core, const Principal& principal,
                                   const Visit& v, const std::string& practitioner_id,
                                   const base::Secret& secret, base::WallTime expires_at) {
  Invite invite;
  invite.id = core.random.uuid();
  invite.org_id = v.org_id;
  invite.visit_id = v.id;
  invite.kind = "host";
  invite.person_ref = "Practitioner/" + practitioner_id;
  invite.expires_at = expires_at;
  return store::insert_invite(t, invite, secret_hash(secret.reveal()), principal.actor, core.now());
}

Outcome<CreatedVisit> reuse(Core& core, const NewVisit& wanted, const Visit& open) {
  const auto differs = [](const OptionalText& a, const OptionalText& b) { return a && b && *a != *b; };
  if (differs(wanted.patient_id, open.patient_id) ||
      differs(wanted.practitioner_id, open.host_practitioner_id)) {
    Failure failure("visit_open_for_appointment", "an open visit of this appointment has other people");
    failure.extra["visitId"] = open.id;
    return refuse(std::move(failure));
  }
  if (!base::is_object_id(open.meeting_id))
    return refuse("room_id_invalid", "the open visit of this appointment has a room id no provider issued");
  auto row = read(core, [&](storage::Transaction& t) {
    return store::find_integration(t, open.org_id, open.integration_id);
  });
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("integration_not_configured", "the integration of the open visit is gone");
  auto video = core.clients->of(**row);
  if (!video) return refuse(std::move(video.error()));
  auto room = (*video)->client.get_room(open.meeting_id, (*video)->client.deadline());
  if (!room && room.error().http_status == 404)
    return refuse("room_gone", "the provider no longer knows room " + open.meeting_id);
  if (!room) return refuse(from_provider(room.error(), "room.readback"));
  if (!room->enabled) return refuse("room_gone", "room " + open.meeting_id + " is disabled at the provider");
  return CreatedVisit{open, true, std::nullopt};
}

// One transaction: visit, host invite, event, operation done.
Outcome<CreatedVisit> store_visit(Core& core, const Principal& principal, Confirmed& confirmed, Visit visit,
                                  const Gathered& gathered) {
  const base::Secret invite = new_invite(core.random);
  const Settings settings = Settings::of(gathered.org.settings);
  confirmed.attempt.operation.state = "done";
  confirmed.attempt.operation.visit_id = visit.id;
  for (int tries = 0;; ++tries) {
    visit.code = new_code(core.random);
    auto stored = write(core, [&](storage::Transaction& t) -> base::Result<void> {
      if (auto r = store::insert_visit(t, visit); !r) return r;
      if (gathered.host_practitioner)
        if (auto r = add_host_invite(t, core, principal, visit, *gathered.host_practitioner, invite,
                                     invite_expiry(core, visit, settings));
            !r)
          return r;
      store::Event event{visit.org_id,          visit.id,        "visit.created",  {},
                         actor_kind(principal), principal.actor, visit.created_at, core.now()};
      event.data["status"] = visit.status;
      event.data["meetingId"] = visit.meeting_id;
      if (auto r = store::append_event(t, event); !r) return r;
      return store::update_operation(t, confirmed.attempt.operation, std::nullopt, core.now());
    });
    if (stored) break;
    if (stored.error().code == storage::kUnique && tries < 3) {
      std::optional<Visit> other;
      if (visit.appointment_id) {
        auto found = read(core, [&](storage::Transaction& t) {
          return store::find_open_visit_of_appointment(t, visit.org_id, *visit.appointment_id);
        });
        if (found) other = std::move(*found);
      }
      if (!other) continue;  // the code was taken: draw another
      confirmed.attempt.operation.visit_id.reset();
      give_up(core, confirmed.attempt.operation, "conflict", true);
      return CreatedVisit{std::move(*other), true, std::nullopt};
    }
    confirmed.attempt.operation.visit_id.reset();
    give_up(core, confirmed.attempt.operation, stored.error().code, true);
    return refuse(Failure(stored.error()));
  }
  core.metrics.counter("televisit_visits_created_total", "Visits created").add();
  CreatedVisit out{std::move(visit), false, std::nullopt};
  if (gathered.host_practitioner) out.host_link = host_link(core.config, out.visit.code, invite);
  return out;
}

}  // namespace

std::string actor_kind(const Principal& principal) {
  switch (principal.kind) {
    case Principal::Kind::kOpenLoopback:
      return "open_loopback";
    case Principal::Kind::kOperator:
      return "operator";
    case Principal::Kind::kSystem:
      break;
  }
  return "system";
}

bool is_availability(const Failure& failure) {
  for (const std::string_view code :
       {"provider_unreachable", "provider_timeout", "provider_tls_invalid", "provider_error",
        "provider_rate_limited", "provider_bad_response", "provider_circuit_open"})
    if (failure.code == code) return true;
  return false;
}

Outcome<CreatedVisit> create_visit(Core& core, const Principal& principal, const NewVisit& wanted) {
  auto gathered = read(core, [&](storage::Transaction& t) { return gather(t, principal, wanted); });
  if (!gathered) return refuse(Failure(gathered.error()));
  if (auto fine = check_wanted(wanted, *gathered); !fine) return refuse(std::move(fine.error()));
  if (gathered->open) return reuse(core, wanted, *gathered->open);

  std::vector<const Integration*> candidates;
  bool any = false;
  for (const Integration& row : gathered->integrations) {
    if (row.vendor_id != "100ms") continue;
    any = true;
    if (row.enabled) candidates.push_back(&row);
  }
  if (candidates.empty()) {
    telemetry::warn("⚠️ No active 100ms integration found for org " + principal.org_id);
    return refuse(any ? "integration_disabled" : "integration_not_configured",
                  any ? "No video integration of this organisation is enabled."
                      : "This organisation has no video integration.");
  }
  const base::SteadyTime deadline = core.clock.steady() + provider::Client::kDeadline;
  json::Array failover;
  std::optional<Failure> last;
  for (const Integration* row : candidates) {
    auto confirmed = confirm_room(core, principal, *row, wanted, deadline);
    if (confirmed)
      return store_visit(core, principal, *confirmed,
                         new_visit(core, principal, *row, *confirmed, wanted, *gathered, failover),
                         *gathered);
    if (!is_availability(confirmed.error())) return refuse(std::move(confirmed.error()));
    json::Object attempt;
    attempt["integrationId"] = row->id;
    attempt["vendorId"] = row->vendor_id;
    attempt["code"] = confirmed.error().code;
    attempt["link"] = confirmed.error().link;
    attempt["at"] = base::format_rfc3339(core.now());
    attempt["detail"] = confirmed.error().detail;
    failover.push_back(std::move(attempt));
    last = std::move(confirmed.error());
  }
  if (candidates.size() == 1) return refuse(std::move(*last));
  Failure failure("provider_unavailable",
                  "Every video provider of this organisation failed; nothing was stored.");
  failure.extra["attempts"] = std::move(failover);
  return refuse(std::move(failure));
}

Outcome<CreatedVisit> create_visit_of_appointment(Core& core, const Principal& principal,
                                                  const std::string& appointment_id, bool reopen,
                                                  const std::string& request_id) {
  struct Found {
    std::optional<FhirResource> resource;
    std::optional<Visit> last;
  };
  auto found = read(core, [&](storage::Transaction& t) -> base::Result<Found> {
    auto resource = store::find_resource(t, principal.org_id, "Appointment", appointment_id);
    if (!resource) return base::fail(resource.error());
    auto last = store::find_last_visit_of_appointment(t, principal.org_id, appointment_id);
    if (!last) return base::fail(last.error());
    return Found{std::move(*resource), std::move(*last)};
  });
  if (!found) return refuse(Failure(found.error()));
  if (!found->resource || found->resource->deleted)
    return refuse("appointment_not_found", "this organisation has no Appointment " + appointment_id);
  const Appointment appointment = read_appointment(*found->resource);
  for (const std::string_view closed : {"cancelled", "noshow", "entered-in-error"})
    if (appointment.status == closed)
      return refuse("appointment_closed", "the Appointment is " + appointment.status);
  if (appointment.patients.size() != 1 || appointment.practitioners.empty())
    return refuse("appointment_people_unclear",
                  "the Appointment names " + std::to_string(appointment.patients.size()) + " patients and " +
                      std::to_string(appointment.practitioners.size()) + " practitioners");
  if (found->last && found->last->status == "ended" && !reopen) {
    Failure failure("appointment_already_fulfilled", "an earlier visit of this appointment has ended");
    failure.extra["visitId"] = found->last->id;
    return refuse(std::move(failure));
  }
  NewVisit wanted;
  wanted.kind = "appointment";
  wanted.appointment_id = appointment_id;
  wanted.patient_id = appointment.patients.front();
  wanted.practitioner_id = appointment.practitioners.front();
  wanted.scheduled_start = appointment.start;
  wanted.scheduled_end = appointment.end;
  wanted.request_id = request_id;
  return create_visit(core, principal, wanted);
}

Outcome<HostLink> make_host_link(Core& core, const Principal& principal, const std::string& visit_id,
                                 const std::string& practitioner_id) {
  struct Found {
    std::optional<Visit> visit;
    std::optional<Organization> org;
  };
  auto found = read(core, [&](storage::Transaction& t) -> base::Result<Found> {
    auto visit = store::find_visit(t, principal.org_id, visit_id);
    if (!visit) return base::fail(visit.error());
    auto org = store::find_organization(t, principal.org_id);
    if (!org) return base::fail(org.error());
    return Found{std::move(*visit), std::move(*org)};
  });
  if (!found) return refuse(Failure(found.error()));
  if (!found->visit || !found->org) return refuse("not_found", "no such visit in this organisation");
  if (!found->visit->open()) {
    Failure failure("visit_closed", "the visit is over");
    failure.extra["status"] = found->visit->status;
    return refuse(std::move(failure));
  }
  const base::Secret secret = new_invite(core.random);
  const base::WallTime expires = invite_expiry(core, *found->visit, Settings::of(found->org->settings));
  auto stored = write(core, [&](storage::Transaction& t) -> base::Result<void> {
    if (auto r = store::revoke_host_invites(t, principal.org_id, visit_id, "Practitioner/" + practitioner_id,
                                            core.now());
        !r)
      return r;
    return add_host_invite(t, core, principal, *found->visit, practitioner_id, secret, expires);
  });
  if (!stored) return refuse(Failure(stored.error()));
  return HostLink{host_link(core.config, found->visit->code, secret), expires};
}

}  // namespace visits
