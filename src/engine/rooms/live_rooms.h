// The directory of live rooms. Thread-safe. A room is in it from its first socket (or the restart) until
// nobody is inside any more.
#pragma once

#include <chrono>
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

#include "engine/rooms/live_room.h"

namespace engine {

using LiveRoomPtr = std::shared_ptr<LiveRoom>;

class LiveRooms {
 public:
  LiveRooms(RoomServices& services, net::WorkerPool& pool) : services_(services), pool_(pool) {}

  // Two workspaces never share a live room: a token of one that names the other's room opens a room of its
  // own, in which every socket is refused.
  LiveRoomPtr find(const std::string& workspace_id, const std::string& room_id) const;
  LiveRoomPtr find(const sfu::RoomId& media_room) const;
  LiveRoomPtr open(const std::string& workspace_id, const std::string& room_id);
  // Gives every room its tick and forgets those nobody uses.
  void tick();
  std::size_t size() const;

  // Runs `f(LiveRoom&)` on the room's queue and waits for its value; nullopt when the room is not live. For
  // threads of another pool only: waiting on the rooms' own pool would starve it. `f` must own what it uses.
  // Throws std::runtime_error when no answer comes within 10 s.
  template <class F>
  auto ask(const std::string& workspace_id, const std::string& room_id, F f)
      -> std::optional<std::invoke_result_t<F, LiveRoom&>> {
    using Result = std::invoke_result_t<F, LiveRoom&>;
    const LiveRoomPtr room = find(workspace_id, room_id);
    if (!room) return std::nullopt;
    auto promise =
        std::make_shared<std::promise<Result>>();  // shared: the task may outlive a caller that gave up
    auto answer = promise->get_future();
    if (!room->post([promise, f = std::move(f)](LiveRoom& live) mutable { promise->set_value(f(live)); }))
      return std::nullopt;
    if (answer.wait_for(std::chrono::seconds(10)) != std::future_status::ready)
      throw std::runtime_error("a live room does not answer");
    return answer.get();
  }

 private:
  RoomServices& services_;
  net::WorkerPool& pool_;
  mutable std::mutex mutex_;
  std::map<sfu::RoomId, LiveRoomPtr> rooms_;  // by media_room_of(); guarded by mutex_
};

}  // namespace engine
