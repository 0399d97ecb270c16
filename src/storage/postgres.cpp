// The PostgreSQL side. One libpq connection; UTC, UTF-8, its own schema; reconnects at begin().
#include <poll.h>
#include <postgresql/libpq-fe.h>

#include <charconv>
#include <chrono>
#include <list>

#include "base/text.h"
#include "storage/connection.h"

namespace storage {

namespace {

using SteadyPoint = std::chrono::steady_clock::time_point;

constexpr std::size_t kCachedStatements = 128;
constexpr auto kGraceAfterCancel = std::chrono::seconds(2);

struct PgDeleter {
  void operator()(PGconn* p) const { PQfinish(p); }
  void operator()(PGresult* p) const { PQclear(p); }
  void operator()(PGcancel* p) const { PQfreeCancel(p); }
};
using Result = std::unique_ptr<PGresult, PgDeleter>;

// Type OIDs of the catalogue (pg_type.dat), which never change.
enum Oid_ : Oid {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kOid = 26,
  kFloat4 = 700,
  kFloat8 = 701,
  kTimestamptz = 1184,
  kNumeric = 1700
};

Param::Variant decode(Oid type, std::string_view text) {
  switch (type) {
    case kBool:
      return text == "t";
    case kInt8:
    case kInt2:
    case kInt4:
    case kOid: {
      std::int64_t n = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), n).ec == std::errc{}) return n;
      break;
    }
    case kFloat4:
    case kFloat8:
    case kNumeric: {
      double d = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), d).ec == std::errc{}) return d;
      break;
    }
    case kTimestamptz:
      if (const auto time = base::parse_rfc3339(text)) return *time;
      break;  // "infinity" and years beyond 9999 stay text
    case kBytea:
      if (text.starts_with("\\x"))
        if (const auto bytes = base::from_hex(text.substr(2)))
          return Blob{std::string(bytes->begin(), bytes->end())};
      break;
    default:
      break;
  }
  return std::string(text);
}

std::string_view code_of(std::string_view state) {
  if (state == "23505" || state == "23P01") return kUnique;
  if (state == "23503" || state == "23001") return kForeignKey;
  if (state == "23514" || state == "23502" || state == "P0001") return kCheck;  // P0001: RAISE in a trigger
  if (state == "40001" || state == "40P01" || state == "55P03") return kBusy;
  if (state == "57014") return kTimeout;
  if (state == "25006") return kReadOnly;
  if (state == "53100") return kFull;
  if (state == "08P01") return kSyntax;  // another number of parameters than the statement has
  if (state.starts_with("08") || state.starts_with("53") || state.starts_with("57") ||
      state.starts_with("58") || state.starts_with("28") || state.starts_with("XX") || state == "25P03" ||
      state == "3D000")
    return kUnavailable;
  return kSyntax;
}

std::string first_line(const char* text) {
  const std::string_view all = base::trim(text ? text : "");
  return base::escape_controls(all.substr(0, all.find('\n')));
}

// What libpq takes: texts that live until the call, lengths and formats.
struct Wire {
  explicit Wire(const Params& params) {
    texts.reserve(params.size());
    for (const auto& param : params) add(param.get());
    for (std::size_t i = 0; i < texts.size(); ++i) values.push_back(null[i] ? nullptr : texts[i].c_str());
  }
  void add(const Param::Variant& value) {
    std::string text;
    bool is_null = false;
    int format = 0;
    if (const auto* n = std::get_if<std::int64_t>(&value)) {
      text = std::to_string(*n);
    } else if (const auto* d = std::get_if<double>(&value)) {
      char buffer[40];
      text.assign(buffer, std::to_chars(buffer, buffer + sizeof buffer, *d).ptr);
    } else if (const auto* b = std::get_if<bool>(&value)) {
      text = *b ? "true" : "false";
    } else if (const auto* s = std::get_if<std::string>(&value)) {
      text = *s;
    } else if (const auto* blob = std::get_if<Blob>(&value)) {
      text = blob->bytes;
      format = 1;
    } else if (const auto* time = std::get_if<base::WallTime>(&value)) {
      text = base::format_rfc3339(*time);
    } else {
      is_null = true;
    }
    lengths.push_back(static_cast<int>(text.size()));
    texts.push_back(std::move(text));
    null.push_back(is_null);
    formats.push_back(format);
  }
  std::vector<std::string> texts;
  std::vector<bool> null;
  std::vector<const char*> values;
  std::vector<int> lengths, formats;
};

class PostgresConnection final : public Connection {
 public:
  explicit PostgresConnection(const Options& options) : options_(options) {}

  base::Result<void> connect() {
    close();
    const char* const names[] = {"dbname", "connect_timeout", "client_encoding", "application_name", nullptr};
    const char* const values[] = {options_.url.c_str(), "5", "UTF8", "televisit", nullptr};
    db_.reset(PQconnectdbParams(names, values, 1));
    if (!alive()) {
      auto failed =
          base::fail(kUnavailable, "cannot connect to PostgreSQL: " + first_line(PQerrorMessage(db_.get())));
      close();
      return failed;
    }
    PQsetNoticeProcessor(db_.get(), [](void*, const char*) {}, nullptr);
    auto ready = set_up();
    if (!ready) close();
    return ready;
  }

  base::Result<void> begin(bool read_only) override {
    const char* sql = read_only ? "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
                                : "BEGIN ISOLATION LEVEL READ COMMITTED";
    if (alive()) {
      auto begun = command(sql);
      // Nothing has been done yet, so a connection that died while it waited in the pool may be replaced.
      if (begun || alive()) return begun;
    }
    return connect().and_then([&] { return command(sql); });
  }

  base::Result<Rows> query(std::string_view sql, const Params& params) override {
    if (!alive()) return lost();
    const SteadyPoint deadline = this->deadline();
    auto name = prepared(sql, deadline);
    if (!name) return base::fail(std::move(name.error()));
    const Wire wire(params);
    if (PQsendQueryPrepared(db_.get(), name->c_str(), static_cast<int>(params.size()), wire.values.data(),
                            wire.lengths.data(), wire.formats.data(), 0) != 1)
      return lost();
    auto result = receive(deadline);
    if (!result) {
      // 0A000: a migration changed the table under the cached plan. 26000: the statement is gone.
      if (last_state_ == "0A000" || last_state_ == "26000") {
        forget_statements_ = true;
        return base::fail(kBusy, "the prepared statement was out of date");
      }
      return base::fail(std::move(result.error()));
    }
    return rows_of(result->get());
  }

  base::Result<void> script(std::string_view sql) override {
    if (!alive()) return lost();
    if (auto done = command("SET LOCAL statement_timeout = 0"); !done) return done;
    if (PQsendQuery(db_.get(), std::string(sql).c_str()) != 1) return lost();
    if (auto done = receive(std::nullopt); !done) return base::fail(std::move(done.error()));
    if (PQtransactionStatus(db_.get()) != PQTRANS_INTRANS)
      return base::fail(kSyntax, "the script ended its transaction");
    return command(timeout_command("SET LOCAL").c_str());
  }

  base::Result<void> commit() override {
    if (!alive()) return lost();
    if (PQsendQuery(db_.get(), "COMMIT") != 1) return lost();
    auto result = receive(deadline());
    if (!result) return base::fail(std::move(result.error()));
    if (std::string_view(PQcmdStatus(result->get())) != "COMMIT")
      return base::fail(kAborted, "the server rolled back");
    return {};
  }

  void rollback() noexcept override {
    try {
      if (alive() && PQtransactionStatus(db_.get()) != PQTRANS_IDLE && !command("ROLLBACK")) close();
      if (db_ && PQtransactionStatus(db_.get()) != PQTRANS_IDLE) close();
      if (forget_statements_ && alive() && command("DEALLOCATE ALL")) statements_.clear();
      forget_statements_ = false;
    } catch (const std::exception&) {
      close();
    }
  }

  bool only_reads(std::string_view) override { return false; }

 private:
  bool alive() const { return db_ && PQstatus(db_.get()) == CONNECTION_OK; }
  void close() {
    statements_.clear();
    forget_statements_ = false;
    db_.reset();
  }
  tl::unexpected<base::Error> lost() const {
    return base::fail(kUnavailable, "the connection to PostgreSQL was lost");
  }
  SteadyPoint deadline() const {
    return std::chrono::steady_clock::now() + std::chrono::microseconds(options_.statement_timeout.us);
  }
  std::string timeout_command(const char* set) const {
    // A second later than ours: it ends what a client that vanished left running.
    return std::string(set) +
           " statement_timeout = " + std::to_string(options_.statement_timeout.to_millis() + 1000);
  }

  base::Result<void> set_up() {
    const auto settings =
        timeout_command("SET") +
        "; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET bytea_output = 'hex';"
        "SET lock_timeout = " +
        std::to_string(lock_patience(options_.statement_timeout).to_millis()) +
        ";"
        "SET idle_in_transaction_session_timeout = 60000; SET standard_conforming_strings = on";
    if (auto done = command(settings.c_str()); !done) return done;
    if (options_.schema.empty()) return {};
    const std::unique_ptr<char, decltype(&PQfreemem)> quoted(
        PQescapeIdentifier(db_.get(), options_.schema.data(), options_.schema.size()), &PQfreemem);
    if (!quoted) return base::fail(kUnavailable, "the schema's name cannot be used");
    // Looked for first: CREATE … IF NOT EXISTS wants the right to create even when there is nothing to do.
    const char* const name[] = {options_.schema.c_str()};
    if (PQsendQueryParams(db_.get(), "SELECT 1 FROM pg_namespace WHERE nspname = $1", 1, nullptr, name,
                          nullptr, nullptr, 0) != 1)
      return lost();
    auto found = receive(deadline());
    if (!found) return base::fail(std::move(found.error()));
    if (PQntuples(found->get()) == 0) {
      auto made = command((std::string("CREATE SCHEMA IF NOT EXISTS ") + quoted.get()).c_str());
      // Two that create it at once: IF NOT EXISTS still lets the catalogue's unique index fail for one of
      // them.
      if (!made && made.error().code != kUnique) return made;
    }
    return command((std::string("SET search_path = ") + quoted.get()).c_str());
  }

  base::Result<void> command(const char* sql) {
    if (PQsendQuery(db_.get(), sql) != 1) return lost();
    auto result = receive(deadline());
    if (!result) return base::fail(std::move(result.error()));
    return {};
  }

  // Waits for all results of what was sent and returns the last. Past the deadline it cancels; if the server
  // then stays silent the connection is closed.
  base::Result<Result> receive(std::optional<SteadyPoint> deadline) {
    last_state_.clear();
    Result last;
    bool cancelled = false;
    std::optional<base::Error> error;
    while (true) {
      while (PQisBusy(db_.get()) != 0) {
        if (!wait_readable(deadline)) {
          if (cancelled) {
            close();
            return base::fail(kTimeout, "PostgreSQL did not answer in time");
          }
          cancelled = true;
          cancel();
          deadline = std::chrono::steady_clock::now() + kGraceAfterCancel;
          continue;
        }
        if (PQconsumeInput(db_.get()) != 1) return lost();
      }
      Result next(PQgetResult(db_.get()));
      if (!next) break;
      const auto status = PQresultStatus(next.get());
      if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) {
        close();
        return base::fail(kSyntax, "COPY is not supported here");
      }
      if (status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK && status != PGRES_EMPTY_QUERY && !error)
        error = error_of(next.get());
      last = std::move(next);
    }
    if (error) return base::fail(std::move(*error));
    if (!last) return lost();
    return last;
  }

  bool wait_readable(std::optional<SteadyPoint> deadline) const {
    while (true) {
      int patience = -1;
      if (deadline) {
        const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
            *deadline - std::chrono::steady_clock::now());
        if (left.count() <= 0) return false;
        patience = static_cast<int>(std::min<std::int64_t>(left.count() + 1, 60'000));
      }
      pollfd entry{PQsocket(db_.get()), POLLIN, 0};
      const int ready = ::poll(&entry, 1, patience);
      if (ready > 0 || (ready < 0 && errno != EINTR)) return true;
    }
  }

  void cancel() const {
    const std::unique_ptr<PGcancel, PgDeleter> handle(PQgetCancel(db_.get()));
    char why[256];
    if (handle) PQcancel(handle.get(), why, sizeof why);
  }

  // The message of an integrity or data error may quote what was sent, so only names leave here (visit-api.md
  // §2.2).
  base::Error error_of(const PGresult* result) {
    const auto field = [&](int what) {
      const char* text = PQresultErrorField(result, what);
      return std::string(text ? text : "");
    };
    last_state_ = field(PG_DIAG_SQLSTATE);
    if (last_state_.empty()) return {std::string(kUnavailable), "the connection to PostgreSQL was lost"};
    std::string detail = field(PG_DIAG_CONSTRAINT_NAME);
    if (detail.empty() && last_state_ == "23502")
      detail = field(PG_DIAG_TABLE_NAME) + "." + field(PG_DIAG_COLUMN_NAME);
    // Class 42 (syntax, unknown names, rights) and RAISE of our own triggers speak of the statement, not of
    // values.
    if (detail.empty() && (last_state_.starts_with("42") || last_state_ == "P0001"))
      detail = field(PG_DIAG_MESSAGE_PRIMARY);
    if (!detail.empty()) detail = base::escape_controls(detail) + " ";
    return {std::string(code_of(last_state_)), detail + "(SQLSTATE " + last_state_ + ")"};
  }

  // The server-side name of the statement. OID 0 for every parameter: the server infers uuid, jsonb or
  // timestamptz.
  base::Result<std::string> prepared(std::string_view sql, SteadyPoint deadline) {
    for (auto it = statements_.begin(); it != statements_.end(); ++it) {
      if (it->first != sql) continue;
      statements_.splice(statements_.begin(), statements_, it);
      return statements_.front().second;
    }
    if (sql.find('\0') != std::string_view::npos) return base::fail(kSyntax, "NUL in the statement");
    if (statements_.size() >= kCachedStatements) {
      if (auto done = command(("DEALLOCATE " + statements_.back().second).c_str()); !done)
        return base::fail(std::move(done.error()));
      statements_.pop_back();
    }
    const std::string name = "tv_" + std::to_string(++statement_number_);
    if (PQsendPrepare(db_.get(), name.c_str(), std::string(sql).c_str(), 0, nullptr) != 1) return lost();
    if (auto done = receive(deadline); !done) return base::fail(std::move(done.error()));
    statements_.emplace_front(std::string(sql), name);
    return name;
  }

  static base::Result<Rows> rows_of(const PGresult* result) {
    Rows out;
    const int columns = PQnfields(result);
    auto names = std::make_shared<std::vector<std::string>>();
    for (int c = 0; c < columns; ++c) names->emplace_back(PQfname(result, c));
    const int count = PQntuples(result);
    out.rows.reserve(static_cast<std::size_t>(count));
    for (int r = 0; r < count; ++r) {
      std::vector<Param::Variant> values;
      values.reserve(static_cast<std::size_t>(columns));
      for (int c = 0; c < columns; ++c) {
        if (PQgetisnull(result, r, c) != 0) {
          values.emplace_back(Null{});
          continue;
        }
        const std::string_view text(PQgetvalue(result, r, c),
                                    static_cast<std::size_t>(PQgetlength(result, r, c)));
        values.push_back(decode(PQftype(result, c), text));
      }
      out.rows.emplace_back(names, std::move(values));
    }
    auto* mutable_result = const_cast<PGresult*>(result);  // libpq's signature; it only reads
    if (!std::string_view(PQcmdStatus(mutable_result)).starts_with("SELECT"))
      out.affected = static_cast<std::int64_t>(base::parse_u64(PQcmdTuples(mutable_result)).value_or(0));
    return out;
  }

  const Options options_;
  std::unique_ptr<PGconn, PgDeleter> db_;
  std::list<std::pair<std::string, std::string>> statements_;  // SQL and its name, most recently used first
  std::uint64_t statement_number_ = 0;
  std::string last_state_;  // SQLSTATE of the last error
  bool forget_statements_ = false;
};

}  // namespace

base::Result<std::unique_ptr<Connection>> open_postgres(const Options& options, bool connect_now) {
  auto connection = std::make_unique<PostgresConnection>(options);
  if (connect_now)
    if (auto connected = connection->connect(); !connected) return base::fail(std::move(connected.error()));
  return connection;
}

}  // namespace storage
