// One WebSocket of a client as its room sees it. The token was verified before it exists. Its state is
// touched on the room's queue only; send(), notify(), reply() and fail() may be called from any thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include "base/clock.h"
#include "engine/signalling/frames.h"
#include "engine/tokens.h"
#include "http/websocket.h"

namespace engine {

class Connection {
 public:
  enum class State {
    kPreview,  // policy sent, no join yet
    kJoining,  // join received, the media plane has not answered yet
    kJoined,
    kRefused,  // will be told why at its next request
    kGone,     // left, removed or replaced: nothing it sends counts
  };

  Connection(std::string peer_id, VerifiedToken token, std::shared_ptr<http::WebSocket> socket)
      : peer_id_(std::move(peer_id)), token_(std::move(token)), socket_(std::move(socket)) {}

  const std::string& peer_id() const { return peer_id_; }
  const VerifiedToken& token() const { return token_; }

  void notify(std::string_view method, const json::Object& params) {
    socket_->send(notification_frame(method, params));
  }
  void send(const std::string& frame) { socket_->send(frame); }
  void reply(const json::Value& id, json::Object result) {
    if (!id.is_null()) socket_->send(result_frame(id, std::move(result)));
  }
  void fail(const json::Value& id, int code, std::string_view message) {
    if (!id.is_null()) socket_->send(error_frame(id, code, message));
  }
  void close(std::uint16_t code, std::string reason) { socket_->close(code, std::move(reason)); }

  // Owned by the room's queue.
  State state = State::kPreview;
  int refusal_code = 0;
  std::string refusal;
  base::SteadyTime close_at{INT64_MAX};  // when the room closes it if it has not gone by itself

 private:
  const std::string peer_id_;
  const VerifiedToken token_;
  const std::shared_ptr<http::WebSocket> socket_;  // shared with the http session that owns the stream
};

using ConnectionPtr = std::shared_ptr<Connection>;  // shared by the io thread's callbacks and the room

}  // namespace engine
