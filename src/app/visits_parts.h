// How the program configures the EHR half; shared by `serve` and the commands that ask the EHR half
// something.
#pragma once

#include <memory>

#include "app/parts.h"
#include "base/clock.h"
#include "crypto/digest.h"
#include "net/timers.h"
#include "net/worker_pool.h"
#include "telemetry/metrics.h"
#include "visits/visits.h"

namespace app {

visits::Config visits_config(const Settings& settings, const Paths& paths, const PublicUrls& urls,
                             bool loopback);

// The EHR half without listeners and without background work, for one command.
class VisitsTool {
 public:
  static base::Result<std::unique_ptr<VisitsTool>> open(const Settings& settings);
  visits::Visits& visits() { return *visits_; }
  storage::Database& database() { return *database_; }
  const crypto::Keyring& keys() const { return *keys_; }
  const PublicUrls& urls() const { return urls_; }

 private:
  VisitsTool() = default;

  PublicUrls urls_;
  base::SystemClock clock_;
  crypto::SystemRandom random_;
  telemetry::Metrics metrics_;
  std::unique_ptr<crypto::Keyring> keys_;
  net::Timers timers_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<visits::Visits> visits_;
};

}  // namespace app
