#include "base/text.h"
#include "telemetry/log.h"

namespace telemetry {
namespace {

constexpr std::string_view kRedacted = "[redacted]";

bool is_base64url(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}
bool is_word(char c) {
  return is_base64url(c);
}

std::size_t run(std::string_view text, std::size_t at, bool (*accept)(char)) {
  std::size_t end = at;
  while (end < text.size() && accept(text[end])) ++end;
  return end - at;
}

// RFC 7519: header.payload.signature; "eyJ" is the start of every base64url text that begins with `{"`. The
// signature may be cut or empty ("alg":"none"), and what is left is still worth hiding.
std::size_t jwt_length(std::string_view text, std::size_t at) {
  if (text.substr(at, 3) != "eyJ") return 0;
  std::size_t end = at + run(text, at, is_base64url);
  if (end >= text.size() || text[end] != '.') return 0;
  const std::size_t payload = run(text, end + 1, is_base64url);
  if (payload == 0) return 0;
  end += 1 + payload;
  if (end < text.size() && text[end] == '.') end += 1 + run(text, end + 1, is_base64url);
  return end - at;
}

std::size_t key_length(std::string_view text, std::size_t at) {
  const std::string_view start = text.substr(at, 4);
  if (start != "tvk_" && start != "tvi_" && start != "tvt_") return 0;
  const std::size_t rest = run(text, at + 4, is_base64url);
  return rest >= 6 ? 4 + rest : 0;
}

std::size_t envelope_length(std::string_view text, std::size_t at) {
  if (text.substr(at, 7) != "enc:v1:") return 0;
  return 7 + run(text, at + 7, [](char c) {
           return is_base64url(c) || c == ':' || c == '.' || c == '+' || c == '/' || c == '=';
         });
}

// Length of `token=` with its value; `name_length` is what stays.
std::size_t query_length(std::string_view text, std::size_t at, std::size_t& name_length) {
  for (std::string_view name : {std::string_view("access_token="), std::string_view("token=")}) {
    if (!base::equals_ignore_case(text.substr(at, name.size()), name)) continue;
    name_length = name.size();
    return name.size() + run(text, at + name.size(), [](char c) {
             return static_cast<unsigned char>(c) > 0x20 && c != '&' && c != '#' && c != '"' && c != '\'' &&
                    c != '<' && c != '>' && c != 0x7f;
           });
  }
  return 0;
}

}  // namespace

std::string redact(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size();) {
    const bool word_start = i == 0 || !is_word(text[i - 1]);
    std::size_t name_length = 0;
    std::size_t n = query_length(text, i, name_length);
    if (n > name_length && n != 0) {
      out += text.substr(i, name_length);
      out += kRedacted;
      i += n;
      continue;
    }
    n = envelope_length(text, i);
    if (n == 0) n = jwt_length(text, i);
    if (n == 0 && word_start) n = key_length(text, i);
    if (n != 0) {
      out += kRedacted;
      i += n;
      continue;
    }
    out += text[i++];
  }
  return out;
}

}  // namespace telemetry
