// Provider clients derived from integration rows. The row is read in every request that uses it; a derived
// client is found by the hash of the opened credentials, so a changed row never finds the old one
// (visit-api.md §2.2). Thread-safe.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "provider/client.h"
#include "visits/integrations/credentials.h"

namespace visits {

struct RoleFault {
  std::string check;  // roles.host, roles.guest, roles.waiting
  std::string words;
  bool warning = false;
};
// What keeps a template from carrying visits; empty when it fits.
std::vector<RoleFault> role_faults(const provider::Template& t, const ProviderConfig& config);

// One derived client with its configuration.
class Video {
 public:
  Video(Integration row, ProviderConfig config, Core& core);

  const ProviderConfig config;
  provider::Client client;

  // The template is set, known to the provider and has the roles a visit needs; kept for 60 s. Codes
  // integration_template_*, integration_roles_missing, provider_*.
  Outcome<void> check_template(const Core& core, base::SteadyTime deadline);
  // Ids and names of the templates that fit, for remedies.
  std::vector<std::string> fitting_templates(base::SteadyTime deadline);
  // The app token of a participant (visit-api.md §4.3 mediaTokenTtl).
  base::Duration media_token_life() const;
  base::Result<base::Secret> media_token(const std::string& room_id, const std::string& role,
                                         const std::string& user_id);

 private:
  const std::string integration_id_;
  std::mutex mutex_;
  std::optional<base::SteadyTime> template_good_until_;
};

Failure from_provider(const provider::Failure& failure, std::string_view link);

class Clients {
 public:
  explicit Clients(Core& core) : core_(core) {}
  // Opens the row's credentials. Codes integration_secret_unreadable, integration_incomplete,
  // endpoint_refused (as provider_unreachable).
  Outcome<std::shared_ptr<Video>> of(const Integration& row);

 private:
  struct Entry {
    std::string hash;
    std::shared_ptr<Video> video;
  };
  Core& core_;
  std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Entry> entries_;
};

}  // namespace visits
