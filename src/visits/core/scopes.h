// What a principal may do (visit-api.md §3.2). Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace visits {

enum class Scope : std::uint8_t {
  kMeetingsRead,
  kMeetingsWrite,
  kMeetingsHost,
  kIntegrationsRead,
  kIntegrationsWrite,
  kIntegrationsTest,
  kClinicalRead,
  kClinicalWrite,
  kRecordingsRead,
  kRecordingsWrite,
  kFhirRead,
  kFhirWrite,
  kWebhooksRead,
  kWebhooksWrite,
  kAuditRead,
  kAdmin,
  kAny,  // of a route: whoever is signed in
};
std::string_view to_string(Scope scope);                  // "meetings:read"
std::optional<Scope> parse_scope(std::string_view text);  // not kAny

class Scopes {
 public:
  static Scopes all() { return Scopes((1U << static_cast<unsigned>(Scope::kAny)) - 1); }
  // nullopt when a name is unknown.
  static std::optional<Scopes> parse(std::span<const std::string> names);

  Scopes() = default;
  bool has(Scope scope) const { return scope == Scope::kAny || (bits_ & bit(scope)) != 0; }
  Scopes with(Scope scope) const { return Scopes(bits_ | bit(scope)); }
  Scopes without(Scope scope) const { return Scopes(bits_ & ~bit(scope)); }
  bool within(Scopes other) const { return (bits_ & ~other.bits_) == 0; }
  bool empty() const { return bits_ == 0; }
  std::vector<std::string> names() const;

 private:
  explicit Scopes(std::uint32_t bits) : bits_(bits) {}
  static std::uint32_t bit(Scope scope) { return 1U << static_cast<unsigned>(scope); }
  std::uint32_t bits_ = 0;
};

}  // namespace visits
