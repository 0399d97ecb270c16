// The workspaces with their secrets, in memory: tokens are checked on io threads, which must not wait for a
// database. Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.h"
#include "engine/store/store.h"

namespace engine {

using WorkspacePtr =
    std::shared_ptr<const Workspace>;  // shared: a request keeps its workspace while the directory changes

class Workspaces {
 public:
  explicit Workspaces(Store& store) : store_(store) {}

  base::Result<void> load();
  void add(Workspace workspace);
  // In memory only; null when unknown. Never blocks on the database.
  WorkspacePtr by_access_key(const std::string& access_key) const;
  WorkspacePtr by_id(const std::string& id) const;
  // Looks into the database once more when unknown (another process may have made it). Worker threads only.
  WorkspacePtr find(const std::string& access_key);

 private:
  Store& store_;
  mutable std::mutex mutex_;
  std::map<std::string, WorkspacePtr> by_key_;  // guarded by mutex_
};

}  // namespace engine
