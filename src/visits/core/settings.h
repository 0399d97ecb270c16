// Organisation settings of visit-api.md §4.3 that this program uses, with their ranges. A value out of range
// counts as the default.
#pragma once

#include "base/clock.h"
#include "json/json.h"

namespace visits {

struct Settings {
  base::Duration join_window_before = base::Duration::seconds(15 * 60);
  base::Duration join_window_after = base::Duration::seconds(120 * 60);
  base::Duration reconnect_grace = base::Duration::seconds(120);  // G0
  base::Duration empty_end_grace = base::Duration::seconds(300);  // G1
  base::Duration ticket_ttl = base::Duration::seconds(600);
  bool invite_only = false;
  bool strict_references = false;

  static Settings of(const json::Object& stored);
};

}  // namespace visits
