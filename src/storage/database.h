// One interface over SQLite 3.40 (WAL, synchronous=FULL) and PostgreSQL 15 (libpq).
//
// SQL uses $1, $2, … on both. Booleans, times, JSON and bytes are translated in one place:
//   bool       PostgreSQL boolean           SQLite INTEGER 0/1
//   WallTime   timestamptz                  TEXT 'YYYY-MM-DDTHH:MM:SS.sssZ'
//   text/JSON  text, varchar, uuid, jsonb   TEXT
//   Blob       bytea                        BLOB
//   double     numeric, double precision    REAL
// SQL may cast a parameter as PostgreSQL does ($1::jsonb): SQLite reads the cast as part of the parameter's
// name. Double quotes are identifiers and LIKE minds the case on both. A text parameter must be valid UTF-8
// without NUL. Every query of a domain names its organisation (or workspace) in the text; this layer cannot
// check that.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace storage {

enum class Backend { kSqlite, kPostgres };

struct Blob {
  std::string bytes;
  friend bool operator==(const Blob&, const Blob&) = default;
};
struct Null {
  friend bool operator==(Null, Null) = default;
};

// A parameter. An empty optional is NULL.
class Param {
 public:
  using Variant = std::variant<Null, std::int64_t, double, bool, std::string, Blob, base::WallTime>;
  Param() = default;
  Param(Null) {}
  Param(bool v) : value_(v) {}
  Param(int v) : value_(static_cast<std::int64_t>(v)) {}
  Param(std::int64_t v) : value_(v) {}
  Param(double v) : value_(v) {}
  Param(const char* v) : value_(std::string(v)) {}
  Param(std::string_view v) : value_(std::string(v)) {}
  Param(std::string v) : value_(std::move(v)) {}
  Param(Blob v) : value_(std::move(v)) {}
  Param(base::WallTime v) : value_(v) {}
  template <class T>
  Param(const std::optional<T>& v) {
    if (v) *this = Param(*v);
  }
  const Variant& get() const { return value_; }

 private:
  Variant value_;
};
using Params = std::vector<Param>;

// One row; columns by name as written in the SELECT (use AS). A wrong name or a value of another type is a
// programming error: it throws std::logic_error, which ends the request with 500.
class Row {
 public:
  Row(std::shared_ptr<const std::vector<std::string>> names, std::vector<Param::Variant> values)
      : names_(std::move(names)), values_(std::move(values)) {}

  bool is_null(std::string_view column) const;
  std::string text(std::string_view column) const;  // NULL reads as ""
  std::optional<std::string> maybe_text(std::string_view column) const;
  std::int64_t integer(std::string_view column) const;  // NULL reads as 0
  double real(std::string_view column) const;
  bool boolean(std::string_view column) const;
  base::WallTime time(std::string_view column) const;
  std::optional<base::WallTime> maybe_time(std::string_view column) const;
  std::string blob(std::string_view column) const;

  // For whoever prints a result without knowing its shape (`televisit sql`).
  const std::vector<std::string>& columns() const { return *names_; }
  const Param::Variant& value(std::size_t index) const { return values_.at(index); }

 private:
  const Param::Variant& at(std::string_view column) const;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::vector<Param::Variant> values_;
};

struct Rows {
  std::vector<Row> rows;
  std::int64_t affected = 0;  // INSERT, UPDATE, DELETE
  bool empty() const { return rows.empty(); }
};

// Error codes of this layer (base::Error::code). The detail names the constraint at most, never a value.
inline constexpr std::string_view kUnique = "db_unique_violation";
inline constexpr std::string_view kForeignKey = "db_foreign_key_violation";
inline constexpr std::string_view kCheck = "db_check_violation";
inline constexpr std::string_view kBusy =
    "db_busy";  // lock timeout, serialization failure, deadlock: retry the transaction
inline constexpr std::string_view kUnavailable = "database_unavailable";
inline constexpr std::string_view kTimeout = "db_timeout";
inline constexpr std::string_view kReadOnly = "db_read_only";
inline constexpr std::string_view kFull = "storage_full";
inline constexpr std::string_view kSyntax = "db_statement_invalid";
inline constexpr std::string_view kAborted =
    "db_transaction_aborted";  // used again after one of its queries failed

// One connection with an open transaction. Used by one thread at a time, destroyed before its Database.
// Rolled back by the destructor unless committed. After a failed query every later query and the commit
// answer kAborted, as PostgreSQL has it: write INSERT … ON CONFLICT rather than trying and recovering.
class Transaction {
 public:
  virtual ~Transaction() = default;
  virtual base::Result<Rows> query(std::string_view sql, const Params& params = {}) = 0;
  // Several statements without parameters or results and without a deadline: migrations and seeds.
  virtual base::Result<void> script(std::string_view sql) = 0;
  virtual base::Result<void> commit() = 0;
  virtual Backend backend() const = 0;
};

struct Options {
  // "sqlite:<file>" (":memory:" allowed) or "postgres://…"/"postgresql://…".
  std::string url;
  std::string schema;   // PostgreSQL search_path, created if missing; empty = public
  int connections = 4;  // pool size; SQLite: readers, plus one writer
  base::Duration statement_timeout = base::Duration::seconds(10);
};

// Thread-safe pool. Hands out transactions; blocks the caller (a worker thread) until a connection is free,
// at most the statement timeout.
class Database {
 public:
  virtual ~Database() = default;
  static base::Result<std::unique_ptr<Database>> open(const Options& options);

  virtual Backend backend() const = 0;
  // A read-write transaction (SQLite: BEGIN IMMEDIATE; PostgreSQL: READ COMMITTED).
  virtual base::Result<std::unique_ptr<Transaction>> begin() = 0;
  // A read-only transaction on one snapshot: never waits for a writer (":memory:" has one connection, so
  // there it does).
  virtual base::Result<std::unique_ptr<Transaction>> begin_read() = 0;
  // One statement in a transaction of its own.
  virtual base::Result<Rows> query(std::string_view sql, const Params& params = {}) = 0;
};

namespace detail {
inline constexpr int kTransactAttempts = 5;
void pause_before_retry(int attempt);
}  // namespace detail

// Runs `work` in a transaction and commits when it returns a value; again (at most 5 times, with growing
// pauses) when the error is kBusy. `work` is Result<T>(Transaction&).
template <class Work>
auto transact(Database& db, Work&& work) -> decltype(work(std::declval<Transaction&>())) {
  using Answer = decltype(work(std::declval<Transaction&>()));
  for (int attempt = 1;; ++attempt) {
    Answer answer = [&]() -> Answer {
      auto transaction = db.begin();
      if (!transaction) return base::fail(std::move(transaction.error()));
      Answer got = work(**transaction);
      if (!got) return got;
      if (auto done = (*transaction)->commit(); !done) return base::fail(std::move(done.error()));
      return got;
    }();
    if (answer || answer.error().code != kBusy || attempt == detail::kTransactAttempts) return answer;
    detail::pause_before_retry(attempt);
  }
}

// `name` is a schema version's file, e.g. migrations/visits/0001_first.postgres.sql. Files of one backend are
// applied in order, each in its own transaction with its checksum kept in schema_migrations; a changed
// checksum of an applied migration, or a version newer than the program's, is an error ("migration_changed",
// "schema_too_new").
struct Migration {
  int version = 0;
  std::string name;
  std::string sql;
};
// Reads <folder>/NNNN_name.<sqlite|postgres>.sql.
base::Result<std::vector<Migration>> load_migrations(const std::string& folder, Backend backend);
struct MigrationResult {
  std::vector<std::string> applied;
  int current = 0;
};
base::Result<MigrationResult> migrate(Database& db, const std::vector<Migration>& migrations,
                                      const base::Clock& clock);

}  // namespace storage
