// One WebSocket after its upgrade (RFC 6455). The handle is what the acceptor's side holds, from any thread;
// the session owns the socket.
#include <openssl/evp.h>

#include "base/text.h"
#include "http/response_head.h"
#include "http/session.h"
#include "http/websocket_codec.h"
#include "telemetry/log.h"

namespace http {
namespace {

constexpr std::uint16_t kGoingAway = 1001;
constexpr std::uint16_t kAbnormal = 1006;
constexpr std::uint16_t kServiceRestart = 1012;
constexpr std::uint16_t kTryAgainLater = 1013;
constexpr std::size_t kBatch = 256 * 1024;
constexpr std::size_t kLingerBytes = 1024 * 1024;

std::string accept_value(const std::string& key) {
  const std::string text = key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha1(), nullptr);
  return base::to_base64(std::span(digest.data(), size));
}

// Frames on their way from any thread to the socket.
class Outbox {
 public:
  explicit Outbox(std::size_t limit) : limit_(limit) {}

  struct Batch {
    std::string bytes;
    bool last = false;  // holds the close frame
  };

  // True when the io thread must be woken.
  bool push(std::string frame, bool last) {
    const std::lock_guard lock(mutex_);
    if (closed_) return false;
    if (last) {
      closed_ = true;
    } else if (bytes_ + frame.size() > limit_) {
      closed_ = overflow_ = true;
      return true;  // even when woken: the write under way may never end
    }
    if (!overflow_) {
      bytes_ += frame.size();
      frames_.push_back(std::move(frame));
    }
    return !std::exchange(woken_, true);
  }

  Batch take() {
    const std::lock_guard lock(mutex_);
    woken_ = false;
    Batch out;
    while (!frames_.empty() && (out.bytes.empty() || out.bytes.size() + frames_.front().size() <= kBatch)) {
      out.bytes += frames_.front();
      frames_.pop_front();
    }
    out.last = closed_ && frames_.empty();
    return out;
  }

  void sent(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    bytes_ -= std::min(bytes, bytes_);
  }
  void shut() {
    const std::lock_guard lock(mutex_);
    closed_ = true;
    frames_.clear();
  }
  bool closed() {
    const std::lock_guard lock(mutex_);
    return closed_;
  }
  bool overflowed() {
    const std::lock_guard lock(mutex_);
    return overflow_;
  }

 private:
  const std::size_t limit_;
  std::mutex mutex_;
  std::deque<std::string> frames_;  // guarded by mutex_
  std::size_t bytes_ = 0;           // guarded by mutex_; queued and in flight
  bool closed_ = false;             // guarded by mutex_
  bool overflow_ = false;           // guarded by mutex_
  bool woken_ = false;              // guarded by mutex_
};

class WebSocketSession;

class Handle final : public WebSocket {
 public:
  Handle(std::shared_ptr<net::Mailbox> mailbox, std::size_t limit)
      : mailbox_(std::move(mailbox)), outbox_(std::make_shared<Outbox>(limit)) {}

  void send(std::string text) override { push(encode_frame(WebSocketOpcode::kText, text), false); }
  void close(std::uint16_t code, std::string reason) override {
    if (!outbox_->closed()) code_ = code;
    push(encode_close(code, reason), true);
  }
  void pong(const std::string& payload) { push(encode_frame(WebSocketOpcode::kPong, payload), false); }
  const std::shared_ptr<Outbox>& outbox() const { return outbox_; }
  std::uint16_t close_code() const { return code_; }
  void attach(std::weak_ptr<WebSocketSession> session) {
    const std::lock_guard lock(mutex_);
    session_ = std::move(session);
  }

 private:
  void push(std::string frame, bool last);

  const std::shared_ptr<net::Mailbox> mailbox_;
  const std::shared_ptr<Outbox> outbox_;
  std::atomic<std::uint16_t> code_{kAbnormal};
  std::mutex mutex_;
  std::weak_ptr<WebSocketSession> session_;  // guarded by mutex_
};

class WebSocketSession final : public Session {
 public:
  using Session::Session;

  void start(std::shared_ptr<Handle> handle, WebSocketEvents events, const WebSocketLimits& limits,
             std::string head, std::string early);
  void stop() override;
  void abort() override { end(); }
  void flush();

 private:
  enum class Phase { kOpening, kOpen, kClosing, kLingering };
  void expired() override;
  std::shared_ptr<WebSocketSession> self() {
    return std::static_pointer_cast<WebSocketSession>(shared_from_this());
  }
  void read();
  void received(std::string_view bytes);
  WebSocketFrameEvents frame_events();
  void peer_closed(std::uint16_t code);
  void fail(std::uint16_t code, std::string_view reason);
  void tell_closed(std::uint16_t code);
  void linger();
  void end();

  Phase phase_ = Phase::kOpening;
  std::shared_ptr<Handle> handle_;
  WebSocketEvents events_;
  WebSocketLimits limits_;
  std::unique_ptr<WebSocketReader> reader_;
  WebSocketFrameEvents frame_events_;
  std::string early_;
  bool writing_ = false;
  bool close_sent_ = false;
  bool linger_after_write_ = false;
  std::string last_frame_;  // sent next, whatever is queued: the close frame of fail()
  std::size_t lingered_ = 0;
};

void Handle::push(std::string frame, bool last) {
  if (!outbox_->push(std::move(frame), last)) return;
  std::weak_ptr<WebSocketSession> session;
  {
    const std::lock_guard lock(mutex_);
    session = session_;
  }
  mailbox_->post([session] {
    if (const auto s = session.lock()) s->flush();
  });
}

void WebSocketSession::start(std::shared_ptr<Handle> handle, WebSocketEvents events,
                             const WebSocketLimits& limits, std::string head, std::string early) {
  handle_ = std::move(handle);
  events_ = std::move(events);
  limits_ = limits;
  early_ = std::move(early);
  reader_ = std::make_unique<WebSocketReader>(WebSocketRole::kServer, limits_.max_message);
  frame_events_ = frame_events();
  handle_->attach(self());
  writing_ = true;
  arm(limits_.idle);
  write_all(std::move(head), [this](bool sent) {
    writing_ = false;
    if (!sent) {
      end();
      return;
    }
    if (phase_ == Phase::kOpening) phase_ = Phase::kOpen;
    flush();
    if (!early_.empty()) received(std::exchange(early_, {}));
    read();
  });
}

// The reader lives in the session, so a plain this is enough.
WebSocketFrameEvents WebSocketSession::frame_events() {
  WebSocketFrameEvents out;
  out.on_text = [this](std::string text) {
    if (phase_ == Phase::kOpen && events_.on_text) events_.on_text(std::move(text));
  };
  out.on_ping = [this](const std::string& payload) { handle_->pong(payload); };
  out.on_pong = [] {};
  out.on_close = [this](std::uint16_t code, const std::string&) { peer_closed(code); };
  return out;
}

void WebSocketSession::read() {
  if (is_cut()) return;
  stream_->read_some(chunk_.data(), chunk_.size(), [s = self()](net::ErrorCode error, std::size_t n) {
    if (s->is_cut()) return;
    if (error) {
      s->end();
      return;
    }
    s->received(std::string_view(s->chunk_.data(), n));
    s->read();
  });
}

void WebSocketSession::received(std::string_view bytes) {
  if (phase_ == Phase::kLingering) {
    lingered_ += bytes.size();
    if (lingered_ > kLingerBytes) end();
    return;
  }
  if (phase_ == Phase::kOpen) arm(limits_.idle);
  if (const auto code = reader_->feed(bytes, frame_events_)) fail(*code, {});
}

void WebSocketSession::peer_closed(std::uint16_t code) {
  if (close_sent_ || handle_->outbox()->closed()) {
    // Our close is out or on its way and this is its answer.
    tell_closed(handle_->close_code() == kAbnormal ? code : handle_->close_code());
  } else {
    handle_->close(code, {});
    tell_closed(code);
  }
  linger_after_write_ = true;
  flush();
}

// The stream of frames is broken, or the peer too slow: our close frame goes next and nothing after it.
void WebSocketSession::fail(std::uint16_t code, std::string_view reason) {
  if (phase_ == Phase::kLingering) return;
  handle_->outbox()->shut();
  if (!close_sent_) last_frame_ = encode_close(code, reason);
  linger_after_write_ = true;
  phase_ = Phase::kClosing;
  arm(server_->limits.websocket_close);
  flush();
  tell_closed(code);
}

void WebSocketSession::flush() {
  if (phase_ == Phase::kOpen && !linger_after_write_ && handle_->outbox()->overflowed()) {
    fail(kTryAgainLater, "too slow");
    return;
  }
  if (writing_ || is_cut() || phase_ == Phase::kLingering || phase_ == Phase::kOpening) return;
  Outbox::Batch batch;
  if (!last_frame_.empty()) {
    batch.bytes = std::exchange(last_frame_, {});
    batch.last = true;
  } else if (!close_sent_) {
    batch = handle_->outbox()->take();
  }
  if (batch.bytes.empty()) {
    if (linger_after_write_) linger();
    return;
  }
  const std::size_t size = batch.bytes.size();
  const bool last = batch.last;
  writing_ = true;
  write_all(std::move(batch.bytes), [this, size, last](bool sent) {
    writing_ = false;
    handle_->outbox()->sent(size);
    if (!sent) {
      end();
      return;
    }
    if (last) {
      close_sent_ = true;
      if (phase_ == Phase::kOpen) {
        phase_ = Phase::kClosing;
        arm(server_->limits.websocket_close);
      }
    }
    flush();
  });
}

void WebSocketSession::tell_closed(std::uint16_t code) {
  // Emptied first: the callbacks often hold the handle, and the call may come back here.
  WebSocketEvents events = std::exchange(events_, {});
  if (events.on_close) events.on_close(code);
}

void WebSocketSession::linger() {
  phase_ = Phase::kLingering;
  arm(linger_time());
  stream_->finish_sending([s = self()] {});
}

void WebSocketSession::expired() {
  switch (phase_) {
    case Phase::kOpening:
    case Phase::kLingering:
      end();
      return;
    case Phase::kClosing:
      tell_closed(handle_->close_code());
      end();
      return;
    case Phase::kOpen:
      tell_closed(kAbnormal);
      fail(kGoingAway, "idle");
      return;
  }
}

void WebSocketSession::stop() {
  if (phase_ == Phase::kOpening) {
    end();
    return;
  }
  handle_->close(kServiceRestart, "server restart");
}

void WebSocketSession::end() {
  handle_->outbox()->shut();
  cut();
  tell_closed(close_sent_ ? handle_->close_code() : kAbnormal);
}

}  // namespace

std::optional<Response> start_websocket(std::shared_ptr<ServerState> server,
                                        std::shared_ptr<ListenerState> listener, IoWorker& worker,
                                        std::unique_ptr<net::Stream>& stream, WebSocketStart start) {
  auto handle = std::make_shared<Handle>(worker.thread.mailbox(), start.route->limits.max_queued);
  tl::expected<WebSocketEvents, WebSocketRefusal> accepted =
      tl::unexpected<WebSocketRefusal>(WebSocketRefusal{500, {}});
  try {
    accepted = start.route->acceptor(start.request, handle);
  } catch (const std::exception& e) {
    telemetry::error("a WebSocket acceptor threw", {{"path", start.request.path}, {"what", e.what()}});
  }
  if (!accepted) {
    handle->outbox()->shut();
    Response response;
    response.status = accepted.error().status;
    response.body = accepted.error().body;
    if (response.body.starts_with('{')) response.set("content-type", "application/json");
    return response;
  }
  Response response;
  response.status = 101;
  response.set("upgrade", "websocket")
      .set("connection", "Upgrade")
      .set("sec-websocket-accept", accept_value(start.key));
  HeadOptions options;
  options.request_id = start.request.request_id;
  options.date = worker.http_date_now();
  std::string head = response_head(response, options);
  log_access(*listener, "GET", start.request.path, 101, start.begun, start.request.request_id, head.size());
  const auto session =
      std::make_shared<WebSocketSession>(std::move(server), std::move(listener), worker, std::move(stream));
  session->adopt();
  session->start(std::move(handle), std::move(*accepted), start.route->limits, std::move(head),
                 std::move(start.early));
  return std::nullopt;
}

}  // namespace http
