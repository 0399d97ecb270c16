#include "app/settings.h"

#include <cstdlib>
#include <filesystem>

#include "base/text.h"

namespace app {

const std::vector<Setting>& settings_table() {
  static const std::vector<Setting> table = {
      {"data", "--data", "TELEVISIT_DATA", "./data", "Folder of databases and the key file"},
      {"listen.api", "--api", "TELEVISIT_LISTEN_API", "127.0.0.1:8000",
       "Address of the API (port 0: any free one)"},
      {"listen.web", "--web", "TELEVISIT_LISTEN_WEB", "127.0.0.1:3000", "Address of the web app"},
      {"listen.media", "--media", "TELEVISIT_LISTEN_MEDIA", "127.0.0.1:40000", "UDP address of media"},
      {"publicApiUrl", "--public-api-url", "TELEVISIT_PUBLIC_API_URL", "",
       "How others reach the API; empty: http://localhost and its port"},
      {"publicWebUrl", "--public-web-url", "TELEVISIT_PUBLIC_WEB_URL", "",
       "How browsers reach the web app; empty: http://localhost and its port"},
      {"database.url", "--database-url", "DATABASE_URL", "",
       "postgresql://… for PostgreSQL; empty: SQLite files in the data folder"},
      {"tls.certificate", "--tls-certificate", "TELEVISIT_TLS_CERTIFICATE", "",
       "PEM chain; empty: plain HTTP"},
      {"tls.key", "--tls-key", "TELEVISIT_TLS_KEY", "", "PEM private key"},
      {"web.root", "--web-root", "TELEVISIT_WEB_ROOT", "",
       "Folder of the built web app; empty: web/dist beside the source"},
      {"migrations", "--migrations", "TELEVISIT_MIGRATIONS", "",
       "Folder of the SQL migrations; empty: beside the source"},
      {"only", "--only", "TELEVISIT_ONLY", "", "Serve one half: engine or visits; empty: both"},
      {"media.announced", "--media-announced", "TELEVISIT_MEDIA_ANNOUNCED", "",
       "IP addresses browsers should send media to, comma-separated; empty: the bound one"},
      {"auth.openLoopback", "--open-loopback", "TELEVISIT_AUTH_OPEN_LOOPBACK", "auto",
       "auto, on or off: calls without credentials act for the demo clinic on loopback"},
      {"trustedProxies", "--trusted-proxies", "TELEVISIT_TRUSTED_PROXIES", "",
       "Addresses whose X-Forwarded-For is believed, comma-separated"},
      {"allowPrivateEndpoints", "--allow-private-endpoints", "TELEVISIT_ALLOW_PRIVATE_ENDPOINTS", "",
       "Provider URLs on private networks that are allowed, comma-separated"},
      {"log.level", "--log-level", "TELEVISIT_LOG_LEVEL", "info", "debug, info, warn or error"},
      {"log.format", "--log-format", "TELEVISIT_LOG_FORMAT", "auto",
       "text, json or auto (text on a terminal)"},
      {"http.ioThreads", "--io-threads", "TELEVISIT_HTTP_IO_THREADS", "1",
       "Threads that read and write sockets, 1-16"},
      {"http.workers", "--workers", "TELEVISIT_HTTP_WORKERS", "4",
       "Threads that answer requests, for each of the two halves, 1-64"},
  };
  return table;
}

namespace {

const Setting* find_setting(std::string_view key) {
  for (const auto& setting : settings_table())
    if (setting.key == key) return &setting;
  return nullptr;
}

}  // namespace

base::Result<Settings> Settings::load(const std::string& file,
                                      const std::map<std::string, std::string>& flags) {
  Settings out;
  for (const auto& setting : settings_table())
    out.entries_[std::string(setting.key)] = {std::string(setting.fallback), "default"};

  std::string path = file;
  if (path.empty() && std::filesystem::exists("televisit.toml")) path = "televisit.toml";
  if (!path.empty()) {
    const auto values = read_settings_file(path);
    if (!values) return base::fail(values.error());
    for (const auto& [key, value] : *values) {
      if (!find_setting(key))
        return base::fail("config_key_unknown", path + ": there is no setting '" + key +
                                                    "'; `televisit config` lists those there are");
      out.entries_[key] = {value, "file " + path};
    }
  }
  for (const auto& setting : settings_table()) {
    const char* value = std::getenv(std::string(setting.environment).c_str());
    if (value != nullptr)
      out.entries_[std::string(setting.key)] = {value, "environment " + std::string(setting.environment)};
  }
  for (const auto& [key, value] : flags) {
    const auto* setting = find_setting(key);
    if (setting == nullptr) return base::fail("config_key_unknown", "there is no setting '" + key + "'");
    out.entries_[key] = {value, "flag " + std::string(setting->flag)};
  }
  return out;
}

const std::string& Settings::text(std::string_view key) const {
  return entries_.find(key)->second.value;
}
const std::string& Settings::origin(std::string_view key) const {
  return entries_.find(key)->second.origin;
}

base::Result<base::SocketAddress> Settings::address(std::string_view key) const {
  const std::string& value = text(key);
  const auto colon = value.rfind(':');
  if (colon != std::string::npos) {
    std::string host = value.substr(0, colon);
    if (host == "localhost") host = "127.0.0.1";
    if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
    const auto port = base::parse_u64(std::string_view(value).substr(colon + 1));
    if (port && *port <= 65535) {
      if (const auto address = base::SocketAddress::parse(host, static_cast<std::uint16_t>(*port)))
        return *address;
    }
  }
  return base::fail("config_value_invalid",
                    std::string(key) + " = '" + value + "' (" + origin(key) +
                        "): expected ADDRESS:PORT, e.g. 127.0.0.1:8000 or [::1]:8000");
}

base::Result<int> Settings::integer(std::string_view key, int low, int high) const {
  const auto value = base::parse_u64(text(key));
  if (value && *value >= static_cast<std::uint64_t>(low) && *value <= static_cast<std::uint64_t>(high))
    return static_cast<int>(*value);
  return base::fail("config_value_invalid", std::string(key) + " = '" + text(key) + "' (" + origin(key) +
                                                "): expected a whole number from " + std::to_string(low) +
                                                " to " + std::to_string(high));
}

std::vector<std::string> Settings::list(std::string_view key) const {
  std::vector<std::string> out;
  for (const auto part : base::split(text(key), ','))
    if (const auto trimmed = base::trim(part); !trimmed.empty()) out.emplace_back(trimmed);
  return out;
}

std::string Settings::shown(std::string_view key) const {
  std::string value = text(key);
  const auto scheme = value.find("://");
  const auto at = value.find('@');
  if (scheme != std::string::npos && at != std::string::npos && at > scheme) {
    const auto colon = value.find(':', scheme + 3);
    if (colon != std::string::npos && colon < at) value.replace(colon + 1, at - colon - 1, "***");
  }
  return value;
}

}  // namespace app
