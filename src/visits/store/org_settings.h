// The settings of an organisation with their version. Every statement names its organisation. Any worker
// thread.
#pragma once

#include <optional>
#include <string>

#include "json/json.h"
#include "storage/database.h"

namespace visits::store {

struct OrgSettings {
  std::string name;
  bool demo = false;
  json::Object settings;
  std::int64_t row_version = 1;
};
base::Result<std::optional<OrgSettings>> find_org_settings(storage::Transaction& t,
                                                           const std::string& org_id);
// Where the stored version is still o.row_version; false when it is not.
base::Result<bool> update_org_settings(storage::Transaction& t, const std::string& org_id,
                                       const OrgSettings& o, base::WallTime now);

}  // namespace visits::store
