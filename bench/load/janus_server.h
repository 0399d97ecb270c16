// Rooms on a running Janus (its VideoRoom plugin) over its WebSocket API, as that API is documented: one
// session, a publisher handle and a subscriber handle per person. A subscriber takes all feeds of its room on
// one connection (multistream), which costs Janus least.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "json/json.h"
#include "load/person.h"
#include "probe/peer_connection.h"
#include "probe/web_socket.h"

namespace load {

class JanusServer final : public Server {
 public:
  JanusServer(probe::Loop& loop, base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
              Shape shape);
  ~JanusServer() override;
  // Connects and creates the session; turns the loop meanwhile. Errors: "janus_unreachable".
  base::Result<void> start(const std::string& url);
  base::Result<std::vector<Person*>> open_room(std::size_t people, std::size_t publishers) override;

 private:
  class Member;
  // The `janus` object of an answer or event.
  using Done = std::function<void(const json::Object& answer)>;
  void send(json::Object request, Done done);
  void attach(std::function<void(std::int64_t handle)> done);
  void message(std::int64_t handle, json::Object body, json::Object jsep, Done done);
  void on_text(const std::string& text);
  bool wait(const std::function<bool()>& done);

  probe::Loop& loop_;
  base::Random& random_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  const Shape shape_;
  std::unique_ptr<probe::WebSocketClient> socket_;
  std::string failure_;
  std::int64_t session_ = 0;
  std::int64_t control_ = 0;  // the handle that creates rooms
  std::int64_t next_room_ = 1000;
  std::uint64_t next_transaction_ = 1;
  std::map<std::string, Done, std::less<>> waiting_;
  std::vector<std::unique_ptr<Member>> people_;
  probe::TaskId keep_alive_ = 0;
};

}  // namespace load
