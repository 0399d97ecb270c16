#include "http/problem.h"

#include "json/json.h"

namespace http {

Response problem_response(const Problem& problem, const Request& request) {
  json::Object body;
  body["type"] = "/problems/" + problem.code;
  body["title"] = problem.title;
  body["status"] = problem.status;
  body["code"] = problem.code;
  if (!problem.link.empty()) body["link"] = problem.link;
  if (!problem.detail.empty()) body["detail"] = problem.detail;
  if (!problem.remedy.empty()) body["remedy"] = problem.remedy;
  body["instance"] = request.path;
  body["requestId"] = request.request_id;
  if (!problem.errors.empty()) {
    json::Array errors;
    for (const json::FieldError& e : problem.errors) {
      json::Object error;
      error["pointer"] = e.pointer;
      error["code"] = e.code;
      error["message"] = e.message;
      errors.push_back(std::move(error));
    }
    body["errors"] = std::move(errors);
  }
  if (problem.retry_after_s) body["retryAfter"] = *problem.retry_after_s;
  for (const auto& member : problem.extra) body[member.key()] = member.value();

  Response response;
  response.status = problem.status;
  response.set("content-type", "application/problem+json");
  if (problem.retry_after_s) response.set("retry-after", std::to_string(*problem.retry_after_s));
  response.body = json::serialize(body);
  return response;
}

}  // namespace http
