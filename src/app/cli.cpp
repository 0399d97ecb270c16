#include "app/cli.h"

#include <CLI/CLI.hpp>
#include <iostream>
#include <map>
#include <string>

#include "app/commands.h"
#include "app/completion.h"
#include "app/settings.h"

namespace app {

namespace {

// Every subcommand takes the settings as flags; the table in settings.cpp is the only list of them.
struct SettingFlags {
  std::string file;
  std::map<std::string, std::string> values;
  bool json = false;

  void add_to(CLI::App& command) {
    command
        .add_option("--config", file, "TOML file with settings (default: ./televisit.toml when it exists)")
        ->type_name("FILE");
    command.add_flag("--json", json, "Print the answer as JSON");
    for (const auto& setting : settings_table()) {
      const std::string key(setting.key);
      std::string help(setting.help);
      if (!setting.fallback.empty()) help += " [" + std::string(setting.fallback) + "]";
      help += " (env " + std::string(setting.environment) + ")";
      command
          .add_option_function<std::string>(
              std::string(setting.flag), [this, key](const std::string& value) { values[key] = value; }, help)
          ->type_name("VALUE")
          ->group("Settings");
    }
  }
};

void describe(CLI::App& cli) {
  cli.description(
      "Televisit: telehealth visits with a built-in engine that speaks 100ms's own protocols.\n"
      "First visit:  televisit serve     then open the printed link.");
  cli.set_version_flag("--version", std::string("televisit ") + TELEVISIT_VERSION);
  cli.require_subcommand(1);
  cli.set_help_all_flag("--help-all", "Help of every command");
  cli.footer(
      "Exit codes: 0 done; 1 the answer is no (a check failed); 2 wrong usage; 69 something needed is "
      "unavailable;\n"
      "78 the configuration is wrong. Settings come from the file, the environment and flags; see `televisit "
      "config`.");
}

}  // namespace

int run(int argc, char** argv) {
  CLI::App cli;
  describe(cli);
  SettingFlags flags;
  int exit_code = 0;
  const auto with_settings = [&](auto&& command) {
    const auto settings = Settings::load(flags.file, flags.values);
    exit_code = settings ? command(*settings) : report(settings.error());
  };
  const auto subcommand = [&](const char* name, const char* help, const char* example) {
    CLI::App* command = cli.add_subcommand(name, help);
    command->footer(std::string("Example:\n  ") + example);
    flags.add_to(*command);
    return command;
  };

  subcommand("serve", "Run the server until Ctrl-C; an empty data folder gets the demo clinic",
             "televisit serve --data ./data --api 127.0.0.1:8000 --web 127.0.0.1:3000")
      ->callback([&] { with_settings([&](const Settings& s) { return serve(s, flags.json); }); });

  subcommand("migrate", "Bring both databases to this program's version",
             "televisit migrate --database-url postgresql://localhost/televisit")
      ->callback([&] { with_settings([&](const Settings& s) { return migrate(s, flags.json); }); });

  InitOptions init_options;
  bool demo = false;
  std::string scenario;
  auto* init_command =
      subcommand("init", "Create the demo clinic, its people, today's appointments and its 100ms integration",
                 "televisit init --demo --scenario missing-template");
  init_command->add_flag("--demo", demo, "The demo clinic (the only kind there is)")->required();
  init_command
      ->add_option("--scenario", scenario,
                   "missing-template: an integration without templateId, to practise the repair")
      ->check(CLI::IsMember({"missing-template"}));
  init_command->add_option("--org-id", init_options.org_id, "UUID the demo clinic shall have");
  init_command->add_option("--integration-id", init_options.integration_id,
                           "UUID its 100ms integration shall have");
  init_command->callback([&] {
    init_options.missing_template = scenario == "missing-template";
    with_settings([&](const Settings& s) { return init(s, init_options, flags.json); });
  });

  DoctorOptions doctor_options;
  const auto add_doctor_options = [&](CLI::App& command) {
    command.add_option("--org", doctor_options.org_id, "Organisation id (default: the demo clinic)");
    command.add_option("--integration", doctor_options.integration_id,
                       "Integration id (default: all of the organisation)");
  };
  auto* doctor_command =
      subcommand("doctor", "Check every link from the stored integration to the provider's roles",
                 "televisit doctor --json");
  add_doctor_options(*doctor_command);
  doctor_command->callback(
      [&] { with_settings([&](const Settings& s) { return doctor(s, doctor_options, flags.json); }); });

  auto* templates_command = subcommand(
      "templates", "List the provider's templates and whether their roles fit", "televisit templates");
  add_doctor_options(*templates_command);
  templates_command->callback(
      [&] { with_settings([&](const Settings& s) { return templates(s, doctor_options, flags.json); }); });

  RepairRoomsOptions repair_options;
  auto* repair_command = cli.add_subcommand("repair", "Repair what an earlier integration left behind");
  repair_command->require_subcommand(1);
  auto* rooms_command = repair_command->add_subcommand(
      "rooms", "Visits whose room id no provider ever issued: list them, or give them real rooms");
  rooms_command->footer(
      "Example:\n  televisit repair rooms --verify --apply\nExit codes: 0 nothing wrong, 1 something left, 2 "
      "repaired.");
  flags.add_to(*rooms_command);
  rooms_command->add_option("--org", repair_options.org_id, "Organisation id (default: all)");
  rooms_command->add_flag("--verify", repair_options.verify,
                          "Also read every open visit's room back from its provider");
  rooms_command->add_flag("--apply", repair_options.apply, "Repair; without it nothing is changed");
  rooms_command->callback(
      [&] { with_settings([&](const Settings& s) { return repair_rooms(s, repair_options, flags.json); }); });

  TokenOptions token_options;
  std::string kind;
  auto* token_command =
      subcommand("token", "Mint a token for the built-in engine (for curl and SDK scripts)",
                 "televisit token app --room 66d1f0a2b3c4d5e6f7081920 --role guest --user u1");
  token_command->add_option("kind", kind, "management (REST) or app (browser)")
      ->required()
      ->check(CLI::IsMember({"management", "app"}));
  token_command->add_option("--room", token_options.room_id, "Room id, 24 hex digits (app)");
  token_command->add_option("--role", token_options.role, "Role of the room's template (app)");
  token_command->add_option("--user", token_options.user_id, "Your own reference of the person (app)");
  token_command->add_option("--access-key", token_options.access_key, "Workspace, when there are several");
  token_command->add_option("--hours", token_options.hours, "Life of the token")->check(CLI::Range(1, 2160));
  token_command->callback([&] {
    token_options.management = kind == "management";
    with_settings([&](const Settings& s) { return token(s, token_options, flags.json); });
  });

  ApiKeyOptions key_options;
  auto* key_command = cli.add_subcommand("apikey", "API keys of an organisation, for the EHR's back end");
  key_command->require_subcommand(1);
  auto* key_create = key_command->add_subcommand("create", "Make a key; it is printed once");
  key_create->footer(
      "Example:\n  televisit apikey create --name 'ehr backend' --scope meetings:read --scope "
      "meetings:write");
  auto* key_revoke = key_command->add_subcommand("revoke", "End a key at once");
  for (auto* command : {key_create, key_revoke}) {
    flags.add_to(*command);
    command->add_option("--org", key_options.org_id, "Organisation id (default: the demo clinic)");
  }
  key_create->add_option("--name", key_options.name, "What it is for, 1-80 characters")->required();
  key_create->add_option("--scope", key_options.scopes, "A permission; may be given several times")
      ->required()
      ->check(CLI::IsMember(api_key_scopes()));
  key_create->add_option("--expires", key_options.expires_at, "RFC 3339 time (default: never)");
  key_revoke->add_option("--id", key_options.id, "Id of the key")->required();
  key_create->callback(
      [&] { with_settings([&](const Settings& s) { return create_api_key(s, key_options, flags.json); }); });
  key_revoke->callback(
      [&] { with_settings([&](const Settings& s) { return revoke_api_key(s, key_options, flags.json); }); });

  bool show_secret = false;
  auto* workspace_command =
      subcommand("workspace", "Print the engine's access key (and secret) for your own 100ms server code",
                 "televisit workspace --show-secret");
  workspace_command->add_flag("--show-secret", show_secret,
                              "Print the secret too: whoever has it can mint every token");
  workspace_command->callback(
      [&] { with_settings([&](const Settings& s) { return workspaces(s, show_secret, flags.json); }); });

  subcommand("config", "Print the settings in force and where each comes from", "televisit config")
      ->callback([&] { with_settings([&](const Settings& s) { return show_config(s, flags.json); }); });

  std::string statement;
  auto* sql_command = subcommand("sql", "Run one SQL statement on the visits database",
                                 "televisit sql \"SELECT id, code, status FROM virtual_meetings\"");
  sql_command->add_option("statement", statement, "The statement")->required();
  sql_command->callback(
      [&] { with_settings([&](const Settings& s) { return run_sql(s, statement, flags.json); }); });

  std::string shell;
  auto* completion_command = cli.add_subcommand("completion", "Print a completion script for bash or zsh");
  completion_command->footer("Example:\n  source <(televisit completion bash)");
  completion_command->add_option("shell", shell, "bash or zsh")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh"}));
  completion_command->callback([&] {
    std::vector<CompletionCommand> commands;
    for (const CLI::App* command : cli.get_subcommands({})) {
      CompletionCommand entry{command->get_name(), {}};
      for (const CLI::Option* option : command->get_options())
        for (const auto& name : option->get_lnames()) entry.words.push_back("--" + name);
      commands.push_back(std::move(entry));
    }
    std::cout << completion_script(shell, commands);
  });

  try {
    cli.parse(argc, argv);
  } catch (const CLI::ParseError& e) {
    const int code = cli.exit(e);
    return code == 0 ? 0 : 2;
  }
  return exit_code;
}

}  // namespace app
