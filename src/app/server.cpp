#include "app/server.h"

#include <unistd.h>

#include <fstream>

#include "app/demo.h"
#include "app/free_port.h"
#include "app/pages.h"
#include "app/visits_parts.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "engine/engine.h"
#include "http/server.h"
#include "json/json.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "telemetry/log.h"
#include "telemetry/metrics.h"
#include "visits/visits.h"

namespace app {

namespace {

struct Addresses {
  base::SocketAddress api, web, media;
};

base::Result<Addresses> listen_addresses(const Settings& settings) {
  Addresses out;
  for (auto [key, target] :
       {std::pair{"listen.api", &out.api}, {"listen.web", &out.web}, {"listen.media", &out.media}}) {
    const auto address = settings.address(key);
    if (!address) return base::fail(address.error());
    *target = *address;
  }
  return out;
}

// The destructors of a server run from the bottom up: listeners first, databases last.
class Program final : public RunningServer {
 public:
  ~Program() override {
    if (!paths_.run_file.empty()) ::unlink(paths_.run_file.c_str());
  }
  const RunInfo& info() const override { return info_; }

  base::Result<void> start(const Settings& settings) {
    auto addresses = listen_addresses(settings);
    if (!addresses) return base::fail(addresses.error());
    auto paths = prepare_paths(settings);
    if (!paths) return base::fail(paths.error());
    paths_ = *paths;
    auto keys = crypto::Keyring::load_or_create(paths_.key_file, random_);
    if (!keys) return base::fail(keys.error());
    keys_ = std::make_unique<crypto::Keyring>(std::move(*keys));

    // Links, the demo integration and the engine name the API's port, so a free one is chosen before they
    // exist.
    if (auto fixed = fix_free_port(addresses->api); !fixed) return fixed;
    if (auto fixed = fix_free_port(addresses->web); !fixed) return fixed;
    const PublicUrls urls = public_urls(settings, addresses->api, addresses->web);
    info_.api_url = urls.api;
    info_.web_url = urls.web;
    loopback_ = addresses->api.is_loopback() && addresses->web.is_loopback();
    const std::string& only = settings.text("only");
    if (!only.empty() && only != "engine" && only != "visits")
      return base::fail("config_value_invalid", "only = '" + only + "': expected engine, visits or nothing");

    if (only != "visits")
      if (auto opened = open_engine(settings, *addresses); !opened) return opened;
    if (only != "engine")
      if (auto opened = open_visits(settings, urls); !opened) return opened;
    if (auto seeded = seed_demo(urls); !seeded) return seeded;
    if (auto listening = listen(settings, *addresses); !listening) return listening;
    return write_run_file();
  }

 private:
  base::Result<void> open_engine(const Settings& settings, const Addresses& addresses) {
    auto workers = settings.integer("http.workers", 1, 64);
    if (!workers) return base::fail(workers.error());
    auto database = open_engine_database(settings, paths_);
    if (!database) return base::fail(database.error());
    engine_database_ = std::move(*database);
    engine_pool_ = std::make_unique<net::WorkerPool>("engine", *workers);

    engine::Config config;
    config.migrations_folder = paths_.migrations + "/engine";
    config.media.listen = addresses.media;
    if (!settings.text("tls.certificate").empty()) config.tls_listeners = {"api", "web"};
    for (const auto& ip : settings.list("media.announced")) {
      const auto address = base::SocketAddress::parse(ip, 0);
      if (!address)
        return base::fail("config_value_invalid", "media.announced: '" + ip + "' is not an IP address");
      config.media.announced.push_back(*address);
    }
    auto engine = engine::Engine::open(
        config, {*engine_database_, *keys_, clock_, random_, metrics_, *engine_pool_, timers_});
    if (!engine) return base::fail(engine.error());
    engine_ = std::move(*engine);
    info_.media_address = engine_->media_address().text();
    return {};
  }

  base::Result<void> open_visits(const Settings& settings, const PublicUrls& urls) {
    auto workers = settings.integer("http.workers", 1, 64);
    if (!workers) return base::fail(workers.error());
    auto database = open_visits_database(settings, paths_);
    if (!database) return base::fail(database.error());
    visits_database_ = std::move(*database);
    visits_pool_ = std::make_unique<net::WorkerPool>("visits", *workers);
    auto visits =
        visits::Visits::open(visits_config(settings, paths_, urls, loopback_),
                             {*visits_database_, *keys_, clock_, random_, metrics_, *visits_pool_, timers_});
    if (!visits) return base::fail(visits.error());
    visits_ = std::move(*visits);
    return {};
  }

  base::Result<void> seed_demo(const PublicUrls& urls) {
    std::optional<engine::WorkspaceCredentials> workspace;
    if (engine_) {
      auto found = demo_workspace(*engine_, *engine_database_, *keys_, random_);
      if (!found) return base::fail(found.error());
      workspace = std::move(*found);
      info_.access_key = workspace->access_key;
      info_.template_id = workspace->template_id;
    }
    if (!visits_) return {};
    if (workspace) {
      auto made = visits_->init_demo(demo_seed(*workspace, urls));
      if (!made) return base::fail(made.error());
    }
    auto demo = visits_->demo_info();
    if (!demo) return base::fail(demo.error());
    if (!*demo) return {};
    info_.org_id = (*demo)->org_id;
    info_.org_name = (*demo)->org_name;
    info_.integration_id = (*demo)->integration_id;
    info_.open_on_loopback = !(*demo)->banner.empty();
    return {};
  }

  base::Result<void> listen(const Settings& settings, const Addresses& addresses) {
    auto io_threads = settings.integer("http.ioThreads", 1, 16);
    if (!io_threads) return base::fail(io_threads.error());
    page_pool_ = std::make_unique<net::WorkerPool>("pages", 1);
    for (http::Router* router : {&api_router_, &web_router_}) {
      if (engine_) engine_->mount(*router);
      if (visits_) visits_->mount(*router);
    }
    mount_metrics(api_router_, *page_pool_, metrics_, engine_.get());
    mount_api_front(api_router_, *page_pool_, info_.web_url);
    mount_web_app(web_router_, *page_pool_, paths_.web_root);

    http::ServerConfig config;
    config.io_threads = *io_threads;
    config.trusted_proxies = settings.list("trustedProxies");
    const std::string& certificate = settings.text("tls.certificate");
    const std::string& key = settings.text("tls.key");
    config.listeners.push_back({"api", addresses.api, &api_router_, certificate, key});
    config.listeners.push_back({"web", addresses.web, &web_router_, certificate, key});
    auto server = http::Server::start(config, random_);
    if (!server) return base::fail(server.error());
    server_ = std::move(*server);
    return {};
  }

  base::Result<void> write_run_file() const {
    const json::Object run = {
        {"pid", static_cast<std::int64_t>(::getpid())},
        {"api", info_.api_url},
        {"web", info_.web_url},
        {"media", info_.media_address},
        {"orgId", info_.org_id},
        {"orgName", info_.org_name},
        {"integrationId", info_.integration_id},
        {"accessKey", info_.access_key},
        {"templateId", info_.template_id},
        {"openOnLoopback", info_.open_on_loopback},
    };
    std::ofstream out(paths_.run_file);
    out << json::serialize(run) << "\n";
    out.close();
    if (!out) return base::fail("data_folder_unusable", paths_.run_file + " cannot be written");
    return {};
  }

  Paths paths_;
  RunInfo info_;
  bool loopback_ = false;
  base::SystemClock clock_;
  crypto::SystemRandom random_;
  telemetry::Metrics metrics_;
  std::unique_ptr<crypto::Keyring> keys_;
  net::Timers timers_;
  std::unique_ptr<storage::Database> engine_database_;
  std::unique_ptr<storage::Database> visits_database_;
  std::unique_ptr<net::WorkerPool> engine_pool_;
  std::unique_ptr<net::WorkerPool> visits_pool_;
  std::unique_ptr<net::WorkerPool> page_pool_;
  std::unique_ptr<engine::Engine> engine_;
  std::unique_ptr<visits::Visits> visits_;
  http::Router api_router_;
  http::Router web_router_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace

base::Result<std::unique_ptr<RunningServer>> start_server(const Settings& settings) {
  auto program = std::make_unique<Program>();
  if (auto started = program->start(settings); !started) return base::fail(started.error());
  return program;
}

}  // namespace app
