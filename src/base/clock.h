// Time is injected: nothing outside base/crypto adapters reads the wall clock. Tests turn ManualClock by
// hand.
#pragma once

#include <atomic>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace base {

// A span of time in microseconds, signed.
struct Duration {
  std::int64_t us = 0;
  static constexpr Duration micros(std::int64_t n) { return {n}; }
  static constexpr Duration millis(std::int64_t n) { return {n * 1000}; }
  static constexpr Duration seconds(std::int64_t n) { return {n * 1'000'000}; }
  constexpr std::int64_t to_millis() const { return us / 1000; }
  constexpr std::int64_t to_seconds() const { return us / 1'000'000; }
  friend constexpr auto operator<=>(Duration, Duration) = default;
  friend constexpr Duration operator+(Duration a, Duration b) { return {a.us + b.us}; }
  friend constexpr Duration operator-(Duration a, Duration b) { return {a.us - b.us}; }
  friend constexpr Duration operator*(Duration a, std::int64_t n) { return {a.us * n}; }
};

// Monotonic time in microseconds since an arbitrary start. For timeouts and media.
struct SteadyTime {
  std::int64_t us = 0;
  friend constexpr auto operator<=>(SteadyTime, SteadyTime) = default;
  friend constexpr SteadyTime operator+(SteadyTime t, Duration d) { return {t.us + d.us}; }
  friend constexpr SteadyTime operator-(SteadyTime t, Duration d) { return {t.us - d.us}; }
  friend constexpr Duration operator-(SteadyTime a, SteadyTime b) { return {a.us - b.us}; }
};

// UTC in milliseconds since 1970. For what is stored, signed or shown.
struct WallTime {
  std::int64_t ms = 0;
  constexpr std::int64_t to_seconds() const { return ms / 1000; }
  friend constexpr auto operator<=>(WallTime, WallTime) = default;
  friend constexpr WallTime operator+(WallTime t, Duration d) { return {t.ms + d.to_millis()}; }
  friend constexpr WallTime operator-(WallTime t, Duration d) { return {t.ms - d.to_millis()}; }
  friend constexpr Duration operator-(WallTime a, WallTime b) { return Duration::millis(a.ms - b.ms); }
};

// Thread-safe.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual SteadyTime steady() const = 0;
  virtual WallTime wall() const = 0;
};

class SystemClock final : public Clock {
 public:
  SteadyTime steady() const override;
  WallTime wall() const override;
};

class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = {1'700'000'000'000}) : wall_ms_(start.ms) {}
  SteadyTime steady() const override { return {steady_us_.load()}; }
  WallTime wall() const override { return {wall_ms_.load()}; }
  void advance(Duration d) {
    steady_us_ += d.us;
    wall_ms_ += d.to_millis();
  }

 private:
  std::atomic<std::int64_t> steady_us_{1'000'000};
  std::atomic<std::int64_t> wall_ms_;
};

// "2026-03-02T09:00:00.000Z": UTC, always three digits (RFC 3339).
std::string format_rfc3339(WallTime t);
// Accepts 'T' or a space, zero to nine fractional digits and "Z", "+hh:mm", "-hh:mm" or PostgreSQL's "+hh";
// nullopt for anything else, dates without a time and times without an offset included.
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace base
