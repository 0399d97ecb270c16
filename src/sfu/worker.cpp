#include "sfu/worker.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace sfu {
namespace {

constexpr auto kTick = base::Duration::millis(10);
constexpr int kTickMs = 10;
constexpr int kMaxBatchesPerTurn = 8;

// Host candidates (RFC 8839 §5.1). Priority: type preference 126, earlier addresses first (RFC 8445
// §5.1.2.1).
std::vector<std::string> host_candidates(const Config& config, const base::SocketAddress& bound) {
  auto addresses = config.announced;
  if (addresses.empty()) {
    const bool any = std::all_of(bound.ip.begin(), bound.ip.end(), [](auto b) { return b == 0; }) ||
                     (bound.is_v4() && bound.v4_host_order() == 0);
    addresses = any ? interface_addresses(!bound.is_v4()) : std::vector{bound};
  }
  std::vector<std::string> out;
  std::uint32_t preference = 65535;
  for (const auto& a : addresses) {
    const auto port = a.port != 0 ? a.port : bound.port;
    const auto priority = (std::uint32_t{126} << 24) + (preference-- << 8) + 255;
    out.push_back("candidate:" + std::to_string(out.size() + 1) + " 1 udp " + std::to_string(priority) + " " +
                  a.ip_text() + " " + std::to_string(port) + " typ host");
  }
  return out;
}

}  // namespace

base::Result<std::unique_ptr<Worker>> Worker::create(const Config& config, Events& events,
                                                     const base::Clock& clock, base::Random& random,
                                                     std::shared_ptr<const rtc::Certificate> certificate) {
  std::unique_ptr<Worker> worker(new Worker(config, events, clock, random, std::move(certificate)));
  auto socket = DatagramSocket::open(config.listen, worker->counters_);
  if (!socket) return base::fail(socket.error());
  worker->socket_ = std::move(*socket);
  worker->epoll_ = ::epoll_create1(EPOLL_CLOEXEC);
  worker->wakeup_ = ::eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  if (worker->epoll_ < 0 || worker->wakeup_ < 0)
    return base::fail("media_port_unavailable", "cannot create the media worker's event queue");
  for (const int fd : {worker->socket_->fd(), worker->wakeup_}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = fd;
    ::epoll_ctl(worker->epoll_, EPOLL_CTL_ADD, fd, &event);
  }
  return worker;
}

Worker::Worker(const Config& config, Events& events, const base::Clock& clock, base::Random& random,
               std::shared_ptr<const rtc::Certificate> certificate)
    : config_(config),
      events_(events),
      clock_(clock),
      random_(random),
      certificate_(std::move(certificate)),
      scratch_(std::make_unique<MediaPacket>()) {}

Worker::~Worker() {
  detach();
  if (epoll_ >= 0) ::close(epoll_);
  if (wakeup_ >= 0) ::close(wakeup_);
}

void Worker::attach(rtc::SctpStack& sctp) {
  sctp_ = &sctp;
  context_.reset(new WorkerContext{*socket_, demultiplexer_, counters_, events_, clock_, random_, sctp,
                                   certificate_, host_candidates(config_, socket_->local_address()),
                                   *scratch_, connections_});
  last_sctp_ = clock_.steady();
}

void Worker::detach() {
  rooms_.clear();
  counters_.rooms.subtract(counters_.rooms.get());
  if (socket_) socket_->flush();
  context_.reset();
  sctp_ = nullptr;
}

void Worker::post(std::function<void(Worker&)> command) {
  bool first = false;
  {
    const std::lock_guard lock(mutex_);
    first = commands_.empty();
    commands_.push_back(std::move(command));
  }
  const std::uint64_t one = 1;
  if (first) [[maybe_unused]]
    const auto n = ::write(wakeup_, &one, sizeof one);
}

void Worker::stop() {
  stopping_ = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = ::write(wakeup_, &one, sizeof one);
}

void Worker::run() {
  rtc::SctpStack sctp;
  attach(sctp);
  while (!stopping_) run_once(kTickMs);
  detach();
}

void Worker::run_once(int max_wait_ms) {
  std::array<epoll_event, 2> events;
  // Without rooms there are no timers.
  const int wait = rooms_.empty() && max_wait_ms > 0 ? 1000 : max_wait_ms;
  const int n = ::epoll_wait(epoll_, events.data(), static_cast<int>(events.size()), wait);
  const auto now = clock_.steady();
  for (int i = 0; i < n; ++i) {
    if (events[static_cast<std::size_t>(i)].data.fd == wakeup_) {
      std::uint64_t count = 0;
      [[maybe_unused]] const auto size = ::read(wakeup_, &count, sizeof count);
      run_commands();
    } else {
      read_socket(now);
    }
  }
  if (now >= next_tick_) tick(now);
  socket_->flush();
}

void Worker::read_socket(base::SteadyTime now) {
  for (int batch = 0; batch < kMaxBatchesPerTurn; ++batch) {
    const auto n = socket_->receive();
    const auto read_at = clock_.steady();
    for (std::size_t i = 0; i < n; ++i) {
      const auto datagram = socket_->datagram(i);
      const auto from = socket_->source(i);
      counters_.packets_in.add();
      counters_.bytes_in.add(datagram.size());
      if (auto* connection = demultiplexer_.find(datagram, from)) {
        context_->arrival = config_.kernel_arrival_times ? read_at - socket_->age(i) : now;
        connection->handle(datagram, from, now);
      } else {
        counters_.dropped_unauthenticated.add();
      }
    }
    if (n < DatagramSocket::kReceiveBatch) return;
  }
}

void Worker::run_commands() {
  {
    const std::lock_guard lock(mutex_);
    running_.swap(commands_);
  }
  for (auto& command : running_) command(*this);
  running_.clear();
}

void Worker::tick(base::SteadyTime now) {
  next_tick_ = now + kTick;
  sctp_->handle_timers(now - last_sctp_);
  last_sctp_ = now;
  for (auto* c : connections_) c->handle_timeout(now);
  for (auto& [id, room] : rooms_) room->tick(now);
}

Room* Worker::find_room(const RoomId& id) {
  const auto at = rooms_.find(id);
  return at == rooms_.end() ? nullptr : at->second.get();
}

Room& Worker::room(const RoomId& id) {
  auto& slot = rooms_[id];
  if (!slot) {
    slot = std::make_unique<Room>(*context_, id);
    counters_.rooms.add();
  }
  return *slot;
}

void Worker::drop_if_empty(const RoomId& id) {
  const auto at = rooms_.find(id);
  if (at == rooms_.end() || !at->second->empty()) return;
  rooms_.erase(at);
  counters_.rooms.subtract();
}

}  // namespace sfu
