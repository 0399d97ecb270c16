// GET and PATCH /api/org (visit-api.md §3.3): the settings of §4.3 that have an effect in this program. A
// setting without one is refused, never stored.
#pragma once

#include <vector>

#include "visits/api/support.h"

namespace visits::api {

std::vector<StaffRoute> org_routes();

}  // namespace visits::api
