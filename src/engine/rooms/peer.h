// One participant of a live room. Owned by the room's queue.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "engine/signalling/connection.h"
#include "engine/signalling/params.h"
#include "engine/store/records.h"

namespace engine {

struct Track {
  params::Track info;
  base::WallTime started_at;

  json::Object describe() const { return json::write(info); }
};

struct Peer {
  LivePeer self;
  std::map<std::string, Track> tracks;
  ConnectionPtr connection;  // null: lost, waiting for a new socket until gone_at
  base::SteadyTime gone_at{INT64_MAX};
  bool joined = false;  // false while the media plane works on the first answer: nobody may hear of it yet
  // A restarted process has none of its media: it is sent to the new node (§4.9) and what it sends for the
  // old one is refused with 421.
  bool must_migrate = false;
  // node-info waits for the offer every reconnect begins with (and its 421). Sent before it, it can reach the
  // SDK between createOffer and setLocalDescription: the connection is closed under it, and the reconnect
  // never ends.
  base::SteadyTime tell_node_at{INT64_MAX};  // for a client without connections, which sends no offer
  std::string
      open_offer;  // subscribe offer without an answer yet: sent again when the socket was lost meanwhile
  std::set<std::string> listens_to;  // keys of the session store; kept over a reconnect
  struct OfferedRole {
    std::string role, offered_by;
  };
  std::map<std::string, OfferedRole> offered_roles;  // by role-change token
  std::map<std::string, std::vector<std::string>> iterators;
  base::SteadyTime restart_allowed_at;

  json::Object info() const {
    json::Array groups;
    for (const auto& g : self.groups) groups.emplace_back(g);
    return {{"peer_id", self.peer_id},
            {"role", self.role},
            {"groups", std::move(groups)},
            {"info",
             json::Object{
                 {"name", self.name}, {"data", self.data}, {"user_id", self.user_id}, {"type", "regular"}}}};
  }
  // realtime:true everywhere: without it the SDK deletes the peer from its page (quirk 7).
  json::Object presence() const {
    json::Object out = info();
    out["joined_at"] = self.joined_at.ms;
    out["realtime"] = true;
    return out;
  }
};

}  // namespace engine
