// The configuration: one table of settings, each with its key in the TOML file, its environment variable, its
// flag and its default. The later source wins: default, file, environment, flag. `televisit config` prints
// what is in force and from where.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/address.h"
#include "base/result.h"

namespace app {

struct Setting {
  std::string_view key;          // TOML path, e.g. "listen.api"
  std::string_view flag;         // e.g. "--api"
  std::string_view environment;  // e.g. "TELEVISIT_LISTEN_API"
  std::string_view fallback;
  std::string_view help;
};

// In the order `televisit config` prints them.
const std::vector<Setting>& settings_table();

class Settings {
 public:
  // `flags`: key -> value given on the command line. `file` empty: ./televisit.toml when it exists.
  // Errors: "config_file_unreadable", "config_file_invalid", "config_key_unknown".
  static base::Result<Settings> load(const std::string& file,
                                     const std::map<std::string, std::string>& flags);

  const std::string& text(std::string_view key) const;
  // "default", "file <name>", "environment <NAME>", "flag <--flag>"
  const std::string& origin(std::string_view key) const;
  // Errors: "config_value_invalid" naming key, value and rule.
  base::Result<base::SocketAddress> address(std::string_view key) const;
  base::Result<int> integer(std::string_view key, int low, int high) const;
  std::vector<std::string> list(std::string_view key) const;  // comma-separated
  // Values with credentials inside are shown without them.
  std::string shown(std::string_view key) const;

 private:
  struct Entry {
    std::string value;
    std::string origin;
  };
  std::map<std::string, Entry, std::less<>> entries_;
};

// Key -> value of a TOML file, nested tables joined by dots, arrays joined by commas. toml++ lives in
// settings_file.cpp alone.
base::Result<std::map<std::string, std::string>> read_settings_file(const std::string& path);

}  // namespace app
