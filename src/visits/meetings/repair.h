// Rooms that went wrong (visit-api.md §2.2, §4.4 step 1): a stored id that no provider issued, or a room the
// provider no longer has, is replaced in place by a new confirmed room of the same integration. Blocking:
// worker threads only.
#pragma once

#include <string>

#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

struct RepairedVisit {
  Visit visit;
  bool repaired = false;  // false: the room was fine
};
// Reads the room back, and makes another where it is gone, disabled or malformed. A disabled room of a visit
// people were in is its end (ended_in_room), not a fault: code visit_closed. Other codes: not_found,
// integration_*, provider_*.
Outcome<RepairedVisit> repair_visit(Core& core, const Principal& principal, const std::string& visit_id,
                                    const std::string& request_id);

base::Result<RepairReport> repair_rooms(Core& core, const RepairOptions& options);

}  // namespace visits
