#include "visits/core/rate_limits.h"

namespace visits {
namespace {

constexpr base::Duration kMinute = base::Duration::seconds(60);
constexpr base::Duration kHour = base::Duration::seconds(3600);
constexpr int kTestsPerMinute = 6;
constexpr std::size_t kManyWindows = 50'000;

int seconds_up(base::Duration d) {
  return static_cast<int>((d.us + 999'999) / 1'000'000);
}

Failure too_many(std::string_view code, std::string detail, int retry_after_s) {
  Failure failure(code, std::move(detail));
  failure.retry_after_s = std::max(1, retry_after_s);
  return failure;
}

}  // namespace

std::optional<int> RateLimits::full(const std::string& key, int limit, base::Duration length,
                                    base::SteadyTime now) {
  const auto it = windows_.find(key);
  if (it == windows_.end()) return std::nullopt;
  auto& hits = it->second.hits;
  while (!hits.empty() && now - hits.front() >= length) hits.pop_front();
  if (hits.size() < static_cast<std::size_t>(std::max(1, limit))) return std::nullopt;
  return seconds_up(hits.front() + length - now);
}

void RateLimits::hit(const std::string& key, base::Duration length, base::SteadyTime now) {
  Window& window = windows_[key];
  window.length = length;
  window.hits.push_back(now);
}

void RateLimits::forget_old(base::SteadyTime now) {
  if (windows_.size() < kManyWindows) return;
  std::erase_if(windows_, [&](const auto& entry) {
    return entry.second.hits.empty() || now - entry.second.hits.back() >= entry.second.length;
  });
  std::erase_if(locked_until_, [&](const auto& entry) { return now >= entry.second; });
}

Outcome<Allowance> RateLimits::enter_lobby(const std::string& what, const std::string& address,
                                           const std::string& code, base::SteadyTime now) {
  std::lock_guard lock(mutex_);
  forget_old(now);
  if (const auto it = locked_until_.find(address); it != locked_until_.end()) {
    if (now < it->second)
      return refuse(too_many("code_lookup_locked",
                             "too many codes that do not exist were tried from this address",
                             seconds_up(it->second - now)));
    locked_until_.erase(it);
  }
  const std::string minute = what + "/minute/" + address;
  const std::string hour = what + "/hour/" + address;
  const std::string of_code = "code/" + code;
  auto wait = full(minute, limits_.per_minute, kMinute, now);
  if (!wait) wait = full(hour, limits_.per_hour, kHour, now);
  if (!wait) wait = full(of_code, limits_.per_code_minute, kMinute, now);
  if (wait) return refuse(too_many("rate_limited", "too many calls of this kind", *wait));
  hit(minute, kMinute, now);
  hit(hour, kHour, now);
  hit(of_code, kMinute, now);
  const auto& hits = windows_[minute].hits;
  return Allowance{limits_.per_minute, std::max(0, limits_.per_minute - static_cast<int>(hits.size())),
                   seconds_up(hits.front() + kMinute - now)};
}

void RateLimits::note_unknown_code(const std::string& address, base::SteadyTime now) {
  std::lock_guard lock(mutex_);
  const std::string key = "unknown/" + address;
  hit(key, limits_.unknown_window, now);
  if (!full(key, limits_.unknown_codes, limits_.unknown_window, now)) return;
  windows_.erase(key);
  locked_until_[address] = now + limits_.lock;
}

Outcome<void> RateLimits::test_integration(const std::string& integration_id, base::SteadyTime now) {
  std::lock_guard lock(mutex_);
  const std::string key = "test/" + integration_id;
  if (const auto wait = full(key, kTestsPerMinute, kMinute, now))
    return refuse(too_many("rate_limited", "an integration is tested at most 6 times a minute", *wait));
  hit(key, kMinute, now);
  return {};
}

}  // namespace visits
