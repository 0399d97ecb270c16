// The 100ms-compatible room service as one object: REST API, /init, signalling, and the media plane behind it
// (100ms-server-api.md, 100ms-client-protocol.md). All methods are thread-safe and synchronous; they may use
// the database.
//
//   auto engine = engine::Engine::open(config, {database, keys, clock, random, metrics, pool, timers});
//   (*engine)->mount(router);                       // before http::Server::start
//   auto keys = (*engine)->create_workspace("demo");
//
// End order: first the http::Server that serves the router, then the Engine, then what it was given. Peers
// inside are kept in the database: an Engine opened on it later takes them over.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sensitive.h"
#include "crypto/envelope.h"
#include "http/router.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "sfu/sfu.h"
#include "storage/database.h"
#include "telemetry/metrics.h"

namespace engine {

struct IceServer {
  std::vector<std::string> urls;
  std::string username;
  base::Secret credential;
};

struct Config {
  std::string migrations_folder;  // holds 0001_first.sqlite.sql, …
  sfu::Config media;
  bool strict_room_names = false;  // 100ms-server-api.md §2.1
  bool lenient_paths = false;      // §2.7
  int max_token_days = 90;         // §1.2
  std::vector<IceServer> ice_servers;
  std::vector<std::string>
      tls_listeners;  // names of the http listeners that speak TLS: their clients are sent to wss://
  std::string public_websocket_url;  // "wss://rtc.example.org": used instead of the Host of the request
  base::Duration tick = base::Duration::millis(500);  // how often grace periods are looked at
  int room_threads = 2;
  double requests_per_second = 50;  // of one workspace's REST calls, twice as many at once; 0 = no limit
  // Which addresses webhooks may be sent to; empty = every address.
  std::function<bool(const base::SocketAddress&)> webhook_address_allowed;
};

struct Dependencies {
  storage::Database& database;
  const crypto::Keyring& keys;
  const base::Clock& clock;
  base::Random& random;
  telemetry::Metrics& metrics;
  net::WorkerPool&
      pool;  // endpoints run here; live rooms have threads of their own, because endpoints wait for them
  net::Timers& timers;
};

struct WorkspaceCredentials {
  std::string workspace_id;  // chosen by the engine
  std::string access_key;    // 24 hex digits
  base::Secret secret;
  std::string template_id;  // of the default template, "default_telehealth"
};

struct WorkspaceInfo {
  std::string workspace_id;
  std::string name;
  std::string access_key;
  std::string template_id;
};

class Engine {
 public:
  // Applies the migrations, takes over the peers a former process left inside, starts the media plane.
  // Errors: those of storage::migrate, crypto::Keyring and sfu::Sfu::start.
  static base::Result<std::unique_ptr<Engine>> open(Config config, Dependencies dependencies);
  ~Engine();
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  // Adds /init, /v2/ws, /v2/token and /v2/…; for several routers if need be. The router must not outlive the
  // engine's use.
  void mount(http::Router& router);

  // Error "workspace_exists" (the name or the access key is taken), "credentials_invalid" (imported ones of
  // the wrong form).
  base::Result<WorkspaceCredentials> create_workspace(const std::string& name);
  base::Result<WorkspaceCredentials> create_workspace(const std::string& name,
                                                      const WorkspaceCredentials& given);
  base::Result<std::vector<WorkspaceInfo>> workspaces();

  base::SocketAddress media_address() const;
  sfu::WorkerStats media_stats() const;
  std::size_t live_rooms() const;

 private:
  struct Impl;
  explicit Engine(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace engine
