#include "visits/meetings/repair.h"

#include "base/text.h"
#include "telemetry/log.h"
#include "visits/meetings/close.h"
#include "visits/meetings/create.h"
#include "visits/meetings/rooms.h"
#include "visits/store/events.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr std::int64_t kVisitsPerRun = 10'000;

enum class RoomFault { kNone, kMalformed, kGone, kDisabled };

Outcome<Integration> integration_of(Core& core, const Visit& v) {
  auto row = read(
      core, [&](storage::Transaction& t) { return store::find_integration(t, v.org_id, v.integration_id); });
  if (!row) return refuse(Failure(row.error()));
  if (!*row) return refuse("integration_not_configured", "the integration of this visit is gone");
  return std::move(**row);
}

Outcome<RoomFault> fault_of(Core& core, const Visit& v, const Integration& row) {
  if (!base::is_object_id(v.meeting_id) || v.room_state == "legacy_invalid") return RoomFault::kMalformed;
  auto video = core.clients->of(row);
  if (!video) return refuse(std::move(video.error()));
  auto room = (*video)->client.get_room(v.meeting_id, (*video)->client.deadline());
  if (!room && room.error().http_status == 404) return RoomFault::kGone;
  if (!room) return refuse(from_provider(room.error(), "room.readback"));
  return room->enabled ? RoomFault::kNone : RoomFault::kDisabled;
}

Failure closed(const Visit& v) {
  Failure failure("visit_closed", "this visit is over");
  failure.extra["status"] = v.status;
  return failure;
}

void use_room(Visit& v, const Confirmed& confirmed, base::WallTime now) {
  json::Object details;
  if (auto stored = json::parse_tolerant(v.room_details); stored && stored->is_object())
    details = std::move(stored->as_object());
  json::Array previous;
  if (const json::Array* earlier = json::array_at(details, "previousRoomIds")) previous = *earlier;
  previous.emplace_back(v.meeting_id);
  details["previousRoomIds"] = std::move(previous);
  v.room_details = json::serialize(details);
  v.meeting_id = confirmed.room.id;
  v.room_name = confirmed.attempt.spec.name;
  v.template_id =
      confirmed.room.template_id.empty() ? confirmed.attempt.spec.template_id : confirmed.room.template_id;
  v.region = confirmed.room.region.empty() ? confirmed.attempt.spec.region : confirmed.room.region;
  v.room_state = "confirmed";
  v.room_verified_at = now;
}

// One transaction: the room in its row, tickets dead, event, operation done.
base::Result<Visit> store_room(storage::Transaction& t, Core& core, const Principal& principal,
                               Confirmed& confirmed, Visit v) {
  const base::WallTime now = core.now();
  use_room(v, confirmed, now);
  auto updated = store::update_visit(t, v, now);
  if (!updated) return base::fail(updated.error());
  if (!*updated) return base::fail("visit_state_conflict", "the visit changed meanwhile");
  ++v.row_version;
  if (auto r = store::revoke_tickets(t, v.org_id, v.id, now); !r) return base::fail(r.error());
  store::Event event{v.org_id, v.id, "visit.room_repaired", {}, actor_kind(principal), principal.actor,
                     now,      now};
  event.data["meetingId"] = v.meeting_id;
  event.data["status"] = v.status;
  if (auto r = store::append_event(t, event); !r) return base::fail(r.error());
  Operation done = confirmed.attempt.operation;
  done.state = "done";
  done.visit_id = v.id;
  if (auto r = store::update_operation(t, done, std::nullopt, now); !r) return base::fail(r.error());
  return v;
}

Outcome<RepairedVisit> repair_once(Core& core, const Principal& principal, const Visit& v,
                                   const std::string& request_id) {
  auto row = integration_of(core, v);
  if (!row) return refuse(std::move(row.error()));
  auto fault = fault_of(core, v, *row);
  if (!fault) return refuse(std::move(fault.error()));
  if (*fault == RoomFault::kNone) return RepairedVisit{v, false};
  if (*fault == RoomFault::kDisabled && v.status != "scheduled") {
    auto ended = end_observed_visit(core, principal, v, "ended_in_room", true);
    if (!ended) return refuse(std::move(ended.error()));
    return refuse(closed(*ended));
  }
  NewRoom wanted;
  wanted.request_id = request_id;
  if (const std::int64_t minutes = json::int_or(v.config, "durationMinutes", 0); minutes > 0)
    wanted.duration_minutes = minutes;
  auto confirmed = confirm_room(core, *row, wanted, core.clock.steady() + provider::Client::kDeadline);
  if (!confirmed) return refuse(std::move(confirmed.error()));
  auto stored =
      write(core, [&](storage::Transaction& t) { return store_room(t, core, principal, *confirmed, v); });
  if (!stored) {
    give_up(core, confirmed->attempt.operation, stored.error().code, true);
    return refuse(Failure(stored.error()));
  }
  telemetry::info("the room of a visit was replaced", {{"visit", v.id}, {"room", stored->meeting_id}});
  return RepairedVisit{std::move(*stored), true};
}

bool left_as_history(const Visit& v) {
  auto details = json::parse_tolerant(v.room_details);
  return details && details->is_object() && json::bool_or(details->as_object(), "leftAsHistory", false);
}

base::Result<void> mark_as_history(Core& core, Visit v) {
  json::Object details;
  if (auto stored = json::parse_tolerant(v.room_details); stored && stored->is_object())
    details = std::move(stored->as_object());
  details["leftAsHistory"] = true;
  v.room_details = json::serialize(details);
  return write(core, [&](storage::Transaction& t) -> base::Result<void> {
    auto updated = store::update_visit(t, v, core.now());
    if (!updated) return base::fail(updated.error());
    if (!*updated) return base::fail("visit_state_conflict", "the visit changed meanwhile");
    return {};
  });
}

// What is wrong with the room, or "" when nothing is; an open visit's room is read back when asked for.
std::string describe(Core& core, const Visit& v, RepairedRoom& item) {
  if (v.room_state == "legacy_invalid") return "malformed";
  auto row = integration_of(core, v);
  auto fault = row ? fault_of(core, v, *row) : Outcome<RoomFault>(refuse(std::move(row.error())));
  if (!fault) {
    item.detail = fault.error().code;
    return "not_verifiable";
  }
  switch (*fault) {
    case RoomFault::kNone:
      return "";
    case RoomFault::kMalformed:
      return "malformed";
    case RoomFault::kGone:
      return "gone";
    case RoomFault::kDisabled:
      break;
  }
  // People were in it and ended it: the reconciler ends the visit, there is nothing to repair.
  return v.status == "scheduled" ? "disabled" : "";
}

void apply(Core& core, const Visit& v, RepairedRoom& item) {
  if (!v.open()) {
    auto marked = mark_as_history(core, v);
    item.action = marked ? "marked" : "failed";
    if (!marked) item.detail = marked.error().code;
    return;
  }
  if (item.fault == "not_verifiable") return;
  const Principal principal{Principal::Kind::kOperator, v.org_id, "operator"};
  auto repaired = repair_visit(core, principal, v.id, "repair-rooms");
  item.action = repaired ? "repaired" : "failed";
  if (!repaired) item.detail = repaired.error().code + ": " + repaired.error().detail;
  if (repaired) item.new_room_id = repaired->visit.meeting_id;
}

}  // namespace

Outcome<RepairedVisit> repair_visit(Core& core, const Principal& principal, const std::string& visit_id,
                                    const std::string& request_id) {
  for (int tries = 0;; ++tries) {
    auto visit =
        read(core, [&](storage::Transaction& t) { return store::find_visit(t, principal.org_id, visit_id); });
    if (!visit) return refuse(Failure(visit.error()));
    if (!*visit) return refuse("not_found", "no such visit in this organisation");
    if (!(*visit)->open()) return refuse(closed(**visit));
    auto repaired = repair_once(core, principal, **visit, request_id);
    if (repaired || repaired.error().code != "visit_state_conflict" || tries == 3) return repaired;
  }
}

base::Result<RepairReport> repair_rooms(Core& core, const RepairOptions& options) {
  auto found = read(core, [&](storage::Transaction& t) {
    return store::list_visits_to_repair(t, options.org_id, options.verify, kVisitsPerRun);
  });
  if (!found) return base::fail(found.error());
  RepairReport report;
  for (const Visit& v : *found) {
    if (!v.open() && left_as_history(v)) continue;
    RepairedRoom item{v.org_id, v.id, v.code, v.status, v.meeting_id, "", "listed", "", ""};
    item.fault = describe(core, v, item);
    if (item.fault.empty()) continue;
    if (options.apply) apply(core, v, item);
    report.rooms.push_back(std::move(item));
  }
  return report;
}

}  // namespace visits
