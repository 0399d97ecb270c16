// Rows of the visits tables as plain values (visit-api.md §2.1). Times are UTC; JSON columns are parsed where
// they are used as objects.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "json/json.h"

namespace visits {

using OptionalText = std::optional<std::string>;
using OptionalTime = std::optional<base::WallTime>;

struct Organization {
  std::string id;
  std::string name;
  bool demo = false;
  json::Object settings;
  std::string fhir_system_base;
};

struct Vendor {
  std::string id;
  std::string name;
  std::string category;
  std::string description;
  std::string documentation;
  bool featured = false;
};

struct Integration {
  std::string id;
  std::string org_id;
  std::string vendor_id;
  bool enabled = false;
  std::string environment = "sandbox";
  std::int64_t priority = 100;
  std::string credentials_text;  // as stored: the old side of a compare-and-swap
  json::Object credentials;      // secret members may be envelopes
  std::string usage_mappings = "[]";
  std::string health_status = "inactive";
  OptionalTime last_tested_at;
  OptionalText last_error;
  std::int64_t row_version = 1;
  OptionalText created_by;
  base::WallTime created_at;
  base::WallTime updated_at;
};

struct CheckRun {
  std::string id;
  std::string origin;
  base::WallTime started_at;
  OptionalTime finished_at;
  OptionalText outcome;
  std::string checks = "[]";
};

struct Visit {
  std::string id;
  std::string org_id;
  std::string code;
  std::string meeting_id;  // the provider's room id
  std::string status = "scheduled";
  std::string kind = "instant";
  OptionalText status_reason;
  std::string integration_id;
  std::string vendor_id;
  OptionalText template_id;
  OptionalText region;
  std::string room_name;
  std::string room_state = "confirmed";
  OptionalTime room_verified_at;
  std::string room_details = "{}";
  std::string failover = "[]";
  std::string display_name = "Telehealth consultation";
  OptionalText appointment_id;
  OptionalText encounter_id;
  OptionalText patient_id;
  OptionalText host_practitioner_id;
  OptionalTime scheduled_start;
  OptionalTime scheduled_end;
  OptionalTime waiting_since;
  OptionalTime started_at;
  OptionalTime paused_since;
  OptionalTime ended_at;
  OptionalTime closed_at;
  OptionalTime next_deadline_at;
  OptionalTime host_absent_since;   // of an active visit: no practitioner is there since
  OptionalTime guest_absent_since;  // nobody of the patient side is there since
  OptionalTime empty_since;         // nobody at all is there since
  bool waiting_room = false;
  bool recording_enabled = false;
  json::Object config;
  std::int64_t row_version = 1;
  std::string created_by;
  base::WallTime created_at;
  base::WallTime updated_at;

  bool open() const { return status == "scheduled" || status == "waiting" || status == "active"; }
};

struct Operation {
  std::string id;
  std::string org_id;
  std::string integration_id;
  OptionalText visit_id;
  std::string op;
  std::string args = "{}";
  std::string state = "pending";
  OptionalText room_name;
  OptionalText room_id;
  std::int64_t attempts = 0;
  base::WallTime next_attempt_at;
  base::WallTime created_at;
};

struct Invite {
  std::string id;
  std::string org_id;
  std::string visit_id;
  std::string kind;
  OptionalText person_ref;
  OptionalText display_name;
  OptionalText language;
  std::int64_t max_uses = 5;
  std::int64_t uses = 0;
  base::WallTime expires_at;
  OptionalTime revoked_at;
};

struct Participant {
  std::string id;
  std::string org_id;
  std::string visit_id;
  OptionalText invite_id;
  std::string type;
  std::string role;
  std::string state;
  std::string identity;
  OptionalText person_ref;
  std::string display_name;
  OptionalText language;
  std::string provider_user_id;
  OptionalText peer_id;
  OptionalTime arrived_at;
  OptionalTime admitted_at;
  OptionalTime joined_at;
  OptionalTime left_at;
  OptionalTime ticket_expires_at;
  std::int64_t connected_seconds = 0;
  std::int64_t row_version = 1;
};

struct Presence {
  std::int64_t hosts = 0;
  std::int64_t admitted = 0;
  std::int64_t waiting = 0;
  std::int64_t total = 0;   // participants of the visit, gone ones included
  std::int64_t issued = 0;  // participants that may be in the room: admitted, connected or away
};

struct FhirResource {
  std::string type;
  std::string id;
  std::int64_t version_id = 1;
  base::WallTime last_updated;
  bool deleted = false;
  std::string resource;
};

}  // namespace visits
