// Reads the provider's answers. Tolerant of what is missing, strict about what is used (visit-api.md §6.4
// provider_bad_response).
#pragma once

#include <string>

#include "http/client.h"
#include "json/json.h"
#include "provider/failure.h"
#include "provider/model.h"

namespace provider {

Failure bad_response(std::string detail);
Failure from_transport(const http::ClientError& error);
// For a status outside 2xx. The body may be JSON, HTML or nothing.
Failure from_status(const http::ClientResponse& response);
// For a 2xx: the body as a JSON object.
Result<json::Object> read_object(const http::ClientResponse& response);

Result<Room> read_room(const json::Object& object);
Result<Template> read_template(const json::Object& object);

// RFC 9110 §5.6.7 IMF-fixdate.
std::optional<base::WallTime> parse_http_date(std::string_view text);

}  // namespace provider
