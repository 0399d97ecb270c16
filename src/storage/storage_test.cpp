#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <thread>

#include "storage/testing_databases.h"

namespace {

using base::Duration;
using storage::Backend;
using storage::Database;
using storage::Params;
using storage::Row;
using storage::Transaction;

class StorageTest : public ::testing::TestWithParam<Backend> {
 protected:
  // Runs `sql`, with the PostgreSQL types of the table below written for SQLite when that is what we have.
  void must(std::string_view sql, const Params& params = {}) {
    const auto done = db().query(sql, params);
    ASSERT_TRUE(done) << sql << ": " << done.error().code << " " << done.error().detail;
  }
  bool sqlite() const { return GetParam() == Backend::kSqlite; }
  Database& db() { return fresh_.db(); }
  std::string code(std::string_view sql, const Params& params = {}) {
    const auto done = db().query(sql, params);
    return done ? "ok" : done.error().code;
  }
  void make_table() {
    must(sqlite()
             ? "CREATE TABLE things (id TEXT PRIMARY KEY, name TEXT NOT NULL, size INTEGER, on_air INTEGER "
               "CHECK (on_air IN (0,1)),"
               " weight REAL, at TEXT, doc TEXT CHECK (doc IS NULL OR json_valid(doc)), raw BLOB, parent "
               "TEXT REFERENCES things(id),"
               " CONSTRAINT size_small CHECK (size < 100))"
             : "CREATE TABLE things (id uuid PRIMARY KEY, name text NOT NULL, size bigint, on_air boolean,"
               " weight numeric, at timestamptz, doc jsonb, raw bytea, parent uuid REFERENCES things(id),"
               " CONSTRAINT size_small CHECK (size < 100))");
    must("CREATE UNIQUE INDEX things_name ON things (name)");
  }
  std::int64_t count() {
    const auto rows = db().query("SELECT count(*) AS n FROM things");
    return rows ? rows->rows.at(0).integer("n") : -1;
  }
  // A second handle with a short patience.
  std::unique_ptr<Database> hasty(std::int64_t ms = 200) {
    auto options = fresh_.options();
    options.statement_timeout = Duration::millis(ms);
    return fresh_.open(options);
  }

  storage::testing::FreshDatabase fresh_{GetParam()};
};

const std::string kIdA = "019582a1-2b00-7d3c-8e5f-6a7b8c9d0e1f";
const std::string kIdB = "019582a1-2b00-7d3c-8e5f-6a7b8c9d0e20";

TEST_P(StorageTest, TypesRoundTrip) {
  make_table();
  const base::WallTime at{1'772'442'000'123};
  const std::string raw("\0\x01\xff'\\", 5);
  const auto inserted = db().query(
      "INSERT INTO things (id, name, size, on_air, weight, at, doc, raw) VALUES ($1, $2, $3, $4, $5, $6, $7, "
      "$8)",
      {kIdA, "Zoë \xF0\x9F\x98\x80", std::int64_t{-7}, true, 70.25, at, R"({"a": [1, 2]})",
       storage::Blob{raw}});
  ASSERT_TRUE(inserted) << inserted.error().detail;
  EXPECT_EQ(inserted->affected, 1);

  const auto rows = db().query("SELECT * FROM things WHERE id = $1 AND on_air = $2 AND at = $3 AND size = $4",
                               {kIdA, true, at, -7});
  ASSERT_TRUE(rows) << rows.error().detail;
  ASSERT_EQ(rows->rows.size(), 1u);
  const Row& row = rows->rows[0];
  EXPECT_EQ(row.text("id"), kIdA);
  EXPECT_EQ(row.text("name"), "Zoë \xF0\x9F\x98\x80");
  EXPECT_EQ(row.integer("size"), -7);
  EXPECT_TRUE(row.boolean("on_air"));
  EXPECT_EQ(row.real("weight"), 70.25);
  EXPECT_EQ(row.time("at"), at);
  EXPECT_EQ(row.text("doc"), R"({"a": [1, 2]})");
  EXPECT_EQ(row.blob("raw"), raw);
  EXPECT_TRUE(row.is_null("parent"));
  EXPECT_EQ(row.text("parent"), "");
  EXPECT_FALSE(row.maybe_text("parent").has_value());
  EXPECT_EQ(rows->affected, 0);
  EXPECT_THROW((void)row.text("absent"), std::logic_error);
  EXPECT_THROW((void)row.text("size"), std::logic_error);
  EXPECT_THROW((void)row.integer("name"), std::logic_error);
  EXPECT_THROW((void)row.time("parent"), std::logic_error);
}

TEST_P(StorageTest, EmptyOptionalsAreNull) {
  make_table();
  must("INSERT INTO things (id, name, size, at, doc, raw) VALUES ($1, $2, $3, $4, $5, $6)",
       {kIdA, "", std::optional<std::int64_t>(), std::optional<base::WallTime>(),
        std::optional<std::string>(), storage::Blob{}});
  const auto row = db().query("SELECT * FROM things").value().rows.at(0);
  EXPECT_FALSE(row.is_null("name"));
  EXPECT_TRUE(row.is_null("size"));
  EXPECT_FALSE(row.maybe_time("at").has_value());
  EXPECT_TRUE(row.is_null("doc"));
  EXPECT_FALSE(row.is_null("raw"));
}

TEST_P(StorageTest, OneParameterTwiceTenParametersAndCasts) {
  const auto row = db().query(
      "SELECT $1::text AS a, $1::text AS b, $10::text AS j, $2::text AS c WHERE $3::text || $4::text || "
      "$5::text || $6::text "
      "|| $7::text || $8::text || $9::text = '3456789'",
      {"1", "2", "3", "4", "5", "6", "7", "8", "9", "10"});
  ASSERT_TRUE(row) << row.error().detail;
  ASSERT_EQ(row->rows.size(), 1u);
  EXPECT_EQ(row->rows[0].text("a"), "1");
  EXPECT_EQ(row->rows[0].text("b"), "1");
  EXPECT_EQ(row->rows[0].text("j"), "10");
  EXPECT_EQ(row->rows[0].text("c"), "2");
}

TEST_P(StorageTest, ErrorsAreNamedAndCarryNoValues) {
  make_table();
  const std::string insert = "INSERT INTO things (id, name, size, parent) VALUES ($1, $2, $3, $4)";
  must(insert, {kIdA, "first", 1, storage::Null{}});
  const auto fails = [&](const Params& params) {
    const auto done = db().query(insert, params);
    return done ? base::Error{"ok", ""} : done.error();
  };
  const auto unique = fails({kIdB, "first", 1, storage::Null{}});
  EXPECT_EQ(unique.code, storage::kUnique);
  EXPECT_NE(unique.detail.find("name"), std::string::npos) << unique.detail;
  EXPECT_EQ(fails({kIdA, "other", 1, storage::Null{}}).code, storage::kUnique);
  EXPECT_EQ(fails({kIdB, "SECRET", 1, "019582a1-0000-7d3c-8e5f-6a7b8c9d0e1f"}).code, storage::kForeignKey);
  const auto check = fails({kIdB, "SECRET", 100, storage::Null{}});
  EXPECT_EQ(check.code, storage::kCheck);
  EXPECT_NE(check.detail.find("size_small"), std::string::npos) << check.detail;
  EXPECT_EQ(fails({kIdB, storage::Null{}, 1, storage::Null{}}).code, storage::kCheck);
  for (const auto& error :
       {unique, check, fails({kIdB, "SECRET", 1, "019582a1-0000-7d3c-8e5f-6a7b8c9d0e1f"})}) {
    EXPECT_EQ(error.detail.find("SECRET"), std::string::npos);
    EXPECT_EQ(error.detail.find("first"), std::string::npos) << error.detail;
  }
  EXPECT_EQ(code("SELEC 1"), storage::kSyntax);
  EXPECT_EQ(code("SELECT * FROM nothing_here"), storage::kSyntax);
  EXPECT_EQ(code("SELECT \"not a column\""), storage::kSyntax);
  EXPECT_EQ(code("SELECT 1; SELECT 2"), storage::kSyntax);
  EXPECT_EQ(code("SELECT 1 AS one;"), "ok");
  EXPECT_EQ(code("SELECT $1::text", {"a", "b"}), storage::kSyntax);
  EXPECT_EQ(code("SELECT $1::text AS a, $2::text AS b", {"a"}), storage::kSyntax);
  EXPECT_EQ(code("SELECT $1::text", {std::string("a\0b", 3)}), storage::kSyntax);
  EXPECT_EQ(code("SELECT $1::text", {"\xff"}), storage::kSyntax);
  if (!sqlite()) {
    const auto bad = db().query("SELECT $1::uuid AS u", {"SECRET"});
    EXPECT_EQ(bad.error().code, storage::kSyntax);
    EXPECT_EQ(bad.error().detail.find("SECRET"), std::string::npos) << bad.error().detail;
  }
  EXPECT_EQ(count(), 1);
}

TEST_P(StorageTest, TextIsNeverInterpreted) {
  make_table();
  const std::vector<std::string> texts = {"'; DROP TABLE things; --",
                                          "$1",
                                          "\" OR \"\"=\"",
                                          "\\'; SELECT 1",
                                          "<script>",
                                          "%s%n{{x}}",
                                          "NULL",
                                          "{}"};
  for (std::size_t i = 0; i < texts.size(); ++i)
    must("INSERT INTO things (id, name) VALUES ($1, $2)",
         {"019582a1-2b00-7d3c-8e5f-00000000000" + std::to_string(i), texts[i]});
  for (const auto& text : texts) {
    const auto rows = db().query("SELECT name FROM things WHERE name = $1", {text});
    ASSERT_TRUE(rows);
    ASSERT_EQ(rows->rows.size(), 1u) << text;
    EXPECT_EQ(rows->rows[0].text("name"), text);
  }
}

TEST_P(StorageTest, LikeMindsTheCase) {
  const auto row = db().query("SELECT count(*) AS n FROM (SELECT 'Abc' AS x) AS t WHERE x LIKE 'abc'");
  ASSERT_TRUE(row);
  EXPECT_EQ(row->rows.at(0).integer("n"), 0);
}

TEST_P(StorageTest, RollsBackUnlessCommitted) {
  make_table();
  const std::string insert = "INSERT INTO things (id, name) VALUES ($1, $2)";
  {
    auto t = db().begin().value();
    ASSERT_TRUE(t->query(insert, {kIdA, "a"}));
  }
  EXPECT_EQ(count(), 0);
  {
    auto t = db().begin().value();
    ASSERT_TRUE(t->query(insert, {kIdA, "a"}));
    ASSERT_TRUE(t->commit());
    EXPECT_EQ(t->query("SELECT 1 AS one").error().code, storage::kAborted);
    EXPECT_EQ(t->commit().error().code, storage::kAborted);
  }
  EXPECT_EQ(count(), 1);
}

TEST_P(StorageTest, AFailedStatementEndsTheTransaction) {
  make_table();
  auto t = db().begin().value();
  ASSERT_TRUE(t->query("INSERT INTO things (id, name) VALUES ($1, $2)", {kIdA, "a"}));
  EXPECT_EQ(t->query("INSERT INTO things (id, name) VALUES ($1, $2)", {kIdB, "a"}).error().code,
            storage::kUnique);
  EXPECT_EQ(t->query("SELECT 1 AS one").error().code, storage::kAborted);
  EXPECT_EQ(t->commit().error().code, storage::kAborted);
  t.reset();
  EXPECT_EQ(count(), 0);
}

TEST_P(StorageTest, ReadersSeeOneSnapshotAndCannotWrite) {
  make_table();
  auto reader = db().begin_read().value();
  ASSERT_EQ(reader->query("SELECT count(*) AS n FROM things").value().rows.at(0).integer("n"), 0);
  must("INSERT INTO things (id, name) VALUES ($1, 'a')", {kIdA});
  EXPECT_EQ(reader->query("SELECT count(*) AS n FROM things").value().rows.at(0).integer("n"), 0);
  EXPECT_EQ(reader->query("INSERT INTO things (id, name) VALUES ($1, 'b')", {kIdB}).error().code,
            storage::kReadOnly);
  reader.reset();
  EXPECT_EQ(count(), 1);
}

TEST_P(StorageTest, ReaderDoesNotWaitForAWriter) {
  make_table();
  auto writer = db().begin().value();
  ASSERT_TRUE(writer->query("INSERT INTO things (id, name) VALUES ($1, 'a')", {kIdA}));
  EXPECT_EQ(count(), 0);
  ASSERT_TRUE(writer->commit());
  EXPECT_EQ(count(), 1);
}

TEST_P(StorageTest, ALockHeldElsewhereIsBusyAndRetried) {
  make_table();
  must("INSERT INTO things (id, name, size) VALUES ($1, 'a', 0)", {kIdA});
  const std::string update = "UPDATE things SET size = size + 1 WHERE id = $1";
  auto holder = db().begin().value();
  ASSERT_TRUE(holder->query(update, {kIdA}));
  const auto other = hasty();
  EXPECT_EQ(other->query(update, {kIdA}).error().code, storage::kBusy);

  int attempts = 0;
  const auto done = storage::transact(*other, [&](Transaction& t) -> base::Result<int> {
    if (++attempts == 2) {
      EXPECT_TRUE(sqlite() || holder->commit());
    }
    auto rows = t.query(update, {kIdA});
    if (!rows) return base::fail(rows.error());
    return 7;
  });
  if (sqlite()) {  // BEGIN IMMEDIATE never let the work start
    EXPECT_EQ(done.error().code, storage::kBusy);
    EXPECT_EQ(attempts, 0);
    ASSERT_TRUE(holder->commit());
    EXPECT_TRUE(other->query(update, {kIdA}));
  } else {
    ASSERT_TRUE(done) << done.error().detail;
    EXPECT_EQ(*done, 7);
    EXPECT_EQ(attempts, 2);
  }
  EXPECT_EQ(db().query("SELECT size FROM things").value().rows.at(0).integer("size"), 2);
}

TEST_P(StorageTest, TransactGivesUpAfterFiveAndDoesNotRetryOtherErrors) {
  int attempts = 0;
  const auto busy = storage::transact(db(), [&](Transaction&) -> base::Result<void> {
    ++attempts;
    return base::fail(storage::kBusy, "always");
  });
  EXPECT_EQ(busy.error().code, storage::kBusy);
  EXPECT_EQ(attempts, 5);
  attempts = 0;
  const auto other = storage::transact(db(), [&](Transaction&) -> base::Result<void> {
    ++attempts;
    return base::fail("not_found", "no");
  });
  EXPECT_EQ(other.error().code, "not_found");
  EXPECT_EQ(attempts, 1);
}

TEST_P(StorageTest, DeadlineInterruptsAndTheConnectionLivesOn) {
  const auto other = hasty(150);
  const char* const endless =
      "WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT (n + 1) % 1000 FROM c) SELECT count(*) AS n FROM c";
  const auto before = std::chrono::steady_clock::now();
  EXPECT_EQ(other->query(endless).error().code, storage::kTimeout);
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::seconds(3));
  EXPECT_EQ(other->query("SELECT 5 AS n").value().rows.at(0).integer("n"), 5);
}

TEST_P(StorageTest, PoolRunsDryAndRecovers) {
  const auto small = [&] {
    auto options = fresh_.options();
    options.connections = 1;
    options.statement_timeout = Duration::millis(100);
    return fresh_.open(options);
  }();
  auto first = small->begin_read().value();
  EXPECT_EQ(small->begin_read().error().code, storage::kTimeout);
  first.reset();
  EXPECT_TRUE(small->begin_read());
}

TEST_P(StorageTest, EightThreads) {
  make_table();
  must("INSERT INTO things (id, name, weight) VALUES ($1, 'counter', 0)", {kIdA});
  std::atomic<int> failures{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (int n = 0; n < 25; ++n) {
        const auto done = storage::transact(db(), [&](Transaction& t) -> base::Result<void> {
          auto row = t.query(sqlite() ? "SELECT weight FROM things WHERE id = $1"
                                      : "SELECT weight FROM things WHERE id = $1 FOR UPDATE",
                             {kIdA});
          if (!row) return base::fail(row.error());
          auto changed = t.query("UPDATE things SET weight = $2 WHERE id = $1",
                                 {kIdA, row->rows.at(0).real("weight") + 1});
          if (!changed) return base::fail(changed.error());
          return {};
        });
        if (!done) ++failures;
        if (!db().query("SELECT name FROM things WHERE weight >= $1", {i})) ++failures;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(failures, 0);
  EXPECT_EQ(db().query("SELECT weight FROM things").value().rows.at(0).real("weight"), 200);
}

TEST_P(StorageTest, ManyDifferentStatements) {
  for (int i = 0; i < 300; ++i) {
    const auto row = db().query("SELECT " + std::to_string(i) + " AS n");
    ASSERT_TRUE(row);
    ASSERT_EQ(row->rows.at(0).integer("n"), i);
  }
}

TEST_P(StorageTest, ACachedStatementSurvivesAChangedTable) {
  make_table();
  must("INSERT INTO things (id, name) VALUES ($1, 'a')", {kIdA});
  const auto read = [&] {
    return storage::transact(db(), [](Transaction& t) { return t.query("SELECT * FROM things"); });
  };
  ASSERT_TRUE(read());
  must(sqlite() ? "ALTER TABLE things ADD COLUMN extra TEXT DEFAULT 'x'"
                : "ALTER TABLE things ADD COLUMN extra text DEFAULT 'x'");
  const auto rows = read();
  ASSERT_TRUE(rows) << rows.error().detail;
  EXPECT_EQ(rows->rows.at(0).text("extra"), "x");
}

TEST_P(StorageTest, ScriptsRunInsideTheTransaction) {
  auto t = db().begin().value();
  ASSERT_TRUE(t->script("CREATE TABLE s (n integer); INSERT INTO s VALUES (1); INSERT INTO s VALUES (2);"));
  EXPECT_EQ(t->query("SELECT count(*) AS n FROM s").value().rows.at(0).integer("n"), 2);
  t.reset();
  EXPECT_EQ(code("SELECT * FROM s"), storage::kSyntax);
  t = db().begin().value();
  EXPECT_EQ(t->script("CREATE TABLE s (n integer); COMMIT;").error().code, storage::kSyntax);
}

TEST_P(StorageTest, JsonbSetOfTheGuide) {
  make_table();
  must("INSERT INTO things (id, name, doc) VALUES ($1, 'a', $2)",
       {kIdA, R"({"appId": "x", "list": [1, 2, 3], "o": {"k": null}})"});
  const auto set = [&](const std::string& path, const std::string& value) -> std::string {
    const auto rows = db().query("SELECT jsonb_set(doc, '" + path + "', '" + value + "') AS doc FROM things");
    if (!rows) return "error";
    // PostgreSQL prints jsonb with spaces and in its own order of members; every text here has neither
    // inside.
    std::string text = rows->rows.at(0).text("doc");
    std::erase(text, ' ');
    return text;
  };
  const auto with = [&](const std::string& path, const std::string& value) { return set(path, value); };
  const std::string guide = with("{templateId}", "\"66c0aa11bb22cc33dd44ee55\"");
  EXPECT_NE(guide.find("\"templateId\":\"66c0aa11bb22cc33dd44ee55\""), std::string::npos) << guide;
  EXPECT_NE(guide.find("\"appId\":\"x\""), std::string::npos);
  EXPECT_NE(with("{appId}", "{\"n\":1}").find("\"appId\":{\"n\":1}"), std::string::npos);
  EXPECT_NE(with("{o,k}", "true").find("\"o\":{\"k\":true}"), std::string::npos);
  EXPECT_NE(with("{ \"o\" , new }", "1").find("\"new\":1"), std::string::npos);
  EXPECT_NE(with("{list,1}", "9").find("[1,9,3]"), std::string::npos);
  EXPECT_NE(with("{list,-1}", "9").find("[1,2,9]"), std::string::npos);
  EXPECT_NE(with("{list,7}", "9").find("[1,2,3,9]"), std::string::npos);
  EXPECT_NE(with("{list,-7}", "9").find("[9,1,2,3]"), std::string::npos);
  const std::string unchanged = with("{}", "1");
  EXPECT_EQ(with("{absent,k}", "1"), unchanged);
  EXPECT_EQ(with("{appId,k}", "1"), unchanged);
  EXPECT_EQ(with("{list,9,k}", "1"), unchanged);
  EXPECT_EQ(with("{list,x}", "1"), "error");
  EXPECT_EQ(with("{a", "1"), "error");
  EXPECT_EQ(with("{a}", "not json"), "error");
  EXPECT_TRUE(db().query("SELECT jsonb_set(NULL, '{a}', '1') AS doc").value().rows.at(0).is_null("doc"));
  EXPECT_EQ(code("SELECT jsonb_set('1', '{a}', '1') AS doc"), storage::kSyntax);

  must(
      "UPDATE things SET doc = jsonb_set(doc, '{templateId}', '\"66c0aa11bb22cc33dd44ee55\"') WHERE name = "
      "'a'");
  EXPECT_EQ(db().query("SELECT doc->'templateId' as template_id FROM things")
                .value()
                .rows.at(0)
                .text("template_id"),
            "\"66c0aa11bb22cc33dd44ee55\"");
}

INSTANTIATE_TEST_SUITE_P(Databases, StorageTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

TEST(Sqlite, OneConnectionInMemory) {
  auto db = Database::open({.url = "sqlite::memory:", .schema = {}}).value();
  ASSERT_TRUE(db->query("CREATE TABLE t (n INTEGER)"));
  ASSERT_TRUE(db->query("INSERT INTO t VALUES (1)"));
  auto reader = db->begin_read().value();
  EXPECT_EQ(reader->query("SELECT n FROM t").value().rows.size(), 1u);
  EXPECT_EQ(reader->query("DELETE FROM t").error().code, storage::kReadOnly);
  reader.reset();
  EXPECT_TRUE(db->query("DELETE FROM t"));
}

TEST(Sqlite, SettingsOfTheSpecification) {
  storage::testing::FreshDatabase fresh(Backend::kSqlite);
  const auto pragma = [&](const std::string& name) {
    return fresh.db()
        .query("SELECT CAST(" + name + " AS TEXT) AS v FROM pragma_" + name)
        .value()
        .rows.at(0)
        .text("v");
  };
  EXPECT_EQ(pragma("journal_mode"), "wal");
  EXPECT_EQ(pragma("synchronous"), "2");
  EXPECT_EQ(pragma("foreign_keys"), "1");
  EXPECT_EQ(fresh.db().query("SELECT timeout AS v FROM pragma_busy_timeout").value().rows.at(0).integer("v"),
            5000);
  const auto mode = std::filesystem::status(fresh.options().url.substr(7)).permissions();
  EXPECT_EQ(mode & std::filesystem::perms(077), std::filesystem::perms::none);
}

// A command beside a running server is another process: when it closes the database it must not take itself
// for the last user and remove the log the server still writes to.
TEST(Sqlite, AnotherProcessLeavesTheLogOfThisOneAlone) {
  storage::testing::FreshDatabase fresh(Backend::kSqlite);
  ASSERT_TRUE(fresh.db().query("CREATE TABLE t (n INTEGER)"));
  ASSERT_TRUE(fresh.db().query("SELECT n FROM t"));
  ASSERT_TRUE(fresh.db().begin_read());
  // A program of its own: a forked copy would share what SQLite knows of this process's locks.
  const std::string file = fresh.options().url.substr(7);
  ASSERT_EQ(std::system(("sqlite3 '" + file + "' 'INSERT INTO t VALUES (1)'").c_str()), 0);
  EXPECT_TRUE(std::filesystem::exists(file + "-wal"));
  ASSERT_TRUE(fresh.db().query("INSERT INTO t VALUES (2)"));
  const auto other = fresh.open();
  EXPECT_EQ(other->query("SELECT n FROM t").value().rows.size(), 2u);
}

TEST(Database, SaysWhyItCannotBeOpened) {
  for (const char* url : {"", "mysql://x", "sqlite:", "sqlite:/nowhere/at/all.db",
                          "postgresql://nobody:SECRET@127.0.0.1:1/x"}) {
    const auto db = Database::open({.url = url, .schema = {}});
    ASSERT_FALSE(db) << url;
    EXPECT_EQ(db.error().code, storage::kUnavailable);
    EXPECT_EQ(db.error().detail.find("SECRET"), std::string::npos);
  }
}

class PostgresTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (storage::testing::backends().size() < 2) GTEST_SKIP() << "run under scripts/with_postgres";
    fresh_.emplace(Backend::kPostgres, 1);
  }
  std::optional<storage::testing::FreshDatabase> fresh_;
};

TEST_F(PostgresTest, ReplacesAConnectionThatDiedInThePool) {
  const auto pid = fresh_->db().query("SELECT pg_backend_pid() AS pid").value().rows.at(0).integer("pid");
  const auto other = fresh_->open();
  ASSERT_TRUE(other->query("SELECT pg_terminate_backend($1)", {pid}));
  const auto now = fresh_->db().query(
      "SELECT pg_backend_pid() AS pid, current_schema() AS s, current_setting('TimeZone') AS z");
  ASSERT_TRUE(now) << now.error().detail;
  EXPECT_NE(now->rows.at(0).integer("pid"), pid);
  EXPECT_EQ(now->rows.at(0).text("s"), fresh_->options().schema);
  EXPECT_EQ(now->rows.at(0).text("z"), "UTC");
}

TEST_F(PostgresTest, AConnectionLostInsideATransactionIsAnError) {
  auto t = fresh_->db().begin().value();
  const auto pid = t->query("SELECT pg_backend_pid() AS pid").value().rows.at(0).integer("pid");
  ASSERT_TRUE(fresh_->open()->query("SELECT pg_terminate_backend($1)", {pid}));
  EXPECT_EQ(t->query("SELECT 1 AS one").error().code, storage::kUnavailable);
  t.reset();
  EXPECT_TRUE(fresh_->db().query("SELECT 1 AS one"));
}

TEST_F(PostgresTest, ADeadlockIsRetried) {
  auto& db = fresh_->db();
  ASSERT_TRUE(db.query("CREATE TABLE d (id integer PRIMARY KEY, n integer)"));
  ASSERT_TRUE(db.query("INSERT INTO d VALUES (1, 0), (2, 0)"));
  const auto other = fresh_->open();
  std::atomic<int> inside{0};
  const auto both = [&](Database& mine, int first, int second) {
    return storage::transact(mine, [&, tried = false](Transaction& t) mutable -> base::Result<void> {
      if (auto done = t.query("UPDATE d SET n = n + 1 WHERE id = $1", {first}); !done)
        return base::fail(done.error());
      if (!tried) {
        tried = true;
        ++inside;
        while (inside < 2) std::this_thread::yield();
      }
      if (auto done = t.query("UPDATE d SET n = n + 1 WHERE id = $1", {second}); !done)
        return base::fail(done.error());
      return {};
    });
  };
  base::Result<void> a, b;
  std::thread thread([&] { a = both(*other, 1, 2); });
  b = both(db, 2, 1);
  thread.join();
  EXPECT_TRUE(a);
  EXPECT_TRUE(b);
  EXPECT_EQ(db.query("SELECT sum(n) AS n FROM d").value().rows.at(0).integer("n"), 4);
}

TEST_F(PostgresTest, NoTransactionStaysOpen) {
  (void)fresh_->db().query("SELECT broken");
  {
    auto t = fresh_->db().begin();
  }
  ASSERT_TRUE(fresh_->db().query("SELECT 1 AS one"));
  const auto idle = fresh_->open()->query(
      "SELECT count(*) AS n FROM pg_stat_activity WHERE state LIKE 'idle in transaction%' AND "
      "application_name = 'televisit'");
  EXPECT_EQ(idle.value().rows.at(0).integer("n"), 0);
}

}  // namespace
