#include "visits/store/events.h"

#include "base/bytes.h"
#include "crypto/digest.h"
#include "visits/store/helpers.h"

namespace visits::store {
namespace {

std::string sha256_text(const std::string& text) {
  const crypto::Sha256Digest digest = crypto::sha256(base::as_bytes(text));
  return std::string(digest.begin(), digest.end());
}

}  // namespace

std::string event_hash(const StoredEvent& e) {
  json::Object row;
  row["org_id"] = e.event.org_id;
  row["visit_id"] = e.event.visit_id;
  row["seq"] = e.seq;
  row["type"] = e.event.type;
  row["data"] = e.event.data;
  row["actor_kind"] = e.event.actor_kind;
  if (e.event.actor_id)
    row["actor_id"] = *e.event.actor_id;
  else
    row["actor_id"] = nullptr;
  row["occurred_at"] = base::format_rfc3339(e.event.occurred_at);
  row["recorded_at"] = base::format_rfc3339(e.event.recorded_at);
  return sha256_text(e.prev_hash + json::canonical(row));
}

base::Result<void> append_event(storage::Transaction& t, const Event& event) {
  const std::string chain = "visit:" + event.visit_id + ":events";
  auto opened = t.query(
      "INSERT INTO chain_heads (org_id, chain, seq, hash) VALUES ($1, $2, 0, $3) ON CONFLICT (org_id, chain) "
      "DO NOTHING",
      {event.org_id, chain, storage::Blob{sha256_text(chain + event.org_id)}});
  if (!opened) return base::fail(opened.error());
  auto moved =
      t.query("UPDATE chain_heads SET seq = seq + 1 WHERE org_id = $1 AND chain = $2", {event.org_id, chain});
  if (!moved) return base::fail(moved.error());
  auto head =
      t.query("SELECT seq, hash FROM chain_heads WHERE org_id = $1 AND chain = $2", {event.org_id, chain});
  if (!head) return base::fail(head.error());
  StoredEvent row{event, head->rows.front().integer("seq"), {}, head->rows.front().blob("hash")};
  row.hash = event_hash(row);
  auto stored = t.query(
      "INSERT INTO virtual_meeting_events (org_id, visit_id, seq, type, data, actor_kind, actor_id, "
      "occurred_at, recorded_at, prev_hash, "
      "hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)",
      {event.org_id, event.visit_id, row.seq, event.type, json::serialize(event.data), event.actor_kind,
       event.actor_id, event.occurred_at, event.recorded_at, storage::Blob{row.prev_hash},
       storage::Blob{row.hash}});
  if (!stored) return base::fail(stored.error());
  return only_status(t.query("UPDATE chain_heads SET hash = $1 WHERE org_id = $2 AND chain = $3",
                             {storage::Blob{row.hash}, event.org_id, chain}));
}

base::Result<std::vector<StoredEvent>> list_events(storage::Transaction& t, const std::string& org_id,
                                                   const std::string& visit_id, std::int64_t after_seq,
                                                   std::int64_t limit) {
  return all<StoredEvent>(t.query("SELECT seq, type, data, actor_kind, actor_id, occurred_at, recorded_at, "
                                  "prev_hash, hash FROM virtual_meeting_events "
                                  "WHERE org_id = $1 AND visit_id = $2 AND seq > $3 ORDER BY seq LIMIT $4",
                                  {org_id, visit_id, after_seq, limit}),
                          [&](const storage::Row& r) {
                            StoredEvent e;
                            e.event.org_id = org_id;
                            e.event.visit_id = visit_id;
                            e.event.type = r.text("type");
                            if (auto data = json::parse_tolerant(r.text("data")); data && data->is_object())
                              e.event.data = std::move(data->as_object());
                            e.event.actor_kind = r.text("actor_kind");
                            e.event.actor_id = r.maybe_text("actor_id");
                            e.event.occurred_at = r.time("occurred_at");
                            e.event.recorded_at = r.time("recorded_at");
                            e.seq = r.integer("seq");
                            e.hash = r.blob("hash");
                            e.prev_hash = r.blob("prev_hash");
                            return e;
                          });
}

}  // namespace visits::store
