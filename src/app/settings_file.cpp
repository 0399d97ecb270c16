#include <toml++/toml.h>
#include <fstream>
#include <sstream>

#include "app/settings.h"

namespace app {

namespace {

std::string scalar(const toml::node& node) {
  if (const auto* text = node.as_string()) return text->get();
  if (const auto* number = node.as_integer()) return std::to_string(number->get());
  if (const auto* flag = node.as_boolean()) return flag->get() ? "true" : "false";
  std::ostringstream out;
  node.visit([&](const auto& n) { out << n; });
  return out.str();
}

void flatten(const toml::table& table, const std::string& prefix, std::map<std::string, std::string>& out) {
  for (const auto& [key, node] : table) {
    const std::string path = prefix + std::string(key.str());
    if (const auto* inner = node.as_table()) {
      flatten(*inner, path + ".", out);
    } else if (const auto* array = node.as_array()) {
      std::string joined;
      for (const auto& element : *array) joined += (joined.empty() ? "" : ",") + scalar(element);
      out[path] = joined;
    } else {
      out[path] = scalar(node);
    }
  }
}

}  // namespace

base::Result<std::map<std::string, std::string>> read_settings_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return base::fail("config_file_unreadable", path + " cannot be read");
  std::ostringstream text;
  text << in.rdbuf();
  std::map<std::string, std::string> out;
  try {
    flatten(toml::parse(text.str(), path), "", out);
  } catch (const toml::parse_error& e) {
    std::ostringstream where;
    where << e.source().begin;
    return base::fail("config_file_invalid",
                      path + ": " + std::string(e.description()) + " at " + where.str());
  }
  return out;
}

}  // namespace app
