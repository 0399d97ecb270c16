// One media worker: a socket, a loop, its rooms. run_once() may be driven by a test in its own thread;
// otherwise run() belongs to one thread. Only post(), stop(), counters() and local_address() may be called
// from other threads.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "sfu/context.h"
#include "sfu/room.h"

namespace sfu {

class Worker {
 public:
  // Errors: "media_port_unavailable".
  static base::Result<std::unique_ptr<Worker>> create(const Config& config, Events& events,
                                                      const base::Clock& clock, base::Random& random,
                                                      std::shared_ptr<const rtc::Certificate> certificate);
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  const base::SocketAddress& local_address() const { return socket_->local_address(); }
  const Counters& counters() const { return counters_; }

  // `command` runs on the worker with a view of its rooms, in the order posted.
  void post(std::function<void(Worker&)> command);
  void stop();

  // Loop thread. The SCTP stack is the thread's for as long as it runs.
  void run();
  // One turn: commands, datagrams, timers. `sctp` is the stack of this thread.
  void run_once(int max_wait_ms);
  void attach(rtc::SctpStack& sctp);
  void detach();  // drops all rooms

  Room* find_room(const RoomId& id);
  Room& room(const RoomId& id);  // creates it
  void drop_if_empty(const RoomId& id);

 private:
  Worker(const Config& config, Events& events, const base::Clock& clock, base::Random& random,
         std::shared_ptr<const rtc::Certificate> certificate);
  void read_socket(base::SteadyTime now);
  void run_commands();
  void tick(base::SteadyTime now);

  // Constant after construction.
  Config config_;
  Events& events_;
  const base::Clock& clock_;
  base::Random& random_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  int epoll_ = -1;
  int wakeup_ = -1;

  // Owned by the loop.
  Counters counters_;
  std::unique_ptr<DatagramSocket> socket_;
  Demultiplexer demultiplexer_;
  std::vector<Connection*> connections_;
  std::unique_ptr<MediaPacket> scratch_;
  std::unique_ptr<WorkerContext> context_;
  rtc::SctpStack* sctp_ = nullptr;
  std::map<RoomId, std::unique_ptr<Room>> rooms_;
  base::SteadyTime next_tick_;
  base::SteadyTime last_sctp_;
  std::vector<std::function<void(Worker&)>> running_;

  std::atomic<bool> stopping_{false};

  std::mutex mutex_;
  std::vector<std::function<void(Worker&)>> commands_;  // guarded by mutex_
};

}  // namespace sfu
