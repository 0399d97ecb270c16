#include "json/json.h"

#include <charconv>
#include <cmath>

#include "json/number.h"

namespace json {

const Value* find(const Object& object, std::string_view key) {
  const auto it = object.find(boost::json::string_view(key.data(), key.size()));
  return it == object.end() ? nullptr : &it->value();
}

std::string_view text_or(const Object& object, std::string_view key, std::string_view fallback) {
  const Value* value = find(object, key);
  if (value == nullptr || !value->is_string()) return fallback;
  const auto& text = value->get_string();
  return {text.data(), text.size()};
}

std::int64_t int_or(const Object& object, std::string_view key, std::int64_t fallback) {
  const Value* value = find(object, key);
  return value == nullptr ? fallback : exact_integer(*value).value_or(fallback);
}

bool bool_or(const Object& object, std::string_view key, bool fallback) {
  const Value* value = find(object, key);
  return value == nullptr || !value->is_bool() ? fallback : value->get_bool();
}

const Object* object_at(const Object& object, std::string_view key) {
  const Value* value = find(object, key);
  return value == nullptr ? nullptr : value->if_object();
}

const Array* array_at(const Object& object, std::string_view key) {
  const Value* value = find(object, key);
  return value == nullptr ? nullptr : value->if_array();
}

std::optional<std::int64_t> exact_integer(const Value& value) {
  if (value.is_int64()) return value.get_int64();
  if (!value.is_double()) return std::nullopt;  // a uint64 of Boost.JSON is beyond int64
  const double number = value.get_double();
  constexpr double kExact = 9007199254740992.0;  // 2^53: beyond it a double no longer names one integer
  if (!(std::abs(number) <= kExact) || std::trunc(number) != number) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace json
