// The members of vendor 100ms's credentials, one table for reading, checking, defaults and the wizard's
// schema (visit-api.md §6.1).
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "json/json.h"

namespace visits {

struct Member {
  enum class Type { kText, kSecret, kUrl, kBool, kInteger, kChoice, kObject };
  std::string_view name;
  std::string_view alias;
  Type type;
  int step;                   // of the wizard
  std::string_view fallback;  // JSON text of the default, empty when there is none
  std::int64_t low = 0;
  std::int64_t high = 0;
  std::string_view choices;  // comma-separated
  std::string_view about;
  bool required = false;
};

std::span<const Member> members();
const Member* find_member(std::string_view name_or_alias);
const json::Value* find_value(const json::Object& object, const Member& member);  // by name, else by alias

// Tolerant reads, by name or alias.
std::string_view member_text(const json::Object& object, std::string_view name);
bool member_bool(const json::Object& object, std::string_view name, bool fallback);
std::int64_t member_int(const json::Object& object, std::string_view name, std::int64_t fallback);

// What is wrong with a stored value, in words that name the member; nullopt when it is fine.
std::optional<std::string> type_fault(const Member& member, const json::Value& value);
// Brings a value sent over the API into its stored form; the text says what is wrong.
std::optional<std::string> normalise(const Member& member, json::Value& value);
std::optional<std::string> secret_fault(std::string_view secret);

}  // namespace visits
