// The SQLite side. One connection; WAL, synchronous=FULL, foreign keys on (visit-api.md §2.2).
#include <fcntl.h>
#include <sqlite3.h>
#include <unistd.h>

#include <chrono>
#include <list>

#include "base/text.h"
#include "storage/connection.h"
#include "storage/sqlite_functions.h"

namespace storage {

namespace {

constexpr std::size_t kCachedStatements = 128;
constexpr int kStepsBetweenClockReads = 2000;

struct StatementDeleter {
  void operator()(sqlite3_stmt* p) const { sqlite3_finalize(p); }
};
using Statement = std::unique_ptr<sqlite3_stmt, StatementDeleter>;

struct ConnectionDeleter {
  void operator()(sqlite3* p) const { sqlite3_close_v2(p); }
};

std::string_view code_of(int extended) {
  switch (extended) {
    case SQLITE_CONSTRAINT_UNIQUE:
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_ROWID:
      return kUnique;
    case SQLITE_CONSTRAINT_FOREIGNKEY:
      return kForeignKey;
    default:
      break;
  }
  switch (extended & 0xff) {
    case SQLITE_CONSTRAINT:
      return kCheck;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return kBusy;
    case SQLITE_INTERRUPT:
      return kTimeout;
    case SQLITE_READONLY:
      return kReadOnly;
    case SQLITE_FULL:
      return kFull;
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL:
    case SQLITE_NOMEM:
      return kUnavailable;
    default:
      return kSyntax;
  }
}

class SqliteConnection final : public Connection {
 public:
  SqliteConnection(std::unique_ptr<sqlite3, ConnectionDeleter> db, base::Duration timeout)
      : db_(std::move(db)), timeout_(std::chrono::microseconds(timeout.us)) {
    sqlite3_progress_handler(
        db_.get(), kStepsBetweenClockReads,
        [](void* self) {
          const auto deadline = static_cast<SqliteConnection*>(self)->deadline_;
          return deadline && std::chrono::steady_clock::now() >= *deadline ? 1 : 0;
        },
        this);
  }

  // The connection's settings. `reader` connections refuse to write.
  base::Result<void> set_up(bool reader) {
    sqlite3_extended_result_codes(db_.get(), 1);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DML, 0, nullptr);
    sqlite3_db_config(db_.get(), SQLITE_DBCONFIG_DQS_DDL, 0, nullptr);
    if (register_jsonb_set(db_.get()) != SQLITE_OK) return failure();
    sqlite3_busy_timeout(
        db_.get(), static_cast<int>(lock_patience(base::Duration::micros(timeout_.count())).to_millis()));
    return run("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
               "PRAGMA case_sensitive_like=ON; PRAGMA temp_store=MEMORY;")
        .and_then([&]() -> base::Result<void> {
          return reader ? run("PRAGMA query_only=ON") : base::Result<void>();
        });
  }

  base::Result<void> begin(bool read_only) override {
    // The one connection of ":memory:" serves both kinds.
    if (read_only != query_only_ && shared_) {
      if (auto done = run(read_only ? "PRAGMA query_only=ON" : "PRAGMA query_only=OFF"); !done) return done;
      query_only_ = read_only;
    }
    return run(read_only ? "BEGIN" : "BEGIN IMMEDIATE");
  }

  base::Result<Rows> query(std::string_view sql, const Params& params) override {
    auto statement = prepared(sql);
    if (!statement) return base::fail(std::move(statement.error()));
    struct Reset {
      sqlite3_stmt* s;
      ~Reset() {
        sqlite3_reset(s);
        sqlite3_clear_bindings(s);
      }
    } const reset{*statement};
    if (auto bound = bind(*statement, params); !bound) return base::fail(std::move(bound.error()));
    return rows_of(*statement);
  }

  base::Result<void> script(std::string_view sql) override {
    auto done = run(std::string(sql).c_str());
    if (done && sqlite3_get_autocommit(db_.get()) != 0)
      return base::fail(kSyntax, "the script ended its transaction");
    return done;
  }

  base::Result<void> commit() override { return run("COMMIT"); }

  void rollback() noexcept override {
    if (sqlite3_get_autocommit(db_.get()) == 0)
      sqlite3_exec(db_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }

  bool only_reads(std::string_view sql) override {
    const auto statement = prepared(sql);
    return statement && sqlite3_stmt_readonly(*statement) != 0;
  }

  void set_shared() { shared_ = true; }

 private:
  tl::unexpected<base::Error> failure() const {
    const int code = sqlite3_extended_errcode(db_.get());
    std::string message = sqlite3_errmsg(db_.get());
    // "UNIQUE constraint failed: table.column": SQLite's own messages name tables, columns and constraints,
    // not values.
    constexpr std::string_view kFailed = "constraint failed: ";
    if (const auto at = message.find(kFailed); at != std::string::npos)
      message = message.substr(at + kFailed.size());
    return base::fail(code_of(code),
                      base::escape_controls(message) + " (SQLite " + std::to_string(code) + ")");
  }

  base::Result<void> run(const char* sql) {
    if (sqlite3_exec(db_.get(), sql, nullptr, nullptr, nullptr) != SQLITE_OK) return failure();
    return {};
  }

  base::Result<sqlite3_stmt*> prepared(std::string_view sql) {
    for (auto it = cache_.begin(); it != cache_.end(); ++it) {
      if (it->first != sql) continue;
      cache_.splice(cache_.begin(), cache_, it);
      return cache_.front().second.get();
    }
    sqlite3_stmt* raw = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(db_.get(), sql.data(), static_cast<int>(sql.size()), SQLITE_PREPARE_PERSISTENT,
                           &raw, &rest) != SQLITE_OK)
      return failure();
    Statement statement(raw);
    if (!statement) return base::fail(kSyntax, "no statement");
    sqlite3_stmt* second = nullptr;
    const auto left = sql.size() - static_cast<std::size_t>(rest - sql.data());
    const bool more =
        sqlite3_prepare_v2(db_.get(), rest, static_cast<int>(left), &second, nullptr) != SQLITE_OK ||
        second != nullptr;
    sqlite3_finalize(second);
    if (more) return base::fail(kSyntax, "more than one statement");
    cache_.emplace_front(std::string(sql), std::move(statement));
    if (cache_.size() > kCachedStatements) cache_.pop_back();
    return cache_.front().second.get();
  }

  base::Result<void> bind(sqlite3_stmt* statement, const Params& params) {
    std::vector<bool> used(params.size(), false);
    const int count = sqlite3_bind_parameter_count(statement);
    for (int i = 1; i <= count; ++i) {
      // "$1", or "$1::jsonb": SQLite's lexer takes the cast into the name.
      const char* name = sqlite3_bind_parameter_name(statement, i);
      std::string_view digits = name ? name : "";
      digits = digits.substr(0, digits.find("::"));
      const auto number = digits.starts_with('$') ? base::parse_u64(digits.substr(1)) : std::nullopt;
      if (!number || *number < 1 || *number > params.size())
        return base::fail(kSyntax, "the statement has a parameter that was not given");
      used[*number - 1] = true;
      if (bind_one(statement, i, params[*number - 1].get()) != SQLITE_OK) return failure();
    }
    if (std::find(used.begin(), used.end(), false) != used.end())
      return base::fail(kSyntax, "a parameter was given that the statement does not have");
    return {};
  }

  static int bind_text(sqlite3_stmt* statement, int i, const std::string& text) {
    return sqlite3_bind_text64(statement, i, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  }

  static int bind_one(sqlite3_stmt* statement, int i, const Param::Variant& value) {
    if (const auto* n = std::get_if<std::int64_t>(&value)) return sqlite3_bind_int64(statement, i, *n);
    if (const auto* d = std::get_if<double>(&value)) return sqlite3_bind_double(statement, i, *d);
    if (const auto* b = std::get_if<bool>(&value)) return sqlite3_bind_int64(statement, i, *b ? 1 : 0);
    if (const auto* text = std::get_if<std::string>(&value)) return bind_text(statement, i, *text);
    if (const auto* blob = std::get_if<Blob>(&value)) {
      if (blob->bytes.empty()) return sqlite3_bind_zeroblob(statement, i, 0);
      return sqlite3_bind_blob64(statement, i, blob->bytes.data(), blob->bytes.size(), SQLITE_TRANSIENT);
    }
    if (const auto* time = std::get_if<base::WallTime>(&value))
      return bind_text(statement, i, base::format_rfc3339(*time));
    return sqlite3_bind_null(statement, i);
  }

  static Param::Variant value_of(sqlite3_stmt* statement, int column) {
    const auto size = [&] { return static_cast<std::size_t>(sqlite3_column_bytes(statement, column)); };
    switch (sqlite3_column_type(statement, column)) {
      case SQLITE_INTEGER:
        return static_cast<std::int64_t>(sqlite3_column_int64(statement, column));
      case SQLITE_FLOAT:
        return sqlite3_column_double(statement, column);
      case SQLITE_TEXT: {
        const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
        return std::string(text ? text : "", text ? size() : 0);
      }
      case SQLITE_BLOB: {
        const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement, column));
        return Blob{std::string(bytes ? bytes : "", bytes ? size() : 0)};
      }
      default:
        return Null{};
    }
  }

  base::Result<Rows> rows_of(sqlite3_stmt* statement) {
    deadline_ = std::chrono::steady_clock::now() + timeout_;
    struct Clear {
      std::optional<std::chrono::steady_clock::time_point>& deadline;
      ~Clear() { deadline.reset(); }
    } const clear{deadline_};
    const auto changes_before = sqlite3_total_changes64(db_.get());
    Rows out;
    int columns = 0;
    std::shared_ptr<std::vector<std::string>> names;
    int step = 0;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
      if (!names) {  // after the first step, which may have prepared the statement anew
        names = std::make_shared<std::vector<std::string>>();
        columns = sqlite3_column_count(statement);
        for (int i = 0; i < columns; ++i) names->emplace_back(sqlite3_column_name(statement, i));
      }
      std::vector<Param::Variant> values;
      values.reserve(static_cast<std::size_t>(columns));
      for (int i = 0; i < columns; ++i) values.push_back(value_of(statement, i));
      out.rows.emplace_back(names, std::move(values));
    }
    if (step != SQLITE_DONE) return failure();
    if (sqlite3_total_changes64(db_.get()) != changes_before) out.affected = sqlite3_changes64(db_.get());
    return out;
  }

  std::unique_ptr<sqlite3, ConnectionDeleter> db_;
  std::list<std::pair<std::string, Statement>>
      cache_;  // most recently used first; finalized before db_ closes
  const std::chrono::microseconds timeout_;
  std::optional<std::chrono::steady_clock::time_point> deadline_;  // of the running statement
  bool shared_ = false;
  bool query_only_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Connection>> open_sqlite(const std::string& file, bool reader,
                                                      const Options& options) {
  if (file.empty()) return base::fail(kUnavailable, "the database url names no file");
  const bool memory = file == ":memory:";
  if (!memory) {
    // Made here, so that a file with patients in it is nobody else's from its first byte; -wal and -shm take
    // its mode. O_EXCL, because closing a descriptor of an existing file drops every POSIX lock this process
    // holds on it, SQLite's own included (fcntl(2)).
    const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd >= 0)
      ::close(fd);
    else if (errno != EEXIST)
      return base::fail(kUnavailable, "cannot open the database file " + file + ": " + std::strerror(errno));
  }
  sqlite3* raw = nullptr;
  const int opened = sqlite3_open_v2(
      file.c_str(), &raw, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
  std::unique_ptr<sqlite3, ConnectionDeleter> db(raw);
  if (opened != SQLITE_OK || !db)
    return base::fail(kUnavailable, "cannot open the database file " + file + ": " + sqlite3_errstr(opened));
  auto connection = std::make_unique<SqliteConnection>(std::move(db), options.statement_timeout);
  if (auto ready = connection->set_up(reader); !ready)
    return base::fail(kUnavailable, "cannot use the database file " + file + ": " + ready.error().detail);
  if (memory) connection->set_shared();
  return connection;
}

}  // namespace storage
