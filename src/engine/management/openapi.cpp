// GET /v2/openapi.json: the calls that are mounted, with the descriptions that read their bodies
// (OpenAPI 3.1).
#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/bodies.h"

namespace engine {

namespace {

// "/rooms/:room_id" as "/rooms/{room_id}", its parameters collected.
std::string path_template(const std::string& pattern, json::Array& parameters) {
  std::string out;
  for (const auto segment : base::split(pattern, '/')) {
    if (segment.empty()) continue;
    out += '/';
    if (segment.front() != ':') {
      out += segment;
      continue;
    }
    const std::string name(segment.substr(1));
    out += "{" + name + "}";
    parameters.push_back(json::Object{
        {"name", name}, {"in", "path"}, {"required", true}, {"schema", json::Object{{"type", "string"}}}});
  }
  return out;
}

json::Object answer(std::string_view description, bool error) {
  json::Object schema{{"type", "object"}};
  if (error) schema = json::Object{{"$ref", "#/components/schemas/Error"}};
  json::Object out{{"description", description}};
  out["content"] = json::Object{{"application/json", json::Object{{"schema", std::move(schema)}}}};
  return out;
}

json::Object error_schema() {
  json::Object properties{{"code", json::Object{{"type", "integer"}}},
                          {"message", json::Object{{"type", "string"}}}};
  properties["details"] = json::Object{{"type", "array"}, {"items", json::Object{{"type", "string"}}}};
  json::Object out{{"type", "object"},
                   {"required", json::Array{json::Value("code"), json::Value("message")}}};
  out["properties"] = std::move(properties);
  return out;
}

}  // namespace

http::Response ManagementApi::openapi(const http::Request&) const {
  json::Object paths;
  for (const auto& call : described_) {
    json::Array parameters;
    const std::string path = path_template(call.pattern, parameters);
    json::Object operation;
    if (!parameters.empty()) operation["parameters"] = std::move(parameters);
    if (!call.body.empty()) {
      operation["requestBody"] =
          json::Object{{"content", json::Object{{"application/json", json::Object{{"schema", call.body}}}}}};
    }
    json::Object responses;
    if (call.method == http::Method::kDelete) {
      responses["204"] = json::Object{{"description", "deleted"}};
    } else {
      responses["200"] = answer("done", false);
    }
    responses["400"] = answer("a value is not allowed; details name it", true);
    responses["401"] = answer("the token is missing, expired or of another workspace", true);
    responses["404"] = answer("there is no such thing in this workspace", true);
    responses["429"] = answer("too many requests; wait as Retry-After says", true);
    operation["responses"] = std::move(responses);
    auto& item = paths[path];
    if (!item.is_object()) item = json::Object();
    item.as_object()[base::to_lower(http::to_string(call.method))] = std::move(operation);
  }
  json::Object out{{"openapi", "3.1.0"}};
  out["info"] = json::Object{{"title", "Televisit engine"}, {"version", "2"}};
  out["servers"] = json::Array{json::Value(json::Object{{"url", "/v2"}})};
  out["security"] = json::Array{json::Value(json::Object{{"management", json::Array()}})};
  json::Object components;
  components["securitySchemes"] = json::Object{
      {"management", json::Object{{"type", "http"}, {"scheme", "bearer"}, {"bearerFormat", "JWT"}}}};
  components["schemas"] = json::Object{{"Error", error_schema()}};
  out["components"] = std::move(components);
  out["paths"] = std::move(paths);
  return ok(out);
}

}  // namespace engine
