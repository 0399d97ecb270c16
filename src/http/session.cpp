#include "http/session.h"

#include "http/response_head.h"
#include "telemetry/log.h"

namespace http {
namespace {

constexpr std::size_t kWriteSlice = 256 * 1024;

}  // namespace

std::string_view IoWorker::http_date_now() {
  const base::WallTime wall = base::SystemClock{}.wall();
  if (wall.to_seconds() != date_second || date.empty()) {
    date_second = wall.to_seconds();
    date = http_date(wall);
  }
  return date;
}

Session::Session(std::shared_ptr<ServerState> server, std::shared_ptr<ListenerState> listener,
                 IoWorker& worker, std::unique_ptr<net::Stream> stream)
    : server_(std::move(server)),
      listener_(std::move(listener)),
      worker_(worker),
      stream_(std::move(stream)),
      timer_(worker.thread.context()) {
  ++listener_->open;
  const std::lock_guard lock(server_->mutex);
  ++server_->sessions;
}

Session::~Session() {
  --listener_->open;
  const std::lock_guard lock(server_->mutex);
  --server_->sessions;
  server_->changed.notify_all();
}

void Session::arm_at(SteadyPoint at) {
  deadline_ = at;
  // A later deadline is noticed when the earlier timer fires: most deadlines move and never pass.
  if (timer_at_ <= at) return;
  wait_for_deadline();
}

void Session::wait_for_deadline() {
  timer_at_ = deadline_;
  timer_.expires_at(deadline_);
  const std::uint64_t generation = ++timer_generation_;
  timer_.async_wait([self = shared_from_this(), generation](net::ErrorCode) {
    if (self->is_cut() || generation != self->timer_generation_) return;
    self->timer_at_ = SteadyPoint::max();
    if (self->deadline_ == SteadyPoint::max()) return;
    if (now() < self->deadline_) {
      self->wait_for_deadline();
      return;
    }
    self->deadline_ = SteadyPoint::max();
    self->expired();
  });
}

void Session::cut() {
  if (cut_) return;
  cut_ = true;
  deadline_ = SteadyPoint::max();
  timer_.cancel();
  if (stream_) stream_->close();
  worker_.sessions.erase(shared_from_this());
}

void Session::write_all(std::string bytes, std::function<void(bool)> done) {
  out_ = std::move(bytes);
  out_at_ = 0;
  out_done_ = std::move(done);
  write_more();
}

void Session::write_more() {
  const std::size_t n = std::min(kWriteSlice, out_.size() - out_at_);
  stream_->write_some(out_.data() + out_at_, n,
                      [self = shared_from_this()](net::ErrorCode error, std::size_t wrote) {
                        self->out_at_ += wrote;
                        self->written_ += wrote;
                        if (!error && !self->is_cut() && self->out_at_ < self->out_.size()) {
                          self->write_more();
                          return;
                        }
                        self->out_.clear();
                        const auto done = std::exchange(self->out_done_, nullptr);
                        if (done) done(!error && !self->is_cut());
                      });
}

void Session::watch_writing() {
  acknowledged_ = written_;
  arm(server_->limits.slow_window);
}

bool Session::write_moves() {
  const std::size_t pending = stream_->unacknowledged();
  const std::uint64_t acknowledged = written_ > pending ? written_ - pending : 0;
  const bool moves = acknowledged >= acknowledged_ + server_->limits.slow_bytes;
  acknowledged_ = std::max(acknowledged_, acknowledged);
  return moves;
}

void log_access(const ListenerState& listener, std::string_view method, std::string_view path, int status,
                SteadyPoint begun, std::string_view request_id, std::uint64_t bytes) {
  const auto ms =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - begun).count();
  telemetry::info("http", {{"listener", listener.name},
                           {"method", method},
                           {"path", path},
                           {"status", status},
                           {"ms", ms},
                           {"bytes", bytes},
                           {"request_id", request_id}});
}

}  // namespace http
