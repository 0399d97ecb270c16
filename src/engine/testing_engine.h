// A whole engine for tests: database, server on port 0, media on port 0, a clock turned by hand, one
// workspace. restart() ends the process's half and opens it anew on the same database.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "engine/engine.h"
#include "engine/testing_ws_client.h"
#include "http/client.h"
#include "http/server.h"
#include "json/json.h"
#include "storage/testing_databases.h"

namespace engine::testing {

struct Answer {
  int status = 0;
  json::Object body;
  std::string text;
  http::ClientResponse raw;
};

std::string migrations_folder();
// What Chromium sends in `join`: a data channel and nothing else.
std::string channel_offer();
// The same with an audio and a video m-line; the ids are the second words of msid.
std::string media_offer(const std::string& stream, const std::string& audio, const std::string& video);
json::Object track(const std::string& id, const std::string& stream, const std::string& type,
                   bool mute = false);

class World {
 public:
  explicit World(storage::Backend backend = storage::Backend::kSqlite);
  ~World();

  void stop();
  void start();
  void restart() {
    stop();
    start();
  }

  std::string management_token(std::int64_t issued_ago = 10, std::int64_t lasts = 3600,
                               json::Object overrides = {}) const;
  std::string app_token(const std::string& room, const std::string& role, const std::string& user = "u-1",
                        json::Object overrides = {}) const;
  std::string sign(json::Object claims) const;

  Answer get(const std::string& path) { return call("GET", path, {}, management_token()); }
  Answer post(const std::string& path, const std::string& body = "{}") {
    return call("POST", path, body, management_token());
  }
  Answer remove(const std::string& path) { return call("DELETE", path, {}, management_token()); }
  Answer call(const std::string& method, const std::string& path, const std::string& body,
              const std::string& token,
              std::vector<http::Header> headers = {{"content-type", "application/json"}});
  Answer init(const std::string& token, const std::string& peer = "p");

  std::string make_room(const std::string& body = "{}");
  std::unique_ptr<WsClient> socket(const std::string& token, const std::string& peer);
  // Through policy, join with a data channel, and the answer.
  std::unique_ptr<WsClient> joined(const std::string& room, const std::string& role, const std::string& peer,
                                   const std::string& user = "u-1");

  base::ManualClock clock;
  crypto::SystemRandom random;
  telemetry::Metrics metrics;
  storage::testing::FreshDatabase database;
  std::optional<WorkspaceCredentials> workspace;
  Config config;
  base::SocketAddress address;
  std::unique_ptr<Engine> engine;

 private:
  std::string key_folder_;
  std::optional<crypto::Keyring> keys_;
  std::unique_ptr<net::WorkerPool> pool_;
  std::unique_ptr<net::Timers> timers_;
  std::unique_ptr<http::Router> router_;
  std::unique_ptr<http::Server> server_;
  http::Client client_;
};

}  // namespace engine::testing
