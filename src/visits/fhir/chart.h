// What the transitions of a visit write to the chart (visit-api.md §4.1, §9.2): the Appointment's status and
// the Encounter, as new versions in the caller's transaction. At most one Encounter per visit. Any worker
// thread.
#pragma once

#include <string>
#include <vector>

#include "base/random.h"
#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits {

// Brings the chart to `v` as it is after its transition; sets v.encounter_id when the Encounter is made. An
// Appointment that is not stored here, or that its EHR closed, is left alone.
base::Result<void> write_chart(storage::Transaction& t, base::Random& random, Visit& v,
                               const std::vector<Participant>& people, base::WallTime now);

}  // namespace visits
