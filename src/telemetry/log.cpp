#include "telemetry/log.h"

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "telemetry/line.h"

namespace telemetry {
namespace {

// The one process-wide object: a log that had to be handed to every function would be missing where it is
// needed most.
struct Sink {
  std::shared_ptr<spdlog::logger> logger;
  std::atomic<Level> level{Level::kInfo};
  std::atomic<bool> json{true};

  Sink() {
    logger = std::make_shared<spdlog::logger>("televisit", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    logger->set_pattern("%v");
    logger->set_level(spdlog::level::trace);
    logger->flush_on(spdlog::level::warn);
    json = isatty(STDERR_FILENO) == 0;
  }
};

Sink& sink() {
  static Sink instance;
  return instance;
}

spdlog::level::level_enum to_spdlog(Level level) {
  switch (level) {
    case Level::kDebug:
      return spdlog::level::debug;
    case Level::kInfo:
      return spdlog::level::info;
    case Level::kWarn:
      return spdlog::level::warn;
    case Level::kError:
      return spdlog::level::err;
  }
  return spdlog::level::info;
}

}  // namespace

void configure_log(Level level, std::string_view format) {
  Sink& s = sink();
  s.level = level;
  s.json = format == "json" || (format != "text" && isatty(STDERR_FILENO) == 0);
}

void log(Level level, std::string_view message, std::initializer_list<Field> fields) {
  Sink& s = sink();
  if (level < s.level.load(std::memory_order_relaxed)) return;
  const base::WallTime now = base::SystemClock{}.wall();
  const std::string line = s.json.load(std::memory_order_relaxed) ? json_line(now, level, message, fields)
                                                                  : text_line(now, level, message, fields);
  s.logger->log(to_spdlog(level), spdlog::string_view_t(line.data(), line.size()));
}

}  // namespace telemetry
