// RFC 9457 problem replies (visit-api.md §3.1, §3.7). 100ms-style error bodies are the engine's own
// (100ms-server-api.md §1.6).
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "http/message.h"
#include "json/fields.h"

namespace http {

struct Problem {
  int status = 500;
  std::string code;  // stable, snake_case
  std::string title;
  std::string detail;
  std::string remedy;
  std::string link;  // doctor check id of the broken link, where it applies
  std::vector<json::FieldError> errors;
  json::Object extra;  // further members: visitId, current, allowed, attempts, missing …
  std::optional<int> retry_after_s;
};

// application/problem+json with type "/problems/<code>", instance and requestId filled from the request.
Response problem_response(const Problem& problem, const Request& request);

}  // namespace http
