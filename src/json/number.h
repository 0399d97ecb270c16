// Numbers between JSON and C++, shared by the module's own files.
#pragma once

#include <cstdint>
#include <optional>

#include "json/json.h"

namespace json {

// The integer a JSON number stands for (1 and 1.0 do), nullopt for fractions, other types and what int64
// cannot hold.
std::optional<std::int64_t> exact_integer(const Value& value);

// ECMAScript's Number::toString (RFC 8785 §3.2.2.3); "null" when not finite.
void append_number(std::string& out, double number);

}  // namespace json
