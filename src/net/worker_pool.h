// A fixed set of threads that run plain synchronous code (database, provider calls). visits and engine have
// one each, because one waits for the other. Thread-safe.
#pragma once

#include <functional>
#include <memory>
#include <string>

namespace net {

using Task = std::function<void()>;

class WorkerPool {
 public:
  // `queue_limit`: tasks waiting beyond this make post() return false (answer 503).
  WorkerPool(std::string name, int threads, std::size_t queue_limit = 4096);
  ~WorkerPool();  // runs what is queued, then joins
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  bool post(Task task);

  // Tasks given to one SerialQueue run one after another, in order, on the pool's threads; never two at once.
  // The engine gives each live room one, so a room's state needs no lock. Copyable handle; keeps its queue
  // alive while tasks wait.
  class SerialQueue {
   public:
    void post(Task task) const;

   private:
    friend class WorkerPool;
    struct State;
    std::shared_ptr<State> state_;
  };
  SerialQueue make_serial_queue();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace net
