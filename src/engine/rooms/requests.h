// The requests and notifications of a joined peer (100ms-client-protocol.md §3.5, §3.6), each checked against
// the peer's role. Lives for one frame, on the room's queue.
#pragma once

#include "engine/rooms/live_room.h"

namespace engine {

class Requests {
 public:
  Requests(LiveRoom& room, Peer& peer) : room_(room), peer_(peer), connection_(peer.connection) {}
  void handle(const Frame& frame);

 private:
  using Method = void (Requests::*)(const Frame&);
  static Method method_named(std::string_view name);

  // media
  void offer(const Frame& frame);
  void answer(const Frame& frame);
  void trickle(const Frame& frame);
  void track_update(const Frame& frame);
  void analytics(const Frame& frame);
  // presence
  void join(const Frame& frame);
  void leave(const Frame& frame);
  void peer_update(const Frame& frame);
  void group_join(const Frame& frame);
  void group_leave(const Frame& frame);
  void group_add(const Frame& frame);
  void group_remove(const Frame& frame);
  void get_peer(const Frame& frame);
  void find_peer(const Frame& frame);
  void peer_iter_next(const Frame& frame);
  void peer_name_search(const Frame& frame);
  // messages and the session store
  void broadcast(const Frame& frame);
  void set_metadata(const Frame& frame);
  void get_metadata(const Frame& frame);
  void listen_metadata(const Frame& frame);
  // what one peer asks of others
  void role_change_request(const Frame& frame);
  void role_change(const Frame& frame);
  void track_update_request(const Frame& frame);
  void mute_state_request(const Frame& frame);
  void peer_leave_request(const Frame& frame);
  void end_room(const Frame& frame);
  void not_available(const Frame& frame);

  template <class T>
  std::optional<T> read(const Frame& frame);
  bool allowed(const Frame& frame, bool Permissions::* permission);
  Peer* target(const Frame& frame, const std::string& peer_id);
  void done(const Frame& frame, const Outcome<void>& outcome, json::Object result = {});
  void set_member(const Frame& frame, Peer& who, const std::string& group, bool member);
  void change_group_of(const Frame& frame, bool member);
  json::Object iterate(std::vector<std::string> ids, std::size_t limit, std::size_t total,
                       std::string iterator);

  LiveRoom& room_;
  Peer& peer_;
  const ConnectionPtr connection_;
};

}  // namespace engine
