// Ending a visit, and the operations that bring provider and table together after failures (visit-api.md
// §4.4). The visit ends here first, so that no more tokens are minted; the room counts as closed only after a
// read-back with enabled=false. Blocking: worker threads only.
#pragma once

#include <string>

#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

struct EndedVisit {
  Visit visit;
  bool already = false;
};
// `reason` is the status reason of T6; before T3 the visit is cancelled as ended_before_start (T7).
Outcome<EndedVisit> end_visit(Core& core, const Principal& principal, const std::string& visit_id,
                              const std::string& reason);

// As end_visit, for a visit whose provider state was just read: `room_closed` when the provider said the room
// is disabled.
Outcome<Visit> end_observed_visit(Core& core, const Principal& principal, Visit visit,
                                  const std::string& reason, bool room_closed);

// One round of the compensator: due create_room operations are undone, due close_room operations repeated.
void run_operations(Core& core);

}  // namespace visits
