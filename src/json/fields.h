// One description per message type, used to read, to write and to document it (OpenAPI):
//
//   struct CreateRoom {
//     std::optional<std::string> name;
//     std::optional<std::int64_t> size;
//     template <class V> static void fields(V& v) {
//       v.field("name", &CreateRoom::name, json::text().max(128).pattern_name("room name"));
//       v.field("size", &CreateRoom::size, json::integer(0, 20000));
//     }
//   };
//   auto room = json::read<CreateRoom>(object);           // Read<CreateRoom>{value, errors, ignored}
//   json::Object out = json::write(room.value);
//   json::Object schema = json::schema<CreateRoom>();     // JSON Schema 2020-12
//
// Member types: std::string, bool, std::int64_t, double, json::Object, json::Value, base::WallTime, a described struct,
// std::vector<T> and std::optional<T> of these. A plain (non-optional) member is required unless the constraint
// says .or_default(); optional members may be absent or null. Unknown members are collected in `ignored`.
#pragma once

#include <string>
#include <vector>

#include "json/json.h"

namespace json {

// A member that broke a rule. `pointer` is an RFC 6901 JSON pointer ("/webhook/url"); `code` is stable:
// required, type, too_short, too_long, too_small, too_large, pattern, one_of, format, characters, too_many.
struct FieldError {
  std::string pointer;
  std::string code;
  std::string message;
};

template <class T>
struct Read {
  T value{};
  std::vector<FieldError> errors;
  std::vector<std::string> ignored;  // pointers of unknown members
  bool ok() const { return errors.empty(); }
};

// Implemented below this line by the json module (constraints, reader, writer, schema).

}  // namespace json
