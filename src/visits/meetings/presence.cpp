#include "visits/meetings/presence.h"

#include "telemetry/log.h"
#include "visits/core/settings.h"
#include "visits/fhir/chart.h"
#include "visits/integrations/clients.h"
#include "visits/meetings/close.h"
#include "visits/meetings/timers.h"
#include "visits/store/events.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

const Principal kProvider{Principal::Kind::kSystem, "", "system"};

struct Sides {
  int hosts = 0;
  int guests = 0;  // the patient side
  int others = 0;  // interpreters
  int total() const { return hosts + guests + others; }
};

struct Change {
  Participant participant;
  std::string event;
};

struct Seen {
  Sides sides;
  std::vector<Change> changes;
};

// What the peer list says about the participants.
Seen compare(const std::vector<Participant>& participants, const std::vector<provider::Peer>& peers,
             base::WallTime now, const Settings& settings) {
  Seen out;
  std::map<std::string_view, const provider::Peer*> by_user;
  for (const provider::Peer& peer : peers) by_user[peer.user_id] = &peer;
  for (const Participant& p : participants) {
    if (p.state == "denied" || p.state == "removed") continue;
    const auto it = by_user.find(p.provider_user_id);
    if (it != by_user.end()) {
      if (p.role == "host")
        ++out.sides.hosts;
      else if (p.type == "interpreter")
        ++out.sides.others;
      else if (p.role == "guest")
        ++out.sides.guests;
      if (p.state == "connected" && p.peer_id == it->second->id) continue;
      Change change{p, p.state == "connected" ? "" : "participant.connected"};
      change.participant.state = "connected";
      change.participant.peer_id = it->second->id;
      if (!change.participant.joined_at) change.participant.joined_at = now;
      change.participant.left_at.reset();
      out.changes.push_back(std::move(change));
    } else if (p.state == "connected") {
      Change change{p, "participant.away"};
      change.participant.state = "away";
      change.participant.left_at = now;
      out.changes.push_back(std::move(change));
    } else if (p.state == "away" && p.left_at && now - *p.left_at >= settings.reconnect_grace) {
      Change change{p, "participant.left"};
      change.participant.state = "left";
      out.changes.push_back(std::move(change));
    }
  }
  return out;
}

struct Step {
  Visit visit;
  std::vector<std::string> events;  // visit.waiting, visit.started, visit.paused, visit.resumed
  bool changed = false;
};

// Sets `since` to now while `absent`; true when that changed it.
bool mark(OptionalTime& since, bool absent, base::WallTime now) {
  if (absent == since.has_value()) return false;
  since = absent ? OptionalTime(now) : std::nullopt;
  return true;
}

// T2 to T5, and since when the timers G1 to G3 run.
Step advance(Visit v, const Sides& sides, base::WallTime now) {
  Step out;
  if (v.status == "scheduled" && sides.total() > 0) {
    v.status = "waiting";
    v.waiting_since = now;
    out.events.emplace_back("visit.waiting");
  }
  const bool both = sides.hosts > 0 && sides.guests > 0;
  if (v.status == "waiting" && both) {
    v.status = "active";
    v.started_at = now;
    out.events.emplace_back("visit.started");
  }
  if (v.status == "active" && both && v.paused_since) {
    v.paused_since.reset();
    out.events.emplace_back("visit.resumed");
  }
  if (v.status == "active" && !both && !v.paused_since) {
    v.paused_since = now;
    out.events.emplace_back("visit.paused");
  }
  out.changed = !out.events.empty();
  const bool active = v.status == "active";
  out.changed |= mark(v.host_absent_since, active && sides.hosts == 0, now);
  out.changed |= mark(v.guest_absent_since, active && sides.guests == 0, now);
  out.changed |= mark(v.empty_since, active && sides.total() == 0, now);
  out.visit = std::move(v);
  return out;
}

// The participants as they are after the changes.
std::vector<Participant> applied(std::vector<Participant> participants, const std::vector<Change>& changes) {
  for (Participant& p : participants)
    for (const Change& change : changes)
      if (change.participant.id == p.id) p = change.participant;
  return participants;
}

// The visit as it is stored then.
base::Result<Visit> store_step(storage::Transaction& t, base::Random& random, const Step& step,
                               const std::vector<Change>& changes, const std::vector<Participant>& people,
                               base::WallTime now) {
  Visit v = step.visit;
  if (auto r = write_chart(t, random, v, people, now); !r) return base::fail(r.error());
  if (step.changed || v.encounter_id != step.visit.encounter_id) {
    auto updated = store::update_visit(t, v, now);
    if (!updated) return base::fail(updated.error());
    if (!*updated) return base::fail("visit_state_conflict", "the visit changed meanwhile");
    ++v.row_version;
  }
  const auto note = [&](const std::string& type, json::Object data) {
    return store::append_event(
        t, {step.visit.org_id, step.visit.id, type, std::move(data), "provider", "active-room", now, now});
  };
  for (const Change& change : changes) {
    if (auto r = store::update_participant(t, change.participant); !r) return base::fail(r.error());
    if (change.event.empty()) continue;
    json::Object data;
    data["participantId"] = change.participant.id;
    if (auto r = note(change.event, std::move(data)); !r) return base::fail(r.error());
  }
  for (const std::string& event : step.events) {
    json::Object data;
    data["status"] = step.visit.status;
    if (auto r = note(event, std::move(data)); !r) return base::fail(r.error());
  }
  return v;
}

struct Stored {
  std::optional<Visit> visit;
  std::optional<Integration> integration;
  std::optional<Organization> org;
  std::vector<Participant> participants;
};

base::Result<Stored> load(storage::Transaction& t, const Visit& visit) {
  Stored out;
  auto now = store::find_visit(t, visit.org_id, visit.id);
  if (!now) return base::fail(now.error());
  auto integration = store::find_integration(t, visit.org_id, visit.integration_id);
  if (!integration) return base::fail(integration.error());
  auto org = store::find_organization(t, visit.org_id);
  if (!org) return base::fail(org.error());
  auto participants = store::list_participants(t, visit.org_id, visit.id);
  if (!participants) return base::fail(participants.error());
  return Stored{std::move(*now), std::move(*integration), std::move(*org), std::move(*participants)};
}

Principal system_of(const Visit& visit) {
  Principal out = kProvider;
  out.org_id = visit.org_id;
  return out;
}

void close_when_due(Core& core, const Visit& visit, const std::optional<Due>& due) {
  if (!due || core.now() < due->at) return;
  auto closed = close_visit(core, system_of(visit), visit, {due->status, due->reason});
  if (!closed && closed.error().code != "visit_state_conflict")
    telemetry::warn("a visit could not be closed by its timer",
                    {{"visit", visit.id}, {"code", closed.error().code}});
}

}  // namespace

bool PresenceWatch::take_turn(const std::string& visit_id) {
  const base::SteadyTime now = core_.clock.steady();
  std::lock_guard lock(mutex_);
  if (last_read_.size() > 10'000)
    std::erase_if(last_read_, [&](const auto& entry) { return now - entry.second > kFreshFor; });
  const auto it = last_read_.find(visit_id);
  if (it != last_read_.end() && now - it->second < kFreshFor) return false;
  last_read_[visit_id] = now;
  return true;
}

bool PresenceWatch::observe(const Visit& before) {
  auto stored = read(core_, [&](storage::Transaction& t) { return load(t, before); });
  if (!stored || !stored->visit || !stored->integration || !stored->org || !stored->visit->open())
    return false;
  const Visit& visit = *stored->visit;
  auto video = core_.clients->of(*stored->integration);
  if (!video) return false;
  const base::SteadyTime deadline = (*video)->client.deadline();
  auto peers = (*video)->client.active_peers(visit.meeting_id, deadline);
  if (!peers) {
    telemetry::debug("presence could not be read", {{"visit", visit.id}, {"code", peers.error().code}});
    return false;
  }
  if (peers->empty() && visit.status != "scheduled") {
    auto room = (*video)->client.get_room(visit.meeting_id, deadline);
    if (!room) return false;
    if (!room->enabled) {
      // A host ended it inside the room: the engine locks it.
      (void)end_observed_visit(core_, system_of(visit), visit, "ended_in_room", true);
      return true;
    }
  }
  note_reading(visit.id);
  const Settings settings = Settings::of(stored->org->settings);
  const base::WallTime now = core_.now();
  const Seen seen = compare(stored->participants, *peers, now, settings);
  Step step = advance(visit, seen.sides, now);
  const std::vector<Participant> people = applied(stored->participants, seen.changes);
  const auto due = next_due(step.visit, crowd_of(people), settings);
  const OptionalTime next = due ? OptionalTime(due->at) : std::nullopt;
  step.changed |= step.visit.next_deadline_at != next;
  step.visit.next_deadline_at = next;
  if (step.changed || !seen.changes.empty()) {
    auto done = write(core_, [&](storage::Transaction& t) {
      return store_step(t, core_.random, step, seen.changes, people, now);
    });
    if (!done && done.error().code != "visit_state_conflict")
      telemetry::warn("presence could not be stored", {{"visit", visit.id}, {"code", done.error().code}});
    if (!done) return true;
    step.visit = std::move(*done);
  }
  close_when_due(core_, step.visit, due);
  return true;
}

void PresenceWatch::note_reading(const std::string& visit_id) {
  std::lock_guard lock(mutex_);
  if (read_once_.size() > 100'000) read_once_.clear();
  read_once_.insert(visit_id);
}

bool PresenceWatch::was_read(const std::string& visit_id) const {
  std::lock_guard lock(mutex_);
  return read_once_.contains(visit_id);
}

// From what is stored: for visits nobody was let into, and for those whose provider is silent.
void PresenceWatch::settle(const Visit& before) {
  auto stored = read(core_, [&](storage::Transaction& t) { return load(t, before); });
  if (!stored || !stored->visit || !stored->org || !stored->visit->open()) return;
  Visit& visit = *stored->visit;
  const auto due = next_due(visit, crowd_of(stored->participants), Settings::of(stored->org->settings));
  if (due && visit.next_deadline_at != due->at) {
    visit.next_deadline_at = due->at;
    auto updated =
        write(core_, [&](storage::Transaction& t) { return store::update_visit(t, visit, core_.now()); });
    if (!updated || !*updated) return;
    ++visit.row_version;
  }
  close_when_due(core_, visit, due);
}

Visit PresenceWatch::refreshed(Visit visit) {
  if (!visit.open() || visit.room_state != "confirmed") return visit;
  auto people =
      read(core_, [&](storage::Transaction& t) { return store::presence(t, visit.org_id, visit.id); });
  if (!people || (people->issued == 0 && visit.status == "scheduled") || !take_turn(visit.id)) return visit;
  observe(visit);
  auto now =
      read(core_, [&](storage::Transaction& t) { return store::find_visit(t, visit.org_id, visit.id); });
  return now && *now ? std::move(**now) : visit;
}

void PresenceWatch::run() {
  auto visits = read(core_, [&](storage::Transaction& t) { return store::list_visits_to_watch(t, 500); });
  if (!visits) {
    telemetry::warn("open visits could not be read", {{"code", visits.error().code}});
    return;
  }
  std::set<std::string> unread;
  std::set<std::string> watched;
  for (const Visit& visit : *visits) {
    watched.insert(visit.id);
    if (take_turn(visit.id) && !observe(visit)) unread.insert(visit.id);
  }
  auto due =
      read(core_, [&](storage::Transaction& t) { return store::list_due_visits(t, core_.now(), 500); });
  if (!due) {
    telemetry::warn("due visits could not be read", {{"code", due.error().code}});
    return;
  }
  // No timer of a visit people may be in fires before presence was read once since the program started.
  for (const Visit& visit : *due)
    if (!watched.contains(visit.id) || (unread.contains(visit.id) && was_read(visit.id))) settle(visit);
}

}  // namespace visits
