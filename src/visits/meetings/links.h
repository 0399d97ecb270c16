// Links and the visit object as answers show them (visit-api.md §3.5).
#pragma once

#include <string>
#include <string_view>

#include "http/message.h"
#include "visits/core/core.h"
#include "visits/integrations/credentials.h"
#include "visits/store/rows.h"

namespace visits {

std::string public_link(const Config& config, const std::string& code);
std::string host_link(const Config& config, const std::string& code, const base::Secret& invite);

// Where browsers join, or nullopt for the SDK's cloud default. On a plain-http loopback engine the page's
// origin followed by
// "/#https://local": the SDK accepts that and keeps the origin alone (100ms-client-protocol.md §2.1).
OptionalText init_endpoint(const Config& config, const ProviderConfig& provider,
                           const http::Request& request);

json::Object visit_object(const Config& config, const Visit& visit, const Presence& presence);
json::Object participant_object(const Participant& p);
json::Value time_value(const OptionalTime& time);
json::Value text_value(const OptionalText& text);

}  // namespace visits
