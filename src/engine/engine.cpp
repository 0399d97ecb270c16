#include "engine/engine.h"

#include <array>
#include <map>

#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/template_rules.h"
#include "engine/rooms/gate.h"
#include "engine/signalling/entrance.h"
#include "engine/webhooks/dispatcher.h"
#include "telemetry/log.h"

namespace engine {

namespace {

void allow_any_origin(const http::Request& request, http::Response& response) {
  response.set("access-control-allow-origin", "*");
  if (request.method == http::Method::kOptions) {
    response.set("access-control-allow-methods", "GET, POST, OPTIONS");
    response.set("access-control-allow-headers", "authorization, content-type");
    response.set("access-control-max-age", "86400");
  } else {
    response.set("cache-control", "no-store");
  }
}

std::string_view phrase(int status) {
  switch (status) {
    case 400:
      return "bad request";
    case 404:
      return "not found";
    case 405:
      return "method not allowed";
    case 413:
      return "body too large";
    case 503:
      return "service unavailable";
    default:
      return "internal error";
  }
}

http::Response group_error(const http::Request&, int status, std::string_view allow) {
  auto response = error_answer(status, phrase(status));
  if (!allow.empty()) response.set("allow", std::string(allow));
  return response;
}

std::string node_name(base::Random& random) {
  std::array<std::uint8_t, 6> bytes{};
  random.fill(bytes);
  return "sfu-" + base::to_hex(bytes);
}

}  // namespace

struct Engine::Impl final : sfu::Events {
  Impl(Config given, Dependencies dependencies)
      : config(std::move(given)),
        deps(dependencies),
        store(deps.database, deps.keys, deps.random),
        directory(store),
        tokens(deps.clock, config.max_token_days),
        ids(deps.clock, deps.random),
        services{store, ids, deps.clock, deps.random, deps.metrics, gate, node_name(deps.random)},
        room_pool(std::make_unique<net::WorkerPool>("rooms", config.room_threads)),
        live(services, *room_pool),
        api(api_services()),
        entrance(config, api_services()) {}

  // First nothing comes in any more, then what is queued is finished, then the media plane ends; its last
  // events find the gate closed.
  ~Impl() override {
    ticking.cancel();
    gate.close();
    room_pool.reset();
    webhooks.reset();
    media.reset();
  }

  ApiServices api_services() {
    return {store,
            directory,
            tokens,
            ids,
            live,
            deps.clock,
            deps.random,
            config.strict_room_names,
            config.lenient_paths,
            config.requests_per_second,
            [this] { webhooks->poke(); }};
  }

  base::Result<void> start() {
    auto migrations = storage::load_migrations(config.migrations_folder, deps.database.backend());
    if (!migrations) return base::fail(migrations.error());
    auto migrated = storage::migrate(deps.database, *migrations, deps.clock);
    if (!migrated) return base::fail(migrated.error());
    if (auto loaded = directory.load(); !loaded) return loaded;
    auto started = sfu::Sfu::start(config.media, *this, deps.clock, deps.random);
    if (!started) return base::fail(started.error());
    media = std::move(*started);
    services.media = media.get();
    webhooks = std::make_unique<Dispatcher>(store, deps.clock, deps.metrics,
                                            Dispatcher::Options{config.tick, config.webhook_address_allowed});
    services.outbox_filled = [this] { webhooks->poke(); };
    if (auto restored = restore(); !restored) return restored;
    ticking = deps.timers.every(config.tick, [this] { live.tick(); });
    telemetry::info(
        "engine started",
        {{"node", services.node_id}, {"media", media->local_address().text()}, {"rooms", live.size()}});
    return {};
  }

  // Sessions a former process left open: with peers they wait for their return, without they are closed.
  base::Result<void> restore() {
    auto sessions = store.open_sessions();
    if (!sessions) return base::fail(sessions.error());
    auto peers = store.live_peers();
    if (!peers) return base::fail(peers.error());
    std::map<std::string, std::vector<LivePeer>> by_session;
    for (auto& peer : *peers) by_session[peer.session_id].push_back(std::move(peer));
    for (const auto& session : *sessions) {
      auto inside = by_session.find(session.id);
      if (inside == by_session.end()) {
        if (auto closed = close_left(session); !closed) return closed;
        continue;
      }
      live.open(session.workspace_id, session.room_id)
          ->post(
              [session, left = std::move(inside->second)](LiveRoom& room) { room.restore(session, left); });
    }
    return {};
  }

  base::Result<void> close_left(const Session& session) {
    auto room = store.room_by_id(session.workspace_id, session.room_id);
    if (!room) return base::fail(room.error());
    const auto now = deps.clock.wall();
    const WebhookEvent closed{deps.random.uuid(),
                              session.workspace_id,
                              session.room_id,
                              session.id,
                              "session.close.success",
                              now,
                              session_closed_facts(room->value_or(Room()), session, now)};
    return store.close_session(session.room_id, session.id, now, {closed});
  }

  void on_room(const sfu::RoomId& room_id, LiveRoom::Task task) {
    if (const auto room = live.find(room_id)) room->post(std::move(task));
  }

  void on_subscribe_offer(const sfu::RoomId& room, const sfu::PeerId& peer, std::string sdp) override {
    on_room(room, [peer, sdp = std::move(sdp)](LiveRoom& r) { r.media_offer(peer.str(), sdp); });
  }
  void on_api_message(const sfu::RoomId& room, const sfu::PeerId& peer, std::string text) override {
    on_room(room, [peer, text = std::move(text)](LiveRoom& r) { r.media_text(peer.str(), text); });
  }
  void on_api_channel_open(const sfu::RoomId&, const sfu::PeerId&) override {}
  void on_active_speakers(const sfu::RoomId& room, std::vector<sfu::Speaker> speakers) override {
    on_room(room, [speakers = std::move(speakers)](LiveRoom& r) { r.media_speakers(speakers); });
  }
  void on_connection_state(const sfu::RoomId& room, const sfu::PeerId& peer, sfu::Target target,
                           bool connected, std::string) override {
    on_room(room, [peer, target, connected](LiveRoom& r) { r.media_state(peer.str(), target, connected); });
  }

  const Config config;
  const Dependencies deps;
  Gate gate;
  Store store;
  Workspaces directory;
  const Tokens tokens;
  ObjectIds ids;
  RoomServices services;
  std::unique_ptr<net::WorkerPool> room_pool;
  std::unique_ptr<sfu::Sfu> media;
  std::unique_ptr<Dispatcher> webhooks;
  LiveRooms live;
  ManagementApi api;
  Entrance entrance;
  net::Timers::Handle ticking;
};

Engine::Engine(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Engine::~Engine() = default;

base::Result<std::unique_ptr<Engine>> Engine::open(Config config, Dependencies dependencies) {
  auto impl = std::make_unique<Impl>(std::move(config), dependencies);
  if (auto started = impl->start(); !started) return base::fail(started.error());
  return std::unique_ptr<Engine>(new Engine(std::move(impl)));
}

void Engine::mount(http::Router& router) {
  http::RouteGroup api;
  api.pool = &impl_->deps.pool;
  api.on_error = group_error;
  router.group("/v2", api);
  http::RouteGroup browser = api;
  browser.body_limit = 8 * 1024;
  browser.after = allow_any_origin;
  router.group("/init", browser);
  router.group("/v2/token", browser);
  impl_->api.mount(router);
  impl_->entrance.mount(router);
}

base::Result<WorkspaceCredentials> Engine::create_workspace(const std::string& name) {
  constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  WorkspaceCredentials fresh;
  fresh.access_key = impl_->ids.next();
  fresh.secret = base::Secret(impl_->deps.random.text(kLetters, 86));
  fresh.template_id = impl_->ids.next();
  return create_workspace(name, fresh);
}

base::Result<WorkspaceCredentials> Engine::create_workspace(const std::string& name,
                                                            const WorkspaceCredentials& given) {
  if (name.empty() || !base::is_object_id(given.access_key) || !base::is_object_id(given.template_id) ||
      given.secret.reveal().size() < 16) {
    return base::fail("credentials_invalid",
                      "a workspace needs a name, access key and template id of 24 hex digits, and a secret "
                      "of at least 16 characters");
  }
  const auto now = impl_->deps.clock.wall();
  Workspace w;
  w.id = impl_->ids.next();
  w.name = name;
  w.customer_id = impl_->ids.next();
  w.app_id = impl_->ids.next();
  w.access_key = given.access_key;
  w.secret = given.secret;
  w.default_template_id = given.template_id;
  w.created_at = now;
  Template t;
  t.id = given.template_id;
  t.workspace_id = w.id;
  t.name = "default_telehealth";
  t.is_default = true;
  t.roles = default_roles();
  t.settings = default_settings();
  t.created_at = t.updated_at = now;
  if (auto stored = impl_->store.insert_workspace(w, t); !stored) {
    if (stored.error().code == storage::kUnique)
      return base::fail("workspace_exists", "a workspace with this name, access key or template id exists");
    return base::fail(stored.error());
  }
  WorkspaceCredentials out = given;
  out.workspace_id = w.id;
  telemetry::info("workspace created",
                  {{"workspace", w.id}, {"access_key", w.access_key}, {"template", t.id}});
  impl_->directory.add(std::move(w));
  return out;
}

base::Result<std::vector<WorkspaceInfo>> Engine::workspaces() {
  auto all = impl_->store.workspaces();
  if (!all) return base::fail(all.error());
  std::vector<WorkspaceInfo> out;
  for (const auto& w : *all) out.push_back({w.id, w.name, w.access_key, w.default_template_id});
  return out;
}

base::SocketAddress Engine::media_address() const {
  return impl_->media->local_address();
}
sfu::WorkerStats Engine::media_stats() const {
  return impl_->media->stats();
}
std::size_t Engine::live_rooms() const {
  return impl_->live.size();
}

}  // namespace engine
