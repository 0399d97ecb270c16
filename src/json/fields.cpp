#include "json/fields.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include "base/text.h"
#include "json/number.h"

namespace json {

Constraint&& Constraint::min(double n) && {
  rules_.min = n;
  return std::move(*this);
}
Constraint&& Constraint::max(double n) && {
  rules_.max = n;
  return std::move(*this);
}
Constraint&& Constraint::one_of(std::initializer_list<std::string_view> choices) && {
  rules_.choices.assign(choices);
  return std::move(*this);
}
Constraint&& Constraint::one_of(const std::vector<std::string_view>& choices) && {
  rules_.choices = choices;
  return std::move(*this);
}
Constraint&& Constraint::pattern(bool (*matches)(std::string_view), std::string_view name) && {
  rules_.matches = matches;
  if (!name.empty()) rules_.pattern_name = name;
  return std::move(*this);
}
Constraint&& Constraint::pattern_name(std::string_view name) && {
  rules_.pattern_name = name;
  return std::move(*this);
}
Constraint&& Constraint::name() && {
  rules_.name = true;
  return std::move(*this);
}
Constraint&& Constraint::single_line() && {
  rules_.single_line = true;
  return std::move(*this);
}
Constraint&& Constraint::lenient() && {
  rules_.lenient = true;
  return std::move(*this);
}
Constraint&& Constraint::or_default() && {
  rules_.or_default = true;
  return std::move(*this);
}
Constraint&& Constraint::or_null() && {
  rules_.or_null = true;
  return std::move(*this);
}
Constraint&& Constraint::alias(std::string_view name) && {
  rules_.alias = name;
  return std::move(*this);
}
Constraint&& Constraint::about(std::string_view description) && {
  rules_.about = description;
  return std::move(*this);
}
Constraint&& Constraint::items(Constraint element) && {
  rules_.items = std::make_shared<const Constraint>(std::move(element));
  return std::move(*this);
}
const Constraint& Constraint::items() const {
  static const Constraint anything;
  return rules_.items ? *rules_.items : anything;
}

Constraint text() {
  return Constraint(Constraint::Kind::kText);
}
Constraint integer() {
  return Constraint(Constraint::Kind::kInteger);
}
Constraint integer(std::int64_t min, std::int64_t max) {
  return integer().min(static_cast<double>(min)).max(static_cast<double>(max));
}
Constraint boolean() {
  return Constraint(Constraint::Kind::kBoolean);
}
Constraint number() {
  return Constraint(Constraint::Kind::kNumber);
}
Constraint number(double min, double max) {
  return number().min(min).max(max);
}
Constraint time() {
  return Constraint(Constraint::Kind::kTime);
}
Constraint object() {
  return Constraint(Constraint::Kind::kObject);
}
Constraint list(Constraint element) {
  return Constraint(Constraint::Kind::kList).items(std::move(element));
}
Constraint any() {
  return Constraint();
}

bool is_uuid_text(std::string_view text) {
  return base::is_uuid(text);
}
bool is_object_id_text(std::string_view text) {
  return base::is_object_id(text);
}
bool is_http_url_text(std::string_view text) {
  std::string_view rest = text;
  if (rest.size() >= 8 && base::equals_ignore_case(rest.substr(0, 8), "https://")) {
    rest.remove_prefix(8);
  } else if (rest.size() >= 7 && base::equals_ignore_case(rest.substr(0, 7), "http://")) {
    rest.remove_prefix(7);
  } else {
    return false;
  }
  const std::string_view authority = rest.substr(0, rest.find_first_of("/?#"));
  if (authority.empty() || authority.front() == ':' || authority.find('@') != std::string_view::npos)
    return false;
  return std::all_of(text.begin(), text.end(), [](char c) {
    return c > 0x20 && c < 0x7f && c != '\\' && c != '"' && c != '<' && c != '>';
  });
}

namespace detail {

namespace {

std::string_view view(boost::json::string_view s) {
  return {s.data(), s.size()};
}

std::string plain(double n) {
  std::string out;
  append_number(out, n);
  return out;
}

// Decodes one code point of valid UTF-8 and moves on.
std::uint32_t next_point(std::string_view& text) {
  const auto first = static_cast<std::uint8_t>(text.front());
  const std::size_t size = first < 0x80 ? 1u : first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u;
  std::uint32_t point = size == 1 ? first : first & (0xffu >> (size + 1));
  for (std::size_t i = 1; i < size && i < text.size(); ++i)
    point = point << 6 | (static_cast<std::uint8_t>(text[i]) & 0x3f);
  text.remove_prefix(std::min(size, text.size()));
  return point;
}

bool is_control(std::uint32_t point) {
  return point < 0x20 || (point >= 0x7f && point < 0xa0);
}
// Embeddings, overrides and isolates of UAX #9. The plain marks (LRM, RLM, ALM) belong to honest names.
bool is_bidi_override(std::uint32_t point) {
  return (point >= 0x202a && point <= 0x202e) || (point >= 0x2066 && point <= 0x2069);
}

bool characters_allowed(std::string_view text, const Constraint::Rules& rules) {
  while (!text.empty()) {
    const std::uint32_t point = next_point(text);
    if (is_control(point) && (rules.single_line || (point != '\n' && point != '\t'))) return false;
    if (rules.name && is_bidi_override(point)) return false;
  }
  return true;
}

bool check_range(double n, const Constraint& constraint, const std::string& pointer, const Context& context) {
  const auto& rules = constraint.rules();
  if (rules.min && n < *rules.min) {
    context.error(pointer, "too_small", "must be at least " + plain(*rules.min));
    return false;
  }
  if (rules.max && n > *rules.max) {
    context.error(pointer, "too_large", "must be at most " + plain(*rules.max));
    return false;
  }
  return true;
}

// Lets no infinite number (1e400) into a free-form value, which could then neither be stored nor written.
// Texts inside keep the rule of characters too.
bool storable(const Value& value) {
  switch (value.kind()) {
    case boost::json::kind::double_:
      return std::isfinite(value.get_double());
    case boost::json::kind::string:
      return characters_allowed(view(value.get_string()), {});
    case boost::json::kind::array:
      return std::all_of(value.get_array().begin(), value.get_array().end(), storable);
    case boost::json::kind::object:
      return std::all_of(value.get_object().begin(), value.get_object().end(), [](const auto& member) {
        return characters_allowed(view(member.key()), {}) && storable(member.value());
      });
    default:
      return true;
  }
}

void refuse_unstorable(const std::string& pointer, const Context& context) {
  context.error(pointer, "characters", "holds a control character or a number beyond its range");
}

template <class T>
std::optional<T> from_text(std::string_view text) {
  T out{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (text.empty() || error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return out;
}

}  // namespace

void Context::error(const std::string& pointer, std::string_view code, std::string message) const {
  errors.push_back({pointer, std::string(code), std::move(message)});
}

std::string child(const std::string& pointer, std::string_view member) {
  std::string out = pointer + '/';
  for (const char c : member) {
    if (c == '~') {
      out += "~0";
    } else if (c == '/') {
      out += "~1";
    } else {
      out += c;
    }
  }
  return out;
}

std::string child(const std::string& pointer, std::size_t index) {
  return pointer + '/' + std::to_string(index);
}

void read_text(const Value& value, const Constraint& constraint, const std::string& pointer,
               const Context& context, std::string& out) {
  if (!value.is_string()) return context.error(pointer, "type", "must be text");
  const std::string_view text = view(value.get_string());
  const auto& rules = constraint.rules();
  const auto length = static_cast<double>(base::utf8_length(text));
  if (rules.min && length < *rules.min)
    return context.error(
        pointer, "too_short",
        *rules.min == 1 ? "must not be empty" : "must have at least " + plain(*rules.min) + " characters");
  if (rules.max && length > *rules.max)
    return context.error(pointer, "too_long", "must have at most " + plain(*rules.max) + " characters");
  if (!characters_allowed(text, rules))
    return context.error(pointer, "characters", "holds a control or direction character that is not allowed");
  if (!rules.choices.empty() &&
      std::find(rules.choices.begin(), rules.choices.end(), text) == rules.choices.end()) {
    std::string choices;
    for (const auto choice : rules.choices) choices += (choices.empty() ? "" : ", ") + std::string(choice);
    return context.error(pointer, "one_of", "must be one of " + choices);
  }
  if (rules.matches != nullptr && !rules.matches(text))
    return context.error(pointer, "pattern",
                         rules.pattern_name.empty() ? "does not have the required form"
                                                    : "is not a valid " + std::string(rules.pattern_name));
  out.assign(text);
}

void read_bool(const Value& value, const Constraint& constraint, const std::string& pointer,
               const Context& context, bool& out) {
  if (value.is_bool()) {
    out = value.get_bool();
    return;
  }
  if (constraint.rules().lenient && value.is_string()) {
    const std::string lower = base::to_lower(view(value.get_string()));
    if (lower == "true" || lower == "false") {
      out = lower == "true";
      return;
    }
  }
  context.error(pointer, "type", "must be true or false");
}

void read_integer(const Value& value, const Constraint& constraint, const std::string& pointer,
                  const Context& context, std::int64_t low, std::int64_t high, std::int64_t& out) {
  std::optional<std::int64_t> number = exact_integer(value);
  if (!number && constraint.rules().lenient && value.is_string())
    number = from_text<std::int64_t>(view(value.get_string()));
  if (!number) {
    if (value.is_uint64() || (value.is_double() && !(std::abs(value.get_double()) <= 9007199254740992.0))) {
      const bool negative = value.is_double() && value.get_double() < 0;
      return context.error(pointer, negative ? "too_small" : "too_large",
                           "is beyond the range of whole numbers");
    }
    return context.error(pointer, "type", "must be a whole number");
  }
  if (!check_range(static_cast<double>(*number), constraint, pointer, context)) return;
  if (*number < low) return context.error(pointer, "too_small", "must be at least " + std::to_string(low));
  if (*number > high) return context.error(pointer, "too_large", "must be at most " + std::to_string(high));
  out = *number;
}

void read_number(const Value& value, const Constraint& constraint, const std::string& pointer,
                 const Context& context, double& out) {
  std::optional<double> number;
  if (value.is_double()) number = value.get_double();
  if (value.is_int64()) number = static_cast<double>(value.get_int64());
  if (value.is_uint64()) number = static_cast<double>(value.get_uint64());
  if (!number && constraint.rules().lenient && value.is_string())
    number = from_text<double>(view(value.get_string()));
  if (!number || std::isnan(*number)) return context.error(pointer, "type", "must be a number");
  if (!std::isfinite(*number))
    return context.error(pointer, *number < 0 ? "too_small" : "too_large", "is beyond the range of numbers");
  if (check_range(*number, constraint, pointer, context)) out = *number;
}

void read_time(const Value& value, const Constraint&, const std::string& pointer, const Context& context,
               base::WallTime& out) {
  if (!value.is_string()) return context.error(pointer, "type", "must be a time as text");
  const std::string_view text = view(value.get_string());
  // base reads what databases write too; on the wire it is RFC 3339 with a full offset.
  const bool full_offset = text.ends_with('Z') || text.ends_with('z') ||
                           (text.size() > 6 && text[text.size() - 3] == ':' &&
                            (text[text.size() - 6] == '+' || text[text.size() - 6] == '-'));
  const auto parsed = full_offset ? base::parse_rfc3339(text) : std::nullopt;
  if (!parsed)
    return context.error(pointer, "format", "must be a time with offset, like 2026-03-02T09:00:00Z");
  out = *parsed;
}

void read_object(const Value& value, const Constraint& constraint, const std::string& pointer,
                 const Context& context, Object& out) {
  const Object* object = as_object(value, pointer, context);
  if (object == nullptr) return;
  const auto& rules = constraint.rules();
  const auto size = static_cast<double>(object->size());
  if (rules.max && size > *rules.max)
    return context.error(pointer, "too_many", "has more than " + plain(*rules.max) + " members");
  if (rules.min && size < *rules.min)
    return context.error(pointer, "too_few", "has fewer than " + plain(*rules.min) + " members");
  if (!storable(value)) return refuse_unstorable(pointer, context);
  out = *object;
}

void read_any(const Value& value, const Constraint&, const std::string& pointer, const Context& context,
              Value& out) {
  if (!storable(value)) return refuse_unstorable(pointer, context);
  out = value;
}

const Array* as_list(const Value& value, const Constraint& constraint, const std::string& pointer,
                     const Context& context) {
  const Array* list = value.if_array();
  const auto& rules = constraint.rules();
  if (list == nullptr) {
    context.error(pointer, "type", "must be a list");
    return nullptr;
  }
  const auto size = static_cast<double>(list->size());
  if (rules.max && size > *rules.max) {
    context.error(pointer, "too_many", "has more than " + plain(*rules.max) + " elements");
    return nullptr;
  }
  if (rules.min && size < *rules.min) {
    context.error(pointer, "too_few", "has fewer than " + plain(*rules.min) + " elements");
    return nullptr;
  }
  return list;
}

const Object* as_object(const Value& value, const std::string& pointer, const Context& context) {
  const Object* object = value.if_object();
  if (object == nullptr) context.error(pointer, "type", "must be an object");
  return object;
}

const Value* Members::take_one(std::string_view name) {
  const auto it = object_.find(boost::json::string_view(name.data(), name.size()));
  if (it == object_.end()) return nullptr;
  known_[static_cast<std::size_t>(it - object_.begin())] = true;
  return &it->value();
}

const Value* Members::take(std::string_view name, std::string_view alias) {
  if (const Value* value = take_one(name)) return value;
  return alias.empty() ? nullptr : take_one(alias);
}

void Members::report_unknown(const std::string& pointer, const Context& context) const {
  std::size_t i = 0;
  for (const auto& member : object_) {
    if (known_[i++]) continue;
    const std::string at = child(pointer, view(member.key()));
    context.ignored.push_back(at);
    if (context.unknown == Unknown::kRefuse) context.error(at, "unknown", "is not a member of this object");
  }
}

}  // namespace detail

}  // namespace json
