// The bodies of the REST API, one description each (100ms-server-api.md §2 to §5). Unknown members are
// ignored (§8.2) unless said otherwise.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "json/fields.h"

namespace engine::bodies {

struct Room {
  std::optional<std::string> name, description, template_id, region;
  std::optional<json::Object> recording_info, webhook;
  std::optional<bool> large_room, enabled;
  std::optional<std::int64_t> size, max_duration_seconds;
  std::optional<std::vector<std::string>> polls;
  template <class V>
  static void fields(V& v) {
    v.field("name", &Room::name, json::text().max(200).single_line());
    v.field("description", &Room::description, json::text().max(4000));
    v.field("template_id", &Room::template_id, json::text().max(64));
    v.field("region", &Room::region, json::text().max(16));
    v.field("recording_info", &Room::recording_info);
    v.field("webhook", &Room::webhook);
    v.field("large_room", &Room::large_room);
    v.field("enabled", &Room::enabled);
    v.field("size", &Room::size);
    v.field("max_duration_seconds", &Room::max_duration_seconds);
    v.field("polls", &Room::polls, json::list().max(50));
  }
};

struct Webhook {
  std::string url;
  std::optional<json::Object> headers;
  template <class V>
  static void fields(V& v) {
    v.field("url", &Webhook::url,
            json::text().max(2048).pattern(json::is_http_url_text, "an http or https URL"));
    v.field("headers", &Webhook::headers, json::object().max(50));
  }
};

struct Template {
  std::optional<std::string> name;
  json::Object roles;
  std::optional<json::Object> settings, destinations, plugins;
  template <class V>
  static void fields(V& v) {
    v.field("name", &Template::name, json::text().max(100));
    v.field("roles", &Template::roles);
    v.field("settings", &Template::settings);
    v.field("destinations", &Template::destinations);
    v.field("plugins", &Template::plugins);
  }
};

struct RoomCodeUpdate {
  std::string code;
  bool enabled = false;
  template <class V>
  static void fields(V& v) {
    v.field("code", &RoomCodeUpdate::code, json::text().min(1).max(64));
    v.field("enabled", &RoomCodeUpdate::enabled, json::boolean());
  }
};

struct TokenByCode {
  std::string code;
  std::optional<std::string> user_id;
  template <class V>
  static void fields(V& v) {
    v.field("code", &TokenByCode::code, json::text().min(1).max(64));
    v.field("user_id", &TokenByCode::user_id, json::text().max(256).single_line());
  }
};

struct PeerUpdate {
  std::optional<std::string> name, role, metadata;
  template <class V>
  static void fields(V& v) {
    v.field("name", &PeerUpdate::name, json::text().max(256));
    v.field("role", &PeerUpdate::role, json::text().max(100));
    v.field("metadata", &PeerUpdate::metadata, json::text().max(16 * 1024));
  }
};

// SDK users who follow its types send `peerId`: ignoring it would broadcast a private message (§5.6).
struct Message {
  std::string message;
  std::optional<std::string> peer_id, role, type;
  template <class V>
  static void fields(V& v) {
    v.field("message", &Message::message, json::text().min(1).max(64 * 1024));
    v.field("peer_id", &Message::peer_id, json::text().max(128).alias("peerId"));
    v.field("role", &Message::role, json::text().max(100));
    v.field("type", &Message::type, json::text().max(100));
  }
};

struct RemovePeers {
  std::optional<std::string> peer_id, role, reason;
  template <class V>
  static void fields(V& v) {
    v.field("peer_id", &RemovePeers::peer_id, json::text().max(128).alias("peerId"));
    v.field("role", &RemovePeers::role, json::text().max(100));
    v.field("reason", &RemovePeers::reason, json::text().max(512));
  }
};

struct EndRoom {
  std::optional<std::string> reason;
  std::optional<bool> lock;
  template <class V>
  static void fields(V& v) {
    v.field("reason", &EndRoom::reason, json::text().max(512));
    v.field("lock", &EndRoom::lock, json::boolean());
  }
};

struct RotateSecret {
  std::optional<std::int64_t> overlap_seconds;
  template <class V>
  static void fields(V& v) {
    v.field("overlap_seconds", &RotateSecret::overlap_seconds, json::integer(0, 30 * 86400));
  }
};

}  // namespace engine::bodies
