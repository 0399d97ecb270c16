#include "app/demo.h"

#include "app/visits_parts.h"
#include "engine/store/store.h"

namespace app {

namespace {

constexpr std::string_view kWorkspaceName = "demo";

}  // namespace

base::Result<engine::WorkspaceCredentials> demo_workspace(engine::Engine& engine, storage::Database& database,
                                                          const crypto::Keyring& keys, base::Random& random) {
  auto all = engine::Store(database, keys, random).workspaces();
  if (!all) return base::fail(all.error());
  for (auto& workspace : *all)
    if (workspace.name == kWorkspaceName)
      return engine::WorkspaceCredentials{workspace.id, workspace.access_key, workspace.secret,
                                          workspace.default_template_id};
  return engine.create_workspace(std::string(kWorkspaceName));
}

visits::DemoSeed demo_seed(const engine::WorkspaceCredentials& workspace, const PublicUrls& urls) {
  visits::DemoSeed seed;
  seed.app_id = workspace.access_key;
  seed.app_secret = workspace.secret;
  seed.api_endpoint = urls.api + "/v2";
  seed.template_id = workspace.template_id;
  return seed;
}

base::Result<DemoIds> init_demo(const Settings& settings, const InitOptions& options) {
  auto tool = VisitsTool::open(settings);
  if (!tool) return base::fail(tool.error());
  auto paths = prepare_paths(settings);
  if (!paths) return base::fail(paths.error());
  if (running_pid(*paths))
    return base::fail("server_running",
                      "a server uses " + paths->data + "; stop it first, then run init again");

  auto database = open_engine_database(settings, *paths);
  if (!database) return base::fail(database.error());
  const base::SystemClock clock;
  crypto::SystemRandom random;
  telemetry::Metrics metrics;
  net::Timers timers;
  net::WorkerPool pool("engine", 1);
  engine::Config config;
  config.migrations_folder = paths->migrations + "/engine";
  config.media.listen = base::SocketAddress::v4(0x7f000001, 0);
  auto engine =
      engine::Engine::open(config, {**database, (*tool)->keys(), clock, random, metrics, pool, timers});
  if (!engine) return base::fail(engine.error());
  auto workspace = demo_workspace(**engine, **database, (*tool)->keys(), random);
  if (!workspace) return base::fail(workspace.error());

  visits::DemoSeed seed = demo_seed(*workspace, (*tool)->urls());
  seed.org_id = options.org_id;
  seed.integration_id = options.integration_id;
  seed.missing_template = options.missing_template;
  auto made = (*tool)->visits().init_demo(seed);
  if (!made) return base::fail(made.error());
  return DemoIds{made->org_id, made->integration_id, workspace->access_key, workspace->template_id};
}

}  // namespace app
