#include "provider/breaker.h"

namespace provider {

base::Duration Breaker::blocked_for(base::SteadyTime now) const {
  std::lock_guard lock(mutex_);
  if (failures_ < kFailures || now >= open_until_) return {};
  return open_until_ - now;
}

void Breaker::succeeded() {
  std::lock_guard lock(mutex_);
  failures_ = 0;
}

void Breaker::failed(base::SteadyTime now) {
  std::lock_guard lock(mutex_);
  if (failures_ < kFailures) ++failures_;
  if (failures_ >= kFailures) open_until_ = now + kPause;
}

std::shared_ptr<Breaker> Breakers::of(const std::string& org_id, const std::string& integration_id) {
  std::lock_guard lock(mutex_);
  auto& breaker = breakers_[{org_id, integration_id}];
  if (!breaker) breaker = std::make_shared<Breaker>();
  return breaker;
}

}  // namespace provider
