#include "visits/store/meetings.h"

#include "visits/store/helpers.h"

namespace visits::store {
namespace {

constexpr const char* kVisitColumns =
    "id, org_id, code, meeting_id, status, created_at, kind, status_reason, integration_id, vendor_id, "
    "template_id, region, "
    "room_name, room_state, room_verified_at, room_details, failover, display_name, appointment_id, "
    "encounter_id, patient_id, "
    "host_practitioner_id, scheduled_start, scheduled_end, waiting_since, started_at, paused_since, "
    "ended_at, closed_at, "
    "next_deadline_at, host_absent_since, guest_absent_since, empty_since, waiting_room, recording_enabled, "
    "config, row_version, created_by, updated_at";

std::string select_visit(const std::string& rest) {
  return std::string("SELECT ") + kVisitColumns + " FROM virtual_meetings " + rest;
}

Visit visit_of(const storage::Row& r) {
  Visit v;
  v.id = r.text("id");
  v.org_id = r.text("org_id");
  v.code = r.text("code");
  v.meeting_id = r.text("meeting_id");
  v.status = r.text("status");
  v.kind = r.text("kind");
  v.status_reason = r.maybe_text("status_reason");
  v.integration_id = r.text("integration_id");
  v.vendor_id = r.text("vendor_id");
  v.template_id = r.maybe_text("template_id");
  v.region = r.maybe_text("region");
  v.room_name = r.text("room_name");
  v.room_state = r.text("room_state");
  v.room_verified_at = r.maybe_time("room_verified_at");
  v.room_details = r.text("room_details");
  v.failover = r.text("failover");
  v.display_name = r.text("display_name");
  v.appointment_id = r.maybe_text("appointment_id");
  v.encounter_id = r.maybe_text("encounter_id");
  v.patient_id = r.maybe_text("patient_id");
  v.host_practitioner_id = r.maybe_text("host_practitioner_id");
  v.scheduled_start = r.maybe_time("scheduled_start");
  v.scheduled_end = r.maybe_time("scheduled_end");
  v.waiting_since = r.maybe_time("waiting_since");
  v.started_at = r.maybe_time("started_at");
  v.paused_since = r.maybe_time("paused_since");
  v.ended_at = r.maybe_time("ended_at");
  v.closed_at = r.maybe_time("closed_at");
  v.next_deadline_at = r.maybe_time("next_deadline_at");
  v.host_absent_since = r.maybe_time("host_absent_since");
  v.guest_absent_since = r.maybe_time("guest_absent_since");
  v.empty_since = r.maybe_time("empty_since");
  v.waiting_room = r.boolean("waiting_room");
  v.recording_enabled = r.boolean("recording_enabled");
  if (auto config = json::parse_tolerant(r.text("config")); config && config->is_object())
    v.config = std::move(config->as_object());
  v.row_version = r.integer("row_version");
  v.created_by = r.text("created_by");
  v.created_at = r.time("created_at");
  v.updated_at = r.time("updated_at");
  return v;
}

constexpr const char* kParticipantColumns =
    "id, org_id, visit_id, invite_id, type, role, state, identity, person_ref, display_name, language, "
    "provider_user_id, peer_id, "
    "arrived_at, admitted_at, joined_at, left_at, ticket_expires_at, connected_seconds, row_version";

Participant participant_of(const storage::Row& r) {
  Participant p;
  p.id = r.text("id");
  p.org_id = r.text("org_id");
  p.visit_id = r.text("visit_id");
  p.invite_id = r.maybe_text("invite_id");
  p.type = r.text("type");
  p.role = r.text("role");
  p.state = r.text("state");
  p.identity = r.text("identity");
  p.person_ref = r.maybe_text("person_ref");
  p.display_name = r.text("display_name");
  p.language = r.maybe_text("language");
  p.provider_user_id = r.text("provider_user_id");
  p.peer_id = r.maybe_text("peer_id");
  p.arrived_at = r.maybe_time("arrived_at");
  p.admitted_at = r.maybe_time("admitted_at");
  p.joined_at = r.maybe_time("joined_at");
  p.left_at = r.maybe_time("left_at");
  p.ticket_expires_at = r.maybe_time("ticket_expires_at");
  p.connected_seconds = r.integer("connected_seconds");
  p.row_version = r.integer("row_version");
  return p;
}

// Collects "column op $n" pieces and their values.
class Where {
 public:
  explicit Where(const std::string& org_id) { add("org_id = ", org_id); }
  void add(const std::string& start, storage::Param value) {
    values_.push_back(std::move(value));
    text_ += (text_.empty() ? "WHERE " : " AND ") + start + "$" + std::to_string(values_.size());
  }
  std::string next(storage::Param value) {
    values_.push_back(std::move(value));
    return "$" + std::to_string(values_.size());
  }
  void raw(const std::string& condition) { text_ += " AND " + condition; }
  const std::string& text() const { return text_; }
  const storage::Params& values() const { return values_; }

 private:
  std::string text_;
  storage::Params values_;
};

Where where_of(const std::string& org_id, const VisitFilter& f) {
  Where where(org_id);
  if (!f.statuses.empty()) {
    std::string list;
    for (const std::string& status : f.statuses) list += (list.empty() ? "" : ", ") + where.next(status);
    where.raw("status IN (" + list + ")");
  }
  if (f.created_from) where.add("created_at >= ", *f.created_from);
  if (f.created_to) where.add("created_at < ", *f.created_to);
  if (f.patient_id) where.add("patient_id = ", *f.patient_id);
  if (f.practitioner_id) where.add("host_practitioner_id = ", *f.practitioner_id);
  if (f.code) where.add("code = ", *f.code);
  return where;
}

}  // namespace

base::Result<void> insert_visit(Transaction& t, const Visit& v) {
  return only_status(
      t.query("INSERT INTO virtual_meetings (id, org_id, code, meeting_id, status, created_at, kind, "
              "integration_id, vendor_id, template_id, "
              "region, room_name, room_state, room_verified_at, room_details, failover, display_name, "
              "appointment_id, patient_id, "
              "host_practitioner_id, scheduled_start, scheduled_end, waiting_room, recording_enabled, "
              "config, created_by, updated_at) VALUES "
              "($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, "
              "$21, $22, $23, $24, $25, $26, $27)",
              {v.id,
               v.org_id,
               v.code,
               v.meeting_id,
               v.status,
               v.created_at,
               v.kind,
               v.integration_id,
               v.vendor_id,
               v.template_id,
               v.region,
               v.room_name,
               v.room_state,
               v.room_verified_at,
               v.room_details,
               v.failover,
               v.display_name,
               v.appointment_id,
               v.patient_id,
               v.host_practitioner_id,
               v.scheduled_start,
               v.scheduled_end,
               v.waiting_room,
               v.recording_enabled,
               json::serialize(v.config),
               v.created_by,
               v.updated_at}));
}

base::Result<std::optional<Visit>> find_visit(Transaction& t, const std::string& org_id,
                                              const std::string& id) {
  return first<Visit>(t.query(select_visit("WHERE org_id = $1 AND id = $2"), {org_id, id}), visit_of);
}

base::Result<std::optional<Visit>> find_visit_by_code(Transaction& t, const std::string& code) {
  return first<Visit>(t.query(select_visit("WHERE code = $1"), {code}), visit_of);
}

base::Result<std::optional<Visit>> find_open_visit_of_appointment(Transaction& t, const std::string& org_id,
                                                                  const std::string& appointment_id) {
  return first<Visit>(
      t.query(select_visit(
                  "WHERE org_id = $1 AND appointment_id = $2 AND status IN ('scheduled','waiting','active')"),
              {org_id, appointment_id}),
      visit_of);
}

base::Result<std::optional<Visit>> find_last_visit_of_appointment(Transaction& t, const std::string& org_id,
                                                                  const std::string& appointment_id) {
  return first<Visit>(
      t.query(
          select_visit("WHERE org_id = $1 AND appointment_id = $2 ORDER BY created_at DESC, id DESC LIMIT 1"),
          {org_id, appointment_id}),
      visit_of);
}

base::Result<bool> update_visit(Transaction& t, const Visit& v, base::WallTime now) {
  return one_row(t.query(
      "UPDATE virtual_meetings SET status = $1, status_reason = $2, meeting_id = $3, room_name = $4, "
      "template_id = $5, "
      "region = $6, room_state = $7, room_verified_at = $8, room_details = $9, waiting_since = $10, "
      "started_at = $11, "
      "paused_since = $12, ended_at = $13, closed_at = $14, next_deadline_at = $15, host_absent_since = $16, "
      "guest_absent_since = $17, empty_since = $18, encounter_id = $19, config = $20, updated_at = $21, "
      "row_version = row_version + 1 WHERE org_id = $22 AND id = $23 AND row_version = $24",
      {v.status,
       v.status_reason,
       v.meeting_id,
       v.room_name,
       v.template_id,
       v.region,
       v.room_state,
       v.room_verified_at,
       v.room_details,
       v.waiting_since,
       v.started_at,
       v.paused_since,
       v.ended_at,
       v.closed_at,
       v.next_deadline_at,
       v.host_absent_since,
       v.guest_absent_since,
       v.empty_since,
       v.encounter_id,
       json::serialize(v.config),
       now,
       v.org_id,
       v.id,
       v.row_version}));
}

base::Result<std::vector<Visit>> list_visits(Transaction& t, const std::string& org_id,
                                             const VisitFilter& f) {
  Where where = where_of(org_id, f);
  if (f.before_created && f.before_id) {
    const std::string created = where.next(*f.before_created);
    const std::string created_again = where.next(*f.before_created);
    const std::string id = where.next(*f.before_id);
    where.raw("(created_at < " + created + " OR (created_at = " + created_again + " AND id > " + id + "))");
  }
  const std::string limit = where.next(f.limit);
  const std::string offset = where.next(f.offset);
  return all<Visit>(t.query(select_visit(where.text() + " ORDER BY created_at DESC, id LIMIT " + limit +
                                         " OFFSET " + offset),
                            where.values()),
                    visit_of);
}

base::Result<std::int64_t> count_visits(Transaction& t, const std::string& org_id, const VisitFilter& f) {
  const Where where = where_of(org_id, f);
  auto rows = t.query("SELECT count(*) AS n FROM virtual_meetings " + where.text(), where.values());
  if (!rows) return base::fail(rows.error());
  return rows->rows.front().integer("n");
}

base::Result<std::vector<Visit>> list_visits_to_watch(Transaction& t, std::int64_t limit) {
  return all<Visit>(
      t.query(select_visit("WHERE status IN ('scheduled','waiting','active') AND room_state = 'confirmed' "
                           "AND (status <> 'scheduled' OR EXISTS (SELECT 1 FROM "
                           "virtual_meeting_participants p WHERE p.org_id = virtual_meetings.org_id AND "
                           "p.visit_id = virtual_meetings.id "
                           "AND p.state IN ('admitted','connected','away'))) ORDER BY updated_at LIMIT $1"),
              {limit}),
      visit_of);
}

base::Result<std::vector<Visit>> list_due_visits(Transaction& t, base::WallTime now, std::int64_t limit) {
  return all<Visit>(
      t.query(select_visit("WHERE status IN ('scheduled','waiting','active') AND (next_deadline_at IS "
                           "NULL OR next_deadline_at <= $1) ORDER BY next_deadline_at LIMIT $2"),
              {now, limit}),
      visit_of);
}

base::Result<std::vector<Visit>> list_visits_to_repair(Transaction& t, const OptionalText& org_id,
                                                       bool open_ones, std::int64_t limit) {
  std::string where = "WHERE (room_state = 'legacy_invalid'";
  if (open_ones) where += " OR (room_state = 'confirmed' AND status IN ('scheduled','waiting','active'))";
  where += ")";
  storage::Params values;
  if (org_id) {
    values.emplace_back(*org_id);
    where += " AND org_id = $1";
  }
  values.emplace_back(limit);
  return all<Visit>(
      t.query(select_visit(where + " ORDER BY created_at, id LIMIT $" + std::to_string(values.size())),
              values),
      visit_of);
}

base::Result<void> insert_operation(Transaction& t, const Operation& o) {
  return only_status(
      t.query("INSERT INTO provider_operations (id, org_id, integration_id, visit_id, op, args, state, "
              "room_name, room_id, attempts, "
              "next_attempt_at, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, "
              "$11, $12, $13)",
              {o.id, o.org_id, o.integration_id, o.visit_id, o.op, o.args, o.state, o.room_name, o.room_id,
               o.attempts, o.next_attempt_at, o.created_at, o.created_at}));
}

base::Result<void> update_operation(Transaction& t, const Operation& o, const OptionalText& last_code,
                                    base::WallTime now) {
  return only_status(t.query(
      "UPDATE provider_operations SET state = $1, visit_id = $2, room_id = $3, attempts = $4, "
      "next_attempt_at = $5, "
      "last_code = $6, updated_at = $7 WHERE org_id = $8 AND id = $9",
      {o.state, o.visit_id, o.room_id, o.attempts, o.next_attempt_at, last_code, now, o.org_id, o.id}));
}

base::Result<std::vector<Operation>> list_due_operations(Transaction& t, base::WallTime now,
                                                         std::int64_t limit) {
  return all<Operation>(t.query("SELECT id, org_id, integration_id, visit_id, op, args, state, room_name, "
                                "room_id, attempts, next_attempt_at, created_at "
                                "FROM provider_operations WHERE state IN ('pending','compensating') AND "
                                "next_attempt_at <= $1 ORDER BY next_attempt_at "
                                "LIMIT $2",
                                {now, limit}),
                        [](const storage::Row& r) {
                          return Operation{r.text("id"),
                                           r.text("org_id"),
                                           r.text("integration_id"),
                                           r.maybe_text("visit_id"),
                                           r.text("op"),
                                           r.text("args"),
                                           r.text("state"),
                                           r.maybe_text("room_name"),
                                           r.maybe_text("room_id"),
                                           r.integer("attempts"),
                                           r.time("next_attempt_at"),
                                           r.time("created_at")};
                        });
}

base::Result<bool> lease_operation(Transaction& t, const Operation& o, base::WallTime now,
                                   base::WallTime until) {
  return one_row(
      t.query("UPDATE provider_operations SET next_attempt_at = $1 WHERE org_id = $2 AND id = $3 AND state = "
              "$4 AND next_attempt_at <= $5",
              {until, o.org_id, o.id, o.state, now}));
}

base::Result<void> insert_invite(Transaction& t, const Invite& i, const storage::Blob& secret_hash,
                                 const std::string& actor, base::WallTime now) {
  return only_status(t.query(
      "INSERT INTO virtual_meeting_invites (id, org_id, visit_id, kind, secret_hash, person_ref, "
      "display_name, language, max_uses, "
      "expires_at, created_by, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
      {i.id, i.org_id, i.visit_id, i.kind, secret_hash, i.person_ref, i.display_name, i.language, i.max_uses,
       i.expires_at, actor, now}));
}

base::Result<std::optional<Invite>> find_invite(Transaction& t, const std::string& org_id,
                                                const storage::Blob& secret_hash) {
  return first<Invite>(
      t.query("SELECT id, org_id, visit_id, kind, person_ref, display_name, language, max_uses, uses, "
              "expires_at, "
              "revoked_at FROM virtual_meeting_invites WHERE org_id = $1 AND secret_hash = $2",
              {org_id, secret_hash}),
      [](const storage::Row& r) {
        return Invite{r.text("id"),
                      r.text("org_id"),
                      r.text("visit_id"),
                      r.text("kind"),
                      r.maybe_text("person_ref"),
                      r.maybe_text("display_name"),
                      r.maybe_text("language"),
                      r.integer("max_uses"),
                      r.integer("uses"),
                      r.time("expires_at"),
                      r.maybe_time("revoked_at")};
      });
}

base::Result<void> count_invite_use(Transaction& t, const std::string& org_id, const std::string& id) {
  return only_status(t.query(
      "UPDATE virtual_meeting_invites SET uses = uses + 1 WHERE org_id = $1 AND id = $2", {org_id, id}));
}

base::Result<void> revoke_host_invites(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                       const std::string& person_ref, base::WallTime now) {
  return only_status(
      t.query("UPDATE virtual_meeting_invites SET revoked_at = $1 WHERE org_id = $2 AND visit_id = $3 AND "
              "kind = 'host' "
              "AND person_ref = $4 AND revoked_at IS NULL",
              {now, org_id, visit_id, person_ref}));
}

base::Result<void> insert_participant(Transaction& t, const Participant& p, base::WallTime now) {
  return only_status(
      t.query("INSERT INTO virtual_meeting_participants (id, org_id, visit_id, invite_id, type, role, state, "
              "identity, person_ref, "
              "display_name, language, provider_user_id, arrived_at, admitted_at, created_at) VALUES ($1, "
              "$2, $3, $4, $5, $6, $7, $8, $9, $10, "
              "$11, $12, $13, $14, $15)",
              {p.id, p.org_id, p.visit_id, p.invite_id, p.type, p.role, p.state, p.identity, p.person_ref,
               p.display_name, p.language, p.provider_user_id, p.arrived_at, p.admitted_at, now}));
}

base::Result<std::vector<Participant>> list_participants(Transaction& t, const std::string& org_id,
                                                         const std::string& visit_id) {
  return all<Participant>(t.query(std::string("SELECT ") + kParticipantColumns +
                                      " FROM virtual_meeting_participants WHERE org_id = $1 AND visit_id = "
                                      "$2 ORDER BY created_at, id",
                                  {org_id, visit_id}),
                          participant_of);
}

base::Result<std::optional<Participant>> find_participant_of_invite(Transaction& t, const std::string& org_id,
                                                                    const std::string& invite_id) {
  return first<Participant>(t.query(std::string("SELECT ") + kParticipantColumns +
                                        " FROM virtual_meeting_participants WHERE org_id = $1 AND invite_id "
                                        "= $2 ORDER BY created_at LIMIT 1",
                                    {org_id, invite_id}),
                            participant_of);
}

base::Result<std::optional<Participant>> find_participant_by_ticket(Transaction& t,
                                                                    const storage::Blob& ticket_hash) {
  return first<Participant>(t.query(std::string("SELECT ") + kParticipantColumns +
                                        " FROM virtual_meeting_participants WHERE ticket_hash = $1",
                                    {ticket_hash}),
                            participant_of);
}

base::Result<void> update_participant(Transaction& t, const Participant& p) {
  return only_status(t.query(
      "UPDATE virtual_meeting_participants SET state = $1, display_name = $2, peer_id = $3, joined_at = $4, "
      "left_at = $5, "
      "connected_seconds = $6, row_version = row_version + 1 WHERE org_id = $7 AND id = $8",
      {p.state, p.display_name, p.peer_id, p.joined_at, p.left_at, p.connected_seconds, p.org_id, p.id}));
}

base::Result<void> set_ticket(Transaction& t, const std::string& org_id, const std::string& participant_id,
                              const storage::Blob& hash, base::WallTime expires_at) {
  return only_status(
      t.query("UPDATE virtual_meeting_participants SET ticket_hash = $1, ticket_expires_at = $2, "
              "row_version = row_version + 1 WHERE org_id = $3 AND id = $4",
              {hash, expires_at, org_id, participant_id}));
}

base::Result<void> close_participants(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                      base::WallTime now) {
  return only_status(
      t.query("UPDATE virtual_meeting_participants SET state = 'left', left_at = coalesce(left_at, $1), "
              "ticket_hash = NULL, "
              "closed_reason = 'visit_closed', row_version = row_version + 1 WHERE org_id = $2 AND visit_id "
              "= $3 AND state IN "
              "('lobby','waiting','admitted','connected','away')",
              {now, org_id, visit_id}));
}

base::Result<void> revoke_tickets(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                  base::WallTime now) {
  return only_status(t.query(
      "UPDATE virtual_meeting_participants SET state = 'left', left_at = coalesce(left_at, $1), ticket_hash "
      "= "
      "NULL, peer_id = NULL, row_version = row_version + 1 WHERE org_id = $2 AND visit_id = $3 AND state IN "
      "('lobby','waiting','admitted','connected','away')",
      {now, org_id, visit_id}));
}

base::Result<Presence> presence(Transaction& t, const std::string& org_id, const std::string& visit_id) {
  auto rows = t.query(
      "SELECT count(*) AS total, count(CASE WHEN state = 'connected' AND role = 'host' THEN 1 END) AS hosts, "
      "count(CASE WHEN state = 'connected' AND role = 'guest' THEN 1 END) AS admitted, "
      "count(CASE WHEN state = 'waiting' THEN 1 END) AS waiting, "
      "count(CASE WHEN state IN ('admitted','connected','away') THEN 1 END) AS issued "
      "FROM virtual_meeting_participants WHERE org_id = $1 AND visit_id = $2",
      {org_id, visit_id});
  if (!rows) return base::fail(rows.error());
  const storage::Row& r = rows->rows.front();
  return Presence{r.integer("hosts"), r.integer("admitted"), r.integer("waiting"), r.integer("total"),
                  r.integer("issued")};
}

}  // namespace visits::store
