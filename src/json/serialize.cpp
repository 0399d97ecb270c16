#include <algorithm>
#include <charconv>
#include <cmath>

#include "json/json.h"
#include "json/number.h"

namespace json {

void append_number(std::string& out, double number) {
  if (!std::isfinite(number)) {
    out += "null";
    return;
  }
  if (number == 0) {
    out += '0';
    return;
  }
  // Shortest digits as d.ddde±x, then laid out as ECMA-262 §6.1.6.1.20 does.
  char text[40];
  const auto written =
      std::to_chars(text, text + sizeof text, std::abs(number), std::chars_format::scientific);
  const std::string_view scientific(text, static_cast<std::size_t>(written.ptr - text));
  const auto e = scientific.find('e');
  std::string digits(scientific.substr(0, 1));
  if (e > 2) digits += scientific.substr(2, e - 2);
  int exponent = 0;
  const char* from = scientific.data() + e + 1;
  if (*from == '+') ++from;
  std::from_chars(from, written.ptr, exponent);

  const int count = static_cast<int>(digits.size());
  const int point = exponent + 1;  // position of the decimal point after the first digit of `digits`
  if (number < 0) out += '-';
  if (count <= point && point <= 21) {
    out += digits;
    out.append(static_cast<std::size_t>(point - count), '0');
  } else if (0 < point && point <= 21) {
    out += digits.substr(0, static_cast<std::size_t>(point));
    out += '.';
    out += digits.substr(static_cast<std::size_t>(point));
  } else if (-6 < point && point <= 0) {
    out += "0.";
    out.append(static_cast<std::size_t>(-point), '0');
    out += digits;
  } else {
    out += digits[0];
    if (count > 1) out += '.' + digits.substr(1);
    out += exponent < 0 ? "e-" : "e+";
    out += std::to_string(std::abs(exponent));
  }
}

namespace {

void append_string(std::string& out, boost::json::string_view text) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += '"';
  for (const char c : text) {
    const auto b = static_cast<std::uint8_t>(c);
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\b':
        out += "\\b";
        break;
      case '\f':
        out += "\\f";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (b < 0x20) {
          out += "\\u00";
          out += kHex[b >> 4];
          out += kHex[b & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

// RFC 8785 §3.2.3 sorts by UTF-16 code units. UTF-8 bytes sort the same way, except that code points above
// U+FFFF (first byte f0..f4, surrogates d800..dfff in UTF-16) come before U+E000..U+FFFF (first byte ee, ef).
bool utf16_less(boost::json::string_view a, boost::json::string_view b) {
  const auto weight = [](char c) {
    const auto u = static_cast<std::uint8_t>(c);
    if (u >= 0xf0) return u - 2;
    if (u >= 0xee) return u + 7;
    return static_cast<int>(u);
  };
  return std::lexicographical_compare(a.begin(), a.end(), b.begin(), b.end(),
                                      [&](char x, char y) { return weight(x) < weight(y); });
}

class Writer {
 public:
  explicit Writer(bool sorted) : sorted_(sorted) {}

  void value(const Value& v) {
    switch (v.kind()) {
      case boost::json::kind::null:
        out_ += "null";
        break;
      case boost::json::kind::bool_:
        out_ += v.get_bool() ? "true" : "false";
        break;
      case boost::json::kind::int64:
        out_ += std::to_string(v.get_int64());
        break;
      case boost::json::kind::uint64:
        out_ += std::to_string(v.get_uint64());
        break;
      case boost::json::kind::double_:
        append_number(out_, v.get_double());
        break;
      case boost::json::kind::string:
        append_string(out_, v.get_string());
        break;
      case boost::json::kind::array:
        array(v.get_array());
        break;
      case boost::json::kind::object:
        object(v.get_object());
        break;
    }
  }

  void object(const Object& members) {
    std::vector<const boost::json::key_value_pair*> order;
    order.reserve(members.size());
    for (const auto& member : members) order.push_back(&member);
    if (sorted_) {
      std::sort(order.begin(), order.end(), [](auto* a, auto* b) { return utf16_less(a->key(), b->key()); });
    }
    out_ += '{';
    bool first = true;
    for (const auto* member : order) {
      if (!first) out_ += ',';
      first = false;
      append_string(out_, member->key());
      out_ += ':';
      value(member->value());
    }
    out_ += '}';
  }

  std::string take() { return std::move(out_); }

 private:
  void array(const Array& elements) {
    out_ += '[';
    bool first = true;
    for (const auto& element : elements) {
      if (!first) out_ += ',';
      first = false;
      value(element);
    }
    out_ += ']';
  }

  const bool sorted_;
  std::string out_;
};

}  // namespace

std::string serialize(const Value& value) {
  Writer writer(false);
  writer.value(value);
  return writer.take();
}

std::string serialize(const Object& value) {
  Writer writer(false);
  writer.object(value);
  return writer.take();
}

std::string canonical(const Value& value) {
  Writer writer(true);
  writer.value(value);
  return writer.take();
}

}  // namespace json
