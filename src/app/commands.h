// One function per subcommand. Each prints its answer on stdout, errors on stderr, and returns the exit code
// of cli.h.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "app/settings.h"

namespace app {

struct InitOptions {
  std::optional<std::string> org_id;
  std::optional<std::string> integration_id;
  bool missing_template = false;
};

struct TokenOptions {
  bool management = true;
  std::string access_key;  // empty: the only workspace there is
  std::string room_id;
  std::string role;
  std::string user_id;
  int hours = 24;
};

struct DoctorOptions {
  std::string org_id;          // empty: the demo clinic
  std::string integration_id;  // empty: every telehealth integration of the organisation
};

struct RepairRoomsOptions {
  std::string org_id;  // empty: every organisation
  bool verify = false;
  bool apply = false;
};

int serve(const Settings& settings, bool json);
int migrate(const Settings& settings, bool json);
int init(const Settings& settings, const InitOptions& options, bool json);
int doctor(const Settings& settings, const DoctorOptions& options, bool json);
int token(const Settings& settings, const TokenOptions& options, bool json);
int templates(const Settings& settings, const DoctorOptions& options, bool json);
// The engine's workspaces: what a 100ms dashboard shows as access keys. The secret only when asked for.
int workspaces(const Settings& settings, bool show_secret, bool json);
struct ApiKeyOptions {
  std::string org_id;  // empty: the demo clinic
  std::string name;
  std::vector<std::string> scopes;
  std::string expires_at;  // RFC 3339; empty: never
  std::string id;          // of the key to revoke
};
int create_api_key(const Settings& settings, const ApiKeyOptions& options, bool json);
int revoke_api_key(const Settings& settings, const ApiKeyOptions& options, bool json);
// What --scope accepts.
std::vector<std::string> api_key_scopes();
// Exit 0: nothing is wrong, 1: something is left, 2: repaired.
int repair_rooms(const Settings& settings, const RepairRoomsOptions& options, bool json);
int show_config(const Settings& settings, bool json);
int run_sql(const Settings& settings, const std::string& statement, bool json);

// Prints the error with its code and returns 69 or 78.
int report(const base::Error& error);

}  // namespace app
