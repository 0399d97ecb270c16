// Request targets and their parts (RFC 9112 §3.2, RFC 3986). Pure functions over text.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace http {

// A request target split, still escaped. `path` starts with '/' (or is "*").
struct Target {
  std::string path;
  std::string query;  // after '?', "" when absent
  std::optional<std::string>
      authority;  // of an absolute-form target; it replaces the Host field (RFC 9112 §3.2.2)
};

// Origin-form, absolute-form (http and https) and "*". nullopt for control characters, spaces, a fragment,
// userinfo, or anything else.
std::optional<Target> parse_target(std::string_view target);

// nullopt for a broken escape, an encoded NUL or what is not UTF-8 afterwards (overlong forms included).
std::optional<std::string> percent_decode(std::string_view text);

// The decoded segments of a path, without one trailing slash: "/a//b/" -> "a", "", "b"; "/" -> none. nullopt
// where percent_decode() fails and for "." and ".." segments, however written.
std::optional<std::vector<std::string>> split_path(std::string_view path);

// '+' is a space; an escape that is none stays as sent, because clients send values raw. nullopt for NUL or
// what is not UTF-8.
std::optional<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

// host or host:port as a Host field may carry it (RFC 3986 §3.2.2 characters), not empty.
bool is_valid_host(std::string_view host);

}  // namespace http
