// A room while anybody is in it, previews it or may come back to it: peers, sockets, the running session, the
// session store.
//
// Threads: post() and idle() from any thread. Everything else runs on the room's serial queue (inside a task
// given to post()), one task at a time, so nothing here is locked. Tasks may use the database. Failures are
// told to the client that asked, as 100ms-client-protocol.md §8.1 lists them.
//
// The protocol rules it keeps are named by their section of 100ms-client-protocol.md beside the code.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/object_ids.h"
#include "engine/roles.h"
#include "engine/rooms/peer.h"
#include "engine/store/store.h"
#include "net/worker_pool.h"
#include "sfu/sfu.h"
#include "telemetry/metrics.h"

namespace engine {

// A gate that closes once: after close() no task is posted any more, so that the pool and the media plane can
// end in order. Thread-safe.
class Gate;

struct RoomServices {
  Store& store;
  ObjectIds& ids;
  const base::Clock& clock;
  base::Random& random;
  telemetry::Metrics& metrics;
  Gate& gate;
  std::string node_id;                          // "sfu-<hex>", new in every process
  sfu::Sfu* media = nullptr;                    // set before the first room exists
  std::function<void()> outbox_filled = [] {};  // thread-safe: there may be a new webhook event
};

// A refusal towards a client or a REST caller.
struct Refusal {
  int code = 400;
  std::string message;
};
template <class T>
using Outcome = tl::expected<T, Refusal>;
// Refusals that are also the reason of a peer.join.failure event.
inline constexpr std::string_view kPeerIdInUse = "peer id is in use";
inline constexpr std::string_view kRoleLimit = "role limit reached";
inline constexpr std::string_view kRoleInvalid = "role is invalid";
inline tl::unexpected<Refusal> refuse(int code, std::string_view message) {
  return tl::unexpected(Refusal{code, std::string(message)});
}

// What the media plane calls a room.
inline sfu::RoomId media_room_of(const std::string& workspace_id, const std::string& room_id) {
  return sfu::RoomId(workspace_id + "/" + room_id);
}

class LiveRoom : public std::enable_shared_from_this<LiveRoom> {  // shared: queued tasks keep their room
 public:
  LiveRoom(std::string room_id, std::string workspace_id, RoomServices& services,
           net::WorkerPool::SerialQueue queue);

  using Task = std::function<void(LiveRoom&)>;
  bool post(Task task);                // false: the engine is closing
  bool idle() const { return idle_; }  // nobody inside, no socket
  const std::string& id() const { return room_id_; }

  // Sockets.
  void attach(const ConnectionPtr& connection);
  void receive(const ConnectionPtr& connection, const std::string& text);
  void detach(const ConnectionPtr& connection, std::uint16_t close_code);
  void restore(const Session& session, std::vector<LivePeer> peers);
  void tick();

  // The media plane.
  void media_offer(const std::string& peer_id, std::string sdp);
  void media_text(const std::string& peer_id, const std::string& text);
  void media_speakers(const std::vector<sfu::Speaker>& speakers);
  void media_state(const std::string& peer_id, sfu::Target target, bool connected);

  // The REST API (100ms-server-api.md §5).
  struct Snapshot {
    Session session;
    std::vector<const Peer*> peers;  // valid inside the task
  };
  std::optional<Snapshot> snapshot() const;  // nullopt: no session
  const Peer* find_peer(const std::string& peer_id) const;
  Outcome<const Peer*> update_peer(const std::string& peer_id, const std::optional<std::string>& name,
                                   const std::optional<std::string>& role,
                                   const std::optional<std::string>& metadata);
  Outcome<void> send_server_message(const std::string& message, const std::string& type,
                                    const std::string& peer_id, const std::string& role);
  Outcome<void> remove_by_server(const std::string& peer_id, const std::string& role,
                                 const std::string& reason);
  // Who ended it and what the event says of it (100ms-server-api.md §7.3); no end, no event: the session ran
  // out.
  struct EndOrder {
    std::string peer_id;  // empty: by the API
    std::string reason;
    bool lock = false;
  };
  void end_session(const EndOrder& order);
  void end_overdue_session();

 private:
  friend class Requests;

  // live_room.cpp: sockets and presence
  Outcome<void> load();
  void admit_returning(const ConnectionPtr& connection, Peer& peer);
  void tell_new_node(Peer& peer);
  void refuse_connection(const ConnectionPtr& connection, const Refusal& refusal);
  void answer_refused(const ConnectionPtr& connection, const Frame& frame);
  void lost_peer(const ConnectionPtr& connection, const Frame& frame);
  void remove_peer(const std::string& peer_id, std::string_view reason, std::string_view message = {});
  void send_away(const std::string& except, const std::string& reason);
  void close_session(base::WallTime at);
  void update_idle();

  // joining.cpp
  void join(const ConnectionPtr& connection, const Frame& frame);
  Outcome<void> may_join(const VerifiedToken& token);
  Outcome<void> open_session();
  void finish_join(const ConnectionPtr& connection, const json::Value& id,
                   const base::Result<std::string>& answer, bool with_sdp);
  void offer(Peer& peer, const Frame& frame);
  void finish_offer(const ConnectionPtr& connection, const json::Value& id,
                    const base::Result<std::string>& answer, std::map<std::string, Track> tracks);
  void adopt_tracks(Peer& peer, std::map<std::string, Track> tracks);
  void track_update(Peer& peer, const json::Object& params);

  // notices.cpp: who is told what
  std::vector<Peer*> others(const Peer& peer);
  bool sees_tracks(const Peer& viewer, const Peer& publisher) const;
  void tell(const Peer& peer, std::string_view method, const json::Object& params) const;
  void tell_all(std::string_view method, const json::Object& params, const Peer* except = nullptr);
  void tell_tracks(Peer& viewer, std::string_view method, const Peer& publisher,
                   const std::map<std::string, Track>& tracks);
  void tell_track_watchers(Peer& publisher, std::string_view method,
                           const std::map<std::string, Track>& tracks);
  void send_room_view(Peer& peer);
  void send_session_info(const Peer* only = nullptr);
  void send_room_state(const ConnectionPtr* only = nullptr);
  json::Object room_document() const;
  json::Object peer_list_for(const Peer& viewer) const;

  // people.cpp: names, groups, roles
  void announce_update(Peer& peer, const std::vector<WebhookEvent>& events = {});
  Outcome<void> rename(Peer& peer, const std::optional<std::string>& name,
                       const std::optional<std::string>& data);
  Outcome<void> set_group(Peer& peer, const std::string& group, bool member);
  Outcome<void> room_for_role(const std::string& role, const Peer* mover) const;
  // `requested_by`: a peer id, empty for the API.
  Outcome<void> change_role(Peer& peer, const std::string& role, const std::string& requested_by);
  void kick(Peer& peer, const std::string& requested_by, const std::string& reason, bool room_end);

  // events.cpp: webhook events of this room
  WebhookEvent event(std::string type, json::Object data) const;
  const Room& room_facts() const;
  WebhookEvent role_event(const Peer& peer, const std::string& previous,
                          const std::string& requested_by) const;
  LivePeer newcomer(const ConnectionPtr& connection, std::string name, std::string data) const;
  void refuse_join(const ConnectionPtr& connection, const Frame& join, const Refusal& refusal);

  Peer* peer_of(const ConnectionPtr& connection);
  Peer* peer_named(const std::string& peer_id);
  const Role* role_of(const Peer& peer) const { return book_.find(peer.self.role); }
  std::size_t joined_count() const;
  sfu::RoomId media_room() const { return media_room_of(workspace_id_, room_id_); }
  sfu::PeerId media_peer(const std::string& peer_id) const { return sfu::PeerId(peer_id); }

  // Constant after construction.
  const std::string room_id_;
  const std::string workspace_id_;
  RoomServices& services_;
  const net::WorkerPool::SerialQueue queue_;
  std::atomic<bool> idle_{true};

  // Owned by the queue.
  std::optional<Room> room_;
  RoleBook book_;
  std::optional<Session> session_;
  std::map<std::string, Peer> peers_;
  std::vector<ConnectionPtr> connections_;
  std::map<std::string, StoredValue> values_;
};

}  // namespace engine
