// One thread that calls functions later. Thread-safe. The call is made on the timer thread and must be short:
// post to a pool. Destroying Timers drops what waits; handles may outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "base/clock.h"

namespace net {

class Timers {
 public:
  Timers();
  ~Timers();
  // Cancelled by destroying or resetting the handle; after that returns the function is not running and never
  // will (except when the function cancels itself: then it runs to its end and never again).
  class Handle {
   public:
    Handle() = default;
    Handle(Handle&&) noexcept;
    Handle& operator=(Handle&&) noexcept;
    ~Handle();
    void cancel();

   private:
    friend class Timers;
    struct State;
    std::shared_ptr<State> state_;
  };
  Handle after(base::Duration delay, std::function<void()> call);
  Handle every(base::Duration period, std::function<void()> call);

 private:
  Handle start(base::Duration delay, base::Duration period, std::function<void()> call);

  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace net
