// The credentials column of an integration (visit-api.md §2.2, §6.1): secret members are enveloped,
// everything else is plain JSON. Objects named `plain` hold opened secrets: they never reach a log, an answer
// or the database.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/sensitive.h"
#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

struct RoleMap {
  std::string host = "host";
  std::string guest = "guest";
  std::string waiting = "waiting-room";
};

// What the program uses, read tolerantly: SQL may have written booleans as text and numbers as decimal
// strings.
struct ProviderConfig {
  std::string app_id;
  base::Secret app_secret;
  std::string api_endpoint;
  std::string init_endpoint;
  std::string template_id;
  bool allow_default_template = false;
  RoleMap roles;
  std::string region = "auto";
  std::int64_t max_duration_min = 120;
  std::int64_t room_size = 10;
  bool chat = true;
  bool screen_share = true;
  bool waiting_by_role = true;  // waitingRoomMode is not "hold"

  std::vector<std::string> missing;   // required members that are absent or placeholders
  std::vector<std::string> mistyped;  // "maxDuration must be a whole number from 2 to 720"
  std::vector<std::string> without_effect;
};

inline constexpr std::string_view kDefaultEndpoint = "https://api.100ms.live/v2";

bool is_secret_member(std::string_view key);
// "YOUR_TEMPLATE_ID", "<app id>", "changeme": what people paste from manuals.
bool is_placeholder(std::string_view text);

ProviderConfig read_config(const json::Object& plain);

// Opens the secrets of a row. A plain secret that SQL wrote is used and, by compare-and-swap, enveloped. Code
// integration_secret_unreadable.
struct OpenedCredentials {
  json::Object plain;
  bool reenveloped = false;
};
Outcome<OpenedCredentials> open_credentials(Core& core, const Integration& row);

// The same members with each secret replaced by {"set":true,"fingerprint":"3fa9c1d2"}.
json::Object mask_credentials(const Core& core, const Integration& row);

// Merges `change` (RFC 7396) into `row.credentials`: checks and normalises the new members, envelopes the
// secrets. Code validation_failed with pointers below /credentials, endpoint_refused.
Outcome<void> merge_credentials(Core& core, Integration& row, const json::Object& change);

// The wizard's schema of vendor 100ms (visit-api.md §6.1).
json::Object credentials_schema();

}  // namespace visits
