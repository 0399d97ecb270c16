// The 100ms REST client (100ms-server-api.md §1.7, §2, §4, §5). It drives the cloud and the built-in engine
// alike: the endpoint in the credentials decides every URL. Synchronous: call it from a worker thread.
// Thread-safe. Failures follow visit-api.md §6.4, retries included: GET twice more, create-room once more (an
// upsert by name), inside the deadline of the call.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/sensitive.h"
#include "http/client.h"
#include "json/json.h"
#include "provider/breaker.h"
#include "provider/failure.h"
#include "provider/model.h"
#include "provider/tokens.h"

namespace provider {

struct Credentials {
  std::string app_id;
  base::Secret app_secret;
  std::string api_endpoint;  // "https://api.100ms.live/v2"; a trailing slash is removed
};

struct ClientOptions {
  std::shared_ptr<Breaker> breaker;           // none: no circuit
  std::function<void(base::Duration)> pause;  // between retries; none: the thread sleeps
  base::Duration connect_timeout = base::Duration::seconds(3);
  base::Duration call_timeout = base::Duration::seconds(8);
  // Asked with the address of every connection before a packet goes there (visit-api.md §6.3); none: every
  // address.
  std::function<bool(const base::SocketAddress&)> address_allowed;
};

// How a call to the endpoint itself went, for the doctor.
struct Reach {
  int status = 0;
  base::Duration took{};
  std::optional<base::WallTime> server_date;  // of the Date header
};

class Client {
 public:
  static constexpr base::Duration kDeadline = base::Duration::seconds(20);

  Client(Credentials credentials, http::Client& http, const base::Clock& clock, base::Random& random,
         ClientOptions options = {});

  const std::string& endpoint() const { return credentials_.api_endpoint; }
  std::string host() const;
  // kDeadline from now: what a whole creation may take.
  base::SteadyTime deadline() const { return clock_.steady() + kDeadline; }

  // POST /rooms; the id in the answer is checked against the pattern.
  Result<Room> create_room(const RoomSpec& spec, base::SteadyTime deadline);
  // GET /rooms/{id}; the id in the answer must be the one asked for.
  Result<Room> get_room(const std::string& room_id, base::SteadyTime deadline);
  // create_room, then get_room: same id, enabled, same template. The log lines of visit-api.md §8.1.
  Result<Room> create_confirmed_room(const RoomSpec& spec, base::SteadyTime deadline);
  // POST /rooms/{id} {"enabled": …}.
  Result<void> set_enabled(const std::string& room_id, bool enabled, base::SteadyTime deadline);
  // POST /active-rooms/{id}/end-room with lock; true when a session was running.
  Result<bool> end_active_room(const std::string& room_id, const std::string& reason,
                               base::SteadyTime deadline);
  // End, disable, read back: succeeds only when the read-back says enabled=false.
  Result<void> close_room(const std::string& room_id, base::SteadyTime deadline);
  // GET /active-rooms/{id}/peers; empty when no session runs.
  Result<std::vector<Peer>> active_peers(const std::string& room_id, base::SteadyTime deadline);

  Result<std::vector<Template>> list_templates(base::SteadyTime deadline);
  Result<Template> get_template(const std::string& template_id, base::SteadyTime deadline);

  // GET /templates?limit=10, once, with a good or a wrongly signed token: any status is an answer.
  Result<Reach> reach(bool good_token);

  base::Result<base::Secret> app_token(const AppToken& wanted) { return tokens_.app(wanted); }

 private:
  enum class Repeat { kNever, kOnce, kTwice };
  Result<json::Object> call(const std::string& method, const std::string& path, const std::string& body,
                            Repeat repeat, base::SteadyTime deadline);
  Result<json::Object> attempt(const std::string& method, const std::string& path, const std::string& body,
                               base::SteadyTime deadline);
  http::ClientRequest request(const std::string& method, const std::string& path, const std::string& body,
                              const base::Secret& token) const;
  void wait(base::Duration d) const;

  const Credentials credentials_;
  http::Client& http_;
  const base::Clock& clock_;
  base::Random& random_;
  const ClientOptions options_;
  Tokens tokens_;
};

}  // namespace provider
