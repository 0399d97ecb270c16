// The parts of FHIR R4 resources that visits use (visit-api.md §9.1): people by actor type and participation
// type, never by position.
#pragma once

#include <string>
#include <vector>

#include "visits/store/fhir.h"
#include "visits/store/rows.h"

namespace visits {

struct Appointment {
  std::string id;
  std::string status;
  OptionalTime start;
  OptionalTime end;
  std::string reason;                      // description, else the first reason's or type's text
  std::vector<std::string> patients;       // ids
  std::vector<std::string> practitioners;  // ids, primary performers first
};
Appointment read_appointment(const FhirResource& resource);
std::vector<store::IndexEntry> appointment_index(const Appointment& appointment);

// "Dr Dana Sample" from HumanName; empty when there is none.
std::string display_name(const FhirResource& person);

}  // namespace visits
