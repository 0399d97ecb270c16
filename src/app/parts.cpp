#include "app/parts.h"

#include <signal.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "json/json.h"

namespace app {

namespace fs = std::filesystem;

namespace {

std::string beside_source(const std::string& given, const char* fallback) {
  if (!given.empty()) return given;
  return (fs::path(TELEVISIT_SOURCE_DIR) / fallback).string();
}

base::Result<std::unique_ptr<storage::Database>> open_database(const Settings& settings, const Paths& paths,
                                                               const char* name, const char* schema) {
  storage::Options options;
  const std::string& url = settings.text("database.url");
  options.url = url.empty() ? "sqlite:" + (fs::path(paths.data) / (std::string(name) + ".db")).string() : url;
  if (!url.empty()) options.schema = schema;
  auto database = storage::Database::open(options);
  if (!database)
    return base::fail(database.error().code, std::string(name) + " database: " + database.error().detail);
  return database;
}

std::string url_of(const std::string& given, bool tls, const base::SocketAddress& address) {
  if (!given.empty()) return given.back() == '/' ? given.substr(0, given.size() - 1) : given;
  const std::string host = address.is_loopback() ? "localhost"
                           : address.is_v4()     ? address.ip_text()
                                                 : "[" + address.ip_text() + "]";
  return (tls ? "https://" : "http://") + host + ":" + std::to_string(address.port);
}

}  // namespace

base::Result<Paths> prepare_paths(const Settings& settings) {
  Paths paths;
  std::error_code error;
  paths.data = fs::absolute(settings.text("data"), error).string();
  fs::create_directories(paths.data, error);
  if (error) return base::fail("data_folder_unusable", "data = '" + paths.data + "': " + error.message());
  fs::permissions(paths.data, fs::perms::owner_all, error);
  paths.key_file = (fs::path(paths.data) / "master.key").string();
  paths.run_file = (fs::path(paths.data) / "run.json").string();
  paths.migrations = beside_source(settings.text("migrations"), "migrations");
  paths.web_root = beside_source(settings.text("web.root"), "web/dist");
  return paths;
}

base::Result<std::unique_ptr<storage::Database>> open_visits_database(const Settings& settings,
                                                                      const Paths& paths) {
  return open_database(settings, paths, "visits", "");
}

base::Result<std::unique_ptr<storage::Database>> open_engine_database(const Settings& settings,
                                                                      const Paths& paths) {
  return open_database(settings, paths, "engine", "engine");
}

namespace {

std::optional<json::Object> run_file(const Paths& paths) {
  std::ifstream in(paths.run_file);
  std::ostringstream text;
  text << in.rdbuf();
  auto run = json::parse_tolerant(text.str());
  if (!run || !run->is_object()) return std::nullopt;
  return run->as_object();
}

}  // namespace

std::optional<int> running_pid(const Paths& paths) {
  const auto run = run_file(paths);
  if (!run) return std::nullopt;
  const auto pid = static_cast<pid_t>(json::int_or(*run, "pid", 0));
  if (pid <= 0 || ::kill(pid, 0) != 0) return std::nullopt;
  return pid;
}

std::optional<PublicUrls> running_urls(const Paths& paths) {
  if (!running_pid(paths)) return std::nullopt;
  const auto run = run_file(paths);
  if (!run) return std::nullopt;
  return PublicUrls{std::string(json::text_or(*run, "api")), std::string(json::text_or(*run, "web"))};
}

PublicUrls public_urls(const Settings& settings, const base::SocketAddress& api,
                       const base::SocketAddress& web) {
  const bool tls = !settings.text("tls.certificate").empty();
  return {url_of(settings.text("publicApiUrl"), tls, api), url_of(settings.text("publicWebUrl"), tls, web)};
}

}  // namespace app
