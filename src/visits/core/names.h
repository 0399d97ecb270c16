// Codes, room names, invites, tickets and user ids (visit-api.md §1).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/random.h"
#include "base/sensitive.h"
#include "storage/database.h"

namespace visits {

std::string new_code(base::Random& random);       // 10 characters, 50 bits
std::string new_room_name(base::Random& random);  // telehealth-consultation.<26 base32>
std::string new_provider_user_id(base::Random& random);
base::Secret new_invite(base::Random& random);  // tvi_…
std::string new_key_prefix(base::Random& random);
base::Secret new_key(base::Random& random, const std::string& prefix);  // tvk_<8>_<43>
base::Secret new_ticket(base::Random& random);                          // tvt_…
storage::Blob secret_hash(std::string_view secret);  // what is stored of an invite, a ticket, a key

// Upper case without spaces and hyphens; nullopt when it cannot be a code.
std::optional<std::string> normalise_code(std::string_view text);
bool is_fhir_id(std::string_view text);

}  // namespace visits
