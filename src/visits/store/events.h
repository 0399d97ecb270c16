// virtual_meeting_events with their hash chain (visit-api.md §2.2): hash = SHA-256(prev_hash ‖ JCS(row
// without hash, prev_hash, id)), the first prev_hash = SHA-256(chain name ‖ org id). The head row is locked
// in the caller's transaction.
#pragma once

#include <string>

#include "storage/database.h"
#include "visits/store/rows.h"

namespace visits::store {

struct Event {
  std::string org_id;
  std::string visit_id;
  std::string type;   // visit.created, visit.started, … (visit-api.md §8.2)
  json::Object data;  // ids, states and times; never names
  std::string actor_kind;
  OptionalText actor_id;
  base::WallTime occurred_at;
  base::WallTime recorded_at;
};
base::Result<void> append_event(storage::Transaction& t, const Event& event);

struct StoredEvent {
  Event event;
  std::int64_t seq = 0;
  std::string hash;       // raw bytes
  std::string prev_hash;  // raw bytes
};
base::Result<std::vector<StoredEvent>> list_events(storage::Transaction& t, const std::string& org_id,
                                                   const std::string& visit_id, std::int64_t after_seq,
                                                   std::int64_t limit);
// The hash the row must have.
std::string event_hash(const StoredEvent& e);

}  // namespace visits::store
