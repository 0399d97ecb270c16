#include "storage/database.h"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/text.h"
#include "storage/connection.h"

namespace storage {

base::Result<void> check_texts(const Params& params) {
  for (std::size_t i = 0; i < params.size(); ++i) {
    const auto* text = std::get_if<std::string>(&params[i].get());
    if (text && (text->find('\0') != std::string::npos || !base::is_valid_utf8(*text)))
      return base::fail(kSyntax, "parameter $" + std::to_string(i + 1) + " is not UTF-8 text without NUL");
  }
  return {};
}

namespace {

class Pool {
 public:
  // Gives the connection back when it goes.
  class Lease {
   public:
    Lease(Pool* pool, std::unique_ptr<Connection> connection)
        : pool_(pool), connection_(std::move(connection)) {}
    Lease(Lease&& other) noexcept = default;
    Lease& operator=(Lease&&) = delete;
    ~Lease() {
      if (connection_) pool_->give_back(std::move(connection_));
    }
    Connection* operator->() const { return connection_.get(); }

   private:
    Pool* pool_;
    std::unique_ptr<Connection> connection_;
  };

  void add(std::unique_ptr<Connection> connection) { free_.push_back(std::move(connection)); }

  base::Result<Lease> take(base::Duration patience) {
    std::unique_lock lock(mutex_);
    if (!freed_.wait_for(lock, std::chrono::microseconds(patience.us), [this] { return !free_.empty(); }))
      return base::fail(kTimeout, "every database connection stayed in use");
    auto connection = std::move(free_.back());
    free_.pop_back();
    return Lease(this, std::move(connection));
  }

 private:
  void give_back(std::unique_ptr<Connection> connection) {
    {
      const std::lock_guard lock(mutex_);
      free_.push_back(std::move(connection));
    }
    freed_.notify_one();
  }

  std::mutex mutex_;
  std::condition_variable freed_;
  std::vector<std::unique_ptr<Connection>> free_;  // guarded by mutex_
};

class PooledTransaction final : public Transaction {
 public:
  PooledTransaction(Pool::Lease connection, Backend backend)
      : connection_(std::move(connection)), backend_(backend) {}
  ~PooledTransaction() override {
    if (open_) connection_->rollback();
  }
  PooledTransaction(const PooledTransaction&) = delete;
  PooledTransaction& operator=(const PooledTransaction&) = delete;

  base::Result<Rows> query(std::string_view sql, const Params& params) override {
    if (!usable()) return aborted();
    auto rows = check_texts(params).and_then([&] { return connection_->query(sql, params); });
    if (!rows) failed_ = true;
    return rows;
  }
  base::Result<void> script(std::string_view sql) override {
    if (!usable()) return aborted();
    auto done = connection_->script(sql);
    if (!done) failed_ = true;
    return done;
  }
  base::Result<void> commit() override {
    if (!usable()) return aborted();
    open_ = false;
    auto done = connection_->commit();
    if (!done) connection_->rollback();
    return done;
  }
  Backend backend() const override { return backend_; }

 private:
  bool usable() const { return open_ && !failed_; }
  static tl::unexpected<base::Error> aborted() {
    return base::fail(kAborted, "the transaction has ended or one of its statements failed");
  }

  Pool::Lease connection_;
  const Backend backend_;
  bool open_ = true;
  bool failed_ = false;
};

class PooledDatabase final : public Database {
 public:
  PooledDatabase(Backend backend, base::Duration patience) : backend_(backend), patience_(patience) {}

  base::Result<void> open_sqlite_file(const std::string& file, const Options& options) {
    const bool memory = file == ":memory:";
    auto writer = open_sqlite(file, false, options);
    if (!writer) return base::fail(std::move(writer.error()));
    writers_.add(std::move(*writer));
    readers_ = memory ? &writers_ : &own_readers_;
    for (int i = 0; !memory && i < options.connections; ++i) {
      auto reader = open_sqlite(file, true, options);
      if (!reader) return base::fail(std::move(reader.error()));
      own_readers_.add(std::move(*reader));
    }
    return {};
  }

  base::Result<void> open_server(const Options& options) {
    readers_ = &writers_;
    for (int i = options.connections; i > 0; --i) {
      auto connection = open_postgres(options, i == 1);
      if (!connection) return base::fail(std::move(connection.error()));
      writers_.add(std::move(*connection));
    }
    return {};
  }

  Backend backend() const override { return backend_; }
  base::Result<std::unique_ptr<Transaction>> begin() override { return start(writers_, false); }
  base::Result<std::unique_ptr<Transaction>> begin_read() override { return start(*readers_, true); }

  base::Result<Rows> query(std::string_view sql, const Params& params) override {
    bool read = false;
    if (backend_ == Backend::kSqlite) {
      auto reader = readers_->take(patience_);
      if (!reader) return base::fail(std::move(reader.error()));
      read = (*reader)->only_reads(sql);
    }
    auto transaction = read ? begin_read() : begin();
    if (!transaction) return base::fail(std::move(transaction.error()));
    auto rows = (*transaction)->query(sql, params);
    if (!rows) return rows;
    if (auto done = (*transaction)->commit(); !done) return base::fail(std::move(done.error()));
    return rows;
  }

 private:
  base::Result<std::unique_ptr<Transaction>> start(Pool& pool, bool read_only) {
    auto connection = pool.take(patience_);
    if (!connection) return base::fail(std::move(connection.error()));
    if (auto begun = (*connection)->begin(read_only); !begun) {
      (*connection)->rollback();
      return base::fail(std::move(begun.error()));
    }
    return std::make_unique<PooledTransaction>(std::move(*connection), backend_);
  }

  const Backend backend_;
  const base::Duration patience_;
  Pool writers_;
  Pool own_readers_;
  Pool* readers_ = nullptr;  // constant after opening
};

}  // namespace

base::Result<std::unique_ptr<Database>> Database::open(const Options& options) {
  constexpr std::string_view kSqliteScheme = "sqlite:";
  if (options.connections < 1 || options.connections > 1000 || options.statement_timeout.us <= 0)
    return base::fail(kUnavailable,
                      "the database needs 1 to 1000 connections and a positive statement timeout");
  if (options.url.starts_with(kSqliteScheme)) {
    auto database = std::make_unique<PooledDatabase>(Backend::kSqlite, options.statement_timeout);
    if (auto opened = database->open_sqlite_file(options.url.substr(kSqliteScheme.size()), options); !opened)
      return base::fail(std::move(opened.error()));
    return database;
  }
  if (options.url.starts_with("postgres://") || options.url.starts_with("postgresql://")) {
    auto database = std::make_unique<PooledDatabase>(Backend::kPostgres, options.statement_timeout);
    if (auto opened = database->open_server(options); !opened) return base::fail(std::move(opened.error()));
    return database;
  }
  return base::fail(kUnavailable,
                    "a database is given as sqlite:<file> or postgresql://<user>@<host>/<name>");
}

void detail::pause_before_retry(int attempt) {
  std::this_thread::sleep_for(std::chrono::milliseconds(5 << attempt));
}

}  // namespace storage
