// What every use case works with. Constant after construction; everything in it is thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "http/client.h"
#include "provider/breaker.h"
#include "visits/core/rate_limits.h"
#include "visits/core/scopes.h"
#include "visits/failure.h"
#include "visits/visits.h"

namespace visits {

class Clients;

struct Core {
  Core(Config c, Dependencies d);
  ~Core();

  Config config;
  storage::Database& db;
  const crypto::Keyring& keyring;
  const base::Clock& clock;
  base::Random& random;
  telemetry::Metrics& metrics;
  net::WorkerPool& pool;
  net::Timers& timers;

  RateLimits limits;
  http::Client http;
  provider::Breakers breakers;
  std::unique_ptr<Clients> clients;

  base::WallTime now() const { return clock.wall(); }
};

// Who acts. `actor` goes into created_by columns and logs: never a name.
struct Principal {
  enum class Kind { kOpenLoopback, kApiKey, kOperator, kSystem };
  Kind kind = Kind::kOpenLoopback;
  std::string org_id;
  std::string actor;
  Scopes scopes{};
};

// A read-only transaction around `work`, which is Result<T>(Transaction&).
template <class Work>
auto read(Core& core, Work&& work) -> decltype(work(std::declval<storage::Transaction&>())) {
  auto transaction = core.db.begin_read();
  if (!transaction) return base::fail(transaction.error());
  return work(**transaction);
}

// As storage::transact, for use cases.
template <class Work>
auto write(Core& core, Work&& work) -> decltype(work(std::declval<storage::Transaction&>())) {
  return storage::transact(core.db, std::forward<Work>(work));
}

}  // namespace visits
