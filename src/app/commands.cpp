#include "app/commands.h"

#include <signal.h>
#include <sys/stat.h>

#include <fstream>
#include <iostream>
#include <sstream>

#include "app/demo.h"
#include "app/server.h"
#include "app/visits_parts.h"
#include "base/text.h"
#include "crypto/jwt.h"
#include "engine/store/store.h"
#include "json/json.h"
#include "telemetry/log.h"

namespace app {

namespace {

constexpr int kUnavailable = 69;
constexpr int kConfiguration = 78;

telemetry::Level level_of(const std::string& text) {
  if (text == "debug") return telemetry::Level::kDebug;
  if (text == "warn") return telemetry::Level::kWarn;
  if (text == "error") return telemetry::Level::kError;
  return telemetry::Level::kInfo;
}

void print_ready(const RunInfo& info) {
  std::cout << "\n  Televisit is running.\n\n";
  if (!info.org_id.empty()) {
    std::cout << "  Clinic console       " << info.web_url << "/\n"
              << "  API base             " << info.api_url << "/api\n"
              << "  Demo organisation    " << info.org_id << "  (" << info.org_name << ")\n"
              << "  100ms integration    " << info.integration_id << "\n";
  }
  if (!info.access_key.empty())
    std::cout << "  Engine (100ms REST)  " << info.api_url << "/v2\n"
              << "  Engine access key    " << info.access_key << "   (tokens: televisit token --help)\n"
              << "  Media                " << info.media_address << " (UDP)\n";
  if (info.open_on_loopback)
    std::cout << "\n  OPEN ON LOOPBACK: requests without credentials act for demo org " << info.org_id
              << ". Not for patients.\n";
  std::cout << "\n  Stop: Ctrl-C\n" << std::endl;
}

// Blocks until SIGINT or SIGTERM; both are blocked in every thread, so that only this call sees them.
sigset_t stop_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  return set;
}

base::Result<engine::Workspace> pick_workspace(engine::Store& store, const std::string& access_key) {
  auto all = store.workspaces();
  if (!all) return base::fail(all.error());
  if (all->empty())
    return base::fail("workspace_missing", "the engine has no workspace yet; start `televisit serve` once");
  if (access_key.empty()) {
    if (all->size() == 1) return all->front();
    return base::fail("workspace_unclear", "there are several workspaces; name one with --access-key");
  }
  for (auto& workspace : *all)
    if (workspace.access_key == access_key) return workspace;
  return base::fail("workspace_unknown", "no workspace has the access key " + access_key);
}

base::Result<void> check_app_token(engine::Store& store, const engine::Workspace& workspace,
                                   const TokenOptions& options) {
  if (!base::is_object_id(options.room_id))
    return base::fail(
        "room_id_invalid",
        "--room '" + options.room_id + "' is not a room id (24 hex digits); a room's name is not its id");
  auto room = store.room_by_id(workspace.id, options.room_id);
  if (!room) return base::fail(room.error());
  if (!*room) return base::fail("room_unknown", "the workspace has no room " + options.room_id);
  auto found = store.template_by_id(workspace.id, (*room)->template_id);
  if (!found) return base::fail(found.error());
  if (*found && !(*found)->roles.contains(options.role)) {
    std::string names;
    for (const auto& role : (*found)->roles) names += (names.empty() ? "" : ", ") + std::string(role.key());
    return base::fail("role_unknown",
                      "--role '" + options.role + "' is not in the room's template; it has " + names);
  }
  return {};
}

// The engine's repository without the engine, for one command.
class EngineTool {
 public:
  static base::Result<std::unique_ptr<EngineTool>> open(const Settings& settings) {
    auto paths = prepare_paths(settings);
    if (!paths) return base::fail(paths.error());
    std::unique_ptr<EngineTool> tool(new EngineTool);
    auto keys = crypto::Keyring::load_or_create(paths->key_file, tool->random_);
    if (!keys) return base::fail(keys.error());
    tool->keys_ = std::make_unique<crypto::Keyring>(std::move(*keys));
    auto database = open_engine_database(settings, *paths);
    if (!database) return base::fail(database.error());
    tool->database_ = std::move(*database);
    tool->store_ = std::make_unique<engine::Store>(*tool->database_, *tool->keys_, tool->random_);
    return tool;
  }
  engine::Store& store() { return *store_; }
  base::Random& random() { return random_; }

 private:
  EngineTool() = default;

  crypto::SystemRandom random_;
  std::unique_ptr<crypto::Keyring> keys_;
  std::unique_ptr<storage::Database> database_;
  std::unique_ptr<engine::Store> store_;
};

struct Chosen {
  std::string org_id;
  std::string integration_id;
};

base::Result<Chosen> choose_integration(visits::Visits& visits, const DoctorOptions& options) {
  if (!options.integration_id.empty()) return Chosen{options.org_id, options.integration_id};
  auto demo = visits.demo_info();
  if (!demo) return base::fail(demo.error());
  if (!*demo || (!options.org_id.empty() && options.org_id != (*demo)->org_id))
    return base::fail("integration_unclear",
                      "name the integration with --integration (and its clinic with --org)");
  return Chosen{(*demo)->org_id, (*demo)->integration_id};
}

json::Object run_as_json(const visits::TestRun& run) {
  json::Array checks;
  for (const auto& check : run.checks) {
    json::Object entry{{"id", check.id}, {"status", check.status}, {"durationMs", check.duration_ms}};
    if (!check.seen.empty()) entry["seen"] = check.seen;
    if (!check.remedy.empty()) entry["remedy"] = check.remedy;
    if (!check.blocked_by.empty()) entry["blockedBy"] = check.blocked_by;
    checks.push_back(std::move(entry));
  }
  return {{"success", run.outcome != "fail"},
          {"outcome", run.outcome},
          {"runId", run.run_id},
          {"durationMs", run.duration_ms},
          {"health_status", run.health_status},
          {"firstBroken", run.first_broken},
          {"checks", std::move(checks)}};
}

void print_run(const visits::TestRun& run) {
  for (const auto& check : run.checks) {
    const char* mark = check.status == "pass"   ? "✓"
                       : check.status == "warn" ? "!"
                       : check.status == "fail" ? "✗"
                                                : "-";
    std::cout << mark << ' ' << check.id;
    if (check.status == "skipped") std::cout << "  skipped, needs " << check.blocked_by;
    if (!check.seen.empty()) std::cout << "  " << check.seen;
    std::cout << '\n';
    if (!check.remedy.empty()) std::cout << "    remedy: " << check.remedy << '\n';
  }
  std::cout << "outcome: " << run.outcome << " (" << run.duration_ms << " ms)\n";
}

std::string cell_text(const storage::Param::Variant& value) {
  struct Show {
    std::string operator()(storage::Null) const { return ""; }
    std::string operator()(std::int64_t v) const { return std::to_string(v); }
    std::string operator()(double v) const {
      std::ostringstream out;
      out << v;
      return out.str();
    }
    std::string operator()(bool v) const { return v ? "t" : "f"; }
    std::string operator()(const std::string& v) const { return v; }
    std::string operator()(const storage::Blob& v) const {
      return "\\x" + base::to_hex(base::as_bytes(v.bytes));
    }
    std::string operator()(base::WallTime v) const { return base::format_rfc3339(v); }
  };
  return std::visit(Show{}, value);
}

}  // namespace

int report(const base::Error& error) {
  std::cerr << "televisit: " << error.detail << " [" << error.code << "]\n";
  return error.code.starts_with("config_") || error.code == "listener_not_loopback" ? kConfiguration
                                                                                    : kUnavailable;
}

int serve(const Settings& settings, bool json) {
  const sigset_t signals = stop_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  telemetry::configure_log(level_of(settings.text("log.level")), settings.text("log.format"));
  auto server = start_server(settings);
  if (!server) return report(server.error());
  const RunInfo& info = (*server)->info();
  if (json)
    std::cout << json::serialize(json::Object{{"api", info.api_url},
                                              {"web", info.web_url},
                                              {"orgId", info.org_id},
                                              {"integrationId", info.integration_id}})
              << std::endl;
  else
    print_ready(info);
  int received = 0;
  sigwait(&signals, &received);
  telemetry::info("stopping", {{"signal", received}});
  return 0;
}

int migrate(const Settings& settings, bool json) {
  auto paths = prepare_paths(settings);
  if (!paths) return report(paths.error());
  const base::SystemClock clock;
  json::Object answer;
  for (const char* name : {"visits", "engine"}) {
    const bool is_visits = std::string_view(name) == "visits";
    auto database =
        is_visits ? open_visits_database(settings, *paths) : open_engine_database(settings, *paths);
    if (!database) return report(database.error());
    auto files = storage::load_migrations(paths->migrations + "/" + name, (*database)->backend());
    if (!files) return report(files.error());
    auto result = storage::migrate(**database, *files, clock);
    if (!result) return report(result.error());
    answer[name] = json::Object{{"current", result->current},
                                {"applied", static_cast<std::int64_t>(result->applied.size())}};
    if (!json)
      std::cout << name << ": version " << result->current << ", " << result->applied.size()
                << " applied now\n";
  }
  if (json) std::cout << json::serialize(answer) << '\n';
  return 0;
}

int init(const Settings& settings, const InitOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kWarn, settings.text("log.format"));
  auto info = init_demo(settings, options);
  if (!info) return report(info.error());
  if (json) {
    std::cout << json::serialize(json::Object{{"orgId", info->org_id},
                                              {"integrationId", info->integration_id},
                                              {"accessKey", info->access_key},
                                              {"templateId", info->template_id}})
              << '\n';
  } else {
    std::cout << "Demo organisation    " << info->org_id << "\n100ms integration    " << info->integration_id
              << "\nTemplate             " << info->template_id << '\n';
  }
  return 0;
}

int doctor(const Settings& settings, const DoctorOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kError, settings.text("log.format"));
  auto tool = VisitsTool::open(settings);
  if (!tool) return report(tool.error());
  auto chosen = choose_integration((*tool)->visits(), options);
  if (!chosen) return report(chosen.error());
  auto run = (*tool)->visits().test_integration(chosen->org_id, chosen->integration_id);
  if (!run) return report(run.error());
  if (json)
    std::cout << json::serialize(run_as_json(*run)) << '\n';
  else
    print_run(*run);
  return run->outcome == "fail" ? 1 : 0;
}

int templates(const Settings& settings, const DoctorOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kError, settings.text("log.format"));
  auto tool = VisitsTool::open(settings);
  if (!tool) return report(tool.error());
  auto chosen = choose_integration((*tool)->visits(), options);
  if (!chosen) return report(chosen.error());
  auto list = (*tool)->visits().list_templates(chosen->org_id, chosen->integration_id);
  if (!list) return report(list.error());
  json::Array data;
  for (const auto& entry : *list) {
    json::Array roles(entry.roles.begin(), entry.roles.end());
    json::Array missing(entry.missing.begin(), entry.missing.end());
    data.push_back(json::Object{{"id", entry.id},
                                {"name", entry.name},
                                {"roles", std::move(roles)},
                                {"fits", entry.fits},
                                {"missing", std::move(missing)}});
    if (json) continue;
    std::cout << entry.id << "  " << entry.name << "  " << (entry.fits ? "fits" : "does not fit")
              << "  roles:";
    for (const auto& role : entry.roles) std::cout << ' ' << role;
    std::cout << '\n';
    for (const auto& reason : entry.missing) std::cout << "    missing: " << reason << '\n';
  }
  if (json) std::cout << json::serialize(json::Object{{"data", std::move(data)}}) << '\n';
  return 0;
}

int workspaces(const Settings& settings, bool show_secret, bool json) {
  auto tool = EngineTool::open(settings);
  if (!tool) return report(tool.error());
  auto all = (*tool)->store().workspaces();
  if (!all) return report(all.error());
  json::Array data;
  for (const auto& workspace : *all) {
    json::Object entry{{"name", workspace.name},
                       {"accessKey", workspace.access_key},
                       {"defaultTemplateId", workspace.default_template_id}};
    if (show_secret) entry["secret"] = workspace.secret.reveal();
    data.push_back(std::move(entry));
    if (json) continue;
    std::cout << workspace.name << "\n  access key        " << workspace.access_key
              << "\n  default template  " << workspace.default_template_id << '\n';
    if (show_secret) std::cout << "  secret            " << workspace.secret.reveal() << '\n';
  }
  if (json) std::cout << json::serialize(json::Object{{"data", std::move(data)}}) << '\n';
  return 0;
}

int token(const Settings& settings, const TokenOptions& options, bool json) {
  auto tool = EngineTool::open(settings);
  if (!tool) return report(tool.error());
  engine::Store& store = (*tool)->store();
  auto workspace = pick_workspace(store, options.access_key);
  if (!workspace) return report(workspace.error());

  const std::int64_t now = base::SystemClock().wall().to_seconds();
  json::Object claims{{"access_key", workspace->access_key},
                      {"version", 2},
                      {"iat", now - 10},
                      {"nbf", now - 10},
                      {"exp", now + options.hours * 3600}};
  if (options.management) {
    claims["type"] = "management";
  } else {
    if (auto fine = check_app_token(store, *workspace, options); !fine) return report(fine.error());
    claims["type"] = "app";
    claims["room_id"] = options.room_id;
    claims["role"] = options.role;
    if (!options.user_id.empty()) claims["user_id"] = options.user_id;
  }
  const base::Secret token =
      crypto::sign_browser_jwt(std::move(claims), workspace->secret, (*tool)->random());
  if (json)
    std::cout << json::serialize(json::Object{{"token", token.reveal()}}) << '\n';
  else
    std::cout << token.reveal() << '\n';
  return 0;
}

int repair_rooms(const Settings& settings, const RepairRoomsOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kError, settings.text("log.format"));
  auto tool = VisitsTool::open(settings);
  if (!tool) return report(tool.error());
  visits::RepairOptions wanted;
  if (!options.org_id.empty()) wanted.org_id = options.org_id;
  wanted.verify = options.verify;
  wanted.apply = options.apply;
  auto done = (*tool)->visits().repair_rooms(wanted);
  if (!done) return report(done.error());
  json::Array rooms;
  for (const auto& room : done->rooms) {
    rooms.push_back(json::Object{{"orgId", room.org_id},
                                 {"visitId", room.visit_id},
                                 {"code", room.code},
                                 {"status", room.status},
                                 {"roomId", room.room_id},
                                 {"fault", room.fault},
                                 {"action", room.action},
                                 {"newRoomId", room.new_room_id},
                                 {"detail", room.detail}});
    if (json) continue;
    std::cout << room.visit_id << "  " << room.code << "  " << room.status << "  " << room.room_id << "  "
              << room.fault << ": " << room.action;
    if (!room.new_room_id.empty()) std::cout << " -> " << room.new_room_id;
    if (!room.detail.empty()) std::cout << "  (" << room.detail << ')';
    std::cout << '\n';
  }
  if (json)
    std::cout << json::serialize(json::Object{{"rooms", std::move(rooms)}}) << '\n';
  else if (done->rooms.empty())
    std::cout << "every visit has a room its provider issued\n";
  else if (!options.apply)
    std::cout << "nothing was changed; --apply repairs\n";
  return done->exit_code();
}

int show_config(const Settings& settings, bool json) {
  json::Object answer;
  for (const auto& setting : settings_table()) {
    if (json) {
      answer[setting.key] =
          json::Object{{"value", settings.shown(setting.key)}, {"from", settings.origin(setting.key)}};
      continue;
    }
    const std::string value = settings.shown(setting.key);
    std::cout << setting.key << " = " << (value.empty() ? "(empty)" : value) << "    # "
              << settings.origin(setting.key) << "; " << setting.help << '\n';
  }
  if (json) std::cout << json::serialize(answer) << '\n';
  return 0;
}

int run_sql(const Settings& settings, const std::string& statement, bool json) {
  auto paths = prepare_paths(settings);
  if (!paths) return report(paths.error());
  auto database = open_visits_database(settings, *paths);
  if (!database) return report(database.error());
  auto answer = (*database)->query(statement);
  if (!answer) return report(answer.error());
  json::Array rows;
  for (const auto& row : answer->rows) {
    json::Object entry;
    std::string line;
    for (std::size_t i = 0; i < row.columns().size(); ++i) {
      const std::string text = cell_text(row.value(i));
      line += (i == 0 ? "" : " | ") + text;
      entry[row.columns()[i]] = text;
    }
    if (json)
      rows.push_back(std::move(entry));
    else
      std::cout << line << '\n';
  }
  if (json)
    std::cout << json::serialize(json::Object{{"rows", std::move(rows)}, {"affected", answer->affected}})
              << '\n';
  else
    std::cout << (answer->rows.empty() ? answer->affected : static_cast<std::int64_t>(answer->rows.size()))
              << " rows\n";
  return 0;
}

}  // namespace app
