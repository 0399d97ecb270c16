// What all sessions of a server share, and the base of a session: one socket, one deadline, one io thread.
// Everything here is touched on the session's io thread unless marked otherwise. No worker thread ever owns a
// session: it holds a weak_ptr and posts to the mailbox, so a session always dies before its io thread.
#pragma once

#include <atomic>
#include <boost/asio/steady_timer.hpp>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_set>

#include "base/random.h"
#include "http/forwarded.h"
#include "http/router_impl.h"
#include "http/server.h"
#include "net/io_thread.h"
#include "net/stream.h"

namespace http {

class Session;

// Constant after the start but for the counters.
struct ListenerState {
  std::string name;
  const Router* router = nullptr;
  std::shared_ptr<net::TlsFiles> tls;   // null: plain TCP
  std::atomic<std::size_t> open{0};     // sockets
  std::atomic<std::size_t> serving{0};  // requests in progress
};

struct ServerState {
  ServerState(const ServerLimits& l, TrustedProxies p, base::Random& r)
      : limits(l), proxies(std::move(p)), random(r) {}

  const ServerLimits limits;
  const TrustedProxies proxies;
  base::Random& random;
  std::atomic<bool> stopping{false};
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t sessions = 0;  // guarded by mutex
};

// One io thread with the sessions that live on it.
struct IoWorker {
  explicit IoWorker(const std::string& name) : thread(name) {}

  std::unordered_set<std::shared_ptr<Session>>
      sessions;      // owns them; touched on the io thread, and after it ended
  std::string date;  // of date_second, formatted
  std::int64_t date_second = 0;
  net::IoThread thread;  // last: its pending work refers to the members above

  std::string_view http_date_now();
};

using SteadyPoint = std::chrono::steady_clock::time_point;

class Session : public std::enable_shared_from_this<Session> {
 public:
  Session(std::shared_ptr<ServerState> server, std::shared_ptr<ListenerState> listener, IoWorker& worker,
          std::unique_ptr<net::Stream> stream);
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Makes the io thread own this session until cut(). Called once, right after construction.
  void adopt() { worker_.sessions.insert(shared_from_this()); }
  // The server is going down: end as politely as the state allows.
  virtual void stop() = 0;
  // The time for politeness is over.
  virtual void abort() { cut(); }

 protected:
  virtual void expired() = 0;

  static SteadyPoint now() { return std::chrono::steady_clock::now(); }
  static std::chrono::microseconds span(base::Duration d) { return std::chrono::microseconds(d.us); }
  // expired() is called once when `at` has passed, unless moved or disarmed before.
  void arm_at(SteadyPoint at);
  void arm(base::Duration delay) { arm_at(now() + span(delay)); }
  // How long to stay for a peer that should read a last answer; short when the server is going down.
  base::Duration linger_time() const {
    return server_->stopping ? std::min(server_->limits.linger, base::Duration::millis(100))
                             : server_->limits.linger;
  }
  void disarm() { deadline_ = SteadyPoint::max(); }
  // Cuts the socket and the timer and gives up the io thread's ownership; pending callbacks come back with
  // errors. The caller holds a reference of its own.
  void cut();
  bool is_cut() const { return cut_; }

  // Writes everything, then calls `done(true)`; false when the peer is gone. Watches that the peer keeps
  // reading (slow_window) if asked.
  void write_all(std::string bytes, std::function<void(bool)> done);
  // Called from expired() while a write is under way: false when the peer stalls.
  bool write_moves();
  void watch_writing();

  std::shared_ptr<ServerState> server_;
  std::shared_ptr<ListenerState> listener_;
  IoWorker& worker_;
  std::unique_ptr<net::Stream> stream_;
  std::array<char, 16 * 1024> chunk_;
  std::uint64_t written_ = 0;  // bytes given to the kernel

 private:
  void wait_for_deadline();
  void write_more();

  boost::asio::steady_timer timer_;
  SteadyPoint deadline_ = SteadyPoint::max();
  SteadyPoint timer_at_ = SteadyPoint::max();
  std::uint64_t timer_generation_ = 0;
  bool cut_ = false;
  std::string out_;
  std::size_t out_at_ = 0;
  std::function<void(bool)> out_done_;
  std::uint64_t acknowledged_ = 0;  // as of the last look
};

// One line per answered request. The query never appears: it may hold a token.
void log_access(const ListenerState& listener, std::string_view method, std::string_view path, int status,
                SteadyPoint begun, std::string_view request_id, std::uint64_t bytes);

// Starts serving a fresh socket; called on the worker's io thread.
void start_connection(std::shared_ptr<ServerState> server, std::shared_ptr<ListenerState> listener,
                      IoWorker& worker, std::unique_ptr<net::Stream> stream);

// Takes over a stream after an upgrade was accepted. `early` are bytes that came behind the request. Called
// on the io thread.
struct WebSocketStart {
  Request request;
  const WebSocketRoute* route = nullptr;
  std::string key;  // Sec-WebSocket-Key
  std::string early;
  SteadyPoint begun;
};
// Asks the acceptor. A refusal is returned, and the stream stays with the caller.
std::optional<Response> start_websocket(std::shared_ptr<ServerState> server,
                                        std::shared_ptr<ListenerState> listener, IoWorker& worker,
                                        std::unique_ptr<net::Stream>& stream, WebSocketStart start);

}  // namespace http
