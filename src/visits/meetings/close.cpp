#include "visits/meetings/close.h"

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/fhir/chart.h"
#include "visits/integrations/clients.h"
#include "visits/meetings/create.h"
#include "visits/meetings/timers.h"
#include "visits/store/events.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr std::int64_t kAttemptsUntilStuck = 20;
constexpr base::Duration kLease = base::Duration::seconds(60);

// 30 s, 60 s, 120 s … at most an hour.
base::Duration backoff(std::int64_t attempts) {
  const std::int64_t shift = std::min<std::int64_t>(attempts, 7);
  return base::Duration::seconds(std::min<std::int64_t>(30LL << shift, 3600));
}

Outcome<std::shared_ptr<Video>> video_of(Core& core, const std::string& org_id,
                                         const std::string& integration_id) {
  auto row =
      read(core, [&](storage::Transaction& t) { return store::find_integration(t, org_id, integration_id); });
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("integration_not_configured", "the integration of this visit is gone");
  return core.clients->of(**row);
}

void finish_operation(Core& core, Operation o, const std::string& state, const OptionalText& code) {
  o.state = state;
  auto done =
      write(core, [&](storage::Transaction& t) { return store::update_operation(t, o, code, core.now()); });
  if (!done)
    telemetry::warn("an operation could not be marked", {{"operation", o.id}, {"code", done.error().code}});
}

void postpone_operation(Core& core, Operation o, const std::string& code) {
  ++o.attempts;
  o.next_attempt_at = core.now() + backoff(o.attempts);
  const bool stuck = o.attempts >= kAttemptsUntilStuck;
  if (stuck)
    telemetry::error("a provider operation is stuck", {{"operation", o.id}, {"op", o.op}, {"code", code}});
  finish_operation(core, o, stuck ? "stuck" : o.state, code);
}

base::Result<void> mark_room_closed(storage::Transaction& t, Core& core, const std::string& org_id,
                                    const std::string& visit_id) {
  auto visit = store::find_visit(t, org_id, visit_id);
  if (!visit) return base::fail(visit.error());
  if (!*visit || (*visit)->room_state != "closing") return {};
  Visit closed = **visit;
  closed.room_state = "closed";
  auto updated = store::update_visit(t, closed, core.now());
  if (!updated) return base::fail(updated.error());
  if (!*updated) return base::fail(storage::kBusy, "the visit changed meanwhile");
  return {};
}

// Ends, disables and reads back the room of a close operation.
Outcome<void> close_now(Core& core, const Operation& o) {
  auto video = video_of(core, o.org_id, o.integration_id);
  if (!video) return refuse(std::move(video.error()));
  auto closed = (*video)->client.close_room(o.room_id.value_or(""), (*video)->client.deadline());
  if (!closed) return refuse(from_provider(closed.error(), "room.end"));
  auto marked = write(core, [&](storage::Transaction& t) -> base::Result<void> {
    if (o.visit_id)
      if (auto r = mark_room_closed(t, core, o.org_id, *o.visit_id); !r) return r;
    Operation done = o;
    done.state = "done";
    return store::update_operation(t, done, std::nullopt, core.now());
  });
  if (!marked) return refuse(Failure(marked.error()));
  return {};
}

// A creation whose visit never came to be: the POST is an upsert by name, so it yields the room's id; the
// room is then disabled.
Outcome<Operation> undo_creation(Core& core, Operation o) {
  auto video = video_of(core, o.org_id, o.integration_id);
  if (!video) return refuse(std::move(video.error()));
  const base::SteadyTime deadline = (*video)->client.deadline();
  if (!o.room_id) {
    provider::RoomSpec spec;
    spec.name = o.room_name.value_or("");
    if (auto args = json::parse_tolerant(o.args); args && args->is_object()) {
      spec.template_id = json::text_or(args->as_object(), "templateId");
      spec.region = json::text_or(args->as_object(), "region", "auto");
    }
    auto room = (*video)->client.create_room(spec, deadline);
    if (!room) return refuse(from_provider(room.error(), "room.create"));
    o.room_id = room->id;
  }
  if (auto disabled = (*video)->client.set_enabled(*o.room_id, false, deadline); !disabled)
    return refuse(from_provider(disabled.error(), "room.end"));
  auto room = (*video)->client.get_room(*o.room_id, deadline);
  if (!room) return refuse(from_provider(room.error(), "room.readback"));
  if (room->enabled)
    return refuse("provider_bad_response", "the room is still enabled after it was disabled");
  return o;
}

void run_operation(Core& core, Operation o) {
  if (o.op == "close_room") {
    if (auto closed = close_now(core, o); !closed) postpone_operation(core, o, closed.error().code);
    return;
  }
  if (o.op != "create_room" || o.visit_id) return;
  o.state = "compensating";
  auto undone = undo_creation(core, o);
  if (undone)
    finish_operation(core, *undone, "compensated", std::nullopt);
  else
    postpone_operation(core, o, undone.error().code);
}

// The operation is none when the room needs no call.
struct Stored {
  Visit visit;
  std::optional<Operation> operation;
};

// T6 from active, T7 and T8 before it.
bool allowed(const Visit& v, const std::string& status) {
  if (v.status == "active") return status == "ended";
  return v.open() && (status == "cancelled" || status == "no_show");
}

// The state change with its event, and the operation row that will close the room, in one transaction.
base::Result<Stored> store_close(storage::Transaction& t, Core& core, const Principal& principal, Visit v,
                                 const Closing& closing) {
  const base::WallTime now = core.now();
  v.status = closing.status;
  v.status_reason = closing.reason;
  if (closing.comment) v.config["statusComment"] = *closing.comment;
  if (v.status == "ended") v.ended_at = std::max(now, v.started_at.value_or(now));
  v.closed_at = now;
  v.paused_since.reset();
  v.next_deadline_at.reset();
  v.host_absent_since.reset();
  v.guest_absent_since.reset();
  v.empty_since.reset();
  Stored out;
  if (v.room_state == "confirmed") v.room_state = closing.room_closed ? "closed" : "closing";
  if (auto r = write_chart(t, core.random, v, {}, now); !r) return base::fail(r.error());
  auto updated = store::update_visit(t, v, now);
  if (!updated) return base::fail(updated.error());
  if (!*updated) return base::fail("visit_state_conflict", "the visit changed meanwhile");
  ++v.row_version;
  if (auto r = store::close_participants(t, v.org_id, v.id, now); !r) return base::fail(r.error());
  store::Event event{v.org_id, v.id, "visit." + v.status, {}, actor_kind(principal), principal.actor,
                     now,      now};
  event.data["status"] = v.status;
  event.data["reason"] = *v.status_reason;
  if (auto r = store::append_event(t, event); !r) return base::fail(r.error());
  if (v.room_state == "closing") {
    Operation o;
    o.id = core.random.uuid();
    o.org_id = v.org_id;
    o.integration_id = v.integration_id;
    o.visit_id = v.id;
    o.op = "close_room";
    o.room_name = v.room_name;
    o.room_id = v.meeting_id;
    o.created_at = now;
    o.next_attempt_at = now + kLease;
    if (auto r = store::insert_operation(t, o); !r) return base::fail(r.error());
    out.operation = std::move(o);
  }
  out.visit = std::move(v);
  return out;
}

using Decide = std::function<Outcome<Closing>(storage::Transaction&, const Visit&)>;

// Closes the visit as `decide` says; a concurrent change of the row (the reconciler's) is met by reading
// again.
Outcome<ClosedVisit> finish(Core& core, const Principal& principal, const std::string& visit_id,
                            const Decide& decide) {
  struct Found {
    std::optional<Visit> visit;
    Outcome<Closing> closing = Closing{};
  };
  for (int tries = 0;; ++tries) {
    auto found = read(core, [&](storage::Transaction& t) -> base::Result<Found> {
      auto visit = store::find_visit(t, principal.org_id, visit_id);
      if (!visit) return base::fail(visit.error());
      if (!*visit || !(*visit)->open()) return Found{std::move(*visit)};
      auto closing = decide(t, **visit);
      return Found{std::move(*visit), std::move(closing)};
    });
    if (!found) return refuse(Failure(found.error()));
    if (!found->visit) return refuse("not_found", "no such visit in this organisation");
    if (!found->visit->open()) return ClosedVisit{std::move(*found->visit), true};
    if (!found->closing) return refuse(std::move(found->closing.error()));
    if (!allowed(*found->visit, found->closing->status))
      return refuse(state_conflict(*found->visit, found->closing->status));
    auto closed = close_visit(core, principal, *found->visit, *found->closing);
    if (closed) return ClosedVisit{std::move(*closed), false};
    if (closed.error().code != "visit_state_conflict" || tries == 3) return refuse(std::move(closed.error()));
  }
}

Outcome<ClosedVisit> finish_as(Core& core, const Principal& principal, const std::string& visit_id,
                               const Decide& decide) {
  auto closed = finish(core, principal, visit_id, decide);
  if (closed && closed->already) return refuse(state_conflict(closed->visit, "closed again"));
  return closed;
}

}  // namespace

Failure state_conflict(const Visit& v, std::string_view wanted) {
  Failure failure("visit_state_conflict",
                  "a visit that is " + v.status + " cannot become " + std::string(wanted));
  failure.extra["current"] = v.status;
  failure.extra["allowed"] = v.status == "active" ? json::Array{"ended"}
                             : v.open()           ? json::Array{"cancelled", "no_show"}
                                                  : json::Array{};
  return failure;
}

Outcome<Visit> close_visit(Core& core, const Principal& principal, const Visit& visit,
                           const Closing& closing) {
  if (!allowed(visit, closing.status)) return refuse(state_conflict(visit, closing.status));
  auto stored =
      write(core, [&](storage::Transaction& t) { return store_close(t, core, principal, visit, closing); });
  if (!stored) return refuse(Failure(stored.error()));
  if (!stored->operation) return std::move(stored->visit);
  if (auto closed = close_now(core, *stored->operation)) {
    stored->visit.room_state = "closed";
    ++stored->visit.row_version;
  } else {
    telemetry::warn("100ms endRoom failed: " + closed.error().code + " link=room.end visit=" + visit.id);
    postpone_operation(core, *stored->operation, closed.error().code);
  }
  return std::move(stored->visit);
}

Closing end_of(const Visit& v, const std::string& reason) {
  if (v.status == "active") return {"ended", reason};
  return {"cancelled", "ended_before_start"};
}

Outcome<Visit> end_observed_visit(Core& core, const Principal& principal, const Visit& visit,
                                  const std::string& reason, bool room_closed) {
  Closing closing = end_of(visit, reason);
  closing.room_closed = room_closed;
  return close_visit(core, principal, visit, closing);
}

Outcome<ClosedVisit> end_visit(Core& core, const Principal& principal, const std::string& visit_id,
                               const std::string& reason, const OptionalText& comment) {
  return finish(core, principal, visit_id, [&](storage::Transaction&, const Visit& v) -> Outcome<Closing> {
    Closing closing = end_of(v, reason);
    closing.comment = comment;
    return closing;
  });
}

Outcome<ClosedVisit> cancel_visit(Core& core, const Principal& principal, const std::string& visit_id,
                                  const std::string& reason_code, const OptionalText& comment) {
  return finish_as(core, principal, visit_id, [&](storage::Transaction&, const Visit&) -> Outcome<Closing> {
    return Closing{"cancelled", reason_code, comment};
  });
}

Outcome<ClosedVisit> mark_no_show(Core& core, const Principal& principal, const std::string& visit_id,
                                  const std::string& who) {
  const std::string reason = who == "patient"    ? "patient_absent"
                             : who == "provider" ? "provider_absent"
                                                 : "nobody_came";
  return finish_as(core, principal, visit_id,
                   [&](storage::Transaction& t, const Visit& v) -> Outcome<Closing> {
                     auto org = store::find_organization(t, v.org_id);
                     if (!org) return refuse(Failure(org.error()));
                     auto people = store::list_participants(t, v.org_id, v.id);
                     if (!people) return refuse(Failure(people.error()));
                     const Crowd crowd = crowd_of(*people);
                     if (crowd.guest_here && *org) {
                       const auto due = next_due(v, crowd, Settings::of((*org)->settings));
                       if (due && core.now() < due->at) {
                         Failure failure = state_conflict(v, "no_show");
                         failure.detail = "the patient is there and waits";
                         return refuse(std::move(failure));
                       }
                     }
                     return Closing{"no_show", reason};
                   });
}

void run_operations(Core& core) {
  auto due =
      read(core, [&](storage::Transaction& t) { return store::list_due_operations(t, core.now(), 50); });
  if (!due) {
    telemetry::warn("due operations could not be read", {{"code", due.error().code}});
    return;
  }
  for (Operation& o : *due) {
    const base::WallTime now = core.now();
    auto mine =
        write(core, [&](storage::Transaction& t) { return store::lease_operation(t, o, now, now + kLease); });
    if (mine && *mine) run_operation(core, std::move(o));
  }
}

}  // namespace visits
