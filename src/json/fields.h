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
// Member types: std::string, bool, std::int64_t, double, json::Object, json::Value, base::WallTime, a
// described struct, std::vector<T> and std::optional<T> of these; also other integer types,
// base::StrongString and base::Sensitive. A plain (non-optional) member is required unless the constraint
// says .or_default(); optional members may be absent or null. std::optional<std::optional<T>> tells absent
// (outer empty) from null (inner empty), for PATCH. Unknown members are collected in `ignored`. Writing omits
// an empty optional unless the constraint says .or_null().
//
// Every text refuses control characters other than \n and \t (visit-api.md §12.1). Lengths are code points.
// Pure functions, any thread.
#pragma once

#include <concepts>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/sensitive.h"
#include "base/strong.h"
#include "json/json.h"

namespace json {

// A member that broke a rule. `pointer` is an RFC 6901 JSON pointer ("/webhook/url"); `code` is stable:
// required, type, too_short, too_long, too_small, too_large, pattern, one_of, format, characters, too_many,
// too_few, unknown. `message` never repeats what was sent.
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

// What a member must be. A description: texts given to it are literals (kept as views).
class Constraint {
 public:
  enum class Kind { kAny, kText, kInteger, kBoolean, kNumber, kTime, kObject, kList };
  explicit Constraint(Kind kind = Kind::kAny) : kind_(kind) {}

  // text: code points; integer, number: value; list: elements; object: members.
  Constraint&& min(double n) &&;
  Constraint&& max(double n) &&;
  // text: exactly one of these.
  Constraint&& one_of(std::initializer_list<std::string_view> choices) &&;
  Constraint&& one_of(const std::vector<std::string_view>& choices) &&;
  // text: `matches` decides; `name` is what the message says is expected ("a room name").
  Constraint&& pattern(bool (*matches)(std::string_view), std::string_view name = {}) &&;
  Constraint&& pattern_name(std::string_view name) &&;
  // text: a person's or thing's name; bidirectional overrides and isolates are refused.
  Constraint&& name() &&;
  // text: also \n and \t are refused.
  Constraint&& single_line() &&;
  // boolean also as "true"/"false" in any case, integer and number also as decimal text (visit-api.md §6.1).
  Constraint&& lenient() &&;
  // A plain member that is absent or null keeps the default of its type.
  Constraint&& or_default() &&;
  // Writes null instead of leaving an empty optional out.
  Constraint&& or_null() &&;
  // Second name that is read too (and never written); the first name wins when both are there.
  Constraint&& alias(std::string_view name) &&;
  Constraint&& about(std::string_view description) &&;  // for the schema

  struct Rules {
    std::optional<double> min, max;
    std::vector<std::string_view> choices;
    bool (*matches)(std::string_view) = nullptr;
    std::string_view pattern_name, alias, about;
    bool name = false, single_line = false, lenient = false, or_default = false, or_null = false;
    std::shared_ptr<const Constraint> items;  // shared: copies of a description are the same description
  };
  Kind kind() const { return kind_; }
  const Rules& rules() const { return rules_; }
  const Constraint& items() const;  // of a list; "any" when not given
  Constraint&& items(Constraint element) &&;

 private:
  Kind kind_;
  Rules rules_;
};

Constraint text();
Constraint integer();
Constraint integer(std::int64_t min, std::int64_t max);
Constraint boolean();
Constraint number();
Constraint number(double min, double max);
Constraint time();
Constraint object();
Constraint list(Constraint element = Constraint());
Constraint any();

bool is_uuid_text(std::string_view text);       // pattern functions ready for use
bool is_object_id_text(std::string_view text);  // 24 lower-case hex digits
bool is_http_url_text(
    std::string_view text);  // http:// or https:// and a host; no user info, space or control character

enum class Unknown { kIgnore, kRefuse };  // kRefuse: every unknown member is also an error "unknown"

namespace detail {

struct Context {
  std::vector<FieldError>& errors;
  std::vector<std::string>& ignored;
  Unknown unknown = Unknown::kIgnore;
  void error(const std::string& pointer, std::string_view code, std::string message) const;
};

std::string child(const std::string& pointer, std::string_view member);
std::string child(const std::string& pointer, std::size_t index);

void read_text(const Value&, const Constraint&, const std::string& pointer, const Context&, std::string& out);
void read_bool(const Value&, const Constraint&, const std::string& pointer, const Context&, bool& out);
void read_integer(const Value&, const Constraint&, const std::string& pointer, const Context&,
                  std::int64_t low, std::int64_t high, std::int64_t& out);
void read_number(const Value&, const Constraint&, const std::string& pointer, const Context&, double& out);
void read_time(const Value&, const Constraint&, const std::string& pointer, const Context&,
               base::WallTime& out);
void read_object(const Value&, const Constraint&, const std::string& pointer, const Context&, Object& out);
void read_any(const Value&, const Constraint&, const std::string& pointer, const Context&, Value& out);
// Null, with the error noted, unless the value is what is asked for.
const Array* as_list(const Value&, const Constraint&, const std::string& pointer, const Context&);
const Object* as_object(const Value&, const std::string& pointer, const Context&);

// Finds a member by name or alias and remembers which members were asked for.
class Members {
 public:
  explicit Members(const Object& object) : object_(object), known_(object.size(), false) {}
  const Value* take(std::string_view name, std::string_view alias);
  void report_unknown(const std::string& pointer, const Context& context) const;

 private:
  const Value* take_one(std::string_view name);
  const Object& object_;
  std::vector<bool> known_;
};

Object schema_of(Constraint::Kind kind, const Constraint& constraint);
void add_to_schema(Object& schema, std::string_view name, Object member, const Constraint& constraint,
                   bool required, bool nullable);
void put(Object& out, std::string_view name, Value value);

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
template <class T>
struct IsVector : std::false_type {};
template <class T>
struct IsVector<std::vector<T>> : std::true_type {};
template <class T>
struct IsStrongText : std::false_type {};
template <class Tag>
struct IsStrongText<base::StrongString<Tag>> : std::true_type {};
template <class T>
struct IsSensitive : std::false_type {};
template <class Tag>
struct IsSensitive<base::Sensitive<Tag>> : std::true_type {};

template <class T>
void read_members(const Object& object, const std::string& pointer, const Context& context, T& out);

template <class T>
void read_value(const Value& value, const Constraint& constraint, const std::string& pointer,
                const Context& context, T& out) {
  if constexpr (IsOptional<T>::value) {
    using Inner = typename T::value_type;
    if constexpr (!IsOptional<Inner>::value) {
      if (value.is_null()) {
        out.reset();
        return;
      }
    }
    Inner inner{};
    read_value(value, constraint, pointer, context, inner);
    out = std::move(inner);
  } else if constexpr (IsVector<T>::value) {
    const Array* elements = as_list(value, constraint, pointer, context);
    if (elements == nullptr) return;
    for (std::size_t i = 0; i < elements->size(); ++i) {
      typename T::value_type element{};
      read_value((*elements)[i], constraint.items(), child(pointer, i), context, element);
      out.push_back(std::move(element));
    }
  } else if constexpr (IsStrongText<T>::value || IsSensitive<T>::value) {
    std::string text;
    read_text(value, constraint, pointer, context, text);
    out = T(std::move(text));
  } else if constexpr (std::same_as<T, std::string>) {
    read_text(value, constraint, pointer, context, out);
  } else if constexpr (std::same_as<T, bool>) {
    read_bool(value, constraint, pointer, context, out);
  } else if constexpr (std::integral<T>) {
    static_assert(sizeof(T) < sizeof(std::int64_t) || std::signed_integral<T>,
                  "a JSON integer is an int64 here");
    std::int64_t wide = out;
    read_integer(value, constraint, pointer, context, std::numeric_limits<T>::min(),
                 std::numeric_limits<T>::max(), wide);
    out = static_cast<T>(wide);
  } else if constexpr (std::floating_point<T>) {
    double wide = out;
    read_number(value, constraint, pointer, context, wide);
    out = static_cast<T>(wide);
  } else if constexpr (std::same_as<T, base::WallTime>) {
    read_time(value, constraint, pointer, context, out);
  } else if constexpr (std::same_as<T, Object>) {
    read_object(value, constraint, pointer, context, out);
  } else if constexpr (std::same_as<T, Value>) {
    read_any(value, constraint, pointer, context, out);
  } else {
    if (const Object* object = as_object(value, pointer, context))
      read_members(*object, pointer, context, out);
  }
}

template <class T>
class ReadVisitor {
 public:
  ReadVisitor(const Object& object, const std::string& pointer, const Context& context, T& out)
      : members_(object), pointer_(pointer), context_(context), out_(out) {}

  template <class Owner, class M>
  void field(std::string_view name, M Owner::* member, const Constraint& constraint = Constraint()) {
    const auto& rules = constraint.rules();
    const Value* value = members_.take(name, rules.alias);
    if (value == nullptr || (rules.or_default && value->is_null())) {
      if (value == nullptr && !IsOptional<M>::value && !rules.or_default)
        context_.error(child(pointer_, name), "required", "is required");
      return;
    }
    read_value(*value, constraint, child(pointer_, name), context_, out_.*member);
  }
  void finish() const { members_.report_unknown(pointer_, context_); }

 private:
  Members members_;
  const std::string& pointer_;
  const Context& context_;
  T& out_;
};

template <class T>
void read_members(const Object& object, const std::string& pointer, const Context& context, T& out) {
  ReadVisitor<T> visitor(object, pointer, context, out);
  T::fields(visitor);
  visitor.finish();
}

template <class T>
Object write_members(const T& in);

template <class T>
Value write_value(const T& in) {
  if constexpr (IsOptional<T>::value) {
    return in ? write_value(*in) : Value(nullptr);
  } else if constexpr (IsVector<T>::value) {
    Array out;
    out.reserve(in.size());
    for (const auto& element : in) out.push_back(write_value<typename T::value_type>(element));
    return out;
  } else if constexpr (IsStrongText<T>::value) {
    return Value(in.str());
  } else if constexpr (IsSensitive<T>::value) {
    return Value(in.reveal());
  } else if constexpr (std::same_as<T, base::WallTime>) {
    return Value(base::format_rfc3339(in));
  } else if constexpr (std::same_as<T, bool> || std::same_as<T, std::string> || std::same_as<T, Object> ||
                       std::same_as<T, Value>) {
    return Value(in);
  } else if constexpr (std::integral<T>) {
    return Value(static_cast<std::int64_t>(in));
  } else if constexpr (std::floating_point<T>) {
    return Value(static_cast<double>(in));
  } else {
    return write_members(in);
  }
}

template <class T>
class WriteVisitor {
 public:
  WriteVisitor(const T& in, Object& out) : in_(in), out_(out) {}
  template <class Owner, class M>
  void field(std::string_view name, M Owner::* member, const Constraint& constraint = Constraint()) {
    const M& value = in_.*member;
    if constexpr (IsOptional<M>::value) {
      if (!value && !constraint.rules().or_null) return;
    }
    put(out_, name, write_value(value));
  }

 private:
  const T& in_;
  Object& out_;
};

template <class T>
Object write_members(const T& in) {
  Object out;
  WriteVisitor<T> visitor(in, out);
  T::fields(visitor);
  return out;
}

template <class T>
Object schema_members();

template <class T>
Object schema_value(const Constraint& constraint) {
  using Kind = Constraint::Kind;
  if constexpr (IsOptional<T>::value) {
    return schema_value<typename T::value_type>(constraint);
  } else if constexpr (IsVector<T>::value) {
    Object out = schema_of(Kind::kList, constraint);
    put(out, "items", schema_value<typename T::value_type>(constraint.items()));
    return out;
  } else if constexpr (IsStrongText<T>::value || IsSensitive<T>::value || std::same_as<T, std::string>) {
    return schema_of(Kind::kText, constraint);
  } else if constexpr (std::same_as<T, bool>) {
    return schema_of(Kind::kBoolean, constraint);
  } else if constexpr (std::integral<T>) {
    return schema_of(Kind::kInteger, constraint);
  } else if constexpr (std::floating_point<T>) {
    return schema_of(Kind::kNumber, constraint);
  } else if constexpr (std::same_as<T, base::WallTime>) {
    return schema_of(Kind::kTime, constraint);
  } else if constexpr (std::same_as<T, Object>) {
    return schema_of(Kind::kObject, constraint);
  } else if constexpr (std::same_as<T, Value>) {
    return schema_of(Kind::kAny, constraint);
  } else {
    return schema_members<T>();
  }
}

template <class T>
class SchemaVisitor {
 public:
  explicit SchemaVisitor(Object& schema) : schema_(schema) {}
  template <class Owner, class M>
  void field(std::string_view name, M Owner::*, const Constraint& constraint = Constraint()) {
    add_to_schema(schema_, name, schema_value<M>(constraint), constraint,
                  !IsOptional<M>::value && !constraint.rules().or_default, IsOptional<M>::value);
  }

 private:
  Object& schema_;
};

template <class T>
Object schema_members() {
  Object out;
  put(out, "type", "object");
  put(out, "properties", Object());
  SchemaVisitor<T> visitor(out);
  T::fields(visitor);
  return out;
}

}  // namespace detail

template <class T>
Read<T> read(const Object& object, Unknown unknown = Unknown::kIgnore) {
  Read<T> out;
  const detail::Context context{out.errors, out.ignored, unknown};
  detail::read_members(object, std::string(), context, out.value);
  return out;
}

template <class T>
Object write(const T& value) {
  return detail::write_members(value);
}

template <class T>
Object schema() {
  return detail::schema_members<T>();
}

}  // namespace json
