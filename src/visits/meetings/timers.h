// The timers G1 to G6 of visit-api.md §4.3 as one function: when an open visit ends by itself, and how. Pure;
// any thread.
#pragma once

#include <string>
#include <vector>

#include "visits/core/settings.h"
#include "visits/store/rows.h"

namespace visits {

// What the participants of a visit say about its two sides.
struct Crowd {
  bool guest_here = false;  // somebody of the patient side is in the room, or may be back within G0
  bool guest_ever = false;
  bool host_ever = false;
};
Crowd crowd_of(const std::vector<Participant>& participants);

struct Due {
  base::WallTime at;
  std::string status;  // ended, cancelled, no_show
  std::string reason;
};
// nullopt for a visit that is over. An appointment's timers start when the visit was made, if that was after
// the planned start.
std::optional<Due> next_due(const Visit& v, const Crowd& crowd, const Settings& settings);

}  // namespace visits
