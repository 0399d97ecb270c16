// The log. spdlog lives in log.cpp alone. Thread-safe. Values are strings, numbers and booleans; base::Secret
// and base::PatientData have no conversion, so they do not compile. Every line passes the redaction filter
// and has its control characters escaped.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace telemetry {

enum class Level { kDebug, kInfo, kWarn, kError };

struct Field {
  std::string_view key;
  std::string value;
  bool quoted = true;
  Field(std::string_view k, std::string_view v) : key(k), value(v) {}
  Field(std::string_view k, const char* v) : key(k), value(v) {}
  Field(std::string_view k, const std::string& v) : key(k), value(v) {}
  Field(std::string_view k, bool v) : key(k), value(v ? "true" : "false"), quoted(false) {}
  template <class T>
    requires(std::is_arithmetic_v<T> && !std::is_same_v<T, bool>)
  Field(std::string_view k, T v) : key(k), value(std::to_string(v)), quoted(false) {}
};

// `format`: "text" for a terminal, "json" otherwise; "auto" decides by isatty(stderr).
void configure_log(Level level, std::string_view format);

void log(Level level, std::string_view message, std::initializer_list<Field> fields = {});
inline void info(std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kInfo, m, f);
}
inline void warn(std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kWarn, m, f);
}
inline void error(std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kError, m, f);
}
inline void debug(std::string_view m, std::initializer_list<Field> f = {}) {
  log(Level::kDebug, m, f);
}

// What the filter does, for tests and for texts that leave by other doors (problem details, audit).
std::string redact(std::string_view text);

}  // namespace telemetry
