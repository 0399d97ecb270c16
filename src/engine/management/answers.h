// 100ms-style answers (100ms-server-api.md §1.6, §8): errors are {"code","message","details"} and never HTML.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/store/records.h"
#include "http/message.h"
#include "json/fields.h"

namespace engine {

http::Response error_answer(int status, std::string_view message,
                            const std::vector<std::string>& details = {});
http::Response ok(const json::Object& body);
// {"limit","data","last"}: `last` is the id of the last element (§8.3).
http::Response page_answer(const Page& page, json::Array data, std::string_view id_member = "id");
// A failure of the database: 503 when it will pass, else 500; logged with its code.
http::Response storage_failure(const base::Error& error);
// "Invalid body param" with one detail per member (§2.5).
http::Response invalid_body(const std::vector<json::FieldError>& errors);
http::Response invalid_body(const std::string& detail);

// limit (clamped to 10..100; SDKs page on it) and start of the query.
Page page_of(const http::Request& request);

// The body as an object whatever its content type says (§8.2); an empty body is {}. The Response of the error
// tells the caller what is wrong.
tl::expected<json::Object, http::Response> body_of(const http::Request& request);

// "room_1722500000000" and the like: what a stranger sent, shortened and escaped, fit for a message.
std::string shown(std::string_view value);
// 400 `invalid room id: <value>` with the hint about the name/id mix-up (§2.7).
http::Response invalid_room_id(std::string_view value);

}  // namespace engine
