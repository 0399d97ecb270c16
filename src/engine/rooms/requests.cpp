#include "engine/rooms/requests.h"

#include <algorithm>
#include <unordered_map>

#include "base/text.h"

namespace engine {

namespace {

// Session store rules (100ms-client-protocol.md §6).
constexpr std::size_t kMaxKeys = 100;
constexpr std::size_t kMaxValue = 1024;
constexpr std::size_t kMaxValues = 64 * 1024;
constexpr std::size_t kMaxIterators = 16;
constexpr std::size_t kMaxOfferedRoles = 16;
constexpr std::size_t kMaxMessage = 64 * 1024;

std::optional<std::string> text_of(const std::optional<json::Value>& value) {
  if (!value || !value->is_string()) return std::nullopt;
  return std::string(value->as_string());
}

json::Object value_document(const StoredValue& v) {
  json::Value data = nullptr;
  if (v.data) {
    if (auto parsed = json::parse_tolerant(*v.data)) data = std::move(*parsed);
  }
  return {{"key", v.name},
          {"data", std::move(data)},
          {"updated_at", v.updated_at.ms},
          {"updated_by", v.updated_by},
          {"change_version", v.change_version}};
}

bool any_of(const std::vector<std::string>& list, const std::string& wanted) {
  return std::find(list.begin(), list.end(), wanted) != list.end();
}

}  // namespace

Requests::Method Requests::method_named(std::string_view name) {
  static const std::unordered_map<std::string_view, Method> kMethods = {
      {"offer", &Requests::offer},
      {"answer", &Requests::answer},
      {"trickle", &Requests::trickle},
      {"track-update", &Requests::track_update},
      {"analytics", &Requests::analytics},
      {"join", &Requests::join},
      {"leave", &Requests::leave},
      {"peer-update", &Requests::peer_update},
      {"group-join", &Requests::group_join},
      {"group-leave", &Requests::group_leave},
      {"group-add", &Requests::group_add},
      {"group-remove", &Requests::group_remove},
      {"get-peer", &Requests::get_peer},
      {"find-peer", &Requests::find_peer},
      {"peer-iter-next", &Requests::peer_iter_next},
      {"peer-name-search", &Requests::peer_name_search},
      {"broadcast", &Requests::broadcast},
      {"set-metadata", &Requests::set_metadata},
      {"get-metadata", &Requests::get_metadata},
      {"listen-metadata-change", &Requests::listen_metadata},
      {"role-change-request", &Requests::role_change_request},
      {"role-change", &Requests::role_change},
      {"track-update-request", &Requests::track_update_request},
      {"change-track-mute-state-request", &Requests::mute_state_request},
      {"peer-leave-request", &Requests::peer_leave_request},
      {"end-room", &Requests::end_room},
  };
  if (const auto it = kMethods.find(name); it != kMethods.end()) return it->second;
  // Of the protocol, but not of this server. Never a 5xx: the SDK would retry it (§3.4).
  for (std::string_view prefix : {"poll-", "rtmp-", "hls-", "transcription-", "whiteboard-"}) {
    if (name.starts_with(prefix)) return &Requests::not_available;
  }
  return nullptr;
}

void Requests::handle(const Frame& frame) {
  if (const Method method = method_named(frame.method)) return (this->*method)(frame);
  connection_->fail(frame.id, 400, "unknown method");
}

void Requests::not_available(const Frame& frame) {
  connection_->fail(frame.id, 400, "not available on this server");
}

template <class T>
std::optional<T> Requests::read(const Frame& frame) {
  auto read = json::read<T>(frame.params);
  if (read.ok()) return std::move(read.value);
  const auto& error = read.errors.front();
  std::string path = error.pointer.empty() ? "params" : error.pointer.substr(1, 64);
  connection_->fail(frame.id, 400, "invalid params: " + base::escape_controls(path) + " " + error.message);
  return std::nullopt;
}

bool Requests::allowed(const Frame& frame, bool Permissions::* permission) {
  const Role* role = room_.role_of(peer_);
  if (role && role->permissions.*permission) return true;
  connection_->fail(frame.id, 403, "your role does not permit this");
  return false;
}

Peer* Requests::target(const Frame& frame, const std::string& peer_id) {
  Peer* peer = room_.peer_named(peer_id);
  if (peer && peer->joined) return peer;
  connection_->fail(frame.id, 404, "peer not found");
  return nullptr;
}

void Requests::done(const Frame& frame, const Outcome<void>& outcome, json::Object result) {
  if (!outcome) return connection_->fail(frame.id, outcome.error().code, outcome.error().message);
  connection_->reply(frame.id, std::move(result));
}

void Requests::offer(const Frame& frame) {
  room_.offer(peer_, frame);
}

void Requests::answer(const Frame& frame) {
  auto given = json::read<params::Answer>(frame.params);
  std::string sdp = params::sdp_in(frame.params, "desc");
  if (!given.ok() || sdp.empty()) return;
  const auto& node = given.value.sfu_node_id;
  if (node ? *node != room_.services_.node_id : peer_.must_migrate) return;
  peer_.open_offer.clear();
  room_.services_.media->subscribe_answer(room_.media_room(), room_.media_peer(peer_.self.peer_id),
                                          std::move(sdp));
}

void Requests::trickle(const Frame& frame) {
  auto given = json::read<params::Trickle>(frame.params);
  if (!given.ok()) return;
  const auto& node = given.value.sfu_node_id;
  if (node ? *node != room_.services_.node_id : peer_.must_migrate) return;
  const auto target = given.value.target == 0 ? sfu::Target::kPublish : sfu::Target::kSubscribe;
  room_.services_.media->trickle(room_.media_room(), room_.media_peer(peer_.self.peer_id), target,
                                 given.value.candidate.candidate);
}

void Requests::track_update(const Frame& frame) {
  room_.track_update(peer_, frame.params);
}

// The one event that asks for something: a failed subscribe connection says nothing else (§4.8). The rest is
// dropped: it may hold patient data.
void Requests::analytics(const Frame& frame) {
  if (json::text_or(frame.params, "name") == "subscribe.failed")
    room_.media_state(peer_.self.peer_id, sfu::Target::kSubscribe, false);
}

void Requests::join(const Frame& frame) {
  connection_->fail(frame.id, 400, "already joined");
}

void Requests::leave(const Frame&) {
  connection_->close_at = room_.services_.clock.steady() + base::Duration::seconds(5);
  const std::string peer_id = peer_.self.peer_id;
  room_.remove_peer(peer_id, "client request");
}

void Requests::peer_update(const Frame& frame) {
  auto given = read<params::PeerUpdate>(frame);
  if (!given) return;
  if (given->data && !given->data->is_string())
    return connection_->fail(frame.id, 400, "invalid params: data must be text");
  done(frame, room_.rename(peer_, given->name, text_of(given->data)));
}

void Requests::set_member(const Frame& frame, Peer& who, const std::string& group, bool member) {
  auto outcome = room_.set_group(who, group, member);
  json::Array groups;
  for (const auto& g : who.self.groups) groups.emplace_back(g);
  done(frame, outcome, {{"groups", std::move(groups)}});
}

void Requests::group_join(const Frame& frame) {
  if (auto given = read<params::Group>(frame)) set_member(frame, peer_, given->name, true);
}

void Requests::group_leave(const Frame& frame) {
  if (auto given = read<params::Group>(frame)) set_member(frame, peer_, given->name, false);
}

// Another's hand: for those who may change roles or remove others.
void Requests::change_group_of(const Frame& frame, bool member) {
  auto given = read<params::Group>(frame);
  if (!given) return;
  Peer* who = given->peer_id ? target(frame, *given->peer_id) : &peer_;
  if (!who) return;
  const Role* role = room_.role_of(peer_);
  if (who != &peer_ && !(role && (role->permissions.change_role || role->permissions.remove_others))) {
    return connection_->fail(frame.id, 403, "your role does not permit this");
  }
  set_member(frame, *who, given->name, member);
}

void Requests::group_add(const Frame& frame) {
  change_group_of(frame, true);
}
void Requests::group_remove(const Frame& frame) {
  change_group_of(frame, false);
}

void Requests::get_peer(const Frame& frame) {
  auto given = read<params::GetPeer>(frame);
  if (!given) return;
  if (Peer* peer = target(frame, given->peer_id)) connection_->reply(frame.id, peer->info());
}

json::Object Requests::iterate(std::vector<std::string> ids, std::size_t limit, std::size_t total,
                               std::string iterator) {
  json::Array page;
  std::size_t used = 0;
  for (; used < ids.size() && page.size() < limit; ++used) {
    const Peer* peer = room_.find_peer(ids[used]);
    if (peer) page.push_back(peer->info());
  }
  ids.erase(ids.begin(), ids.begin() + static_cast<std::ptrdiff_t>(used));
  const bool eof = ids.empty();
  if (eof) {
    peer_.iterators.erase(iterator);
  } else {
    peer_.iterators[iterator] = std::move(ids);
  }
  return {{"iterator", iterator}, {"total", total}, {"eof", eof}, {"peers", std::move(page)}};
}

void Requests::find_peer(const Frame& frame) {
  auto given = read<params::FindPeer>(frame);
  if (!given) return;
  std::vector<std::string> ids;
  for (const auto& [id, peer] : room_.peers_) {
    if (!peer.joined) continue;
    if (given->role && peer.self.role != *given->role) continue;
    if (given->group && !any_of(peer.self.groups, *given->group)) continue;
    if (given->peers && !any_of(*given->peers, id)) continue;
    ids.push_back(id);
  }
  if (peer_.iterators.size() >= kMaxIterators) peer_.iterators.clear();
  const std::size_t total = ids.size();
  connection_->reply(frame.id, iterate(std::move(ids), static_cast<std::size_t>(given->limit), total,
                                       room_.services_.random.uuid()));
}

void Requests::peer_iter_next(const Frame& frame) {
  auto given = read<params::PeerIterNext>(frame);
  if (!given) return;
  const auto it = peer_.iterators.find(given->iterator);
  if (it == peer_.iterators.end()) return connection_->fail(frame.id, 404, "iterator not found");
  auto rest = it->second;
  const std::size_t total = rest.size();
  connection_->reply(
      frame.id, iterate(std::move(rest), static_cast<std::size_t>(given->limit), total, given->iterator));
}

void Requests::peer_name_search(const Frame& frame) {
  auto given = read<params::PeerNameSearch>(frame);
  if (!given) return;
  const std::string wanted = base::to_lower(given->query);
  json::Array found;
  std::int64_t seen = 0;
  bool more = false;
  for (const auto& [id, peer] : room_.peers_) {
    if (!peer.joined || base::to_lower(peer.self.name).find(wanted) == std::string::npos) continue;
    if (seen++ < given->offset) continue;
    if (static_cast<std::int64_t>(found.size()) >= given->limit) {
      more = true;
      break;
    }
    found.push_back(json::Object{
        {"name", peer.self.name}, {"peer_id", id}, {"role", peer.self.role}, {"type", "regular"}});
  }
  connection_->reply(frame.id, {{"count", found.size()},
                                {"limit", given->limit},
                                {"offset", given->offset},
                                {"eof", !more},
                                {"peers", std::move(found)}});
}

void Requests::broadcast(const Frame& frame) {
  auto given = read<params::Broadcast>(frame);
  if (!given) return;
  const auto* info = json::object_at(frame.params, "info");  // as it is: a message may hold any character
  if (!info || !json::find(*info, "message") || json::serialize(*info).size() > kMaxMessage)
    return connection_->fail(frame.id, 400, "message is missing or too long");
  const bool direct = given->peer_id && !given->peer_id->empty();
  json::Object params{{"peer", peer_.info()},
                      {"private", direct},
                      {"message_id", room_.services_.random.uuid()},
                      {"timestamp", room_.services_.clock.wall().ms}};
  params["info"] = *info;
  const bool to_roles = !direct && given->roles && !given->roles->empty();
  if (to_roles) params["roles"] = json::write(*given)["roles"];
  if (direct) {
    Peer* to = target(frame, *given->peer_id);
    if (!to) return;
    if (to != &peer_) room_.tell(*to, "on-broadcast", params);
  } else {
    // Never to the sender: its page would show the message twice (quirk 10).
    for (Peer* other : room_.others(peer_)) {
      if (!to_roles || any_of(*given->roles, other->self.role)) room_.tell(*other, "on-broadcast", params);
    }
  }
  connection_->reply(frame.id, {{"message_id", params["message_id"]}, {"timestamp", params["timestamp"]}});
}

void Requests::set_metadata(const Frame& frame) {
  auto given = read<params::SetMetadata>(frame);
  if (!given) return;
  std::optional<std::string> data;
  if (given->data) data = json::serialize(*given->data);
  std::size_t keys = 0, bytes = data ? data->size() : 0;
  for (const auto& [name, v] : room_.values_) {
    if (name == given->key || !v.data) continue;
    ++keys;
    bytes += v.data->size();
  }
  if (data && data->size() > kMaxValue)
    return connection_->fail(frame.id, 400, "a value may have at most 1 KB");
  if (data && (keys >= kMaxKeys || bytes > kMaxValues))
    return connection_->fail(frame.id, 400, "the session store is full");
  const auto known = room_.values_.find(given->key);
  const std::int64_t version = known == room_.values_.end() ? 0 : known->second.change_version;
  if (given->if_change_version && *given->if_change_version != version)
    return connection_->fail(frame.id, 409, "the value was changed meanwhile");
  if (!data && known == room_.values_.end()) {
    return connection_->reply(frame.id, {{"key", given->key},
                                         {"data", nullptr},
                                         {"updated_at", room_.services_.clock.wall().ms},
                                         {"change_version", 0}});
  }
  // Deleted keys keep their version; many of them are forgotten, oldest knowledge last.
  if (room_.values_.size() > 10 * kMaxKeys)
    std::erase_if(room_.values_, [](const auto& v) { return !v.second.data; });
  StoredValue value{given->key, data, peer_.self.peer_id, room_.services_.clock.wall(), version + 1};
  if (auto stored = room_.services_.store.put_stored_value(room_.workspace_id_, room_.room_id_, value);
      !stored) {
    return connection_->fail(frame.id, 503, "service unavailable");
  }
  room_.values_[given->key] = value;
  const json::Object document = value_document(value);
  connection_->reply(frame.id, document);
  const json::Object params{{"values", json::Array{json::Value(document)}}};
  for (const auto& [id, peer] : room_.peers_) {
    if (peer.listens_to.contains(given->key)) room_.tell(peer, "on-metadata-change", params);
  }
}

void Requests::get_metadata(const Frame& frame) {
  auto given = read<params::GetMetadata>(frame);
  if (!given) return;
  const auto it = room_.values_.find(given->key.value_or("default"));
  if (it == room_.values_.end()) return connection_->reply(frame.id, {{"data", nullptr}, {"updated_at", 0}});
  connection_->reply(frame.id, value_document(it->second));
}

// The whole list each time. The current values follow at once: late joiners have no other way to them (§6).
void Requests::listen_metadata(const Frame& frame) {
  auto given = read<params::ListenMetadata>(frame);
  if (!given) return;
  peer_.listens_to = {given->keys.begin(), given->keys.end()};
  connection_->reply(frame.id, {});
  json::Array values;
  for (const auto& key : peer_.listens_to) {
    const auto it = room_.values_.find(key);
    if (it != room_.values_.end() && it->second.data) values.push_back(value_document(it->second));
  }
  if (!values.empty()) connection_->notify("on-metadata-change", {{"values", std::move(values)}});
}

void Requests::role_change_request(const Frame& frame) {
  auto given = read<params::RoleChangeRequest>(frame);
  if (!given || !allowed(frame, &Permissions::change_role)) return;
  if (!room_.book_.find(given->role)) return connection_->fail(frame.id, 404, "role not found");
  if (!given->requested_for && given->roles) {
    if (!given->force) return connection_->fail(frame.id, 400, "a change of many is always forced");
    Outcome<void> outcome;
    for (auto& [id, other] : room_.peers_) {
      if (other.joined && any_of(*given->roles, other.self.role) && outcome)
        outcome = room_.change_role(other, given->role, peer_.self.peer_id);
    }
    return done(frame, outcome);
  }
  if (!given->requested_for) return connection_->fail(frame.id, 400, "requested_for or roles is required");
  Peer* other = target(frame, *given->requested_for);
  if (!other) return;
  if (given->force) return done(frame, room_.change_role(*other, given->role, peer_.self.peer_id));
  if (auto fits = room_.room_for_role(given->role, other); !fits) return done(frame, fits);
  if (other->offered_roles.size() >= kMaxOfferedRoles) other->offered_roles.clear();
  const std::string token = room_.services_.random.uuid();
  other->offered_roles[token] = {given->role, peer_.self.peer_id};
  room_.tell(*other, "on-role-change-request",
             {{"requested_by", peer_.self.peer_id}, {"role", given->role}, {"token", token}});
  connection_->reply(frame.id, {});
}

void Requests::role_change(const Frame& frame) {
  auto given = read<params::RoleChange>(frame);
  if (!given) return;
  const auto offered = peer_.offered_roles.find(given->token);
  if (offered == peer_.offered_roles.end() || offered->second.role != given->role)
    return connection_->fail(frame.id, 403, "this role was not offered to you");
  const std::string offered_by = offered->second.offered_by;
  peer_.offered_roles.erase(offered);
  done(frame, room_.change_role(peer_, given->role, offered_by));
}

void Requests::track_update_request(const Frame& frame) {
  auto given = read<params::TrackUpdateRequest>(frame);
  if (!given || !allowed(frame, given->mute ? &Permissions::mute : &Permissions::unmute)) return;
  Peer* other = target(frame, given->requested_for);
  if (!other) return;
  const auto track = other->tracks.find(given->track_id);
  if (track == other->tracks.end()) return connection_->fail(frame.id, 404, "track not found");
  room_.tell(*other, "on-track-update-request",
             {{"requested_by", peer_.self.peer_id},
              {"track_id", given->track_id},
              {"stream_id", track->second.info.stream_id},
              {"mute", given->mute}});
  connection_->reply(frame.id, {});
}

void Requests::mute_state_request(const Frame& frame) {
  auto given = read<params::MuteStateRequest>(frame);
  if (!given || !allowed(frame, given->value ? &Permissions::mute : &Permissions::unmute)) return;
  json::Object params = json::write(*given);
  params["requested_by"] = peer_.self.peer_id;
  for (Peer* other : room_.others(peer_)) {
    if (!given->roles || given->roles->empty() || any_of(*given->roles, other->self.role)) {
      room_.tell(*other, "on-change-track-mute-state-request", params);
    }
  }
  connection_->reply(frame.id, {});
}

void Requests::peer_leave_request(const Frame& frame) {
  auto given = read<params::PeerLeaveRequest>(frame);
  if (!given || !allowed(frame, &Permissions::remove_others)) return;
  Peer* other = target(frame, given->requested_for);
  if (!other) return;
  connection_->reply(frame.id, {});
  room_.kick(*other, peer_.self.peer_id, given->reason, false);
  room_.remove_peer(given->requested_for, "peer kicked", given->reason);
}

void Requests::end_room(const Frame& frame) {
  auto given = read<params::EndRoom>(frame);
  if (!given || !allowed(frame, &Permissions::end_room)) return;
  if (given->lock) {
    auto stored = room_.services_.store.room_by_id(room_.workspace_id_, room_.room_id_);
    if (!stored || !*stored) return connection_->fail(frame.id, 503, "service unavailable");
    (*stored)->enabled = false;
    (*stored)->updated_at = room_.services_.clock.wall();
    if (!room_.services_.store.update_room(**stored))
      return connection_->fail(frame.id, 503, "service unavailable");
  }
  connection_->reply(frame.id, {});
  room_.end_session({peer_.self.peer_id, given->reason, given->lock});
}

}  // namespace engine
