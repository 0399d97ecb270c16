#include "app/visits_parts.h"

namespace app {

visits::Config visits_config(const Settings& settings, const Paths& paths, const PublicUrls& urls,
                             bool loopback) {
  visits::Config config;
  config.migrations_folder = paths.migrations + "/visits";
  config.public_api_url = urls.api;
  config.public_web_url = urls.web;
  config.all_listeners_loopback = loopback;
  config.open_loopback = settings.text("auth.openLoopback");
  config.allow_private_endpoints = settings.list("allowPrivateEndpoints");
  config.own_engine_endpoints = {urls.api + "/v2", urls.web + "/v2"};
  return config;
}

base::Result<std::unique_ptr<VisitsTool>> VisitsTool::open(const Settings& settings) {
  auto api = settings.address("listen.api");
  if (!api) return base::fail(api.error());
  auto web = settings.address("listen.web");
  if (!web) return base::fail(web.error());
  auto paths = prepare_paths(settings);
  if (!paths) return base::fail(paths.error());

  std::unique_ptr<VisitsTool> tool(new VisitsTool);
  auto keys = crypto::Keyring::load_or_create(paths->key_file, tool->random_);
  if (!keys) return base::fail(keys.error());
  tool->keys_ = std::make_unique<crypto::Keyring>(std::move(*keys));
  auto database = open_visits_database(settings, *paths);
  if (!database) return base::fail(database.error());
  tool->database_ = std::move(*database);
  tool->pool_ = std::make_unique<net::WorkerPool>("visits", 1);
  // A running server may listen elsewhere than the settings of this call say.
  tool->urls_ = running_urls(*paths).value_or(public_urls(settings, *api, *web));
  visits::Config config =
      visits_config(settings, *paths, tool->urls_, api->is_loopback() && web->is_loopback());
  config.background = false;
  auto visits =
      visits::Visits::open(std::move(config), {*tool->database_, *tool->keys_, tool->clock_, tool->random_,
                                               tool->metrics_, *tool->pool_, tool->timers_});
  if (!visits) return base::fail(visits.error());
  tool->visits_ = std::move(*visits);
  return tool;
}

}  // namespace app
