// Fresh databases for tests. Header only, for the tests of every module:
//
//   for (auto& fresh : storage::testing::fresh_databases()) {      // SQLite, and PostgreSQL when it is there
//     SCOPED_TRACE(fresh->name());
//     storage::Database& db = fresh->db();
//     …
//   }
//
// or, with one test case per database:
//
//   class StoreTest : public ::testing::TestWithParam<storage::Backend> {
//     storage::testing::FreshDatabase fresh_{GetParam()};
//   };
//   INSTANTIATE_TEST_SUITE_P(Databases, StoreTest, ::testing::ValuesIn(storage::testing::backends()),
//                            [](const auto& test) { return storage::testing::name_of(test.param); });
//
// SQLite is a temporary file; PostgreSQL is the server of TELEVISIT_TEST_POSTGRES (scripts/with_postgres sets
// it) with a new schema of a random name. Both are removed by the destructor. Throws when a database cannot
// be had: a test must not pass because its database was absent.
#pragma once

#include <stdlib.h>

#include <filesystem>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

#include "crypto/digest.h"
#include "storage/database.h"

namespace storage::testing {

inline std::string name_of(Backend backend) {
  return backend == Backend::kSqlite ? "sqlite" : "postgres";
}

inline std::vector<Backend> backends() {
  std::vector<Backend> out{Backend::kSqlite};
  const char* server = std::getenv("TELEVISIT_TEST_POSTGRES");
  if (server != nullptr && *server != '\0') out.push_back(Backend::kPostgres);
  return out;
}

class FreshDatabase {
 public:
  explicit FreshDatabase(Backend backend, int connections = 4) : backend_(backend) {
    options_.connections = connections;
    if (backend == Backend::kSqlite) {
      std::string pattern = (std::filesystem::temp_directory_path() / "televisit-test-XXXXXX").string();
      if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("no temporary folder");
      folder_ = pattern;
      options_.url = "sqlite:" + folder_ + "/test.db";
    } else {
      const char* server = std::getenv("TELEVISIT_TEST_POSTGRES");
      if (server == nullptr) throw std::runtime_error("TELEVISIT_TEST_POSTGRES is not set");
      crypto::SystemRandom random;
      options_.url = server;
      options_.schema = "test_" + random.text("abcdefghijklmnopqrstuvwxyz0123456789", 16);
    }
    db_ = open();
  }
  ~FreshDatabase() {
    db_.reset();
    if (!folder_.empty()) {
      std::error_code ignored;
      std::filesystem::remove_all(folder_, ignored);
    } else if (!options_.schema.empty()) {
      Options admin = options_;
      admin.schema.clear();
      admin.connections = 1;
      if (auto db = Database::open(admin))
        (void)(*db)->query("DROP SCHEMA IF EXISTS " + options_.schema + " CASCADE");
    }
  }
  FreshDatabase(const FreshDatabase&) = delete;
  FreshDatabase& operator=(const FreshDatabase&) = delete;

  Database& db() const { return *db_; }
  Backend backend() const { return backend_; }
  std::string name() const { return name_of(backend_); }
  const Options& options() const { return options_; }
  // A second handle on the same database, as another process would have.
  std::unique_ptr<Database> open() const {
    auto db = Database::open(options_);
    if (!db) throw std::runtime_error(db.error().detail);
    return std::move(*db);
  }
  std::unique_ptr<Database> open(const Options& options) const {
    auto db = Database::open(options);
    if (!db) throw std::runtime_error(db.error().detail);
    return std::move(*db);
  }
  // Applies the migrations of a folder such as migrations/visits.
  void migrate_from(const std::string& folder, const base::Clock& clock) const {
    auto migrations = load_migrations(folder, backend_);
    if (!migrations) throw std::runtime_error(migrations.error().detail);
    if (auto done = migrate(*db_, *migrations, clock); !done) throw std::runtime_error(done.error().detail);
  }

 private:
  const Backend backend_;
  Options options_;
  std::string folder_;
  std::unique_ptr<Database> db_;
};

inline std::vector<std::unique_ptr<FreshDatabase>> fresh_databases() {
  std::vector<std::unique_ptr<FreshDatabase>> out;
  for (const Backend backend : backends()) out.push_back(std::make_unique<FreshDatabase>(backend));
  return out;
}

}  // namespace storage::testing
