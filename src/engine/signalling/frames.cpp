#include "engine/signalling/frames.h"

namespace engine {

base::Result<Frame> read_frame(std::string_view text) {
  json::Limits limits;
  limits.max_bytes = 1024 * 1024;
  auto value = json::parse(text, limits);
  if (!value) return base::fail(value.error());
  if (!value->is_object()) return base::fail("frame_invalid", "a frame must be a JSON object");
  auto& object = value->as_object();
  Frame frame;
  if (const auto* method = json::find(object, "method")) {
    if (!method->is_string() || method->as_string().size() > 100)
      return base::fail("frame_invalid", "method must be a short text");
    frame.method = std::string(method->as_string());
  }
  if (const auto* id = json::find(object, "id")) {
    if (id->is_string() && id->as_string().size() > 200) return base::fail("frame_invalid", "id is too long");
    if (!id->is_string() && !id->is_number() && !id->is_null())
      return base::fail("frame_invalid", "id must be text or a number");
    frame.id = *id;
  }
  if (auto* params = object.if_contains("params")) {
    if (params->is_object()) frame.params = std::move(params->as_object());
  }
  return frame;
}

std::string result_frame(const json::Value& id, json::Object result) {
  json::Object frame{{"jsonrpc", "2.0"}, {"id", id}};
  frame["result"] = std::move(result);
  return json::serialize(frame);
}

std::string error_frame(const json::Value& id, int code, std::string_view message) {
  json::Object frame{{"jsonrpc", "2.0"}, {"id", id}};
  frame["error"] = json::Object{{"code", code}, {"message", message}};
  return json::serialize(frame);
}

std::string notification_frame(std::string_view method, const json::Object& params) {
  json::Object frame{{"jsonrpc", "2.0"}, {"method", method}};
  frame["params"] = params;
  return json::serialize(frame);
}

}  // namespace engine
