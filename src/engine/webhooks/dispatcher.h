// Sends what waits in the webhook outbox (100ms-server-api.md §7.1): in the order of each room, one request
// per room at a time, at most three more attempts 1, 3 and 10 s after a failed one, then given up. What a
// former process left waiting is sent first; an event whose attempt was cut off by the end of a process is
// sent again with the same id.
//
// Threads: one of its own that looks for work, four that send. poke() from any thread. Destroyed before the
// Store; the destructor waits for requests under way (at most 10 s each, four at a time) and starts none.
#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <thread>

#include "engine/store/store.h"
#include "http/client.h"
#include "net/worker_pool.h"
#include "telemetry/metrics.h"

namespace engine {

class Dispatcher {
 public:
  struct Options {
    base::Duration tick = base::Duration::millis(500);  // how often retries are looked for
    std::function<bool(const base::SocketAddress&)> address_allowed;
  };
  Dispatcher(Store& store, const base::Clock& clock, telemetry::Metrics& metrics, Options options);
  ~Dispatcher();
  Dispatcher(const Dispatcher&) = delete;
  Dispatcher& operator=(const Dispatcher&) = delete;

  // There is something new in the outbox.
  void poke();

 private:
  void loop();
  void start_due();
  void deliver(const WebhookDelivery& delivery);
  void record(const WebhookDelivery& delivery, bool delivered, std::optional<std::int64_t> status,
              const std::string& error);

  // Constant after construction.
  Store& store_;
  const base::Clock& clock_;
  telemetry::Metrics& metrics_;
  const Options options_;
  http::Client client_;

  std::mutex mutex_;
  std::condition_variable wake_;
  bool stopping_ = false;            // guarded by mutex_
  bool poked_ = true;                // guarded by mutex_; at the start there may be something from before
  base::WallTime next_due_{0};       // owned by the thread
  base::WallTime next_prune_{0};     // owned by the thread
  std::set<std::string> under_way_;  // rooms; guarded by mutex_
  std::unique_ptr<net::WorkerPool> senders_;
  std::thread thread_;
};

}  // namespace engine
