// The parts that commands share: where data lives, the key file, the two databases. Each command opens what
// it needs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "app/settings.h"
#include "base/clock.h"
#include "base/result.h"
#include "crypto/digest.h"
#include "crypto/envelope.h"
#include "storage/database.h"

namespace app {

struct Paths {
  std::string data;
  std::string key_file;
  std::string run_file;
  std::string migrations;
  std::string web_root;
};

// Creates the data folder (0700) when it is missing. Errors: "data_folder_unusable", "web_root_missing" is
// not checked here.
base::Result<Paths> prepare_paths(const Settings& settings);

base::Result<std::unique_ptr<storage::Database>> open_visits_database(const Settings& settings,
                                                                      const Paths& paths);
base::Result<std::unique_ptr<storage::Database>> open_engine_database(const Settings& settings,
                                                                      const Paths& paths);

struct PublicUrls {
  std::string api;
  std::string web;
};
// Of the server whose run file is in the data folder.
std::optional<PublicUrls> running_urls(const Paths& paths);
// The process id in the run file, when that process lives.
std::optional<int> running_pid(const Paths& paths);
PublicUrls public_urls(const Settings& settings, const base::SocketAddress& api,
                       const base::SocketAddress& web);

}  // namespace app
