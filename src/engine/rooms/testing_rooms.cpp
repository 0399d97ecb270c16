#include "engine/rooms/testing_rooms.h"

#include <filesystem>
#include <stdexcept>

#include "engine/management/template_rules.h"
#include "engine/testing_engine.h"

namespace engine::testing {

namespace {

std::string described(const sfu::PeerPolicy& policy) {
  std::string text = " " + policy.role + " hears:";
  for (const auto& role : policy.subscribe_to_roles) text += role + ",";
  if (policy.publish_audio) text += " audio";
  if (policy.publish_video) text += " video";
  if (policy.publish_screen) text += " screen";
  return text;
}

void must(const base::Result<void>& result) {
  if (!result) throw std::runtime_error(result.error().code + ": " + result.error().detail);
}

}  // namespace

void FakeMedia::note(std::string call) {
  const std::lock_guard lock(mutex_);
  calls_.push_back(std::move(call));
}

void FakeMedia::add_peer(const sfu::RoomId&, const sfu::PeerId& p, sfu::PeerPolicy policy) {
  note("add_peer " + p.str() + described(policy));
}

void FakeMedia::set_policy(const sfu::RoomId&, const sfu::PeerId& p, sfu::PeerPolicy policy) {
  note("set_policy " + p.str() + described(policy));
}

void FakeMedia::send_api_message(const sfu::RoomId&, const sfu::PeerId& p, std::string text) {
  const std::lock_guard lock(mutex_);
  texts_[p.str()].push_back(std::move(text));
}

std::vector<std::string> FakeMedia::calls() const {
  const std::lock_guard lock(mutex_);
  return calls_;
}

std::vector<std::string> FakeMedia::texts_to(const std::string& peer) const {
  const std::lock_guard lock(mutex_);
  const auto it = texts_.find(peer);
  return it == texts_.end() ? std::vector<std::string>() : it->second;
}

void FakeSocket::send(std::string text) {
  auto value = json::parse_tolerant(text);
  if (!value || !value->is_object()) throw std::logic_error("the room sent no JSON object");
  const std::lock_guard lock(mutex_);
  frames_.push_back(std::move(value->as_object()));
}

void FakeSocket::close(std::uint16_t code, std::string) {
  const std::lock_guard lock(mutex_);
  if (closed_ == 0) closed_ = code;
}

std::vector<json::Object> FakeSocket::frames() const {
  const std::lock_guard lock(mutex_);
  return frames_;
}

std::uint16_t FakeSocket::closed_with() const {
  const std::lock_guard lock(mutex_);
  return closed_;
}

json::Object FakeClient::request(const std::string& method, json::Object params) {
  const std::string id = "q" + std::to_string(next_id_++);
  json::Object frame{{"method", method}, {"id", id}, {"jsonrpc", "2.0"}};
  frame["params"] = std::move(params);
  send(json::serialize(frame));
  for (const auto& answer : socket_->frames()) {
    if (json::text_or(answer, "id") == id) return answer;
  }
  return {};
}

void FakeClient::send(const std::string& text) {
  harness_.run([connection = connection_, text](LiveRoom& room) { room.receive(connection, text); });
}

void FakeClient::detach(std::uint16_t code) {
  harness_.run([connection = connection_, code](LiveRoom& room) { room.detach(connection, code); });
}

std::vector<std::string> FakeClient::news() {
  const auto frames = socket_->frames();
  std::vector<std::string> names;
  for (; read_ < frames.size(); ++read_) {
    if (frames[read_].contains("method")) names.emplace_back(json::text_or(frames[read_], "method"));
  }
  return names;
}

json::Object FakeClient::last(const std::string& method) const {
  const auto frames = socket_->frames();
  for (auto it = frames.rbegin(); it != frames.rend(); ++it) {
    if (json::text_or(*it, "method") == method) return *json::object_at(*it, "params");
  }
  return {};
}

RoomHarness::RoomHarness(storage::Backend backend, std::optional<std::int64_t> max_duration_seconds)
    : database(backend) {
  std::string folder = (std::filesystem::temp_directory_path() / "televisit-keys-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) throw std::runtime_error("no temporary folder");
  key_folder_ = folder;
  auto keys = crypto::Keyring::load_or_create(folder + "/master.key", random);
  if (!keys) throw std::runtime_error(keys.error().detail);
  keys_ = std::move(*keys);
  database.migrate_from(migrations_folder(), clock);
  store_.emplace(database.db(), *keys_, random);
  ids_.emplace(clock, random);
  Workspace w;
  w.id = ids_->next();
  w.name = "w";
  w.customer_id = w.app_id = ids_->next();
  w.access_key = ids_->next();
  w.secret = base::Secret("a secret of some length");
  w.default_template_id = ids_->next();
  w.created_at = clock.wall();
  Template t;
  t.id = w.default_template_id;
  t.workspace_id = w.id;
  t.name = "default_telehealth";
  t.roles = default_roles();
  t.settings = default_settings();
  t.created_at = t.updated_at = clock.wall();
  must(store_->insert_workspace(w, t));
  Room room;
  room.id = room_id = ids_->next();
  room.workspace_id = w.id;
  room.name = "visit";
  room.template_id = t.id;
  room.max_duration_seconds = max_duration_seconds;
  room.created_at = room.updated_at = clock.wall();
  must(store_->insert_room(room));
  workspace = std::make_shared<const Workspace>(std::move(w));
  services_.emplace(RoomServices{*store_, *ids_, clock, random, metrics, gate_, "sfu-test", &media});
  pool_ = std::make_unique<net::WorkerPool>("rooms", 1);
  live_ = std::make_unique<LiveRooms>(*services_, *pool_);
  room_ = live_->open(workspace->id, room_id);
}

RoomHarness::~RoomHarness() {
  gate_.close();
  pool_.reset();
  std::error_code ignored;
  std::filesystem::remove_all(key_folder_, ignored);
}

void RoomHarness::run(LiveRoom::Task f) {
  auto done = std::make_shared<std::promise<void>>();
  room_->post([&f](LiveRoom& room) { f(room); });
  // What the task posts itself (the media plane's answers) comes before the second of these.
  room_->post([this, done](LiveRoom&) { room_->post([done](LiveRoom&) { done->set_value(); }); });
  done->get_future().wait();
}

FakeClient RoomHarness::connect(const std::string& peer, const std::string& role, const std::string& user) {
  auto socket = std::make_shared<FakeSocket>();
  auto connection = std::make_shared<Connection>(peer, VerifiedToken{workspace, room_id, role, user}, socket);
  run([connection](LiveRoom& room) { room.attach(connection); });
  return FakeClient(*this, connection, socket);
}

FakeClient RoomHarness::joined(const std::string& peer, const std::string& role) {
  FakeClient client = connect(peer, role, "user-" + peer);
  json::Object params{{"name", "Name of " + peer}, {"data", ""}};
  params["offer"] = json::Object{{"type", "offer"}, {"sdp", "v=0\r\n"}};
  const auto reply = client.request("join", params);
  if (!reply.contains("result")) throw std::runtime_error("join: " + json::serialize(reply));
  client.news();
  return client;
}

}  // namespace engine::testing
