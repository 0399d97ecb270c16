// Shared by the store's .cpp files.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "storage/database.h"

namespace visits::store {

inline base::Result<void> only_status(const base::Result<storage::Rows>& rows) {
  if (!rows) return base::fail(rows.error());
  return {};
}

inline base::Result<bool> one_row(const base::Result<storage::Rows>& rows) {
  if (!rows) return base::fail(rows.error());
  return rows->affected == 1;
}

template <class T, class Read>
base::Result<std::optional<T>> first(const base::Result<storage::Rows>& rows, Read read) {
  if (!rows) return base::fail(rows.error());
  if (rows->empty()) return std::optional<T>{};
  return std::optional<T>(read(rows->rows.front()));
}

template <class T, class Read>
base::Result<std::vector<T>> all(const base::Result<storage::Rows>& rows, Read read) {
  if (!rows) return base::fail(rows.error());
  std::vector<T> out;
  out.reserve(rows->rows.size());
  for (const storage::Row& row : rows->rows) out.push_back(read(row));
  return out;
}

}  // namespace visits::store
