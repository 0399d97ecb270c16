// The lobby and joining (visit-api.md §5.1), for visits without a waiting room: the bare code admits a guest,
// a host invite admits the practitioner it was made for. Nobody is promoted or silently downgraded. Worker
// threads.
#pragma once

#include <string>

#include "http/message.h"
#include "visits/core/core.h"
#include "visits/store/rows.h"

namespace visits {

// What everybody with the code may know: no ids.
Outcome<json::Object> lobby_view(Core& core, const std::string& code);

struct JoinRequest {
  std::string display_name;
  OptionalText invite;
  OptionalText claim;
  OptionalText user_type;
  OptionalText role;
  OptionalText language;
};
Outcome<json::Object> join(Core& core, const std::string& code, const JoinRequest& wanted,
                           const http::Request& request);

// The holder of a join ticket. Codes ticket_invalid, ticket_expired.
struct TicketHolder {
  Participant participant;
  Visit visit;
};
Outcome<TicketHolder> holder_of(Core& core, std::string_view ticket);
// The join answer for a ticket holder, with a media token; `renew` also gives a new ticket and kills the old
// one.
Outcome<json::Object> join_answer(Core& core, const TicketHolder& holder, bool renew,
                                  const http::Request& request);
// {"token","role","roomId","initEndpoint","expiresAt"} for the current state.
Outcome<json::Object> media_token_answer(Core& core, const TicketHolder& holder,
                                         const http::Request& request);
Outcome<void> leave(Core& core, const TicketHolder& holder);

}  // namespace visits
