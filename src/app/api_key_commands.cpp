#include <iostream>

#include "app/commands.h"
#include "app/visits_parts.h"
#include "json/json.h"
#include "telemetry/log.h"

namespace app {

std::vector<std::string> api_key_scopes() {
  return visits::Visits::scope_names();
}

int create_api_key(const Settings& settings, const ApiKeyOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kError, settings.text("log.format"));
  std::optional<base::WallTime> expires_at;
  if (!options.expires_at.empty()) {
    expires_at = base::parse_rfc3339(options.expires_at);
    if (!expires_at) {
      std::cerr << "televisit: --expires '" << options.expires_at
                << "': expected an RFC 3339 time, e.g. 2027-01-31T00:00:00Z\n";
      return 2;
    }
  }
  auto tool = VisitsTool::open(settings);
  if (!tool) return report(tool.error());
  auto key = (*tool)->visits().create_api_key(options.org_id, options.name, options.scopes, expires_at);
  if (!key) return report(key.error());
  if (json)
    std::cout << json::serialize(json::Object{{"id", key->id},
                                              {"orgId", key->org_id},
                                              {"prefix", key->prefix},
                                              {"key", key->key.reveal()}})
              << '\n';
  else
    std::cout << key->key.reveal() << "\nid " << key->id << "; this is the only time the key is shown\n";
  return 0;
}

int revoke_api_key(const Settings& settings, const ApiKeyOptions& options, bool json) {
  telemetry::configure_log(telemetry::Level::kError, settings.text("log.format"));
  auto tool = VisitsTool::open(settings);
  if (!tool) return report(tool.error());
  auto done = (*tool)->visits().revoke_api_key(options.org_id, options.id);
  if (!done) return report(done.error());
  std::cout << (json ? "{\"success\":true}" : "revoked") << '\n';
  return 0;
}

}  // namespace app
