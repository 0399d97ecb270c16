#include "telemetry/line.h"

#include "base/text.h"

namespace telemetry {
namespace {

constexpr std::string_view kHex = "0123456789abcdef";

std::string_view upper_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "DEBUG";
    case Level::kInfo:
      return "INFO";
    case Level::kWarn:
      return "WARN";
    case Level::kError:
      return "ERROR";
  }
  return "INFO";
}

std::string_view lower_name(Level level) {
  switch (level) {
    case Level::kDebug:
      return "debug";
    case Level::kInfo:
      return "info";
    case Level::kWarn:
      return "warn";
    case Level::kError:
      return "error";
  }
  return "info";
}

// A forged line would have to start in the first column; an indented continuation cannot be mistaken for one.
std::string escape_message(std::string_view message) {
  std::string out;
  std::size_t from = 0;
  for (std::size_t i = 0; i + 1 < message.size(); ++i) {
    if (message[i] != '\n' || message[i + 1] != ' ') continue;
    out += base::escape_controls(message.substr(from, i - from));
    out += '\n';
    from = i + 1;
  }
  out += base::escape_controls(message.substr(from));
  return out;
}

bool plain(std::string_view value) {
  if (value.empty()) return false;
  for (char c : value)
    if (c == ' ' || c == '"' || c == '=' || c == '\\') return false;
  return true;
}

void append_text_value(std::string& out, std::string_view value) {
  const std::string clean = base::escape_controls(redact(value));
  if (plain(clean)) {
    out += clean;
    return;
  }
  out += '"';
  for (char c : clean) {
    if (c == '"') out += '\\';
    out += c;
  }
  out += '"';
}

// Length of the UTF-8 sequence at the start of `text`, 0 when it is broken.
std::size_t utf8_unit(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const std::size_t n = first < 0x80 ? 1 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  return n <= text.size() && base::is_valid_utf8(text.substr(0, n)) ? n : 0;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size();) {
    const char c = text[i];
    const auto b = static_cast<unsigned char>(c);
    if (b >= 0x80) {
      const std::size_t n = utf8_unit(text.substr(i));
      out += n == 0 ? std::string_view("\xef\xbf\xbd") : text.substr(i, n);
      i += n == 0 ? 1 : n;
      continue;
    }
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (b < 0x20 || b == 0x7f) {
      out += "\\u00";
      out += kHex[b >> 4];
      out += kHex[b & 15];
    } else {
      out += c;
    }
    ++i;
  }
  out += '"';
}

// "nan" and "inf" are numbers to C++ but not to JSON.
bool json_literal(const Field& f) {
  return !f.quoted && !f.value.empty() &&
         (f.value == "true" || f.value == "false" ||
          f.value.find_first_not_of("-.0123456789") == std::string::npos);
}

}  // namespace

std::string text_line(base::WallTime now, Level level, std::string_view message,
                      std::initializer_list<Field> fields) {
  std::string out = base::format_rfc3339(now);
  out += ' ';
  out += upper_name(level);
  out += ' ';
  out += escape_message(redact(message));
  for (const Field& f : fields) {
    out += ' ';
    out += f.key;
    out += '=';
    append_text_value(out, f.value);
  }
  return out;
}

std::string json_line(base::WallTime now, Level level, std::string_view message,
                      std::initializer_list<Field> fields) {
  std::string out = "{\"time\":\"";
  out += base::format_rfc3339(now);
  out += "\",\"level\":\"";
  out += lower_name(level);
  out += "\",\"message\":";
  append_json_string(out, redact(message));
  for (const Field& f : fields) {
    out += ',';
    append_json_string(out, f.key);
    out += ':';
    if (json_literal(f)) {
      out += f.value;
    } else {
      append_json_string(out, redact(f.value));
    }
  }
  out += '}';
  return out;
}

}  // namespace telemetry
