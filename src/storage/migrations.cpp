#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "base/text.h"
#include "crypto/digest.h"
#include "storage/database.h"

namespace storage {

namespace {

struct Applied {
  std::string name, checksum;
};

std::string checksum_of(const Migration& migration) {
  return base::to_hex(crypto::sha256(base::as_bytes(migration.sql)));
}

// Held to the end of the transaction. Of two starting processes one migrates and the other then finds it
// done; on SQLite BEGIN IMMEDIATE does the same.
base::Result<void> lock(Transaction& t) {
  if (t.backend() == Backend::kSqlite) return {};
  auto locked = t.query(
      "SELECT pg_advisory_xact_lock(hashtextextended('televisit.migrations.' || current_schema(), 0))");
  if (!locked) return base::fail(std::move(locked.error()));
  return {};
}

base::Result<std::map<int, Applied>> read_applied(Transaction& t) {
  auto rows = t.query("SELECT version, name, checksum FROM schema_migrations ORDER BY version");
  if (!rows) return base::fail(std::move(rows.error()));
  std::map<int, Applied> out;
  for (const auto& row : rows->rows)
    out[static_cast<int>(row.integer("version"))] = {row.text("name"), row.text("checksum")};
  return out;
}

base::Result<void> check(const std::map<int, Applied>& applied, const std::vector<Migration>& migrations) {
  std::map<int, const Migration*> known;
  for (const auto& migration : migrations) known[migration.version] = &migration;
  for (const auto& [version, was] : applied) {
    if (known.empty() || version > known.rbegin()->first)
      return base::fail("schema_too_new", "the database has schema version " + std::to_string(version) +
                                              " (" + was.name +
                                              "), which this program does not know; run a newer program");
    const auto it = known.find(version);
    if (it == known.end() || checksum_of(*it->second) != was.checksum)
      return base::fail("migration_changed",
                        "migration " + was.name + " was applied in another form than this program has");
  }
  return {};
}

// True when it was applied now, false when it already was.
base::Result<bool> apply(Database& db, const Migration& migration, const base::Clock& clock) {
  return transact(db, [&](Transaction& t) -> base::Result<bool> {
    if (auto locked = lock(t); !locked) return base::fail(std::move(locked.error()));
    auto there = t.query("SELECT 1 AS one FROM schema_migrations WHERE version = $1", {migration.version});
    if (!there) return base::fail(std::move(there.error()));
    if (!there->empty()) return false;
    if (auto done = t.script(migration.sql); !done)
      return base::fail(done.error().code, "migration " + migration.name + ": " + done.error().detail);
    auto noted =
        t.query("INSERT INTO schema_migrations (version, name, checksum, applied_at) VALUES ($1, $2, $3, $4)",
                {migration.version, migration.name, checksum_of(migration), clock.wall()});
    if (!noted) return base::fail(std::move(noted.error()));
    return true;
  });
}

base::Result<std::string> read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return base::fail("migrations_unreadable", "cannot read " + path.string());
  return std::move(text).str();
}

}  // namespace

base::Result<std::vector<Migration>> load_migrations(const std::string& folder, Backend backend) {
  const std::string_view suffix = backend == Backend::kSqlite ? ".sqlite.sql" : ".postgres.sql";
  std::error_code error;
  std::filesystem::directory_iterator files(folder, error);
  if (error)
    return base::fail("migrations_unreadable", "cannot read the folder " + folder + ": " + error.message());
  std::vector<Migration> out;
  for (const auto& entry : files) {
    const std::string file = entry.path().filename().string();
    if (!file.ends_with(suffix)) continue;
    const std::string name = file.substr(0, file.size() - suffix.size());
    const auto version = name.size() > 5 && name[4] == '_'
                             ? base::parse_u64(std::string_view(name).substr(0, 4))
                             : std::nullopt;
    if (!version || *version == 0)
      return base::fail("migration_invalid", file + " is not named NNNN_name" + std::string(suffix));
    auto sql = read_file(entry.path());
    if (!sql) return base::fail(std::move(sql.error()));
    out.push_back({static_cast<int>(*version), name, std::move(*sql)});
  }
  std::sort(out.begin(), out.end(),
            [](const Migration& a, const Migration& b) { return a.version < b.version; });
  const auto twice = std::adjacent_find(
      out.begin(), out.end(), [](const Migration& a, const Migration& b) { return a.version == b.version; });
  if (twice != out.end())
    return base::fail("migration_invalid", "two migrations have the version of " + twice->name);
  if (out.empty()) return base::fail("migrations_unreadable", "no *" + std::string(suffix) + " in " + folder);
  return out;
}

base::Result<MigrationResult> migrate(Database& db, const std::vector<Migration>& migrations,
                                      const base::Clock& clock) {
  auto applied = transact(db, [&](Transaction& t) -> base::Result<std::map<int, Applied>> {
    if (auto locked = lock(t); !locked) return base::fail(std::move(locked.error()));
    const char* const table =
        t.backend() == Backend::kSqlite
            ? "CREATE TABLE IF NOT EXISTS schema_migrations (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
              " checksum TEXT NOT NULL, applied_at TEXT NOT NULL)"
            : "CREATE TABLE IF NOT EXISTS schema_migrations (version integer PRIMARY KEY, name text NOT NULL,"
              " checksum text NOT NULL, applied_at timestamptz NOT NULL)";
    if (auto made = t.query(table); !made) return base::fail(std::move(made.error()));
    return read_applied(t);
  });
  if (!applied) return base::fail(std::move(applied.error()));
  if (auto fits = check(*applied, migrations); !fits) return base::fail(std::move(fits.error()));

  MigrationResult result;
  for (const auto& migration : migrations) {
    result.current = std::max(result.current, migration.version);
    if (applied->contains(migration.version)) continue;
    auto done = apply(db, migration, clock);
    if (!done) return base::fail(std::move(done.error()));
    if (*done) result.applied.push_back(migration.name);
  }
  return result;
}

}  // namespace storage
