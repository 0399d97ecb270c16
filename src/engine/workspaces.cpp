#include "engine/workspaces.h"

#include "base/text.h"

namespace engine {

base::Result<void> Workspaces::load() {
  auto all = store_.workspaces();
  if (!all) return base::fail(all.error());
  for (auto& w : *all) add(std::move(w));
  return {};
}

void Workspaces::add(Workspace workspace) {
  const std::lock_guard lock(mutex_);
  std::string key = workspace.access_key;
  by_key_[std::move(key)] = std::make_shared<const Workspace>(std::move(workspace));
}

WorkspacePtr Workspaces::by_access_key(const std::string& access_key) const {
  const std::lock_guard lock(mutex_);
  const auto it = by_key_.find(access_key);
  return it == by_key_.end() ? nullptr : it->second;
}

WorkspacePtr Workspaces::by_id(const std::string& id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& [key, workspace] : by_key_) {
    if (workspace->id == id) return workspace;
  }
  return nullptr;
}

WorkspacePtr Workspaces::find(const std::string& access_key) {
  if (auto known = by_access_key(access_key)) return known;
  if (!base::is_object_id(access_key)) return nullptr;
  auto stored = store_.workspace_by_access_key(access_key);
  if (!stored || !*stored) return nullptr;
  add(std::move(**stored));
  return by_access_key(access_key);
}

}  // namespace engine
