// PostgreSQL's three-argument jsonb_set(target, path, new_value) for SQLite, so that an operator's UPDATE of
// the debug guide runs on both (visit-api.md §2.2 "Guide SQL on SQLite"; PostgreSQL 15, 9.16).
#pragma once

#include <sqlite3.h>

namespace storage {

// Called on every connection; a SQLite result code.
int register_jsonb_set(sqlite3* db);

}  // namespace storage
