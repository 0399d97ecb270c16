// Who is in the room, as the provider says (visit-api.md §4.1, §4.2): matches peers to participants by
// user_id and moves the visit through T2 to T6. A page never changes these states. Thread-safe; blocking:
// worker threads only.
#pragma once

#include <map>
#include <mutex>
#include <set>
#include <string>

#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

class PresenceWatch {
 public:
  static constexpr base::Duration kFreshFor = base::Duration::seconds(2);

  explicit PresenceWatch(Core& core) : core_(core) {}

  // Reads the provider's room of an open visit when the last reading is older than kFreshFor and somebody may
  // be in it; returns the visit as it is then. A provider failure leaves the visit as it was: nothing is
  // known, nothing is said.
  Visit refreshed(Visit visit);
  // All visits somebody may be in, then the timers G1 to G6 of all.
  void run();

 private:
  bool take_turn(const std::string& visit_id);
  // False when the provider's room could not be read.
  bool observe(const Visit& visit);
  void settle(const Visit& visit);
  void note_reading(const std::string& visit_id);
  bool was_read(const std::string& visit_id) const;

  Core& core_;
  mutable std::mutex mutex_;
  std::map<std::string, base::SteadyTime> last_read_;
  std::set<std::string> read_once_;  // since the program started
};

}  // namespace visits
