// Rooms on a running Televisit, by the client protocol. Tokens come from a file: one app token a line, each
// of its own room, of a role that publishes; everybody in a room uses its token with a peer id of his own.
#pragma once

#include <memory>

#include "http/client.h"
#include "load/person.h"
#include "probe/participant.h"

namespace load {

class TelevisitServer final : public Server {
 public:
  TelevisitServer(probe::Loop& loop, base::Random& random,
                  std::shared_ptr<const rtc::Certificate> certificate, std::string origin,
                  std::vector<base::Secret> tokens, Shape shape);
  base::Result<std::vector<Person*>> open_room(std::size_t people, std::size_t publishers) override;

 private:
  class Member;
  probe::Loop& loop_;
  base::Random& random_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  http::Client client_;
  const std::string origin_;
  const std::vector<base::Secret> tokens_;
  const Shape shape_;
  std::size_t next_room_ = 0;
  std::vector<std::unique_ptr<Person>> people_;
};

}  // namespace load
