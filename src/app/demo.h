// The demo clinic of a fresh data folder: a workspace of the engine, and an organisation of the EHR half
// whose `100ms` integration points at it.
#pragma once

#include <string>

#include "app/commands.h"
#include "app/parts.h"
#include "engine/engine.h"
#include "visits/visits.h"

namespace app {

// The engine's workspace named "demo", made when it is missing.
base::Result<engine::WorkspaceCredentials> demo_workspace(engine::Engine& engine, storage::Database& database,
                                                          const crypto::Keyring& keys, base::Random& random);

visits::DemoSeed demo_seed(const engine::WorkspaceCredentials& workspace, const PublicUrls& urls);

struct DemoIds {
  std::string org_id;
  std::string integration_id;
  std::string access_key;
  std::string template_id;
};

// What `televisit init --demo` does: opens both databases, seeds them, closes them. Errors: "server_running"
// when a server uses the folder.
base::Result<DemoIds> init_demo(const Settings& settings, const InitOptions& options);

}  // namespace app
