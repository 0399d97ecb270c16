#include "http/server.h"

#include <netinet/tcp.h>
#include <sys/socket.h>

#include <boost/asio/post.hpp>
#include <future>

#include "http/session.h"
#include "telemetry/log.h"

namespace http {
namespace {

using boost::asio::ip::tcp;

constexpr auto kAcceptPause = std::chrono::milliseconds(20);
constexpr int kBacklog = 1024;
constexpr int kUserTimeoutMs = 30'000;

// Accepts on the first io thread and hands sockets round. Lives as long as the server; touched on that thread
// once started.
class Acceptor {
 public:
  Acceptor(std::shared_ptr<ServerState> server, std::shared_ptr<ListenerState> listener,
           std::vector<std::unique_ptr<IoWorker>>& workers)
      : server_(std::move(server)),
        listener_(std::move(listener)),
        workers_(workers),
        acceptor_(workers.front()->thread.context()),
        pause_(workers.front()->thread.context()) {}

  base::Result<void> open(const base::SocketAddress& address) {
    const tcp::endpoint endpoint = net::to_endpoint(address);
    net::ErrorCode error;
    acceptor_.open(endpoint.protocol(), error);
    if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_.bind(endpoint, error);
    if (!error) acceptor_.listen(kBacklog, error);
    if (!error) address_ = net::to_address(acceptor_.local_endpoint(error));
    if (error)
      return base::fail(error == boost::asio::error::address_in_use ? "address_in_use" : "listen_failed",
                        "cannot listen on " + address.text() + ": " + error.message());
    return {};
  }

  void accept() {
    if (server_->stopping) return;
    if (listener_->open >= server_->limits.max_connections) {
      wait();
      return;
    }
    IoWorker& worker = *workers_[next_++ % workers_.size()];
    acceptor_.async_accept(
        worker.thread.context(), [this, &worker](net::ErrorCode error, tcp::socket socket) {
          if (server_->stopping || error == boost::asio::error::operation_aborted) return;
          if (error) {
            // Out of descriptors, most likely: trying again at once would only burn the processor.
            telemetry::warn("accept failed", {{"listener", listener_->name}, {"error", error.message()}});
            wait();
            return;
          }
          hand_over(worker, std::move(socket));
          accept();
        });
  }

  void close() {
    net::ErrorCode ignored;
    acceptor_.close(ignored);
    pause_.cancel();
  }

  const base::SocketAddress& address() const { return address_; }
  const ListenerState& listener() const { return *listener_; }

 private:
  void wait() {
    pause_.expires_after(kAcceptPause);
    pause_.async_wait([this](net::ErrorCode error) {
      if (!error) accept();
    });
  }

  void hand_over(IoWorker& worker, tcp::socket socket) {
    net::ErrorCode ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    socket.set_option(boost::asio::socket_base::keep_alive(true), ignored);
    // A peer that vanished without a word is noticed while we have something to send.
    setsockopt(socket.native_handle(), IPPROTO_TCP, TCP_USER_TIMEOUT, &kUserTimeoutMs, sizeof kUserTimeoutMs);
    auto shared = std::make_shared<tcp::socket>(std::move(socket));
    boost::asio::post(worker.thread.context(), [server = server_, listener = listener_, &worker, shared] {
      if (server->stopping) return;
      auto stream = listener->tls ? listener->tls->make_stream(std::move(*shared))
                                  : net::make_tcp_stream(std::move(*shared));
      start_connection(server, listener, worker, std::move(stream));
    });
  }

  const std::shared_ptr<ServerState> server_;
  const std::shared_ptr<ListenerState> listener_;
  std::vector<std::unique_ptr<IoWorker>>& workers_;
  tcp::acceptor acceptor_;
  boost::asio::steady_timer pause_;
  base::SocketAddress address_;
  std::size_t next_ = 0;
};

class RealServer final : public Server {
 public:
  RealServer(const ServerConfig& config, TrustedProxies proxies, base::Random& random)
      : state_(std::make_shared<ServerState>(config.limits, std::move(proxies), random)) {
    for (int i = 0; i < std::max(1, config.io_threads); ++i)
      workers_.push_back(std::make_unique<IoWorker>("http-" + std::to_string(i)));
  }

  ~RealServer() override {
    state_->stopping = true;
    // Acceptors first and on their own thread, so that nothing new comes while the sessions are told.
    on_thread(*workers_.front(), [this] {
      for (auto& a : acceptors_) a->close();
    });
    for (auto& worker : workers_) on_thread(*worker, [w = worker.get()] { for_all(*w, &Session::stop); });
    {
      std::unique_lock lock(state_->mutex);
      state_->changed.wait_for(lock, std::chrono::microseconds(state_->limits.stop.us),
                               [&] { return state_->sessions == 0; });
    }
    for (auto& worker : workers_) on_thread(*worker, [w = worker.get()] { for_all(*w, &Session::abort); });
    for (auto& worker : workers_) worker->thread.stop();
    for (auto& worker : workers_) worker->sessions.clear();  // sockets go before their io_context
    acceptors_.clear();
  }

  base::Result<void> listen(const ListenerConfig& config) {
    auto listener = std::make_shared<ListenerState>();
    listener->name = config.name;
    listener->router = config.router;
    if (!config.tls_certificate_file.empty()) {
      auto tls = net::TlsFiles::open(config.tls_certificate_file, config.tls_key_file);
      if (!tls) return base::fail(tls.error());
      listener->tls = std::move(*tls);
    }
    acceptors_.push_back(std::make_unique<Acceptor>(state_, std::move(listener), workers_));
    return acceptors_.back()->open(config.address);
  }

  void begin() {
    for (auto& acceptor : acceptors_)
      workers_.front()->thread.mailbox()->post([a = acceptor.get()] { a->accept(); });
  }

  base::SocketAddress address(std::string_view name) const override {
    for (const auto& a : acceptors_)
      if (a->listener().name == name) return a->address();
    return {};
  }

 private:
  // Runs `call` on the io thread and waits for it.
  static void on_thread(IoWorker& worker, const std::function<void()>& call) {
    std::promise<void> done;
    worker.thread.mailbox()->post([&] {
      call();
      done.set_value();
    });
    done.get_future().wait();
  }

  static void for_all(IoWorker& worker, void (Session::*call)()) {
    const std::vector<std::shared_ptr<Session>> sessions(worker.sessions.begin(), worker.sessions.end());
    for (const auto& s : sessions) (s.get()->*call)();
  }

  std::shared_ptr<ServerState> state_;
  std::vector<std::unique_ptr<IoWorker>> workers_;
  std::vector<std::unique_ptr<Acceptor>>
      acceptors_;  // after workers_: their sockets belong to the first one's context
};

}  // namespace

base::Result<std::unique_ptr<Server>> Server::start(const ServerConfig& config, base::Random& random) {
  auto proxies = TrustedProxies::parse(config.trusted_proxies);
  if (!proxies) return base::fail(proxies.error());
  auto server = std::make_unique<RealServer>(config, std::move(*proxies), random);
  for (const ListenerConfig& listener : config.listeners)
    if (auto opened = server->listen(listener); !opened) return base::fail(opened.error());
  server->begin();
  return server;
}

}  // namespace http
