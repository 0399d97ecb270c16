// The first step of a join (100ms-client-protocol.md §2): GET /init with the token, and where its answer
// leads. Blocks on the network: not for a Loop's thread while others are live on it, unless the server is
// near.
#pragma once

#include <string>

#include "base/address.h"
#include "base/result.h"
#include "base/sensitive.h"
#include "http/client.h"
#include "probe/web_socket.h"

namespace probe {

struct Entrance {
  std::string peer_id;
  WebSocketAddress websocket;  // its target carries the token: never to be shown
  base::SocketAddress address;
  bool simulcast = false;  // the server's flag
  std::string ca_file;
};

// `origin`: scheme, host and port of initEndpoint. Errors: "init_unreachable", "init_refused" (with the
// server's code and words), "init_invalid", "name_unknown".
base::Result<Entrance> fetch_entrance(http::Client& client, const std::string& origin,
                                      const base::Secret& token, const std::string& peer_id,
                                      const std::string& ca_file = {});

// The answer's body alone. Errors: "init_invalid".
base::Result<Entrance> read_init_answer(std::string_view body, const base::Secret& token,
                                        const std::string& peer_id);

}  // namespace probe
