// The demo clinic: an organisation, its people, today's appointments and the 100ms integration. Idempotent.
#pragma once

#include "visits/core/core.h"

namespace visits {

base::Result<DemoInfo> seed_demo(Core& core, const DemoSeed& seed);

}  // namespace visits
