// The params of every request and notification of a client, one description each (100ms-client-protocol.md
// §3.5, §3.6). Members the server does not use are left out: unknown members are ignored.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/fields.h"

namespace engine::params {

inline constexpr int kMaxName = 256;
inline constexpr std::size_t kMaxData = 16 * 1024;

// SDP ends its lines with CR LF, which a json text refuses: it is taken from the frame as it is. Empty when
// there is none.
inline std::string sdp_in(const json::Object& params, std::string_view member) {
  const auto* description = json::object_at(params, member);
  return description ? std::string(json::text_or(*description, "sdp")) : std::string();
}

struct Join {
  std::string name;
  std::optional<json::Value> data;
  template <class V>
  static void fields(V& v) {
    v.field("name", &Join::name, json::text().max(kMaxName).or_default());
    v.field("data", &Join::data);
  }
};

struct Track {
  std::string track_id, stream_id, type, source = "regular", description;
  bool mute = false;
  template <class V>
  static void fields(V& v) {
    v.field("track_id", &Track::track_id, json::text().min(1).max(128));
    v.field("stream_id", &Track::stream_id, json::text().max(128).or_default());
    v.field("type", &Track::type, json::text().one_of({"audio", "video"}));
    v.field("source", &Track::source, json::text().max(64).or_default());
    v.field("mute", &Track::mute, json::boolean().or_default());
    v.field("description", &Track::description, json::text().max(256).or_default());
  }
};

struct Offer {
  json::Object tracks;
  std::optional<std::string> sfu_node_id;
  template <class V>
  static void fields(V& v) {
    v.field("tracks", &Offer::tracks, json::object().max(32).or_default());
    v.field("sfu_node_id", &Offer::sfu_node_id, json::text().max(64));
  }
};

struct Answer {
  std::optional<std::string> sfu_node_id;
  template <class V>
  static void fields(V& v) {
    v.field("sfu_node_id", &Answer::sfu_node_id, json::text().max(64));
  }
};

struct Candidate {
  std::string candidate;
  template <class V>
  static void fields(V& v) {
    v.field("candidate", &Candidate::candidate, json::text().max(1024));
  }
};

struct Trickle {
  std::int64_t target = 0;
  Candidate candidate;
  std::optional<std::string> sfu_node_id;
  template <class V>
  static void fields(V& v) {
    v.field("target", &Trickle::target, json::integer(0, 1));
    v.field("candidate", &Trickle::candidate);
    v.field("sfu_node_id", &Trickle::sfu_node_id, json::text().max(64));
  }
};

struct TrackUpdate {
  json::Object tracks;
  template <class V>
  static void fields(V& v) {
    v.field("tracks", &TrackUpdate::tracks, json::object().max(32));
  }
};

struct Broadcast {
  std::optional<std::string> peer_id;
  std::optional<std::vector<std::string>> roles;
  template <class V>
  static void fields(V& v) {
    v.field("peer_id", &Broadcast::peer_id, json::text().max(128));
    v.field("roles", &Broadcast::roles, json::list().max(50));
  }
};

struct PeerUpdate {
  std::optional<std::string> name;
  std::optional<json::Value> data;
  template <class V>
  static void fields(V& v) {
    v.field("name", &PeerUpdate::name, json::text().max(kMaxName));
    v.field("data", &PeerUpdate::data);
  }
};

struct Group {
  std::string name;
  std::optional<std::string> peer_id;
  template <class V>
  static void fields(V& v) {
    v.field("name", &Group::name, json::text().min(1).max(64));
    v.field("peer_id", &Group::peer_id, json::text().max(128));
  }
};

struct RoleChangeRequest {
  std::optional<std::string> requested_for;
  std::optional<std::vector<std::string>> roles;
  std::string role;
  bool force = false;
  template <class V>
  static void fields(V& v) {
    v.field("requested_for", &RoleChangeRequest::requested_for, json::text().max(128));
    v.field("roles", &RoleChangeRequest::roles, json::list().max(50));
    v.field("role", &RoleChangeRequest::role, json::text().min(1).max(100));
    v.field("force", &RoleChangeRequest::force, json::boolean().or_default());
  }
};

struct RoleChange {
  std::string role, token;
  template <class V>
  static void fields(V& v) {
    v.field("role", &RoleChange::role, json::text().min(1).max(100));
    v.field("token", &RoleChange::token, json::text().max(128));
  }
};

struct TrackUpdateRequest {
  std::string requested_for, track_id;
  std::optional<std::string> stream_id;
  bool mute = false;
  template <class V>
  static void fields(V& v) {
    v.field("requested_for", &TrackUpdateRequest::requested_for, json::text().max(128));
    v.field("track_id", &TrackUpdateRequest::track_id, json::text().max(128));
    v.field("stream_id", &TrackUpdateRequest::stream_id, json::text().max(128));
    v.field("mute", &TrackUpdateRequest::mute, json::boolean());
  }
};

struct MuteStateRequest {
  bool value = false;
  std::optional<std::string> type, source;
  std::optional<std::vector<std::string>> roles;
  template <class V>
  static void fields(V& v) {
    v.field("value", &MuteStateRequest::value, json::boolean());
    v.field("type", &MuteStateRequest::type, json::text().max(16));
    v.field("source", &MuteStateRequest::source, json::text().max(64));
    v.field("roles", &MuteStateRequest::roles, json::list().max(50));
  }
};

struct PeerLeaveRequest {
  std::string requested_for, reason;
  template <class V>
  static void fields(V& v) {
    v.field("requested_for", &PeerLeaveRequest::requested_for, json::text().max(128));
    v.field("reason", &PeerLeaveRequest::reason, json::text().max(512).or_default());
  }
};

struct EndRoom {
  bool lock = false;
  std::string reason;
  template <class V>
  static void fields(V& v) {
    v.field("lock", &EndRoom::lock, json::boolean().or_default());
    v.field("reason", &EndRoom::reason, json::text().max(512).or_default());
  }
};

struct GetPeer {
  std::string peer_id;
  template <class V>
  static void fields(V& v) {
    v.field("peer_id", &GetPeer::peer_id, json::text().max(128));
  }
};

struct FindPeer {
  std::int64_t limit = 10;
  std::optional<std::string> role, group;
  std::optional<std::vector<std::string>> peers;
  template <class V>
  static void fields(V& v) {
    v.field("limit", &FindPeer::limit, json::integer(1, 100).or_default());
    v.field("role", &FindPeer::role, json::text().max(100));
    v.field("group", &FindPeer::group, json::text().max(64));
    v.field("peers", &FindPeer::peers, json::list().max(1000));
  }
};

struct PeerIterNext {
  std::string iterator;
  std::int64_t limit = 10;
  template <class V>
  static void fields(V& v) {
    v.field("iterator", &PeerIterNext::iterator, json::text().max(64));
    v.field("limit", &PeerIterNext::limit, json::integer(1, 100).or_default());
  }
};

struct PeerNameSearch {
  std::string query;
  std::int64_t limit = 10, offset = 0;
  template <class V>
  static void fields(V& v) {
    v.field("query", &PeerNameSearch::query, json::text().max(kMaxName));
    v.field("limit", &PeerNameSearch::limit, json::integer(1, 100).or_default());
    v.field("offset", &PeerNameSearch::offset, json::integer(0, 100000).or_default());
  }
};

struct SetMetadata {
  std::string key;
  std::optional<json::Value> data;  // absent or null: delete
  std::optional<std::int64_t> if_change_version;
  template <class V>
  static void fields(V& v) {
    v.field("key", &SetMetadata::key, json::text().min(1).max(128));
    v.field("data", &SetMetadata::data);
    v.field("if_change_version", &SetMetadata::if_change_version, json::integer());
  }
};

struct GetMetadata {
  std::optional<std::string> key;
  template <class V>
  static void fields(V& v) {
    v.field("key", &GetMetadata::key, json::text().max(128));
  }
};

struct ListenMetadata {
  std::vector<std::string> keys;
  template <class V>
  static void fields(V& v) {
    v.field("keys", &ListenMetadata::keys, json::list().max(100));
  }
};

// The data-channel requests (§4.5).
struct PreferVideo {
  std::string track_id, max_spatial_layer;
  template <class V>
  static void fields(V& v) {
    v.field("track_id", &PreferVideo::track_id, json::text().max(128));
    v.field("max_spatial_layer", &PreferVideo::max_spatial_layer,
            json::text().one_of({"none", "low", "medium", "high"}));
  }
};

struct PreferAudio {
  std::string track_id;
  bool subscribed = true;
  template <class V>
  static void fields(V& v) {
    v.field("track_id", &PreferAudio::track_id, json::text().max(128));
    v.field("subscribed", &PreferAudio::subscribed, json::boolean());
  }
};

}  // namespace engine::params
