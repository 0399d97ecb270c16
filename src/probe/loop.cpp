#include "probe/loop.h"

#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

namespace probe {
namespace {
constexpr auto kSctpInterval = base::Duration::millis(10);
}

base::Result<std::unique_ptr<Loop>> Loop::create(const base::Clock& clock, DataChannels data_channels) {
  const int epoll = ::epoll_create1(EPOLL_CLOEXEC);
  if (epoll < 0) return base::fail("loop_unavailable", std::string("epoll: ") + std::strerror(errno));
  std::unique_ptr<Loop> loop(new Loop(clock, epoll));
  if (data_channels == DataChannels::kYes) loop->sctp_ = std::make_unique<rtc::SctpStack>();
  return loop;
}

Loop::~Loop() {
  ::close(epoll_);
}

void Loop::watch(int fd, Pollable& pollable, bool writable) {
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) == 0) pollables_[fd] = &pollable;
}

void Loop::watch_writable(int fd, Pollable& pollable, bool writable) {
  epoll_event event{};
  event.events = writable ? EPOLLIN | EPOLLOUT : EPOLLIN;
  event.data.fd = fd;
  if (::epoll_ctl(epoll_, EPOLL_CTL_MOD, fd, &event) == 0) pollables_[fd] = &pollable;
}

void Loop::forget(int fd) {
  if (pollables_.erase(fd) > 0) ::epoll_ctl(epoll_, EPOLL_CTL_DEL, fd, nullptr);
}

TaskId Loop::start(base::SteadyTime due, Task task) {
  const auto id = next_id_++;
  tasks_.emplace(id, std::move(task));
  due_.push({due, id});
  return id;
}

void Loop::cancel(TaskId id) {
  tasks_.erase(id);
}

void Loop::run_tasks(base::SteadyTime now) {
  while (!due_.empty() && due_.top().at <= now) {
    const auto due = due_.top();
    due_.pop();
    const auto it = tasks_.find(due.id);
    if (it == tasks_.end()) continue;
    worst_lag_ = std::max(worst_lag_, now - due.at);
    // The task may cancel itself or start others, so it does not run from inside the table.
    auto task = std::move(it->second);
    const auto next = task(now);
    const auto again = tasks_.find(due.id);
    if (again == tasks_.end()) continue;
    again->second = std::move(task);
    due_.push({std::max(next, now + base::Duration::micros(1)), due.id});
  }
  if (!sctp_) return;
  if (!sctp_at_) sctp_at_ = now;
  if (now - *sctp_at_ < kSctpInterval) return;
  sctp_->handle_timers(now - *sctp_at_);
  sctp_at_ = now;
}

void Loop::poll(base::Duration wait) {
  std::array<epoll_event, 256> events;
  const timespec timeout{wait.us / 1'000'000, wait.us % 1'000'000 * 1000};
  const int n = ::epoll_pwait2(epoll_, events.data(), static_cast<int>(events.size()), &timeout, nullptr);
  const auto now = clock_.steady();
  for (int i = 0; i < n; ++i) {
    const auto& e = events[static_cast<std::size_t>(i)];
    const auto it = pollables_.find(e.data.fd);
    if (it == pollables_.end()) continue;
    it->second->on_ready((e.events & (EPOLLIN | EPOLLHUP | EPOLLERR)) != 0, (e.events & EPOLLOUT) != 0, now);
  }
}

void Loop::run_once(base::Duration max_wait) {
  auto now = clock_.steady();
  run_tasks(now);
  auto wait = sctp_ ? std::min(max_wait, kSctpInterval) : max_wait;
  if (!due_.empty()) {
    now = clock_.steady();
    wait = std::clamp(due_.top().at - now, base::Duration::micros(0), wait);
  }
  if (read_interval_.us == 0) return poll(wait);
  wait = std::min(wait, read_interval_);
  const timespec pause{wait.us / 1'000'000, wait.us % 1'000'000 * 1000};
  if (wait.us > 0) ::nanosleep(&pause, nullptr);
  now = clock_.steady();
  if (now - last_read_ < read_interval_) return;
  last_read_ = now;
  poll({});
}

bool Loop::run_until(const std::function<bool()>& done, base::SteadyTime deadline) {
  for (;;) {
    if (done()) return true;
    const auto now = clock_.steady();
    if (now >= deadline) return false;
    run_once(std::min(deadline - now, base::Duration::millis(10)));
  }
}

base::Duration Loop::take_worst_lag() {
  return std::exchange(worst_lag_, base::Duration{});
}

}  // namespace probe
