// The two ends of an event stream (WHATWG HTML §9.2): a handle for the handler's threads, a state the
// connection drains.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "http/message.h"

namespace http {

inline constexpr std::size_t kEventStreamQueue = 1024 * 1024;

// Thread-safe.
class EventStreamState {
 public:
  // `wake` asks the connection's io thread to drain; called from any thread.
  explicit EventStreamState(std::function<void()> wake) : wake_(std::move(wake)) {}

  bool push(std::string block);
  void end();  // by the handler: what is queued is still sent

  struct Drained {
    std::string bytes;
    bool ended = false;  // nothing comes after these bytes
  };
  Drained drain();               // io thread
  bool too_slow();               // io thread: give the client up
  void sent(std::size_t bytes);  // io thread: bytes of a drain() are out
  void gone();                   // io thread: the client left

 private:
  std::function<void()> wake_;
  std::mutex mutex_;
  std::string queue_;          // guarded by mutex_
  std::size_t in_flight_ = 0;  // guarded by mutex_
  bool open_ = true;           // guarded by mutex_
  bool ended_ = false;         // guarded by mutex_
  bool too_slow_ = false;      // guarded by mutex_
  bool woken_ = false;         // guarded by mutex_
};

// The handler's end; dropping the last reference ends the stream.
std::shared_ptr<EventStream> make_event_stream(std::shared_ptr<EventStreamState> state);

}  // namespace http
