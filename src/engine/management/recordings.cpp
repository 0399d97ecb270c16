// What a template says of recordings (an array with at most one configuration) and of destinations
// (100ms-server-api.md §4.4, §4.5): stored and validated, so that a script that sets a template up works.
// Nothing of this server records or streams by them yet.
#include <initializer_list>

#include "base/text.h"
#include "engine/management/api.h"
#include "engine/management/template_rules.h"

namespace engine {

namespace {

// Members of one object of the configuration, checked by kind; unknown ones are dropped.
class Checked {
 public:
  Checked(const json::Object& given, std::string path, Details& details)
      : given_(given), path_(std::move(path)), details_(details) {}

  std::string required_text(std::string_view member) {
    const auto text = json::text_or(given_, member);
    if (text.empty() || text.size() > 100) wrong(member, "is required, a text of at most 100 characters");
    out_[member] = text;
    return std::string(text);
  }
  void integers(std::initializer_list<std::string_view> members, std::int64_t max) {
    for (const auto member : members) {
      const auto* value = json::find(given_, member);
      if (!value || value->is_null()) continue;
      if (!value->is_int64() || value->get_int64() < 0 || value->get_int64() > max)
        wrong(member, "must be a whole number of 0 to " + std::to_string(max));
      else
        out_[member] = value->get_int64();
    }
  }
  void booleans(
      std::initializer_list<std::string_view> members) {  // false is left out, as 100ms leaves it out
    for (const auto member : members) {
      const auto* value = json::find(given_, member);
      if (!value || value->is_null()) continue;
      if (!value->is_bool())
        wrong(member, "must be true or false");
      else if (value->get_bool())
        out_[member] = true;
    }
  }
  template <class Fill>
  void object(std::string_view member, Fill fill) {
    const auto* value = json::find(given_, member);
    if (!value || value->is_null()) return;
    if (!value->is_object()) return wrong(member, "must be an object");
    Checked inner(value->as_object(), path_ + "." + std::string(member), details_);
    fill(inner);
    out_[member] = inner.take();
  }
  void keep(std::string_view member) {
    if (const auto* value = json::find(given_, member)) out_[member] = *value;
  }
  void wrong(std::string_view member, const std::string& rule) {
    details_.push_back("Invalid body param: " + path_ + "." + std::string(member) + " " + rule);
  }
  json::Object take() { return std::move(out_); }

 private:
  const json::Object& given_;
  std::string path_;
  Details& details_;
  json::Object out_;
};

constexpr std::int64_t kMaxSeconds = 86400 * 7, kMaxPixels = 3840;

json::Object recording_of(const json::Object& given, const json::Object& roles, Details& details) {
  Checked config(given, "recordings[0]", details);
  config.required_text("name");
  const std::string role = config.required_text("role");
  if (!role.empty() && !role.starts_with("__internal") && !roles.contains(role))
    config.wrong("role", "must be a role of this template");
  config.integers({"maxDuration", "presignDuration"}, kMaxSeconds);
  config.object("thumbnails", [](Checked& t) {
    t.booleans({"enabled"});
    t.integers({"width", "height", "fps"}, kMaxPixels);
    t.keep("offsets");
  });
  config.object("compositeRecording", [](Checked& composite) {
    composite.object("browserComposite", [](Checked& browser) {
      browser.booleans({"autoStart", "enabled"});
      browser.integers({"autoStopTimeout"}, kMaxSeconds);
      browser.integers({"width", "height"}, kMaxPixels);
    });
    composite.object("customComposite", [](Checked& custom) { custom.booleans({"enabled"}); });
  });
  config.object("trackRecording", [](Checked& track) { track.booleans({"enabled"}); });
  config.object("streamRecording", [](Checked& stream) {
    stream.booleans({"enabled"});
    stream.integers({"width", "height"}, kMaxPixels);
  });
  return config.take();
}

// Each a map of name to configuration; every configuration names itself as its key does.
void check_destinations(const json::Object& given, const json::Object& roles, Details& details) {
  for (const auto& [kind, value] : given) {
    const std::string path = "destinations." + shown(kind);
    if (kind != "rtmpDestinations" && kind != "hlsDestinations" && kind != "transcriptions" &&
        kind != "browserRecordings") {
      details.push_back("Invalid body param: " + path + " is not a destination");
      continue;
    }
    if (!value.is_object()) {
      details.push_back("Invalid body param: " + path + " must be an object");
      continue;
    }
    for (const auto& [name, entry] : value.as_object()) {
      const std::string place = path + "." + shown(name);
      if (!entry.is_object()) {
        details.push_back("Invalid body param: " + place + " must be an object");
        continue;
      }
      const auto& config = entry.as_object();
      if (json::text_or(config, "name") != std::string_view(name))
        details.push_back("Invalid body param: " + place + ".name must be " + shown(name));
      const auto role = json::text_or(config, "role");
      if (kind == "transcriptions" && !roles.contains(role))
        details.push_back("Invalid body param: " + place + ".role must be a role of this template");
      if (const auto* urls = json::array_at(config, "rtmpUrls"); urls && urls->size() > 3)
        details.push_back("Invalid body param: " + place + ".rtmpUrls may hold at most 3 addresses");
      Checked numbers(config, place, details);
      numbers.integers({"maxDuration", "autoStopTimeout", "presignDuration"}, kMaxSeconds);
      numbers.integers({"width", "height"}, kMaxPixels);
    }
  }
}

http::Response list_answer(const json::Array& list) {
  return http::json_response(200, json::serialize(json::Value(list)));
}

}  // namespace

http::Response ManagementApi::get_recordings(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  return t ? list_answer(t->recordings) : t.error();
}

http::Response ManagementApi::put_recordings(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  auto body = json::parse(request.body);
  if (!body) return error_answer(400, "Invalid request body", {body.error().detail});
  if (!body->is_array()) return error_answer(400, "Invalid request body", {"the body must be a JSON array"});
  const auto& given = body->as_array();
  if (given.size() > 1) return invalid_body("recordings may hold at most one configuration");
  Details details;
  json::Array recordings;
  for (const auto& entry : given) {
    if (!entry.is_object()) return invalid_body("recordings[0] must be an object");
    recordings.push_back(recording_of(entry.as_object(), t->roles, details));
  }
  if (!details.empty()) return error_answer(400, "Invalid body param", details);
  t->recordings = std::move(recordings);
  t->updated_at = services_.clock.wall();
  if (auto stored = services_.store.put_template(*t); !stored) return storage_failure(stored.error());
  return list_answer(t->recordings);
}

http::Response ManagementApi::get_destinations(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  return t ? ok(t->destinations) : t.error();
}

http::Response ManagementApi::put_destinations(const http::Request& request, const Workspace& w) {
  auto t = template_of(request, w);
  if (!t) return t.error();
  auto body = body_of(request);
  if (!body) return body.error();
  Details details;
  check_destinations(*body, t->roles, details);
  if (!details.empty()) return error_answer(400, "Invalid body param", details);
  for (const auto& [kind, value] : *body) t->destinations[kind] = value;
  t->updated_at = services_.clock.wall();
  if (auto stored = services_.store.put_template(*t); !stored) return storage_failure(stored.error());
  return ok(t->destinations);
}

}  // namespace engine
