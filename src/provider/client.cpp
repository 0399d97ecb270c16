#include "provider/client.h"

#include <chrono>
#include <thread>

#include "base/text.h"
#include "provider/parse.h"
#include "telemetry/log.h"

namespace provider {
namespace {

constexpr base::Duration kFirstPause = base::Duration::millis(150);
constexpr int kTemplatesPerPage = 100;
constexpr int kTemplatePages = 10;

Failure out_of_time() {
  return {FailureClass::kAvailability,
          "provider_timeout",
          "the provider did not answer in time",
          "timeout",
          0,
          std::nullopt,
          true};
}

Credentials trimmed(Credentials c) {
  while (!c.api_endpoint.empty() && c.api_endpoint.back() == '/') c.api_endpoint.pop_back();
  return c;
}

bool worth_repeating(const Failure& f, bool is_get) {
  if (f.code == "provider_unreachable" || f.code == "provider_timeout") return true;
  if (f.code == "provider_error") return f.retry_after_s.value_or(0) <= 5;
  if (f.code == "provider_rate_limited") return f.retry_after_s && *f.retry_after_s <= 3;
  return is_get && f.code == "provider_bad_response" && f.http_status == 0;
}

json::Object room_body(const RoomSpec& spec) {
  json::Object body;
  body["name"] = spec.name;
  body["description"] = spec.description;
  if (!spec.template_id.empty()) body["template_id"] = spec.template_id;
  body["region"] = spec.region;
  if (spec.size) body["size"] = *spec.size;
  if (spec.max_duration_seconds) body["max_duration_seconds"] = *spec.max_duration_seconds;
  if (spec.webhook) {
    json::Object headers;
    headers[spec.webhook->header_name] = spec.webhook->header_value;
    json::Object webhook;
    webhook["url"] = spec.webhook->url;
    webhook["headers"] = std::move(headers);
    body["webhook"] = std::move(webhook);
  }
  return body;
}

}  // namespace

Client::Client(Credentials credentials, http::Client& http, const base::Clock& clock, base::Random& random,
               ClientOptions options)
    : credentials_(trimmed(std::move(credentials))),
      http_(http),
      clock_(clock),
      random_(random),
      options_(std::move(options)),
      tokens_(credentials_.app_id, credentials_.app_secret, clock, random) {}

std::string Client::host() const {
  std::string_view rest = credentials_.api_endpoint;
  if (const auto scheme = rest.find("://"); scheme != std::string_view::npos) rest.remove_prefix(scheme + 3);
  return std::string(rest.substr(0, rest.find('/')));
}

void Client::wait(base::Duration d) const {
  if (options_.pause)
    options_.pause(d);
  else
    std::this_thread::sleep_for(std::chrono::microseconds(d.us));
}

http::ClientRequest Client::request(const std::string& method, const std::string& path,
                                    const std::string& body, const base::Secret& token) const {
  http::ClientRequest out;
  out.method = method;
  out.url = credentials_.api_endpoint + path;
  out.headers = {{"authorization", "Bearer " + token.reveal()},
                 {"accept", "application/json"},
                 {"content-type", "application/json"}};
  out.body = body;
  out.connect_timeout = options_.connect_timeout;
  out.total_timeout = options_.call_timeout;
  out.address_allowed = options_.address_allowed;
  return out;
}

Result<json::Object> Client::attempt(const std::string& method, const std::string& path,
                                     const std::string& body, base::SteadyTime deadline) {
  for (bool fresh_token = false;; fresh_token = true) {
    const base::Duration left = deadline - clock_.steady();
    if (left.us <= 0) return tl::unexpected(out_of_time());
    http::ClientRequest out = request(method, path, body, tokens_.management());
    out.total_timeout = std::min(out.total_timeout, left);
    out.connect_timeout = std::min(out.connect_timeout, left);
    auto response = http_.send(out);
    if (!response) return tl::unexpected(from_transport(response.error()));
    if (response->status >= 200 && response->status < 300) return read_object(*response);
    // A 403 may also mean "disabled room", so only a read is worth a second token.
    const bool token_refused = response->status == 401 || (response->status == 403 && method == "GET");
    if (!token_refused || fresh_token) return tl::unexpected(from_status(*response));
    tokens_.forget_management();
  }
}

Result<json::Object> Client::call(const std::string& method, const std::string& path, const std::string& body,
                                  Repeat repeat, base::SteadyTime deadline) {
  if (options_.breaker) {
    const base::Duration blocked = options_.breaker->blocked_for(clock_.steady());
    if (blocked.us > 0)
      return tl::unexpected(Failure{FailureClass::kAvailability, "provider_circuit_open",
                                    "five calls in a row failed; the provider is left alone for 30 s",
                                    "circuit open", 0, static_cast<int>(blocked.to_seconds() + 1), false});
  }
  int repeats = repeat == Repeat::kTwice ? 2 : repeat == Repeat::kOnce ? 1 : 0;
  base::Duration pause = kFirstPause;
  for (;;) {
    auto result = attempt(method, path, body, deadline);
    if (result || result.error().cls == FailureClass::kConfiguration) {
      if (options_.breaker) options_.breaker->succeeded();
      return result;
    }
    if (repeats-- == 0 || !worth_repeating(result.error(), method == "GET")) {
      if (options_.breaker) options_.breaker->failed(clock_.steady());
      return result;
    }
    base::Duration delay = pause + base::Duration::millis(random_.below(100));
    if (result.error().retry_after_s) delay = base::Duration::seconds(*result.error().retry_after_s);
    if (clock_.steady() + delay >= deadline) return result;
    wait(delay);
    pause = pause * 3;
  }
}

Result<Room> Client::create_room(const RoomSpec& spec, base::SteadyTime deadline) {
  return call("POST", "/rooms", json::serialize(room_body(spec)), Repeat::kOnce, deadline)
      .and_then(read_room);
}

Result<Room> Client::get_room(const std::string& room_id, base::SteadyTime deadline) {
  auto room = call("GET", "/rooms/" + room_id, "", Repeat::kTwice, deadline).and_then(read_room);
  if (room && room->id != room_id)
    return tl::unexpected(
        bad_response("the provider was asked for room " + room_id + " and answered another room"));
  return room;
}

Result<Room> Client::create_confirmed_room(const RoomSpec& spec, base::SteadyTime deadline) {
  telemetry::info("Creating 100ms room: { name: '" + spec.name + "' }");
  telemetry::info("100ms createRoom payload: { name: '" + spec.name + "', description: '" + spec.description +
                  "', region: '" + spec.region + "', template_id: " +
                  (spec.template_id.empty() ? "(none: allowDefaultTemplate)" : "'" + spec.template_id + "'") +
                  " }");
  auto created = create_room(spec, deadline);
  if (!created) return created;
  auto read_back = get_room(created->id, deadline);
  if (!read_back) {
    if (read_back.error().http_status == 404)
      return tl::unexpected(
          bad_response("the provider named room " + created->id + " but does not know it on read-back"));
    return read_back;
  }
  if (!read_back->enabled) return tl::unexpected(bad_response("the new room is disabled on read-back"));
  if (!spec.template_id.empty() && read_back->template_id != spec.template_id)
    return tl::unexpected(bad_response("the new room has another template on read-back"));
  telemetry::info("✅ 100ms room created: " + read_back->id);
  return read_back;
}

Result<void> Client::set_enabled(const std::string& room_id, bool enabled, base::SteadyTime deadline) {
  json::Object body;
  body["enabled"] = enabled;
  auto answer = call("POST", "/rooms/" + room_id, json::serialize(body), Repeat::kOnce, deadline);
  if (!answer) return tl::unexpected(answer.error());
  return {};
}

Result<bool> Client::end_active_room(const std::string& room_id, const std::string& reason,
                                     base::SteadyTime deadline) {
  json::Object body;
  body["reason"] = reason;
  body["lock"] = true;
  auto answer =
      call("POST", "/active-rooms/" + room_id + "/end-room", json::serialize(body), Repeat::kNever, deadline);
  if (answer) return true;
  if (answer.error().http_status == 404)
    return false;  // only "no session now"; the caller reads the room back
  return tl::unexpected(answer.error());
}

Result<void> Client::close_room(const std::string& room_id, base::SteadyTime deadline) {
  telemetry::info("Ending 100ms room: " + room_id);
  auto ended = end_active_room(room_id, "visit ended", deadline);
  if (!ended && ended.error().cls == FailureClass::kConfiguration &&
      ended.error().code == "integration_credentials_rejected")
    return tl::unexpected(ended.error());
  auto room = get_room(room_id, deadline);
  if (room && room->enabled) {
    if (auto disabled = set_enabled(room_id, false, deadline); !disabled) return disabled;
    room = get_room(room_id, deadline);
  }
  if (!room) return tl::unexpected(room.error());
  if (room->enabled) return tl::unexpected(bad_response("the room is still enabled after it was ended"));
  // The session itself may have outlived a failed end-room call: only then is the end not yet true.
  if (!ended) return tl::unexpected(ended.error());
  telemetry::info("✅ 100ms room ended: " + room_id);
  return {};
}

Result<std::vector<Peer>> Client::active_peers(const std::string& room_id, base::SteadyTime deadline) {
  auto answer = call("GET", "/active-rooms/" + room_id + "/peers", "", Repeat::kOnce, deadline);
  if (!answer) {
    if (answer.error().http_status != 404) return tl::unexpected(answer.error());
    // "No session" and "no such room" are both 404; only the first means that nobody is there.
    if (auto room = get_room(room_id, deadline); !room) return tl::unexpected(room.error());
    return std::vector<Peer>{};
  }
  std::vector<Peer> out;
  const json::Value* peers = json::find(*answer, "peers");
  if (!peers || !(peers->is_object() || peers->is_null()))
    return tl::unexpected(bad_response("the provider's list of peers has no peers member"));
  if (peers->is_null()) return out;
  for (const auto& [key, value] : peers->as_object()) {
    if (!value.is_object())
      return tl::unexpected(bad_response("a peer in the provider's answer is not an object"));
    const json::Object& peer = value.as_object();
    out.push_back({std::string(json::text_or(peer, "id", std::string_view(key))),
                   std::string(json::text_or(peer, "user_id")), std::string(json::text_or(peer, "role"))});
  }
  return out;
}

Result<std::vector<Template>> Client::list_templates(base::SteadyTime deadline) {
  std::vector<Template> out;
  std::string start;
  for (int page = 0; page < kTemplatePages; ++page) {
    auto answer = call(
        "GET",
        "/templates?limit=" + std::to_string(kTemplatesPerPage) + (start.empty() ? "" : "&start=" + start),
        "", Repeat::kTwice, deadline);
    if (!answer) return tl::unexpected(answer.error());
    const json::Value* data = json::find(*answer, "data");
    if (!data || !(data->is_array() || data->is_null()))
      return tl::unexpected(bad_response("the provider's template list has no data member"));
    if (data->is_null() || data->as_array().empty()) break;
    for (const json::Value& item : data->as_array()) {
      if (!item.is_object())
        return tl::unexpected(bad_response("a template in the provider's answer is not an object"));
      auto read = read_template(item.as_object());
      if (!read) return tl::unexpected(read.error());
      out.push_back(std::move(*read));
    }
    const std::string last(json::text_or(*answer, "last"));
    if (data->as_array().size() < kTemplatesPerPage || !base::is_object_id(last) || last == start) break;
    start = last;
  }
  return out;
}

Result<Template> Client::get_template(const std::string& template_id, base::SteadyTime deadline) {
  auto answer = call("GET", "/templates/" + template_id, "", Repeat::kTwice, deadline);
  if (!answer) {
    Failure failure = answer.error();
    if (failure.http_status == 404 || failure.http_status == 400)
      failure.code = "integration_template_unknown";
    return tl::unexpected(std::move(failure));
  }
  auto read = read_template(*answer);
  if (read && read->id != template_id)
    return tl::unexpected(bad_response("the provider was asked for one template and answered another"));
  return read;
}

Result<Reach> Client::reach(bool good_token) {
  tokens_.forget_management();
  const base::SteadyTime started = clock_.steady();
  auto response = http_.send(request("GET", "/templates?limit=10", "",
                                     good_token ? tokens_.management() : tokens_.wrongly_signed()));
  if (!response) return tl::unexpected(from_transport(response.error()));
  return Reach{response->status, clock_.steady() - started, parse_http_date(response->header("date"))};
}

}  // namespace provider
