#include "engine/testing_engine.h"

#include <stdlib.h>

#include <filesystem>
#include <stdexcept>

#include "crypto/jwt.h"

namespace engine::testing {

namespace {

const std::string kHead = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
const std::string kTransport =
    "c=IN IP4 0.0.0.0\r\na=ice-ufrag:Yxz1\r\na=ice-pwd:0f2Yv9sQzXw3bN6mK8pL1cTd\r\na=ice-options:trickle\r\n"
    "a=fingerprint:sha-256 "
    "11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00\r\n"
    "a=setup:actpass\r\n";

std::string channel_section() {
  return "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n" + kTransport +
         "a=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";
}

}  // namespace

std::string migrations_folder() {
  return (std::filesystem::path(TELEVISIT_SOURCE_DIR) / "migrations" / "engine").string();
}

std::string channel_offer() {
  return kHead + "a=group:BUNDLE 0\r\na=msid-semantic: WMS\r\n" + channel_section();
}

std::string media_offer(const std::string& stream, const std::string& audio, const std::string& video) {
  return kHead + "a=group:BUNDLE 0 1 2\r\na=msid-semantic: WMS\r\n" + channel_section() +
         "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\n" + kTransport + "a=mid:1\r\na=sendonly\r\na=msid:" + stream +
         " " + audio +
         "\r\na=rtcp-mux\r\na=rtpmap:111 opus/48000/2\r\na=fmtp:111 "
         "minptime=10;useinbandfec=1\r\na=ssrc:1001 cname:c\r\n"
         "m=video 9 UDP/TLS/RTP/SAVPF 96 97\r\n" +
         kTransport + "a=mid:2\r\na=sendonly\r\na=msid:" + stream + " " + video +
         "\r\na=rtcp-mux\r\na=rtcp-rsize\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:96 nack "
         "pli\r\na=rtcp-fb:96 transport-cc\r\n"
         "a=rtpmap:97 rtx/90000\r\na=fmtp:97 apt=96\r\na=ssrc-group:FID 2001 2002\r\na=ssrc:2001 "
         "cname:c\r\na=ssrc:2002 cname:c\r\n";
}

json::Object track(const std::string& id, const std::string& stream, const std::string& type, bool mute) {
  return {{"track_id", id},      {"stream_id", stream}, {"type", type},
          {"source", "regular"}, {"mute", mute},        {"description", ""}};
}

World::World(storage::Backend backend) : database(backend) {
  std::string folder = (std::filesystem::temp_directory_path() / "televisit-keys-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder");
  key_folder_ = folder;
  auto keys = crypto::Keyring::load_or_create(folder + "/master.key", random);
  if (!keys) throw std::runtime_error(keys.error().detail);
  keys_ = std::move(*keys);
  config.migrations_folder = migrations_folder();
  config.media.listen = base::SocketAddress::v4(0x7f000001, 0);
  config.tick = base::Duration::millis(20);
  config.requests_per_second = 0;  // the clock stands still
  start();
  auto created = engine->create_workspace("first");
  if (!created) throw std::runtime_error(created.error().detail);
  workspace = *created;
}

World::~World() {
  stop();
  std::error_code ignored;
  std::filesystem::remove_all(key_folder_, ignored);
}

void World::stop() {
  server_.reset();
  engine.reset();
  router_.reset();
  timers_.reset();
  pool_.reset();
}

void World::start() {
  pool_ = std::make_unique<net::WorkerPool>("engine", 3);
  timers_ = std::make_unique<net::Timers>();
  auto opened = Engine::open(config, {database.db(), *keys_, clock, random, metrics, *pool_, *timers_});
  if (!opened) throw std::runtime_error(opened.error().code + ": " + opened.error().detail);
  engine = std::move(*opened);
  router_ = std::make_unique<http::Router>();
  engine->mount(*router_);
  http::ServerConfig server;
  http::ListenerConfig listener;
  listener.name = "api";
  listener.address = base::SocketAddress::v4(0x7f000001, 0);
  listener.router = router_.get();
  server.listeners.push_back(listener);
  server.limits.websocket_close =
      base::Duration::millis(50);  // test clients do not answer a close while nobody reads
  auto started = http::Server::start(server, random);
  if (!started) throw std::runtime_error(started.error().detail);
  server_ = std::move(*started);
  address = server_->address("api");
}

std::string World::sign(json::Object claims) const {
  return crypto::sign_jwt(claims, workspace->secret).reveal();
}

std::string World::management_token(std::int64_t issued_ago, std::int64_t lasts,
                                    json::Object overrides) const {
  const auto now = clock.wall().to_seconds();
  json::Object claims{{"access_key", workspace->access_key},
                      {"type", "management"},
                      {"version", 2},
                      {"jti", "a0b1"},
                      {"iat", now - issued_ago},
                      {"nbf", now - issued_ago},
                      {"exp", now - issued_ago + lasts}};
  for (auto& [name, value] : overrides) claims[name] = value;
  return sign(claims);
}

std::string World::app_token(const std::string& room, const std::string& role, const std::string& user,
                             json::Object overrides) const {
  const auto now = clock.wall().to_seconds();
  json::Object claims{{"access_key", workspace->access_key},
                      {"type", "app"},
                      {"version", 2},
                      {"jti", "a0b2"},
                      {"room_id", room},
                      {"role", role},
                      {"user_id", user},
                      {"iat", now},
                      {"nbf", now},
                      {"exp", now + 3600}};
  for (auto& [name, value] : overrides) claims[name] = value;
  return sign(claims);
}

Answer World::call(const std::string& method, const std::string& path, const std::string& body,
                   const std::string& token, std::vector<http::Header> headers) {
  http::ClientRequest request;
  request.method = method;
  request.url = "http://" + address.text() + path;
  request.headers = std::move(headers);
  if (!token.empty()) request.headers.emplace_back("authorization", "Bearer " + token);
  request.body = body;
  auto response = client_.send(request);
  if (!response) throw std::runtime_error(response.error().detail);
  Answer answer;
  answer.status = response->status;
  answer.text = response->body;
  answer.raw = *response;
  if (auto value = json::parse_tolerant(response->body); value && value->is_object())
    answer.body = std::move(value->as_object());
  return answer;
}

Answer World::init(const std::string& token, const std::string& peer) {
  return call("GET", "/init?peer_id=" + peer + "&user_agent_v2=os:web", {}, token, {});
}

std::string World::make_room(const std::string& body) {
  return std::string(json::text_or(post("/v2/rooms", body).body, "id"));
}

std::unique_ptr<WsClient> World::socket(const std::string& token, const std::string& peer) {
  return std::make_unique<WsClient>(address,
                                    "/v2/ws?peer=" + peer + "&token=" + token +
                                        "&user_agent_v2=os:web&protocol_version=2.5&protocol_spec=20250115");
}

std::unique_ptr<WsClient> World::joined(const std::string& room, const std::string& role,
                                        const std::string& peer, const std::string& user) {
  auto ws = socket(app_token(room, role, user), peer);
  ws->wait_for("on-policy-change");
  json::Object params{{"name", "Name of " + peer},   {"data", ""},        {"disableVidAutoSub", true},
                      {"server_sub_degrade", false}, {"simulcast", true}, {"onDemandTracks", false}};
  params["offer"] = json::Object{{"type", "offer"}, {"sdp", channel_offer()}};
  const auto reply = ws->request("join", params);
  if (!reply.contains("result")) throw std::runtime_error("join: " + json::serialize(reply));
  return ws;
}

}  // namespace engine::testing
