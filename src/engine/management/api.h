// The REST API under /v2 (100ms-server-api.md). Handlers run on the engine's worker pool; every call is
// checked against the workspace of its token.
#pragma once

#include <functional>

#include "engine/management/answers.h"
#include "engine/object_ids.h"
#include "engine/rate_limiter.h"
#include "engine/rooms/live_rooms.h"
#include "engine/store/store.h"
#include "engine/tokens.h"
#include "engine/workspaces.h"
#include "http/router.h"

namespace engine {

struct ApiServices {
  Store& store;
  Workspaces& workspaces;
  const Tokens& tokens;
  ObjectIds& ids;
  LiveRooms& live;
  const base::Clock& clock;
  base::Random& random;
  bool strict_room_names = false;
  bool lenient_paths = false;
  double requests_per_second = 50;  // per workspace; 0 = no limit
  std::function<void()> outbox_filled;
};

class ManagementApi {
 public:
  explicit ManagementApi(ApiServices services);
  void mount(http::Router& router);

 private:
  using Call = http::Response (ManagementApi::*)(const http::Request&, const Workspace&);
  // `body`: the schema of what the call reads, from the description that reads it; empty: no body.
  void route(http::Router& router, http::Method method, const std::string& pattern, Call call,
             json::Object body = {});
  void serve(http::Router& router, http::Method method, const std::string& pattern, Call call);

  // rooms.cpp
  http::Response create_room(const http::Request&, const Workspace&);
  http::Response list_rooms(const http::Request&, const Workspace&);
  http::Response get_room(const http::Request&, const Workspace&);
  http::Response update_room(const http::Request&, const Workspace&);
  // The room of the path, or the answer that says why there is none.
  tl::expected<Room, http::Response> room_of(const http::Request&, const Workspace&);

  // templates.cpp
  http::Response create_template(const http::Request&, const Workspace&);
  http::Response list_templates(const http::Request&, const Workspace&);
  http::Response get_template(const http::Request&, const Workspace&);
  http::Response replace_template(const http::Request&, const Workspace&);
  http::Response get_role(const http::Request&, const Workspace&);
  http::Response put_role(const http::Request&, const Workspace&);
  http::Response delete_role(const http::Request&, const Workspace&);
  http::Response get_settings(const http::Request&, const Workspace&);
  http::Response put_settings(const http::Request&, const Workspace&);
  tl::expected<Template, http::Response> template_of(const http::Request&, const Workspace&);

  // room_codes.cpp
  http::Response create_codes(const http::Request&, const Workspace&);
  http::Response create_code_for_role(const http::Request&, const Workspace&);
  http::Response list_codes(const http::Request&, const Workspace&);
  http::Response update_code(const http::Request&, const Workspace&);
  http::Response exchange_code(const http::Request&);
  base::Result<RoomCode> new_code(const Room& room, const std::string& role);
  tl::expected<Template, http::Response> roles_for_codes(const Room& room);

  // active_rooms.cpp
  http::Response active_room(const http::Request&, const Workspace&);
  http::Response active_peers(const http::Request&, const Workspace&);
  http::Response active_peer(const http::Request&, const Workspace&);
  http::Response update_peer(const http::Request&, const Workspace&);
  http::Response send_message(const http::Request&, const Workspace&);
  http::Response remove_peers(const http::Request&, const Workspace&);
  http::Response end_room(const http::Request&, const Workspace&);
  http::Response list_sessions(const http::Request&, const Workspace&);
  http::Response get_session(const http::Request&, const Workspace&);
  http::Response sessions_of_active_room(const http::Request&, const Workspace&);
  http::Response session_page(const SessionFilter& filter, const Page& page, const Workspace& workspace);

  // webhooks.cpp
  http::Response get_webhook(const http::Request&, const Workspace&);
  http::Response put_webhook(const http::Request&, const Workspace&);
  http::Response rotate_secret(const http::Request&, const Workspace&);
  http::Response webhook_history(const http::Request&, const Workspace&);
  http::Response replay_webhooks(const http::Request&, const Workspace&);
  http::Response replay_state(const http::Request&, const Workspace&);

  // recordings.cpp: what a template says of recordings and destinations
  http::Response get_recordings(const http::Request&, const Workspace&);
  http::Response put_recordings(const http::Request&, const Workspace&);
  http::Response get_destinations(const http::Request&, const Workspace&);
  http::Response put_destinations(const http::Request&, const Workspace&);

  // openapi.cpp
  http::Response openapi(const http::Request&) const;

  http::Response not_implemented(const http::Request&, const Workspace&);

  // What /v2/openapi.json tells of a call.
  struct Described {
    http::Method method;
    std::string pattern;
    json::Object body;
  };

  ApiServices services_;
  std::vector<Described> described_;  // filled by the first mount()
  RateLimiter code_attempts_;
  RateLimiter workspace_calls_;
};

// The documents of the API, shared by its parts and the facade.
// What is wrong with a webhook of a room or of the workspace; nothing: it is fine.
std::optional<http::Response> wrong_webhook(const json::Object& webhook);
json::Object room_document(const Room& room, const Workspace& workspace);
json::Object template_document(const Template& t, const Workspace& workspace);

}  // namespace engine
