#include "base/clock.h"

#include <array>
#include <chrono>
#include <cstdio>

namespace base {

SteadyTime SystemClock::steady() const {
  using namespace std::chrono;
  return {duration_cast<microseconds>(steady_clock::now().time_since_epoch()).count()};
}

WallTime SystemClock::wall() const {
  using namespace std::chrono;
  return {duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count()};
}

std::string format_rfc3339(WallTime t) {
  using namespace std::chrono;
  const sys_time<milliseconds> point{milliseconds(t.ms)};
  const auto day = floor<days>(point);
  const year_month_day date{day};
  const hh_mm_ss time{point - day};
  std::array<char, 40> buffer{};
  const int n = std::snprintf(
      buffer.data(), buffer.size(), "%04d-%02u-%02uT%02d:%02d:%02d.%03dZ", static_cast<int>(date.year()),
      static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
      static_cast<int>(time.seconds().count()), static_cast<int>(time.subseconds().count()));
  return {buffer.data(), static_cast<std::size_t>(n)};
}

namespace {

// Reads exactly `count` digits at the front of `text`.
std::optional<int> digits(std::string_view& text, std::size_t count) {
  if (text.size() < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    if (text[i] < '0' || text[i] > '9') return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(count);
  return value;
}

bool literal(std::string_view& text, std::string_view accepted) {
  if (text.empty() || accepted.find(text.front()) == std::string_view::npos) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  using namespace std::chrono;
  const auto y = digits(text, 4);
  if (!y || !literal(text, "-")) return std::nullopt;
  const auto mo = digits(text, 2);
  if (!mo || !literal(text, "-")) return std::nullopt;
  const auto d = digits(text, 2);
  if (!d || !literal(text, "Tt ")) return std::nullopt;
  const auto h = digits(text, 2);
  if (!h || !literal(text, ":")) return std::nullopt;
  const auto mi = digits(text, 2);
  if (!mi || !literal(text, ":")) return std::nullopt;
  const auto s = digits(text, 2);
  if (!s || *h > 23 || *mi > 59 || *s > 60) return std::nullopt;

  std::int64_t millis = 0;
  if (literal(text, ".")) {
    std::size_t n = 0;
    for (; !text.empty() && text.front() >= '0' && text.front() <= '9'; ++n) {
      if (n < 3) millis = millis * 10 + (text.front() - '0');
      text.remove_prefix(1);
    }
    if (n == 0 || n > 9) return std::nullopt;
    for (; n < 3; ++n) millis *= 10;
  }

  std::int64_t offset_minutes = 0;
  if (!literal(text, "Zz")) {
    const bool negative = !text.empty() && text.front() == '-';
    if (!literal(text, "+-")) return std::nullopt;
    const auto oh = digits(text, 2);
    if (!oh) return std::nullopt;
    int om = 0;
    if (literal(text, ":")) {
      const auto minutes_part = digits(text, 2);
      if (!minutes_part) return std::nullopt;
      om = *minutes_part;
    }
    if (*oh > 23 || om > 59) return std::nullopt;
    offset_minutes = (*oh * 60 + om) * (negative ? -1 : 1);
  }
  if (!text.empty()) return std::nullopt;

  const year_month_day date{year{*y}, month{static_cast<unsigned>(*mo)}, day{static_cast<unsigned>(*d)}};
  if (!date.ok()) return std::nullopt;
  const std::int64_t days_ms = sys_days{date}.time_since_epoch().count() * std::int64_t{86'400'000};
  return WallTime{days_ms + ((*h * 60 + *mi - offset_minutes) * 60 + *s) * 1000 + millis};
}

}  // namespace base
