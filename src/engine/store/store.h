// The engine's repository: all SQL text of the module is in this folder. Synchronous; call it from a worker
// thread. Thread-safe. Every query names its workspace except the look-ups that find out which workspace an
// id belongs to (access key, room code, restart). Errors: the storage codes; "not_found" where a row is
// missing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "crypto/envelope.h"
#include "engine/store/records.h"
#include "storage/database.h"

namespace engine {

class Store {
 public:
  Store(storage::Database& database, const crypto::Keyring& keys, base::Random& random)
      : db_(database), keys_(keys), random_(random) {}

  base::Result<void> insert_workspace(const Workspace& workspace, const Template& default_template);
  base::Result<std::vector<Workspace>> workspaces();
  base::Result<std::optional<Workspace>> workspace_by_access_key(const std::string& access_key);

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
  base::Result<void> insert_session(const Session& session);
  // Also marks every peer still inside as left and forgets the live peers and the session store of the room.
  base::Result<void> close_session(const std::string& room_id, const std::string& session_id,
                                   base::WallTime at);
  base::Result<void> peer_joined(const LivePeer& peer);
  base::Result<void> peer_changed(const LivePeer& peer);
  base::Result<void> peer_left(const LivePeer& peer, base::WallTime at);
  base::Result<std::vector<Session>> list_sessions(const std::string& workspace_id,
                                                   const SessionFilter& filter, const Page& page);
  base::Result<std::optional<Session>> session_by_id(const std::string& workspace_id, const std::string& id);

  base::Result<std::vector<Session>> open_sessions();  // of every workspace, without peers; for the restart
  base::Result<std::vector<LivePeer>> live_peers();    // likewise
  base::Result<std::vector<StoredValue>> stored_values(const std::string& room_id);
  base::Result<void> put_stored_value(const std::string& workspace_id, const std::string& room_id,
                                      const StoredValue& v);

 private:
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
