// The checklist of visit-api.md §7 up to the roles of the template: one implementation for POST …/test and
// the CLI. Each run is stored, and health with it. Blocking, at most about 30 s: worker threads only.
#pragma once

#include <string>
#include <vector>

#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

// `origin`: api, cli, wizard, schedule. Codes not_found, test_running.
Outcome<TestRun> run_test(Core& core, const Principal& principal, const std::string& integration_id,
                          const std::string& origin);
json::Object test_object(const TestRun& run);

Outcome<std::vector<TemplateInfo>> live_templates(Core& core, const Principal& principal,
                                                  const std::string& integration_id);

}  // namespace visits
