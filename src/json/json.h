// Strict JSON for foreign text, on Boost.JSON. Cheap to include: boost/json/fwd.hpp plus value.hpp users pay
// for.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace json {

using Value = boost::json::value;
using Object = boost::json::object;
using Array = boost::json::array;

struct Limits {
  std::size_t max_bytes = 256 * 1024;
  std::size_t max_depth = 32;
  std::size_t max_members = 1000;   // per object
  std::size_t max_elements = 1000;  // per array
  std::size_t max_key_bytes = 256;  // of a member's name
};

// RFC 8259 with visit-api.md §12.1: valid UTF-8 (one leading BOM skipped), no duplicate members, no trailing
// data, no NUL (\u0000), no lone surrogate, no NaN. Errors: "json_invalid" with the byte offset,
// "body_too_large", "validation_failed" for too many members or elements.
base::Result<Value> parse(std::string_view text, const Limits& limits = {});

// Tolerant reading of an answer we only look at (a provider's): same safety limits, duplicates keep the last.
base::Result<Value> parse_tolerant(std::string_view text, const Limits& limits = {});

// As parse(), and the root must be an object (a `null`, array or scalar root is "json_invalid"): what a
// request body and a signalling message need.
base::Result<Object> parse_object(std::string_view text, const Limits& limits = {});

// Compact. Numbers as ECMAScript prints them (1.5, not 1.5E0); members in their order. A non-finite number is
// null.
std::string serialize(const Value& value);
std::string serialize(const Object& value);
// RFC 8785 (JCS): members sorted by UTF-16 code units, at every depth. For hashes and signatures.
std::string canonical(const Value& value);

// Look-ups that never throw: null / empty / fallback when the member is absent or of another type.
const Value* find(const Object& object, std::string_view key);
std::string_view text_or(const Object& object, std::string_view key, std::string_view fallback = {});
std::int64_t int_or(const Object& object, std::string_view key, std::int64_t fallback);
bool bool_or(const Object& object, std::string_view key, bool fallback);
const Object* object_at(const Object& object, std::string_view key);
const Array* array_at(const Object& object, std::string_view key);

}  // namespace json
