// The JSON Schema 2020-12 of a constraint.
#include "json/fields.h"

namespace json::detail {

namespace {

using Kind = Constraint::Kind;

Value number_value(double n) {
  const auto whole = static_cast<std::int64_t>(n);
  return static_cast<double>(whole) == n ? Value(whole) : Value(n);
}

const char* type_name(Kind kind) {
  switch (kind) {
    case Kind::kText:
    case Kind::kTime:
      return "string";
    case Kind::kInteger:
      return "integer";
    case Kind::kBoolean:
      return "boolean";
    case Kind::kNumber:
      return "number";
    case Kind::kObject:
      return "object";
    case Kind::kList:
      return "array";
    case Kind::kAny:
      break;
  }
  return nullptr;
}

struct RangeNames {
  const char* min;
  const char* max;
};

RangeNames range_names(Kind kind) {
  switch (kind) {
    case Kind::kText:
      return {"minLength", "maxLength"};
    case Kind::kList:
      return {"minItems", "maxItems"};
    case Kind::kObject:
      return {"minProperties", "maxProperties"};
    default:
      return {"minimum", "maximum"};
  }
}

}  // namespace

void put(Object& out, std::string_view name, Value value) {
  out.insert_or_assign(boost::json::string_view(name.data(), name.size()), std::move(value));
}

Object schema_of(Kind kind, const Constraint& constraint) {
  const auto& rules = constraint.rules();
  Object out;
  if (const char* type = type_name(kind)) {
    const bool text_too =
        rules.lenient && (kind == Kind::kInteger || kind == Kind::kBoolean || kind == Kind::kNumber);
    put(out, "type", text_too ? Value(Array{type, "string"}) : Value(type));
  }
  if (kind == Kind::kTime) put(out, "format", "date-time");
  const RangeNames names = range_names(kind);
  if (rules.min) put(out, names.min, number_value(*rules.min));
  if (rules.max) put(out, names.max, number_value(*rules.max));
  if (!rules.choices.empty()) {
    Array choices;
    for (const auto choice : rules.choices) choices.push_back(Value(std::string(choice)));
    put(out, "enum", std::move(choices));
  }
  std::string about(rules.about);
  if (!rules.pattern_name.empty()) about += (about.empty() ? "" : "; ") + std::string(rules.pattern_name);
  if (!about.empty()) put(out, "description", Value(about));
  return out;
}

void add_to_schema(Object& schema, std::string_view name, Object member, const Constraint& constraint,
                   bool required, bool nullable) {
  if (nullable) {
    if (Value* type = member.if_contains("type")) {
      Array types = type->is_array() ? type->get_array() : Array{*type};
      types.push_back("null");
      put(member, "type", std::move(types));
    }
    if (Value* choices = member.if_contains("enum")) choices->as_array().push_back(nullptr);
  }
  if (!constraint.rules().about.empty() && !member.contains("description"))
    put(member, "description", Value(std::string(constraint.rules().about)));
  put(schema["properties"].as_object(), name, std::move(member));
  if (!required) return;
  Value& list = schema["required"];
  if (!list.is_array()) list = Array();
  list.as_array().push_back(Value(std::string(name)));
}

}  // namespace json::detail
