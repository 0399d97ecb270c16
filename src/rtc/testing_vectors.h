// Reads tests/vectors/*.json. For tests.
#pragma once

#include <fstream>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/text.h"

namespace rtc::testing {

inline boost::json::value load_vectors(std::string_view file) {
  std::ifstream in(std::string(TELEVISIT_VECTORS) + "/" + std::string(file));
  std::stringstream text;
  text << in.rdbuf();
  return boost::json::parse(text.str());
}

inline std::vector<std::uint8_t> hex_of(const boost::json::value& value) {
  return base::from_hex(std::string_view(value.as_string())).value_or(std::vector<std::uint8_t>{});
}

template <class Array>
Array array_of(const boost::json::value& value) {
  Array out{};
  const auto bytes = hex_of(value);
  std::copy_n(bytes.begin(), std::min(bytes.size(), out.size()), out.begin());
  return out;
}

}  // namespace rtc::testing
