#include "net/worker_pool.h"

#include <pthread.h>

#include <condition_variable>
#include <thread>

#include "telemetry/log.h"

namespace net {
namespace {

// Tasks of one serial queue run in a row before other work gets the thread.
constexpr int kSerialBurst = 16;

void run_guarded(const Task& task, const std::string& pool) {
  try {
    task();
  } catch (const std::exception& e) {
    telemetry::error("a task threw", {{"pool", pool}, {"what", e.what()}});
  } catch (...) {
    telemetry::error("a task threw something that is no std::exception", {{"pool", pool}});
  }
}

// What the threads share; outlives the pool while serial queue handles exist.
struct Core {
  explicit Core(std::string pool_name, std::size_t limit) : name(std::move(pool_name)), queue_limit(limit) {}

  const std::string name;
  const std::size_t queue_limit;
  std::mutex mutex;
  std::condition_variable wake;
  std::deque<Task> tasks;  // guarded by mutex
  bool stopping = false;   // guarded by mutex: no new work from outside, the queue is run to its end
  bool stopped = false;    // guarded by mutex: nothing runs any more
  int running = 0;         // guarded by mutex

  bool push(Task task, bool limited) {
    {
      const std::lock_guard lock(mutex);
      if (stopped || (limited && (stopping || tasks.size() >= queue_limit))) return false;
      tasks.push_back(std::move(task));
    }
    wake.notify_one();
    return true;
  }

  void work() {
    std::unique_lock lock(mutex);
    for (;;) {
      // A running task may still add serial work, so the threads leave only when all are idle.
      wake.wait(lock, [&] { return !tasks.empty() || (stopping && running == 0); });
      if (tasks.empty()) break;
      Task task = std::move(tasks.front());
      tasks.pop_front();
      ++running;
      lock.unlock();
      run_guarded(task, name);
      task = nullptr;
      lock.lock();
      --running;
      if (stopping && running == 0) wake.notify_all();
    }
    wake.notify_all();
  }
};

}  // namespace

struct WorkerPool::Impl {
  std::shared_ptr<Core> core;
  std::vector<std::thread> threads;
};

struct WorkerPool::SerialQueue::State : std::enable_shared_from_this<WorkerPool::SerialQueue::State> {
  explicit State(std::shared_ptr<Core> c) : core(std::move(c)) {}

  const std::shared_ptr<Core> core;
  std::mutex mutex;
  std::deque<Task> tasks;  // guarded by mutex
  bool scheduled = false;  // guarded by mutex: a drain() waits in the pool or runs

  void post(Task task) {
    {
      const std::lock_guard lock(mutex);
      tasks.push_back(std::move(task));
      if (scheduled) return;
      scheduled = true;
    }
    schedule();
  }

  void schedule() {
    // Not limited: work accepted for a room must not be lost because requests filled the queue.
    if (core->push([self = shared_from_this()] { self->drain(); }, false)) return;
    std::deque<Task> dropped;
    const std::lock_guard lock(mutex);
    dropped.swap(tasks);
    scheduled = false;
  }

  void drain() {
    for (int i = 0; i < kSerialBurst; ++i) {
      Task task;
      {
        const std::lock_guard lock(mutex);
        if (tasks.empty()) {
          scheduled = false;
          return;
        }
        task = std::move(tasks.front());
        tasks.pop_front();
      }
      run_guarded(task, core->name);
    }
    schedule();
  }
};

WorkerPool::WorkerPool(std::string name, int threads, std::size_t queue_limit)
    : impl_(std::make_unique<Impl>()) {
  impl_->core = std::make_shared<Core>(std::move(name), queue_limit);
  for (int i = 0; i < std::max(1, threads); ++i) {
    impl_->threads.emplace_back([core = impl_->core, i] {
      const std::string thread_name =
          (core->name + "-" + std::to_string(i)).substr(0, 15);  // the kernel's limit
      pthread_setname_np(pthread_self(), thread_name.c_str());
      core->work();
    });
  }
}

WorkerPool::~WorkerPool() {
  {
    const std::lock_guard lock(impl_->core->mutex);
    impl_->core->stopping = true;
  }
  impl_->core->wake.notify_all();
  for (std::thread& t : impl_->threads) t.join();
  std::deque<Task> late;
  const std::lock_guard lock(impl_->core->mutex);
  impl_->core->stopped = true;
  late.swap(impl_->core->tasks);
}

bool WorkerPool::post(Task task) {
  return impl_->core->push(std::move(task), true);
}

WorkerPool::SerialQueue WorkerPool::make_serial_queue() {
  SerialQueue queue;
  queue.state_ = std::make_shared<SerialQueue::State>(impl_->core);
  return queue;
}

void WorkerPool::SerialQueue::post(Task task) const {
  state_->post(std::move(task));
}

}  // namespace net
