#include "net/timers.h"

#include <pthread.h>

#include <condition_variable>
#include <thread>

#include "telemetry/log.h"

namespace net {

using SteadyClock = std::chrono::steady_clock;

namespace {

// What a timer is while it waits; shared by its handle and the timer thread.
struct Entry {
  std::function<void()> call;  // touched by the timer thread while running, else under the core's mutex
  std::chrono::microseconds period{0};  // 0 = once
  bool cancelled = false;               // guarded by Core::mutex
  bool running = false;                 // guarded by Core::mutex
};

struct Core {
  std::mutex mutex;
  std::condition_variable wake;
  std::condition_variable finished;                                        // a call returned
  std::multimap<SteadyClock::time_point, std::shared_ptr<Entry>> waiting;  // guarded by mutex
  bool stopping = false;                                                   // guarded by mutex
  std::thread::id thread_id;                                               // constant once running

  void loop() {
    std::unique_lock lock(mutex);
    while (!stopping) {
      if (waiting.empty()) {
        wake.wait(lock);
        continue;
      }
      const auto due = waiting.begin()->first;
      if (SteadyClock::now() < due) {
        wake.wait_until(lock, due);
        continue;
      }
      run_first(lock);
    }
  }

  void run_first(std::unique_lock<std::mutex>& lock) {
    const auto first = waiting.begin();
    const auto due = first->first;
    std::shared_ptr<Entry> entry = std::move(first->second);
    waiting.erase(first);
    if (entry->cancelled) return;
    entry->running = true;
    lock.unlock();
    try {
      entry->call();
    } catch (const std::exception& e) {
      telemetry::error("a timer threw", {{"what", e.what()}});
    } catch (...) {
      telemetry::error("a timer threw something that is no std::exception");
    }
    lock.lock();
    entry->running = false;
    std::function<void()> done;
    if (!entry->cancelled && entry->period.count() > 0) {
      // A late timer does not fire in bursts to catch up.
      waiting.emplace(std::max(due + entry->period, SteadyClock::now()), entry);
    } else {
      done = std::move(entry->call);
      entry->call = nullptr;
    }
    finished.notify_all();
    lock.unlock();
    done = nullptr;
    entry.reset();
    lock.lock();
  }
};

}  // namespace

struct Timers::Handle::State {
  std::shared_ptr<Core> core;
  std::shared_ptr<Entry> entry;
};

struct Timers::Impl {
  std::shared_ptr<Core> core = std::make_shared<Core>();
  std::thread thread;
};

Timers::Timers() : impl_(std::make_shared<Impl>()) {
  impl_->thread = std::thread([core = impl_->core] {
    {
      const std::lock_guard lock(core->mutex);
      core->thread_id = std::this_thread::get_id();
    }
    pthread_setname_np(pthread_self(), "timers");
    core->loop();
  });
}

Timers::~Timers() {
  {
    const std::lock_guard lock(impl_->core->mutex);
    impl_->core->stopping = true;
  }
  impl_->core->wake.notify_all();
  impl_->thread.join();
  decltype(Core::waiting) dropped;
  const std::lock_guard lock(impl_->core->mutex);
  dropped.swap(impl_->core->waiting);
}

Timers::Handle Timers::start(base::Duration delay, base::Duration period, std::function<void()> call) {
  auto entry = std::make_shared<Entry>();
  entry->call = std::move(call);
  entry->period = std::chrono::microseconds(period.us);
  Handle handle;
  handle.state_ = std::make_shared<Handle::State>(Handle::State{impl_->core, entry});
  {
    const std::lock_guard lock(impl_->core->mutex);
    impl_->core->waiting.emplace(SteadyClock::now() + std::chrono::microseconds(delay.us), std::move(entry));
  }
  impl_->core->wake.notify_one();
  return handle;
}

Timers::Handle Timers::after(base::Duration delay, std::function<void()> call) {
  return start(delay, {}, std::move(call));
}

Timers::Handle Timers::every(base::Duration period, std::function<void()> call) {
  const base::Duration at_least_one{std::max<std::int64_t>(1, period.us)};
  return start(at_least_one, at_least_one, std::move(call));
}

Timers::Handle::Handle(Handle&& other) noexcept = default;

Timers::Handle& Timers::Handle::operator=(Handle&& other) noexcept {
  if (this != &other) {
    cancel();
    state_ = std::move(other.state_);
  }
  return *this;
}

Timers::Handle::~Handle() {
  cancel();
}

void Timers::Handle::cancel() {
  if (!state_) return;
  const std::shared_ptr<State> state = std::move(state_);
  Core& core = *state->core;
  Entry& entry = *state->entry;
  std::function<void()> call;  // destroyed after the lock: its captures may cancel other timers
  std::shared_ptr<Entry> waiting;
  std::unique_lock lock(core.mutex);
  entry.cancelled = true;
  // The call may cancel itself; waiting for it there would never end.
  if (entry.running && std::this_thread::get_id() == core.thread_id) return;
  core.finished.wait(lock, [&] { return !entry.running; });
  call = std::move(entry.call);
  entry.call = nullptr;
  for (auto it = core.waiting.begin(); it != core.waiting.end(); ++it) {
    if (it->second.get() != &entry) continue;
    waiting = std::move(it->second);
    core.waiting.erase(it);
    break;
  }
}

}  // namespace net
