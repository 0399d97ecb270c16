// An event loop for many synthetic participants on one thread: epoll for sockets, a heap for time. Everything
// registered with it is called on the thread that calls run_once() or run_until(); nothing here locks. What
// is registered outlives its registration, and may end it from inside its own call.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <queue>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "rtc/transport.h"

namespace probe {

class Pollable {
 public:
  virtual ~Pollable() = default;
  virtual void on_ready(bool readable, bool writable, base::SteadyTime now) = 0;
};

// Called when it is due; returns when it wants to be called next.
using Task = std::function<base::SteadyTime(base::SteadyTime now)>;
using TaskId = std::uint64_t;

class Loop {
 public:
  enum class DataChannels { kNo, kYes };

  // kYes: the loop owns the process's rtc::SctpStack; nothing else in the process may have one.
  // Errors: "loop_unavailable".
  static base::Result<std::unique_ptr<Loop>> create(const base::Clock& clock, DataChannels data_channels);
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  const base::Clock& clock() const { return clock_; }
  rtc::SctpStack* sctp() { return sctp_.get(); }

  void watch(int fd, Pollable& pollable, bool writable = false);
  void watch_writable(int fd, Pollable& pollable, bool writable);
  void forget(int fd);
  TaskId start(base::SteadyTime due, Task task);
  void cancel(TaskId id);

  // One turn: waits for at most `max_wait` and calls whoever has something to do.
  void run_once(base::Duration max_wait);
  // Turns until `done()`; false when `deadline` came first.
  bool run_until(const std::function<bool()>& done, base::SteadyTime deadline);
  // Sockets are looked at every `interval` instead of whenever one has something, so that a packet wakes
  // nobody: a load generator would else cost the server a wake-up per packet it sends. Tasks keep their
  // times. 0: at once.
  void read_every(base::Duration interval) { read_interval_ = interval; }
  // How late the last tasks ran: tells whether this thread keeps up.
  base::Duration take_worst_lag();

 private:
  struct Due {
    base::SteadyTime at;
    TaskId id;
    bool operator>(const Due& other) const { return other.at < at; }
  };
  Loop(const base::Clock& clock, int epoll) : clock_(clock), epoll_(epoll) {}
  void run_tasks(base::SteadyTime now);
  void poll(base::Duration wait);

  const base::Clock& clock_;
  const int epoll_;
  std::unique_ptr<rtc::SctpStack> sctp_;
  std::optional<base::SteadyTime> sctp_at_;
  std::unordered_map<int, Pollable*> pollables_;
  std::unordered_map<TaskId, Task> tasks_;
  std::priority_queue<Due, std::vector<Due>, std::greater<>> due_;
  TaskId next_id_ = 1;
  base::Duration read_interval_;
  base::SteadyTime last_read_;
  base::Duration worst_lag_;
};

}  // namespace probe
