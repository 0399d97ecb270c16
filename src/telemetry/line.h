// How one log line looks (visit-api.md §8.1). Pure functions, so that the two formats can be tested without a
// terminal.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "telemetry/log.h"

namespace telemetry {

// `2026-03-02T09:00:00.000Z INFO message key=value`. A newline of the message that is followed by a space
// stays, so that our own indented blocks read as written; every other control character is escaped.
std::string text_line(base::WallTime now, Level level, std::string_view message,
                      std::initializer_list<Field> fields);

// One JSON object: time, level, message, then the fields. Text that is not UTF-8 has its broken bytes
// replaced by U+FFFD.
std::string json_line(base::WallTime now, Level level, std::string_view message,
                      std::initializer_list<Field> fields);

}  // namespace telemetry
