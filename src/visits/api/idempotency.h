// Idempotency-Key (visit-api.md §3.1): the same key and request get the stored answer again, for 24 h, per
// organisation, principal, method and path. The stored answer is an envelope, because it may hold links. 429
// and 5xx are not stored.
#pragma once

#include <functional>

#include "http/message.h"
#include "visits/core/core.h"

namespace visits::api {

// Runs `work`, or answers from the row. A POST without the header simply runs. Codes request_invalid,
// idempotency_in_progress, idempotency_key_reused.
Outcome<http::Response> once(Core& core, const Principal& principal, const http::Request& request,
                             const std::function<http::Response()>& work);

}  // namespace visits::api
