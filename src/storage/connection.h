// One database connection behind the pool. Inside storage only. Used by one thread at a time.
#pragma once

#include <algorithm>

#include "storage/database.h"

namespace storage {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual base::Result<void> begin(bool read_only) = 0;
  virtual base::Result<Rows> query(std::string_view sql, const Params& params) = 0;
  virtual base::Result<void> script(std::string_view sql) = 0;
  virtual base::Result<void> commit() = 0;
  // Ends an open transaction, if there is one; a connection that cannot do so is closed and opened again at
  // begin().
  virtual void rollback() noexcept = 0;
  // True when the statement certainly changes nothing, so that a reader may run it.
  virtual bool only_reads(std::string_view sql) = 0;
};

// Ready to use. Errors: kUnavailable.
base::Result<std::unique_ptr<Connection>> open_sqlite(const std::string& file, bool reader,
                                                      const Options& options);
// Connects (and creates the schema) when `connect_now`, else at the first begin().
base::Result<std::unique_ptr<Connection>> open_postgres(const Options& options, bool connect_now);

// How long a statement waits for a lock before it is kBusy: 5 s (visit-api.md §2.2), and always less than it
// may run.
inline base::Duration lock_patience(base::Duration statement_timeout) {
  return std::min(base::Duration::millis(5000), base::Duration::micros(statement_timeout.us / 4 * 3));
}

// kSyntax for a text that the databases would treat differently: NUL ends it on PostgreSQL, bad UTF-8 is kept
// by SQLite.
base::Result<void> check_texts(const Params& params);

}  // namespace storage
