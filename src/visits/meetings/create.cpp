#include "visits/meetings/create.h"

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/core/names.h"
#include "visits/core/settings.h"
#include "visits/fhir/appointment.h"
#include "visits/integrations/clients.h"
#include "visits/meetings/links.h"
#include "visits/meetings/repair.h"
#include "visits/meetings/rooms.h"
#include "visits/store/events.h"
#include "visits/store/fhir.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

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
  if (wanted.duration_minutes) v.config["durationMinutes"] = *wanted.duration_minutes;
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

Failure already_fulfilled(const std::string& visit_id) {
  Failure failure("appointment_already_fulfilled", "an earlier visit of this appointment has ended");
  failure.extra["visitId"] = visit_id;
  return failure;
}

// nullopt: the room was ended by its people, the visit is over now, and another may be made.
Outcome<std::optional<CreatedVisit>> reuse(Core& core, const Principal& principal, const NewVisit& wanted,
                                           const Visit& open) {
  const auto differs = [](const OptionalText& a, const OptionalText& b) { return a && b && *a != *b; };
  if (differs(wanted.patient_id, open.patient_id) ||
      differs(wanted.practitioner_id, open.host_practitioner_id)) {
    Failure failure("visit_open_for_appointment", "an open visit of this appointment has other people");
    failure.extra["visitId"] = open.id;
    return refuse(std::move(failure));
  }
  auto repaired = repair_visit(core, principal, open.id, wanted.request_id);
  if (!repaired && repaired.error().code == "visit_closed") return std::optional<CreatedVisit>{};
  if (!repaired) return refuse(std::move(repaired.error()));
  return std::optional<CreatedVisit>(CreatedVisit{std::move(repaired->visit), true, std::nullopt});
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
    case Principal::Kind::kApiKey:
      return "api_key";
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
  if (gathered->open) {
    auto reused = reuse(core, principal, wanted, *gathered->open);
    if (!reused) return refuse(std::move(reused.error()));
    if (*reused) return std::move(**reused);
    if (gathered->open->status == "active") return refuse(already_fulfilled(gathered->open->id));
  }

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
  const NewRoom room{wanted.duration_minutes, wanted.request_id};
  json::Array failover;
  std::optional<Failure> last;
  for (const Integration* row : candidates) {
    auto confirmed = confirm_room(core, *row, room, deadline);
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
    return refuse(already_fulfilled(found->last->id));
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
