#include <gtest/gtest.h>

#include <fstream>
#include <thread>

#include "storage/testing_databases.h"

namespace {

using storage::Backend;
using storage::Migration;

class MigrationsTest : public ::testing::TestWithParam<Backend> {
 protected:
  std::vector<Migration> two() const {
    return {{1, "0001_first", "CREATE TABLE a (n integer); INSERT INTO a VALUES (1);"},
            {2, "0002_second",
             "CREATE TABLE b (n integer); -- a comment; with a semicolon\nINSERT INTO b VALUES (2);"}};
  }
  base::Result<storage::MigrationResult> run(const std::vector<Migration>& list) {
    return migrate(fresh_.db(), list, clock_);
  }
  base::ManualClock clock_;
  storage::testing::FreshDatabase fresh_{GetParam()};
};

TEST_P(MigrationsTest, AppliesInOrderOnce) {
  const auto first = run({two()[0]});
  ASSERT_TRUE(first) << first.error().detail;
  EXPECT_EQ(first->applied, std::vector<std::string>{"0001_first"});
  const auto second = run(two());
  ASSERT_TRUE(second) << second.error().detail;
  EXPECT_EQ(second->applied, std::vector<std::string>{"0002_second"});
  EXPECT_EQ(second->current, 2);
  const auto third = run(two());
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->applied.empty());
  const auto rows =
      fresh_.db().query("SELECT name, checksum, applied_at FROM schema_migrations ORDER BY version").value();
  ASSERT_EQ(rows.rows.size(), 2u);
  EXPECT_EQ(rows.rows[0].time("applied_at"), clock_.wall());
  EXPECT_EQ(rows.rows[0].text("checksum").size(), 64u);
  EXPECT_EQ(fresh_.db().query("SELECT n FROM b").value().rows.at(0).integer("n"), 2);
}

TEST_P(MigrationsTest, ChangedOrNewerIsRefused) {
  ASSERT_TRUE(run(two()));
  auto changed = two();
  changed[0].sql += " ";
  EXPECT_EQ(run(changed).error().code, "migration_changed");
  EXPECT_EQ(run({two()[1]}).error().code, "migration_changed");
  const auto newer = run({two()[0]});
  EXPECT_EQ(newer.error().code, "schema_too_new");
  EXPECT_NE(newer.error().detail.find("0002_second"), std::string::npos);
}

TEST_P(MigrationsTest, AFailedMigrationLeavesNothingOfItself) {
  auto broken = two();
  broken[1].sql = "CREATE TABLE b (n integer); INSERT INTO nowhere VALUES (1);";
  const auto failed = run(broken);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().detail.find("0002_second"), std::string::npos);
  EXPECT_FALSE(fresh_.db().query("SELECT * FROM b"));
  EXPECT_TRUE(fresh_.db().query("SELECT * FROM a"));
  const auto fixed = run(two());
  ASSERT_TRUE(fixed) << fixed.error().detail;
  EXPECT_EQ(fixed->applied, std::vector<std::string>{"0002_second"});
}

TEST_P(MigrationsTest, ProcessesThatStartTogether) {
  std::vector<std::thread> threads;
  std::vector<base::Result<storage::MigrationResult>> results(4);
  for (std::size_t i = 0; i < results.size(); ++i)
    threads.emplace_back([&, i] { results[i] = migrate(*fresh_.open(), two(), clock_); });
  for (auto& thread : threads) thread.join();
  std::size_t applied = 0;
  for (const auto& result : results) {
    ASSERT_TRUE(result) << result.error().detail;
    applied += result->applied.size();
  }
  EXPECT_EQ(applied, 2u);
  EXPECT_EQ(fresh_.db().query("SELECT count(*) AS n FROM a").value().rows.at(0).integer("n"), 1);
}

INSTANTIATE_TEST_SUITE_P(Databases, MigrationsTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

class MigrationFilesTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (std::filesystem::temp_directory_path() / "televisit-migrations-XXXXXX").string();
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  void write(const std::string& name, const std::string& text) const {
    std::ofstream(folder_ + "/" + name) << text;
  }
  std::string folder_;
};

TEST_F(MigrationFilesTest, LoadsTheBackendsFilesInOrder) {
  write("0002_b.sqlite.sql", "two");
  write("0001_a.sqlite.sql", "one");
  write("0001_a.postgres.sql", "uno");
  write("README.md", "x");
  const auto sqlite = storage::load_migrations(folder_, Backend::kSqlite);
  ASSERT_TRUE(sqlite);
  ASSERT_EQ(sqlite->size(), 2u);
  EXPECT_EQ((*sqlite)[0].version, 1);
  EXPECT_EQ((*sqlite)[0].name, "0001_a");
  EXPECT_EQ((*sqlite)[0].sql, "one");
  EXPECT_EQ((*sqlite)[1].sql, "two");
  EXPECT_EQ(storage::load_migrations(folder_, Backend::kPostgres)->at(0).sql, "uno");
}

TEST_F(MigrationFilesTest, RefusesWhatIsAmbiguous) {
  EXPECT_FALSE(storage::load_migrations(folder_, Backend::kSqlite));
  EXPECT_FALSE(storage::load_migrations(folder_ + "/absent", Backend::kSqlite));
  write("0001_a.sqlite.sql", "one");
  write("0001_b.sqlite.sql", "one");
  EXPECT_EQ(storage::load_migrations(folder_, Backend::kSqlite).error().code, "migration_invalid");
  std::filesystem::remove(folder_ + "/0001_b.sqlite.sql");
  write("first.sqlite.sql", "one");
  EXPECT_EQ(storage::load_migrations(folder_, Backend::kSqlite).error().code, "migration_invalid");
}

}  // namespace
