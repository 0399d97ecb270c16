// One HTTP/1.x connection: requests in order, one at a time; handlers on their pool; then perhaps an event
// stream or a WebSocket.
#include <optional>

#include "base/text.h"
#include "http/event_stream.h"
#include "http/request_parser.h"
#include "http/response_head.h"
#include "http/session.h"
#include "http/uri.h"
#include "telemetry/log.h"

namespace http {
namespace {

constexpr std::size_t kFileSlice = 256 * 1024;
constexpr std::size_t kLingerBytes = 1024 * 1024;

enum class Phase { kHandshake, kHead, kBody, kHandling, kWriting, kStreaming, kLingering };

// What a handler works on; shared with the pool's task.
struct Exchange {
  Request request;
  const RouteGroup* group = nullptr;
  const Handler* handler = nullptr;
};

bool is_request_id(std::string_view text) {
  return text.size() >= 8 && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
                  c == '_' || c == '-';
         });
}

std::string hex_chunk_size(std::size_t n) {
  std::array<char, 24> out{};
  std::snprintf(out.data(), out.size(), "%zx\r\n", n);
  return out.data();
}

class Connection final : public Session {
 public:
  using Session::Session;
  ~Connection() override { end_exchange(); }

  void start();
  void stop() override;

 private:
  void expired() override;
  std::shared_ptr<Connection> self() { return std::static_pointer_cast<Connection>(shared_from_this()); }

  // Reading a request.
  void read();
  void on_read(net::ErrorCode error, std::size_t n);
  void advance();
  void await_request();
  void head_complete(std::size_t head_size);
  bool fill_request(const Target& target);
  void route(const Target& target, bool well_formed);
  void after_head();
  void read_body();
  void arm_reading();

  // Answering it.
  void begin_exchange();
  void end_exchange();
  void dispatch();
  void answer_error(int status);
  void refuse(const ParseError& error);
  void upgrade();
  void respond(Response response);
  void send_head(Response& response, BodyFraming framing, std::uint64_t length, std::string body);
  void send_file();
  void finished(bool sent);
  void linger();

  // Event streams.
  void open_stream(Response& response);
  void drain_stream();
  void close_stream(bool cleanly);

  Phase phase_ = Phase::kHandshake;
  std::string in_;  // received, not consumed
  HeadScanner scanner_{HeadLimits{}};
  RequestHead head_;
  BodyReader body_;
  RouteMatch match_;
  int early_status_ = 0;  // an error found at the head, answered after the body
  std::shared_ptr<Exchange> exchange_;
  bool reading_ = false;  // a read is under way
  bool serving_ = false;  // counted in ListenerState::serving
  bool close_after_ = false;
  bool stopping_ = false;
  int status_ = 0;
  SteadyPoint begun_{};  // first byte of the request
  SteadyPoint window_{};
  std::size_t window_bytes_ = 0;
  std::uint64_t written_before_ = 0;
  std::size_t lingered_ = 0;
  FileBody file_;
  std::shared_ptr<EventStreamState> events_;
  bool draining_ = false;
};

void Connection::start() {
  arm(server_->limits.request);
  stream_->handshake([self = self()](net::ErrorCode error) {
    if (error || self->is_cut()) {
      self->cut();
      return;
    }
    self->await_request();
  });
}

void Connection::stop() {
  stopping_ = true;
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kHead:
    case Phase::kLingering:
      cut();
      break;
    case Phase::kStreaming:
      close_stream(true);
      break;
    case Phase::kBody:
    case Phase::kHandling:
    case Phase::kWriting:
      close_after_ = true;
      break;
  }
}

void Connection::expired() {
  switch (phase_) {
    case Phase::kHandshake:
    case Phase::kLingering:
      cut();
      return;
    case Phase::kHead:
      if (in_.empty()) {
        cut();
        return;
      }
      break;
    case Phase::kBody:
      break;
    case Phase::kWriting:
      if (!write_moves()) {
        cut();
      } else {
        arm(server_->limits.slow_window);
      }
      return;
    case Phase::kHandling:
    case Phase::kStreaming:
      return;
  }
  const bool trickles = window_bytes_ > 0 && window_bytes_ < server_->limits.slow_bytes;
  if (now() >= begun_ + span(server_->limits.request) || trickles) {
    refuse({408, "the request did not arrive in time"});
    return;
  }
  window_ = now();
  window_bytes_ = 0;
  arm_reading();
}

void Connection::arm_reading() {
  arm_at(std::min(begun_ + span(server_->limits.request), window_ + span(server_->limits.slow_window)));
}

void Connection::read() {
  if (reading_ || is_cut()) return;
  reading_ = true;
  stream_->read_some(chunk_.data(), chunk_.size(), [self = self()](net::ErrorCode error, std::size_t n) {
    self->reading_ = false;
    self->on_read(error, n);
  });
}

void Connection::on_read(net::ErrorCode error, std::size_t n) {
  if (is_cut()) return;
  if (error) {
    if (phase_ == Phase::kStreaming) {
      close_stream(false);
    } else if (phase_ == Phase::kHandling || phase_ == Phase::kWriting) {
      close_after_ = true;
    } else {
      cut();
    }
    return;
  }
  switch (phase_) {
    case Phase::kHead:
    case Phase::kBody:
      if (in_.empty() && phase_ == Phase::kHead) {
        begun_ = window_ = now();
        window_bytes_ = 0;
      } else {
        window_bytes_ += n;
      }
      in_.append(chunk_.data(), n);
      advance();
      break;
    case Phase::kStreaming:
      read();
      break;  // nothing is expected; reading notices the end
    case Phase::kLingering:
      lingered_ += n;
      if (lingered_ > kLingerBytes) {
        cut();
      } else {
        read();
      }
      break;
    default:
      in_.append(chunk_.data(), n);
      break;
  }
}

void Connection::await_request() {
  phase_ = Phase::kHead;
  scanner_.reset();
  if (stopping_) {
    cut();
    return;
  }
  if (in_.empty()) {
    arm(server_->limits.keep_alive);
    read();
    return;
  }
  begun_ = window_ = now();
  window_bytes_ = 0;
  advance();
}

void Connection::advance() {
  if (phase_ == Phase::kBody) {
    read_body();
    return;
  }
  const auto found = scanner_.scan(in_);
  if (!found) {
    refuse(found.error());
    return;
  }
  if (*found == 0) {
    arm_reading();
    read();
    return;
  }
  head_complete(*found);
}

void Connection::begin_exchange() {
  exchange_ = std::make_shared<Exchange>();
  early_status_ = 0;
  match_ = {};
  close_after_ = stopping_;
  written_before_ = written_;
  if (!serving_) {
    serving_ = true;
    ++listener_->serving;
  }
}

void Connection::end_exchange() {
  if (serving_) {
    serving_ = false;
    --listener_->serving;
  }
  file_ = FileBody();
  exchange_.reset();
  match_ = {};
}

void Connection::head_complete(std::size_t head_size) {
  auto head = parse_head(std::string_view(in_).substr(0, head_size), HeadLimits{});
  in_.erase(0, head_size);
  if (!head) {
    refuse(head.error());
    return;
  }
  const auto target = parse_target(head->target);
  if (!target || (target->path == "*" && head->method != Method::kOptions)) {
    refuse({400, "malformed request target"});
    return;
  }
  head_ = std::move(*head);
  begin_exchange();
  const bool well_formed = fill_request(*target);
  route(*target, well_formed);
  after_head();
}

bool Connection::fill_request(const Target& target) {
  Request& r = exchange_->request;
  r.method = head_.method;
  r.path = target.path;
  r.headers = std::move(head_.headers);
  if (target.authority) {
    for (auto& [name, value] : r.headers)
      if (name == "host") value = *target.authority;
  }
  r.remote = stream_->remote();
  r.client_ip = server_->proxies.client_ip(r.remote, r.headers);
  r.listener = listener_->name;
  if (const auto id = r.header("x-request-id"); is_request_id(id)) r.request_id = std::string(id);
  if (r.request_id.empty()) {
    std::array<std::uint8_t, 8> bytes{};
    server_->random.fill(bytes);
    r.request_id = "r-" + base::to_hex(bytes);
  }
  auto query = parse_query(target.query);
  if (query) r.query = std::move(*query);
  return query.has_value();
}

void Connection::route(const Target& target, bool well_formed) {
  const Router::Impl& router = listener_->router->impl();
  exchange_->group = &router.groups[router.group_of(target.path)].rules;
  const auto segments = split_path(target.path);
  if (!segments || !well_formed) {
    early_status_ = target.path == "*" ? 404 : 400;
    return;
  }
  match_ = router.find(head_.method, target.path, *segments, head_.upgrade_websocket);
  if (match_.route == nullptr) {
    early_status_ = match_.status;
    return;
  }
  exchange_->request.params = std::move(match_.params);
  exchange_->handler = &match_.route->handler;
}

void Connection::after_head() {
  const bool websocket = match_.route != nullptr && match_.route->websocket != nullptr;
  if (head_.content_length > exchange_->group->body_limit ||
      (websocket && (head_.chunked || head_.content_length > 0))) {
    close_after_ = true;  // the body is not read, so what follows it cannot be found
    answer_error(websocket ? 400 : 413);
    return;
  }
  if (listener_->serving > server_->limits.max_serving) {
    close_after_ = true;
    answer_error(503);
    return;
  }
  if (websocket) {
    upgrade();
    return;
  }
  body_ = BodyReader(head_, exchange_->group->body_limit);
  phase_ = Phase::kBody;
  if (body_.done() || !head_.expect_continue || !in_.empty()) {
    read_body();
    return;
  }
  if (early_status_ != 0) {
    close_after_ = true;  // the client may or may not send the body now
    answer_error(early_status_);
    return;
  }
  phase_ = Phase::kWriting;
  watch_writing();
  write_all("HTTP/1.1 100 Continue\r\n\r\n", [this](bool sent) {
    if (!sent) {
      cut();
      return;
    }
    phase_ = Phase::kBody;
    read_body();
  });
}

void Connection::read_body() {
  if (!body_.done()) {
    const auto used = body_.feed(in_, exchange_->request.body);
    if (!used) {
      if (used.error().status == 413) {
        close_after_ = true;
        answer_error(413);
      } else {
        refuse(used.error());
      }
      return;
    }
    in_.erase(0, *used);
  }
  if (!body_.done()) {
    arm_reading();
    read();
    return;
  }
  if (early_status_ != 0) {
    answer_error(early_status_);
    return;
  }
  dispatch();
}

void Connection::dispatch() {
  phase_ = Phase::kHandling;
  disarm();
  if (exchange_->group->pool == nullptr) {
    respond(run_handler(*exchange_->group, *exchange_->handler, exchange_->request));
    return;
  }
  const bool queued = exchange_->group->pool->post(
      [exchange = exchange_, weak = std::weak_ptr<Connection>(self()), mailbox = worker_.thread.mailbox()] {
        auto response =
            std::make_shared<Response>(run_handler(*exchange->group, *exchange->handler, exchange->request));
        mailbox->post([weak, response] {
          if (const auto connection = weak.lock()) connection->respond(std::move(*response));
        });
      });
  if (!queued) answer_error(503);
}

void Connection::answer_error(int status) {
  phase_ = Phase::kHandling;
  disarm();
  Response response = run_error(*exchange_->group, exchange_->request, status, match_.allow);
  if (status == 503) response.set("retry-after", "1");
  if (status == 426) response.set("upgrade", "websocket").set("sec-websocket-version", "13");
  respond(std::move(response));
}

// The request cannot be trusted any more: a plain answer, and nothing else is read as a request.
void Connection::refuse(const ParseError& error) {
  if (!exchange_) {
    head_ = {};
    begin_exchange();
    std::array<std::uint8_t, 8> bytes{};
    server_->random.fill(bytes);
    exchange_->request.request_id = "r-" + base::to_hex(bytes);
    exchange_->request.path = "-";
  }
  close_after_ = true;
  phase_ = Phase::kHandling;
  disarm();
  Response response = plain_error(error.status, error.detail, exchange_->request.request_id);
  if (error.status == 405) response.set("allow", "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS");
  respond(std::move(response));
}

void Connection::upgrade() {
  const Request& r = exchange_->request;
  const auto key = base::from_base64(r.header("sec-websocket-key"));
  if (r.header("sec-websocket-version") != "13") {
    answer_error(426);
    return;
  }
  if (head_.method != Method::kGet || !key || key->size() != 16) {
    answer_error(400);
    return;
  }
  disarm();
  WebSocketStart start;
  start.request = r;
  start.route = match_.route->websocket.get();
  start.key = std::string(r.header("sec-websocket-key"));
  start.early = in_;
  start.begun = begun_;
  if (auto refusal = start_websocket(server_, listener_, worker_, stream_, std::move(start))) {
    phase_ = Phase::kHandling;
    respond(std::move(*refusal));
    return;
  }
  end_exchange();
  cut();  // the stream is the WebSocket's now
}

void Connection::respond(Response response) {
  if (is_cut() || !exchange_) return;
  phase_ = Phase::kWriting;
  if (response.on_stream) {
    open_stream(response);
    return;
  }
  const bool head_only = exchange_->request.method == Method::kHead;
  if (!response.file_path.empty()) {
    auto file = open_file(exchange_->request, response);
    if (file) {
      const std::uint64_t length = file->left();
      if (!head_only) file_ = std::move(*file);
      send_head(response, BodyFraming::kLength, length, {});
      return;
    }
  }
  if (status_has_no_body(response.status)) response.body.clear();
  const std::uint64_t length = response.body.size();
  send_head(response, BodyFraming::kLength, length, head_only ? std::string() : std::move(response.body));
}

void Connection::send_head(Response& response, BodyFraming framing, std::uint64_t length, std::string body) {
  status_ = response.status;
  HeadOptions options;
  options.minor_version = head_.minor_version;
  options.keep_alive = head_.keep_alive && !close_after_;
  options.framing = framing;
  options.content_length = length;
  options.request_id = exchange_->request.request_id;
  options.date = worker_.http_date_now();
  std::string bytes = response_head(response, options);
  if (!body.empty()) bytes += body;
  if (framing == BodyFraming::kLength) {
    watch_writing();
    write_all(std::move(bytes), [this](bool sent) {
      if (sent && file_.left() > 0) {
        send_file();
      } else {
        finished(sent);
      }
    });
    return;
  }
  write_all(std::move(bytes), [this, open = std::move(response.on_stream)](bool sent) {
    if (!sent) {
      close_stream(false);
      return;
    }
    phase_ = Phase::kStreaming;
    draining_ = false;
    disarm();
    read();
    auto handle = make_event_stream(events_);
    open(std::move(handle));
    if (stopping_) {
      close_stream(true);
    } else {
      drain_stream();
    }
  });
}

void Connection::send_file() {
  auto slice = file_.read(kFileSlice);
  if (!slice) {
    telemetry::error("a file became shorter while it was sent",
                     {{"path", exchange_->request.path}, {"request_id", exchange_->request.request_id}});
    finished(false);
    return;
  }
  write_all(std::move(*slice), [this](bool sent) {
    if (sent && file_.left() > 0) {
      send_file();
    } else {
      finished(sent);
    }
  });
}

void Connection::finished(bool sent) {
  if (exchange_) {
    const Request& r = exchange_->request;
    log_access(*listener_, r.path == "-" ? "-" : to_string(r.method), r.path, status_, begun_, r.request_id,
               written_ - written_before_);
  }
  const bool keep = sent && head_.keep_alive && !close_after_;
  end_exchange();
  if (!sent) {
    cut();
    return;
  }
  if (keep) {
    await_request();
    return;
  }
  linger();
}

// Closing with bytes unread would make the kernel reset the connection and the peer lose the answer (RFC 9112
// §9.6).
void Connection::linger() {
  phase_ = Phase::kLingering;
  in_.clear();
  lingered_ = 0;
  arm(linger_time());
  stream_->finish_sending([self = self()] {});
  read();
}

void Connection::open_stream(Response& response) {
  if (exchange_->request.method == Method::kHead) {
    response.on_stream = nullptr;
    respond(std::move(response));
    return;
  }
  const bool typed = std::any_of(response.headers.begin(), response.headers.end(), [](const Header& h) {
    return base::equals_ignore_case(h.first, "content-type");
  });
  if (!typed) response.set("content-type", "text/event-stream");
  const bool cached = std::any_of(response.headers.begin(), response.headers.end(), [](const Header& h) {
    return base::equals_ignore_case(h.first, "cache-control");
  });
  if (!cached) response.set("cache-control", "no-store");
  response.set("x-accel-buffering", "no");
  events_ = std::make_shared<EventStreamState>(
      [weak = std::weak_ptr<Connection>(self()), mailbox = worker_.thread.mailbox()] {
        mailbox->post([weak] {
          if (const auto connection = weak.lock()) connection->drain_stream();
        });
      });
  close_after_ = true;
  draining_ = true;  // nothing is drained before the head is out
  send_head(response, head_.minor_version == 1 ? BodyFraming::kChunked : BodyFraming::kUntilClose, 0, {});
}

void Connection::drain_stream() {
  if (phase_ != Phase::kStreaming || is_cut()) return;
  if (events_->too_slow()) {
    close_stream(false);
    return;
  }
  if (draining_) return;
  auto drained = events_->drain();
  if (drained.bytes.empty()) {
    if (drained.ended) close_stream(true);
    return;
  }
  const std::size_t size = drained.bytes.size();
  std::string bytes =
      head_.minor_version == 1 ? hex_chunk_size(size) + drained.bytes + "\r\n" : std::move(drained.bytes);
  draining_ = true;
  write_all(std::move(bytes), [this, size](bool sent) {
    draining_ = false;
    events_->sent(size);
    if (!sent) {
      close_stream(false);
      return;
    }
    if (stopping_) {
      close_stream(true);
    } else {
      drain_stream();
    }
  });
}

void Connection::close_stream(bool cleanly) {
  if (!exchange_ || is_cut()) return;
  if (cleanly && draining_) return;  // the write under way comes back here
  events_->gone();
  if (!cleanly) {
    finished(false);
    return;
  }
  phase_ = Phase::kWriting;
  watch_writing();
  if (head_.minor_version == 0) {
    finished(true);
    return;
  }
  write_all("0\r\n\r\n", [this](bool sent) { finished(sent); });
}

}  // namespace

void start_connection(std::shared_ptr<ServerState> server, std::shared_ptr<ListenerState> listener,
                      IoWorker& worker, std::unique_ptr<net::Stream> stream) {
  const auto connection =
      std::make_shared<Connection>(std::move(server), std::move(listener), worker, std::move(stream));
  connection->adopt();
  connection->start();
}

}  // namespace http
