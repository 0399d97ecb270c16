// How a visit ends: T6 to T8 of visit-api.md §4.1, and the operations that bring provider and table together
// after failures (§4.4). The visit ends here first, so that no more tokens are minted; the room counts as
// closed only after a read-back with enabled=false. Blocking: worker threads only.
#pragma once

#include <string>

#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

struct Closing {
  std::string status;                   // ended, cancelled, no_show
  std::string reason;                   // a code
  OptionalText comment = std::nullopt;  // a person's words: stored with the visit, never in events
  bool room_closed = false;             // the provider said that the room is disabled
};
// One transaction for state, event and operation, then the provider. Code visit_state_conflict: the
// transition does not exist, or the row changed since it was read.
Outcome<Visit> close_visit(Core& core, const Principal& principal, const Visit& visit,
                           const Closing& closing);
// T6, or T7 as ended_before_start when the visit had not started.
Outcome<Visit> end_observed_visit(Core& core, const Principal& principal, const Visit& visit,
                                  const std::string& reason, bool room_closed);
// visit_state_conflict with `current` and `allowed`.
Failure state_conflict(const Visit& v, std::string_view wanted);

struct ClosedVisit {
  Visit visit;
  bool already = false;
};
// POST /:id/end; again is the same answer.
Outcome<ClosedVisit> end_visit(Core& core, const Principal& principal, const std::string& visit_id,
                               const std::string& reason, const OptionalText& comment);
Outcome<ClosedVisit> cancel_visit(Core& core, const Principal& principal, const std::string& visit_id,
                                  const std::string& reason_code, const OptionalText& comment);
// `who` is patient, provider or both. Refused while the patient waits and G5b has not passed.
Outcome<ClosedVisit> mark_no_show(Core& core, const Principal& principal, const std::string& visit_id,
                                  const std::string& who);

// One round of the compensator: due create_room operations are undone, due close_room operations repeated.
void run_operations(Core& core);

}  // namespace visits
