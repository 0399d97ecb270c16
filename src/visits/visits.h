// The EHR side behind one facade: opens and migrates its database, mounts its endpoints, runs its reconciler
// and compensator, and serves the CLI. Thread-safe after open(). Destroying it stops the timers and waits for
// the round that runs; destroy servers that use its routes first.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sensitive.h"
#include "crypto/envelope.h"
#include "http/router.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "storage/database.h"
#include "telemetry/metrics.h"

namespace visits {

// Defaults of §12.2; zero counts as one: nothing is unlimited or shut.
struct LobbyLimits {
  int per_minute = 20;  // of look-ups, and of joins, per address
  int per_hour = 200;
  int per_code_minute = 60;
  int unknown_codes = 30;  // in unknown_window, then the address is locked
  base::Duration unknown_window = base::Duration::seconds(600);
  base::Duration lock = base::Duration::seconds(900);
};

struct Config {
  std::string migrations_folder;  // holds NNNN_name.{sqlite,postgres}.sql
  std::string public_api_url;     // "http://localhost:8000"
  std::string public_web_url;     // "http://localhost:3000"
  bool all_listeners_loopback = false;
  std::string open_loopback = "auto";                // auto, on, off (visit-api.md §3.2)
  std::vector<std::string> allow_private_endpoints;  // origins or URL prefixes an operator vouches for
  std::vector<std::string> own_engine_endpoints;     // the engine's own listener: http on loopback is allowed
  base::Duration provider_connect_timeout = base::Duration::seconds(3);  // visit-api.md §6.4
  base::Duration provider_call_timeout = base::Duration::seconds(8);
  std::function<void(base::Duration)> provider_pause;  // between retries; none: the thread sleeps
  LobbyLimits lobby_limits;
  bool background = true;  // reconciler and compensator on the timers
};

struct Dependencies {
  storage::Database& database;
  const crypto::Keyring& keyring;
  const base::Clock& clock;
  base::Random& random;
  telemetry::Metrics& metrics;
  net::WorkerPool& pool;
  net::Timers& timers;
};

struct DemoSeed {
  std::optional<std::string> org_id;
  std::optional<std::string> integration_id;
  bool missing_template = false;  // the debug guide's scenario: no templateId, one legacy visit
  std::string app_id;
  base::Secret app_secret;
  std::string api_endpoint;
  std::string template_id;
};

struct DemoInfo {
  std::string org_id;
  std::string org_name;
  std::string integration_id;
  std::string banner;  // "OPEN ON LOOPBACK: …", empty when the mode is off
};

struct CheckResult {
  std::string id;
  std::string status;  // pass, warn, fail, skipped
  std::string seen;
  std::string remedy;
  std::string blocked_by;
  std::int64_t duration_ms = 0;
};

struct TestRun {
  std::string run_id;
  std::string outcome;       // pass, warn, fail
  std::string first_broken;  // check id, empty when nothing failed
  std::string health_status;
  std::int64_t duration_ms = 0;
  std::vector<CheckResult> checks;
};

struct TemplateInfo {
  std::string id;
  std::string name;
  std::vector<std::string> roles;
  bool fits = false;
  std::vector<std::string> missing;  // what keeps it from fitting, in words
};

// `televisit repair rooms` (visit-api.md §2.2).
struct RepairOptions {
  std::optional<std::string> org_id;  // none: every organisation
  bool verify = false;                // also read every open visit's room back from its provider
  bool apply = false;                 // otherwise nothing is changed
};
struct RepairedRoom {
  std::string org_id;
  std::string visit_id;
  std::string code;
  std::string status;
  std::string room_id;      // as it was found
  std::string fault;        // malformed, gone, disabled, not_verifiable
  std::string action;       // listed, repaired, marked (a closed visit, left as history), failed
  std::string new_room_id;  // when repaired
  std::string detail;       // why it failed or could not be verified
};
struct RepairReport {
  std::vector<RepairedRoom> rooms;
  // 0 nothing wrong, 1 something left, 2 repaired.
  int exit_code() const;
};

struct NewApiKey {
  std::string id;
  std::string org_id;
  std::string prefix;
  base::Secret key;  // to be shown once
};

class Visits {
 public:
  // Migrates. Errors: those of storage::migrate, "listener_not_loopback" (open_loopback on, but reachable
  // from elsewhere).
  static base::Result<std::unique_ptr<Visits>> open(Config config, Dependencies dependencies);
  ~Visits();

  // /api/…, /fhir/R4 reads, /problems/:code, /healthz, /readyz. May be called for several routers.
  void mount(http::Router& router);

  // Idempotent. Makes the demo organisation, its people, today's appointments and the 100ms integration, or
  // brings the engine's address and keys of an existing one up to date; a templateId that somebody changed or
  // removed is left alone.
  base::Result<DemoInfo> init_demo(const DemoSeed& seed);
  base::Result<std::optional<DemoInfo>> demo_info();

  // For the CLI; `org_id` may be empty when the integration is the demo organisation's.
  base::Result<TestRun> test_integration(const std::string& org_id, const std::string& integration_id);
  base::Result<std::vector<TemplateInfo>> list_templates(const std::string& org_id,
                                                         const std::string& integration_id);

  // `televisit apikey create|revoke`. `org_id` may be empty for the demo organisation. Errors: not_found,
  // conflict (a live key has this name), validation_failed.
  base::Result<NewApiKey> create_api_key(const std::string& org_id, const std::string& name,
                                         const std::vector<std::string>& scopes,
                                         std::optional<base::WallTime> expires_at);
  base::Result<void> revoke_api_key(const std::string& org_id, const std::string& id);
  static std::vector<std::string> scope_names();

  // Blocking; talks to the providers when it verifies or repairs. Errors: those of the database.
  base::Result<RepairReport> repair_rooms(const RepairOptions& options);

  // One round of the reconciler and of the compensator, now, on the calling thread.
  void run_housekeeping();

 private:
  struct Impl;
  explicit Visits(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace visits
