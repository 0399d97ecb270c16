#include "http/response_head.h"

#include <ctime>

#include "base/text.h"
#include "telemetry/log.h"

namespace http {
namespace {

std::string_view reason_of(int status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 201:
      return "Created";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 301:
      return "Moved Permanently";
    case 302:
      return "Found";
    case 303:
      return "See Other";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 308:
      return "Permanent Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 410:
      return "Gone";
    case 412:
      return "Precondition Failed";
    case 413:
      return "Content Too Large";
    case 414:
      return "URI Too Long";
    case 415:
      return "Unsupported Media Type";
    case 416:
      return "Range Not Satisfiable";
    case 417:
      return "Expectation Failed";
    case 421:
      return "Misdirected Request";
    case 422:
      return "Unprocessable Content";
    case 426:
      return "Upgrade Required";
    case 428:
      return "Precondition Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 502:
      return "Bad Gateway";
    case 503:
      return "Service Unavailable";
    case 504:
      return "Gateway Timeout";
    case 507:
      return "Insufficient Storage";
    default:
      return "Status";
  }
}

bool safe_name(std::string_view name) {
  if (name.empty()) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

bool safe_value(std::string_view value) {
  return std::none_of(value.begin(), value.end(), [](char c) {
    const auto b = static_cast<unsigned char>(c);
    return (b < 0x20 && c != '\t') || b == 0x7f;
  });
}

void line(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  out += value;
  out += "\r\n";
}

}  // namespace

bool status_has_no_body(int status) {
  return status < 200 || status == 204 || status == 304;
}

std::string http_date(base::WallTime time) {
  static constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                       "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const std::time_t seconds = time.to_seconds();
  std::tm t{};
  gmtime_r(&seconds, &t);
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                kDays.at(static_cast<std::size_t>(t.tm_wday)), t.tm_mday,
                kMonths.at(static_cast<std::size_t>(t.tm_mon)), t.tm_year + 1900, t.tm_hour, t.tm_min,
                t.tm_sec);
  return out.data();
}

std::string response_head(const Response& response, const HeadOptions& o) {
  std::string out;
  out.reserve(512);
  out += o.minor_version == 0 ? "HTTP/1.0 " : "HTTP/1.1 ";
  out += std::to_string(response.status);
  out += ' ';
  out += reason_of(response.status);
  out += "\r\n";
  bool nosniff = false;
  bool referrer = false;
  bool type = false;
  for (const auto& [name, value] : response.headers) {
    if (!safe_name(name) || !safe_value(value)) {
      telemetry::error("a response header was left out: it holds control characters",
                       {{"name", name}, {"request_id", o.request_id}});
      continue;
    }
    const std::string lower = base::to_lower(name);
    if (lower == "content-length" || lower == "transfer-encoding" || lower == "date" ||
        lower == "x-request-id")
      continue;
    if (lower == "connection" && response.status != 101) continue;
    nosniff = nosniff || lower == "x-content-type-options";
    referrer = referrer || lower == "referrer-policy";
    type = type || lower == "content-type";
    line(out, name, value);
  }
  line(out, "date", o.date);
  line(out, "x-request-id", o.request_id);
  if (!nosniff) line(out, "x-content-type-options", "nosniff");
  if (!referrer) line(out, "referrer-policy", "no-referrer");
  if (!status_has_no_body(response.status)) {
    if (!type && (o.framing != BodyFraming::kLength || o.content_length > 0))
      line(out, "content-type", "text/plain; charset=utf-8");
    if (o.framing == BodyFraming::kLength) line(out, "content-length", std::to_string(o.content_length));
    if (o.framing == BodyFraming::kChunked) line(out, "transfer-encoding", "chunked");
  }
  if (!o.keep_alive) {
    line(out, "connection", "close");
  } else if (o.minor_version == 0) {
    line(out, "connection", "keep-alive");
  }
  out += "\r\n";
  return out;
}

}  // namespace http
