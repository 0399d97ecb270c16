#include <algorithm>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <charconv>

#include "json/json.h"

namespace json {

namespace {

using boost::json::error_code;

enum class Refusal { kNone, kDuplicate, kNul, kMembers, kElements, kKey };

// Builds the value as Boost's own handler does, and watches what that one lets pass. Keys of the open objects
// are kept until each object ends; the member limit bounds them.
class Handler {
 public:
  static constexpr std::size_t max_object_size = ~std::size_t{0};
  static constexpr std::size_t max_array_size = ~std::size_t{0};
  static constexpr std::size_t max_key_size = ~std::size_t{0};
  static constexpr std::size_t max_string_size = boost::json::string::max_size();

  Handler(const Limits& limits, bool strict) : limits_(limits), strict_(strict) { stack_.reset(); }

  Refusal refusal() const { return refusal_; }
  Value release() { return stack_.release(); }

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }
  bool on_object_begin(error_code&) {
    keys_.emplace_back();
    return true;
  }
  bool on_object_end(std::size_t n, error_code& ec) {
    auto names = std::move(keys_.back());
    keys_.pop_back();
    if (n > limits_.max_members) return refuse(Refusal::kMembers, ec);
    std::sort(names.begin(), names.end());
    if (strict_ && std::adjacent_find(names.begin(), names.end()) != names.end())
      return refuse(Refusal::kDuplicate, ec);
    stack_.push_object(n);
    return true;
  }
  bool on_array_begin(error_code&) { return true; }
  bool on_array_end(std::size_t n, error_code& ec) {
    if (n > limits_.max_elements) return refuse(Refusal::kElements, ec);
    stack_.push_array(n);
    return true;
  }
  bool on_key_part(boost::json::string_view s, std::size_t n, error_code& ec) {
    if (n > limits_.max_key_bytes) return refuse(Refusal::kKey, ec);
    key_.append(s.data(), s.size());
    stack_.push_chars(s);
    return true;
  }
  bool on_key(boost::json::string_view s, std::size_t n, error_code& ec) {
    if (n > limits_.max_key_bytes) return refuse(Refusal::kKey, ec);
    key_.append(s.data(), s.size());
    if (key_.find('\0') != std::string::npos) return refuse(Refusal::kNul, ec);
    if (keys_.back().size() >= limits_.max_members) return refuse(Refusal::kMembers, ec);
    keys_.back().push_back(std::move(key_));
    key_.clear();
    stack_.push_key(s);
    return true;
  }
  bool on_string_part(boost::json::string_view s, std::size_t, error_code& ec) {
    if (s.find('\0') != boost::json::string_view::npos) return refuse(Refusal::kNul, ec);
    stack_.push_chars(s);
    return true;
  }
  bool on_string(boost::json::string_view s, std::size_t, error_code& ec) {
    if (s.find('\0') != boost::json::string_view::npos) return refuse(Refusal::kNul, ec);
    stack_.push_string(s);
    return true;
  }
  bool on_number_part(boost::json::string_view s, error_code&) {
    number_.append(s.data(), s.size());
    return true;
  }
  bool on_int64(std::int64_t v, boost::json::string_view, error_code&) {
    number_.clear();
    stack_.push_int64(v);
    return true;
  }
  bool on_uint64(std::uint64_t v, boost::json::string_view, error_code&) {
    number_.clear();
    stack_.push_uint64(v);
    return true;
  }
  bool on_double(double v, boost::json::string_view s, error_code&) {
    // Boost.JSON 1.81 may miss the nearest double by a unit or two, and then a number changes with every
    // reading and writing. Beyond the range of a double from_chars leaves its argument alone: infinity or
    // zero, as Boost has it.
    number_.append(s.data(), s.size());
    std::from_chars(number_.data(), number_.data() + number_.size(), v);
    number_.clear();
    stack_.push_double(v);
    return true;
  }
  bool on_bool(bool v, error_code&) {
    stack_.push_bool(v);
    return true;
  }
  bool on_null(error_code&) {
    stack_.push_null();
    return true;
  }
  bool on_comment_part(boost::json::string_view, error_code&) { return true; }
  bool on_comment(boost::json::string_view, error_code&) { return true; }

 private:
  bool refuse(Refusal refusal, error_code& ec) {
    refusal_ = refusal;
    ec = boost::json::error::exception;
    return false;
  }

  const Limits& limits_;
  const bool strict_;
  boost::json::value_stack stack_;
  std::vector<std::vector<std::string>> keys_;
  std::string key_;
  std::string number_;
  Refusal refusal_ = Refusal::kNone;
};

std::string reason(Refusal refusal, const error_code& ec) {
  using boost::json::error;
  switch (refusal) {
    case Refusal::kDuplicate:
      return "the object before it names a member twice";
    case Refusal::kNul:
      return "NUL character";
    case Refusal::kMembers:
      return "too many members in an object";
    case Refusal::kElements:
      return "too many elements in an array";
    case Refusal::kKey:
      return "a member's name is too long";
    case Refusal::kNone:
      break;
  }
  if (ec == error::incomplete) return "the text ends too early";
  if (ec == error::extra_data) return "data after the end";
  if (ec == error::too_deep) return "nested too deeply";
  if (ec == error::illegal_leading_surrogate || ec == error::illegal_trailing_surrogate ||
      ec == error::expected_utf16_escape)
    return "lone surrogate";
  return "syntax error or invalid UTF-8";
}

base::Result<Value> parse_with(std::string_view text, const Limits& limits, bool strict) {
  if (text.size() > limits.max_bytes)
    return base::fail("body_too_large",
                      "the text is longer than " + std::to_string(limits.max_bytes) + " bytes");
  constexpr std::string_view kBom = "\xEF\xBB\xBF";
  const std::size_t skipped = text.starts_with(kBom) ? kBom.size() : 0;
  text.remove_prefix(skipped);

  boost::json::parse_options options;
  options.max_depth = limits.max_depth;
  boost::json::basic_parser<Handler> parser(options, limits, strict);
  error_code ec;
  std::size_t used = parser.write_some(false, text.data(), text.size(), ec);
  if (!ec && used < text.size()) ec = boost::json::error::extra_data;
  const Refusal refusal = parser.handler().refusal();
  if (!ec) return parser.handler().release();
  const std::string detail = reason(refusal, ec) + " at byte " + std::to_string(skipped + used);
  const bool counted =
      refusal == Refusal::kMembers || refusal == Refusal::kElements || refusal == Refusal::kKey;
  return base::fail(counted ? "validation_failed" : "json_invalid", detail);
}

}  // namespace

base::Result<Value> parse(std::string_view text, const Limits& limits) {
  return parse_with(text, limits, true);
}

base::Result<Value> parse_tolerant(std::string_view text, const Limits& limits) {
  return parse_with(text, limits, false);
}

base::Result<Object> parse_object(std::string_view text, const Limits& limits) {
  auto value = parse(text, limits);
  if (!value) return base::fail(std::move(value.error()));
  if (Object* object = value->if_object()) return std::move(*object);
  return base::fail("json_invalid", "the root is not an object at byte 0");
}

}  // namespace json
