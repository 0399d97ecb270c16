// virtual_meetings, their operations, invites and participants. Every statement names its organisation, but
// for the look-ups by a secret or public code and the sweeps over all organisations, whose rows carry it. Any
// worker thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits::store {

using storage::Transaction;

base::Result<void> insert_visit(Transaction& t, const Visit& v);
base::Result<std::optional<Visit>> find_visit(Transaction& t, const std::string& org_id,
                                              const std::string& id);
base::Result<std::optional<Visit>> find_visit_by_code(Transaction& t, const std::string& code);
base::Result<std::optional<Visit>> find_open_visit_of_appointment(Transaction& t, const std::string& org_id,
                                                                  const std::string& appointment_id);
base::Result<std::optional<Visit>> find_last_visit_of_appointment(Transaction& t, const std::string& org_id,
                                                                  const std::string& appointment_id);
// Writes every member that changes in life, where the stored version is still v.row_version; false when it is
// not.
base::Result<bool> update_visit(Transaction& t, const Visit& v, base::WallTime now);

struct VisitFilter {
  std::vector<std::string> statuses;
  OptionalTime created_from;
  OptionalTime created_to;
  OptionalText patient_id;
  OptionalText practitioner_id;
  OptionalText code;
  // Keyset: only rows after this one in the order newest first.
  OptionalTime before_created;
  OptionalText before_id;
  std::int64_t offset = 0;
  std::int64_t limit = 50;
};
base::Result<std::vector<Visit>> list_visits(Transaction& t, const std::string& org_id,
                                             const VisitFilter& filter);
base::Result<std::int64_t> count_visits(Transaction& t, const std::string& org_id, const VisitFilter& filter);
// Open visits of all organisations in which somebody may be present, or whose room is still to be watched.
base::Result<std::vector<Visit>> list_visits_to_watch(Transaction& t, std::int64_t limit);

// Open visits whose next timer has come, or is not known yet; of all organisations.
base::Result<std::vector<Visit>> list_due_visits(Transaction& t, base::WallTime now, std::int64_t limit);
// Visits whose room id no provider issued; with `open_ones` also every open visit with a room. Of one
// organisation or of all.
base::Result<std::vector<Visit>> list_visits_to_repair(Transaction& t, const OptionalText& org_id,
                                                       bool open_ones, std::int64_t limit);

base::Result<void> insert_operation(Transaction& t, const Operation& o);
base::Result<void> update_operation(Transaction& t, const Operation& o, const OptionalText& last_code,
                                    base::WallTime now);
base::Result<std::vector<Operation>> list_due_operations(Transaction& t, base::WallTime now,
                                                         std::int64_t limit);
// Takes the operation for this caller: moves next_attempt_at to `until` if it is still due; false when
// another took it.
base::Result<bool> lease_operation(Transaction& t, const Operation& o, base::WallTime now,
                                   base::WallTime until);

base::Result<void> insert_invite(Transaction& t, const Invite& i, const storage::Blob& secret_hash,
                                 const std::string& actor, base::WallTime now);
base::Result<std::optional<Invite>> find_invite(Transaction& t, const std::string& org_id,
                                                const storage::Blob& secret_hash);
base::Result<void> count_invite_use(Transaction& t, const std::string& org_id, const std::string& id);
base::Result<void> revoke_host_invites(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                       const std::string& person_ref, base::WallTime now);

base::Result<void> insert_participant(Transaction& t, const Participant& p, base::WallTime now);
base::Result<std::vector<Participant>> list_participants(Transaction& t, const std::string& org_id,
                                                         const std::string& visit_id);
base::Result<std::optional<Participant>> find_participant_of_invite(Transaction& t, const std::string& org_id,
                                                                    const std::string& invite_id);
base::Result<std::optional<Participant>> find_participant_by_ticket(Transaction& t,
                                                                    const storage::Blob& ticket_hash);
// State, names and times; not the ticket.
base::Result<void> update_participant(Transaction& t, const Participant& p);
base::Result<void> set_ticket(Transaction& t, const std::string& org_id, const std::string& participant_id,
                              const storage::Blob& hash, base::WallTime expires_at);
base::Result<void> close_participants(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                      base::WallTime now);
// As close_participants, for a visit that goes on in another room: the people may come back.
base::Result<void> revoke_tickets(Transaction& t, const std::string& org_id, const std::string& visit_id,
                                  base::WallTime now);
base::Result<Presence> presence(Transaction& t, const std::string& org_id, const std::string& visit_id);

}  // namespace visits::store
