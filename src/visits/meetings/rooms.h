// A room the provider has confirmed, with the operation row that was there before the provider was asked
// (visit-api.md §4.4, steps 3 to 6). Blocking: worker threads only.
#pragma once

#include <memory>
#include <string>

#include "visits/core/core.h"
#include "visits/integrations/clients.h"
#include "visits/store/rows.h"

namespace visits {

struct NewRoom {
  std::optional<std::int64_t> duration_minutes;
  std::string request_id;
};

struct Attempt {
  Operation operation;
  provider::RoomSpec spec;
};

struct Confirmed {
  Attempt attempt;
  provider::Room room;
  std::shared_ptr<Video> video;
};
// Whoever gets it stores the room and marks the operation done, or gives it up.
Outcome<Confirmed> confirm_room(Core& core, const Integration& row, const NewRoom& wanted,
                                base::SteadyTime deadline);

// Leaves the operation to the compensator, or marks it failed when the provider certainly did nothing.
void give_up(Core& core, Operation operation, const std::string& code, bool may_have_acted);

}  // namespace visits
