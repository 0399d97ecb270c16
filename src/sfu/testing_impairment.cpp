#include "sfu/testing_impairment.h"

#include <algorithm>

namespace sfu::testing {

// Gilbert's model: in the bad state everything is lost.
bool ImpairedLink::lost() {
  const auto& i = impairment;
  if (i.loss <= 0) return in_burst_ = false;
  const double leave = 1 / std::max(1.0, i.mean_burst);
  const double enter = i.loss * leave / (1 - i.loss);
  in_burst_ = in_burst_ ? chance() >= leave : chance() < enter;
  return in_burst_;
}

void ImpairedLink::push(base::Bytes datagram, base::SteadyTime now) {
  if (lost()) {
    ++dropped;
    return;
  }
  auto start = now;
  if (impairment.rate_kbps > 0) {
    const auto bits = static_cast<std::int64_t>(datagram.size() + 28) * 8;
    free_at_ = std::max(free_at_, now);
    if (free_at_ - now > impairment.queue) {
      ++dropped;
      return;
    }
    free_at_ = free_at_ + base::Duration::micros(bits * 1000 / impairment.rate_kbps);
    start = free_at_;
  }
  ++passed;
  const int copies = impairment.duplicates > 0 && chance() < impairment.duplicates ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    auto due = start + impairment.delay;
    if (impairment.jitter.us > 0) {
      due = due + base::Duration::micros(random_.below(static_cast<std::uint32_t>(impairment.jitter.us)));
    }
    if (!impairment.reorder) due = last_due_ = std::max(due, last_due_);
    deliver_at(datagram, due);
  }
}

void ImpairedLink::deliver_at(base::Bytes datagram, base::SteadyTime due) {
  waiting_.emplace(std::pair(due, order_++), std::vector<std::uint8_t>(datagram.begin(), datagram.end()));
}

void ImpairedLink::pop(base::SteadyTime now, const std::function<void(base::MutableBytes)>& deliver) {
  while (!waiting_.empty() && waiting_.begin()->first.first <= now) {
    auto datagram = std::move(waiting_.begin()->second);
    waiting_.erase(waiting_.begin());
    deliver(datagram);
  }
}

}  // namespace sfu::testing
