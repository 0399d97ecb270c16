// Creating a visit (visit-api.md §4.4): an operation row first, then the provider's room, read back, then
// visit, invite, event and operation in one transaction. Without a confirmed room there is no row. Blocking:
// worker threads only.
#pragma once

#include <string>
#include <vector>

#include "base/sensitive.h"
#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

struct NewVisit {
  std::string kind = "instant";
  OptionalText appointment_id;
  OptionalText patient_id;
  OptionalText practitioner_id;
  OptionalText display_name;
  std::optional<std::int64_t> duration_minutes;
  OptionalTime scheduled_start;
  OptionalTime scheduled_end;
  std::string request_id;
};

struct CreatedVisit {
  Visit visit;
  bool reused = false;
  OptionalText host_link;
};

Outcome<CreatedVisit> create_visit(Core& core, const Principal& principal, const NewVisit& wanted);

// POST /appointment/:id: the people and times of the stored Appointment.
Outcome<CreatedVisit> create_visit_of_appointment(Core& core, const Principal& principal,
                                                  const std::string& appointment_id, bool reopen,
                                                  const std::string& request_id);

struct HostLink {
  std::string link;
  base::WallTime expires_at;
};
// A new host invite for a practitioner; earlier ones of that person are revoked.
Outcome<HostLink> make_host_link(Core& core, const Principal& principal, const std::string& visit_id,
                                 const std::string& practitioner_id);

std::string actor_kind(const Principal& principal);
// True for failures that let the next provider be tried.
bool is_availability(const Failure& failure);

}  // namespace visits
