// The engine's repository: all SQL text of the module is in this folder. Synchronous; call it from a worker
// thread. Thread-safe. Every query names its workspace except the look-ups that find out which workspace an
// id belongs to (access key, room code, restart). Errors: the storage codes; "not_found" where a row is
// missing.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/envelope.h"
#include "engine/store/records.h"
#include "engine/webhooks/event.h"
#include "storage/database.h"

namespace engine {

class Store {
 public:
  Store(storage::Database& database, const crypto::Keyring& keys, base::Random& random)
      : db_(database), keys_(keys), random_(random) {}

  base::Result<void> insert_workspace(const Workspace& workspace, const Template& default_template);
  base::Result<std::vector<Workspace>> workspaces();
  base::Result<std::optional<Workspace>> workspace_by_access_key(const std::string& access_key);
  base::Result<std::optional<Workspace>> workspace_by_id(const std::string& id);
  base::Result<void> put_workspace_webhook(const std::string& workspace_id,
                                           const std::optional<json::Object>& webhook);
  base::Result<void> put_secret(const Workspace& workspace);  // secret, previous_secret and its end

  // Templates. put: by id, inserted or replaced. Error "name_taken" when another template of the workspace
  // has the name.
  base::Result<std::optional<Template>> template_by_id(const std::string& workspace_id,
                                                       const std::string& id);
  base::Result<std::optional<Template>> template_by_name(const std::string& workspace_id,
                                                         const std::string& name);
  base::Result<std::vector<Template>> list_templates(const std::string& workspace_id, const Page& page);
  base::Result<void> put_template(const Template& t);

  // Rooms. Error "name_taken" when another room of the workspace has the name (compared in lower case).
  base::Result<std::optional<Room>> room_by_id(const std::string& workspace_id, const std::string& id);
  base::Result<std::optional<Room>> room_by_name(const std::string& workspace_id, const std::string& name);
  base::Result<std::vector<Room>> list_rooms(const std::string& workspace_id, const RoomFilter& filter,
                                             const Page& page);
  base::Result<void> insert_room(const Room& room);
  base::Result<void> update_room(const Room& room);

  base::Result<void> insert_room_code(const RoomCode& code);
  base::Result<std::optional<RoomCode>> room_code(const std::string& code);
  base::Result<std::vector<RoomCode>> room_codes(const std::string& workspace_id, const std::string& room_id);
  base::Result<void> set_room_code_enabled(const RoomCode& code);

  // Sessions and who is inside.
  // `events` are put into the webhook outbox in the same transaction, when the room or the workspace has a
  // webhook.
  base::Result<void> insert_session(const Session& session, const std::vector<WebhookEvent>& events = {});
  // Also marks every peer still inside as left and forgets the live peers and the session store of the room.
  base::Result<void> close_session(const std::string& room_id, const std::string& session_id,
                                   base::WallTime at, const std::vector<WebhookEvent>& events = {});
  base::Result<void> peer_joined(const LivePeer& peer, const std::vector<WebhookEvent>& events = {});
  base::Result<void> peer_changed(const LivePeer& peer, const std::vector<WebhookEvent>& events = {});
  base::Result<void> peer_left(const LivePeer& peer, base::WallTime at,
                               const std::vector<WebhookEvent>& events = {});
  base::Result<std::vector<Session>> list_sessions(const std::string& workspace_id,
                                                   const SessionFilter& filter, const Page& page);
  base::Result<std::optional<Session>> session_by_id(const std::string& workspace_id, const std::string& id);

  base::Result<std::vector<Session>> open_sessions();  // of every workspace, without peers; for the restart
  base::Result<std::vector<LivePeer>> live_peers();    // likewise
  base::Result<std::vector<StoredValue>> stored_values(const std::string& room_id);
  base::Result<void> put_stored_value(const std::string& workspace_id, const std::string& room_id,
                                      const StoredValue& v);

  // The webhook outbox and its history.
  base::Result<void> add_events(const std::vector<WebhookEvent>& events);
  base::Result<std::vector<WebhookDelivery>> due_deliveries(base::WallTime now,
                                                            std::int64_t limit);  // of all workspaces
  base::Result<std::optional<base::WallTime>> next_delivery_at();
  base::Result<std::optional<WebhookTarget>> webhook_target(const std::string& workspace_id,
                                                            const std::string& room_id);
  base::Result<void> put_outcome(const DeliveryOutcome& outcome);
  base::Result<std::vector<WebhookDelivery>> deliveries(const std::string& workspace_id,
                                                        const DeliveryFilter& filter, std::int64_t limit,
                                                        std::int64_t offset);  // newest first
  base::Result<std::int64_t> count_deliveries(const std::string& workspace_id, const DeliveryFilter& filter);
  // Puts finished deliveries into the outbox once more, oldest first; answers how many.
  base::Result<std::int64_t> replay(const std::string& workspace_id, const DeliveryFilter& filter,
                                    std::int64_t limit, std::int64_t offset, const std::string& replay_id,
                                    base::WallTime now, base::Duration apart);
  base::Result<std::map<std::string, std::int64_t>> replay_counts(const std::string& workspace_id,
                                                                  const std::string& replay_id);
  base::Result<std::string> running_replay(const std::string& workspace_id);  // "" when none runs
  base::Result<void> forget_deliveries(base::WallTime before);

 private:
  static base::Result<void> put_events(storage::Transaction& tx, const std::vector<WebhookEvent>& events);
  base::Result<std::vector<Template>> templates_where(const std::string& condition, storage::Params params);
  base::Result<std::vector<Room>> rooms_where(const std::string& condition, storage::Params params);
  base::Result<Room> read_room(const storage::Row& row) const;
  base::Result<Workspace> read_workspace(const storage::Row& row) const;
  storage::Param sealed(const std::optional<json::Object>& value, const Room& room, std::string_view member);
  base::Result<void> load_session_peers(std::vector<Session>& sessions);

  storage::Database& db_;
  const crypto::Keyring& keys_;
  base::Random& random_;
};

}  // namespace engine
