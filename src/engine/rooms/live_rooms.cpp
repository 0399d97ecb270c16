#include "engine/rooms/live_rooms.h"

namespace engine {

LiveRoomPtr LiveRooms::find(const std::string& workspace_id, const std::string& room_id) const {
  return find(media_room_of(workspace_id, room_id));
}

LiveRoomPtr LiveRooms::find(const sfu::RoomId& media_room) const {
  const std::lock_guard lock(mutex_);
  const auto it = rooms_.find(media_room);
  return it == rooms_.end() ? nullptr : it->second;
}

LiveRoomPtr LiveRooms::open(const std::string& workspace_id, const std::string& room_id) {
  const std::lock_guard lock(mutex_);
  auto& room = rooms_[media_room_of(workspace_id, room_id)];
  if (!room) room = std::make_shared<LiveRoom>(room_id, workspace_id, services_, pool_.make_serial_queue());
  return room;
}

void LiveRooms::tick() {
  std::vector<LiveRoomPtr> all;
  {
    const std::lock_guard lock(mutex_);
    // A count of one: no queued task, no socket and no caller holds it, and nobody can get it but through
    // this map.
    std::erase_if(rooms_,
                  [](const auto& entry) { return entry.second.use_count() == 1 && entry.second->idle(); });
    for (const auto& [id, room] : rooms_) all.push_back(room);
  }
  for (const auto& room : all) room->post([](LiveRoom& live) { live.tick(); });
}

std::size_t LiveRooms::size() const {
  const std::lock_guard lock(mutex_);
  return rooms_.size();
}

}  // namespace engine
