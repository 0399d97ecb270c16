// Organisation settings of visit-api.md §4.3 that this program uses, with their ranges. A value out of range
// counts as the default.
#pragma once

#include "base/clock.h"
#include "json/json.h"

namespace visits {

struct Settings {
  base::Duration join_window_before = base::Duration::seconds(15 * 60);
  base::Duration join_window_after = base::Duration::seconds(120 * 60);
  base::Duration reconnect_grace = base::Duration::seconds(120);     // G0
  base::Duration empty_end_grace = base::Duration::seconds(300);     // G1
  base::Duration host_absent_grace = base::Duration::seconds(900);   // G2
  base::Duration guest_absent_grace = base::Duration::seconds(900);  // G3
  base::Duration max_duration = base::Duration::seconds(120 * 60);   // G4
  base::Duration no_show = base::Duration::seconds(30 * 60);         // G5
  base::Duration waiting_max = base::Duration::seconds(240 * 60);    // G5b
  base::Duration unused_expire = base::Duration::seconds(120 * 60);  // G6
  base::Duration ticket_ttl = base::Duration::seconds(600);
  bool invite_only = false;
  bool strict_references = false;

  static Settings of(const json::Object& stored);
};

}  // namespace visits
