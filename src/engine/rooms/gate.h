#pragma once

#include <mutex>
#include <shared_mutex>

namespace engine {

// Open at first, closed for good once. pass() runs its function unless closed; close() returns when no
// function is running and none ever will.
class Gate {
 public:
  template <class F>
  bool pass(F&& f) {
    const std::shared_lock lock(mutex_);
    if (closed_) return false;
    f();
    return true;
  }
  void close() {
    const std::unique_lock lock(mutex_);
    closed_ = true;
  }

 private:
  std::shared_mutex mutex_;
  bool closed_ = false;  // guarded by mutex_
};

}  // namespace engine
