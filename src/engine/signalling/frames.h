// One signalling frame (100ms-client-protocol.md §3.2): text in, a request or notification out; results,
// errors and notifications to text. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "json/json.h"

namespace engine {

struct Frame {
  std::string method;  // empty: neither request nor notification
  json::Object params;
  json::Value id;  // null: a notification
  bool is_request() const { return !id.is_null(); }
};

// Errors: those of json::parse(), and "frame_invalid" (not an object, a method that is no text, an id that is
// neither text nor number).
base::Result<Frame> read_frame(std::string_view text);

std::string result_frame(const json::Value& id, json::Object result);  // an object: `result` is always truthy
std::string error_frame(const json::Value& id, int code, std::string_view message);
std::string notification_frame(std::string_view method, const json::Object& params);

}  // namespace engine
