#include "visits/core/scopes.h"

namespace visits {
namespace {

constexpr std::string_view kNames[] = {
    "meetings:read",
    "meetings:write",
    "meetings:host",
    "integrations:read",
    "integrations:write",
    "integrations:test",
    "clinical:read",
    "clinical:write",
    "recordings:read",
    "recordings:write",
    "fhir:read",
    "fhir:write",
    "webhooks:read",
    "webhooks:write",
    "audit:read",
    "admin",
    "any",
};

}  // namespace

std::string_view to_string(Scope scope) {
  return kNames[static_cast<std::size_t>(scope)];
}

std::optional<Scope> parse_scope(std::string_view text) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(Scope::kAny); ++i)
    if (kNames[i] == text) return static_cast<Scope>(i);
  return std::nullopt;
}

std::optional<Scopes> Scopes::parse(std::span<const std::string> names) {
  Scopes out;
  for (const std::string& name : names) {
    const auto scope = parse_scope(name);
    if (!scope) return std::nullopt;
    out = out.with(*scope);
  }
  return out;
}

std::vector<std::string> Scopes::names() const {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < static_cast<std::size_t>(Scope::kAny); ++i)
    if (has(static_cast<Scope>(i))) out.emplace_back(kNames[i]);
  return out;
}

}  // namespace visits
