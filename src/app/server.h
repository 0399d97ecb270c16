// The whole program put together: databases, engine, visits, listeners. Reads as the list of what exists and
// who is given what.
#pragma once

#include <memory>
#include <string>

#include "app/settings.h"
#include "base/result.h"

namespace app {

// What a newcomer needs to know of a running server; also written to <data>/run.json.
struct RunInfo {
  std::string api_url;
  std::string web_url;
  std::string media_address;
  std::string org_id;
  std::string org_name;
  std::string integration_id;
  std::string access_key;
  std::string template_id;
  bool open_on_loopback = false;
};

class RunningServer {
 public:
  virtual ~RunningServer() = default;  // stops accepting, finishes what runs, closes the databases
  virtual const RunInfo& info() const = 0;
};

// Opens, migrates, seeds an empty data folder with the demo clinic, and listens.
// Errors name the setting, file or port that stands in the way.
base::Result<std::unique_ptr<RunningServer>> start_server(const Settings& settings);

}  // namespace app
