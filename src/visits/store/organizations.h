// organizations, integrations and their logs and checks. Every statement names its organisation. Any worker
// thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits::store {

using storage::Transaction;

base::Result<std::optional<Organization>> find_organization(Transaction& t, const std::string& org_id);
base::Result<std::optional<Organization>> find_demo_organization(Transaction& t);
base::Result<void> insert_organization(Transaction& t, const Organization& org, base::WallTime now);

// Reaches the database and does nothing.
base::Result<void> ping(Transaction& t);

base::Result<std::vector<Vendor>> list_vendors(Transaction& t);

base::Result<std::optional<Integration>> find_integration(Transaction& t, const std::string& org_id,
                                                          const std::string& id);
base::Result<std::vector<Integration>> list_integrations(Transaction& t, const std::string& org_id);
base::Result<void> insert_integration(Transaction& t, const Integration& row, const std::string& actor,
                                      base::WallTime now);
// Writes enabled, environment, priority, credentials, usage_mappings and health of `row` where the stored
// version is still row.row_version. False when it is not.
base::Result<bool> update_integration(Transaction& t, const Integration& row, const std::string& actor,
                                      base::WallTime now);
// Compare-and-swap on the credentials text.
base::Result<bool> swap_credentials(Transaction& t, const Integration& row, const std::string& credentials,
                                    base::WallTime now);
base::Result<void> save_health(Transaction& t, const std::string& org_id, const std::string& id,
                               const std::string& status, OptionalTime tested_at, OptionalText last_error);
base::Result<void> delete_integration(Transaction& t, const std::string& org_id, const std::string& id);
struct Uses {
  std::int64_t open = 0;
  std::int64_t all = 0;
};
base::Result<Uses> visits_of_integration(Transaction& t, const std::string& org_id, const std::string& id);

struct Activity {
  std::string org_id;
  std::string integration_id;
  std::string type;
  bool success = true;
  std::string details = "{}";
  OptionalText error_code;
  std::string actor;
};
base::Result<void> log_activity(Transaction& t, const Activity& activity, base::WallTime now);

// Error db_unique_violation: a test of this integration is running.
base::Result<void> start_check_run(Transaction& t, const std::string& org_id,
                                   const std::string& integration_id, const CheckRun& run);
base::Result<void> finish_check_run(Transaction& t, const std::string& org_id, const CheckRun& run);
base::Result<std::vector<CheckRun>> list_check_runs(Transaction& t, const std::string& org_id,
                                                    const std::string& integration_id, std::int64_t limit);
// After a restart: runs left open are closed as aborted, health back to inactive.
base::Result<void> abort_open_check_runs(Transaction& t, base::WallTime now);

}  // namespace visits::store
