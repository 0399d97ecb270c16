#include "engine/management/template_rules.h"

#include <algorithm>

#include "base/text.h"

namespace engine {

namespace {

constexpr std::string_view kSubscribeRoles = "subscribeToRoles";

// One object being read: reports what is out of range under its dotted path and returns values ready to
// store.
class Reader {
 public:
  Reader(const json::Object& object, std::string path, Details& details)
      : object_(object), path_(std::move(path)), details_(details) {}

  void wrong(std::string_view member, std::string_view rule) {
    details_.push_back("Invalid body param: " + path_ + "." + std::string(member) + " " + std::string(rule));
  }

  bool has(std::string_view member) const {
    const auto* value = json::find(object_, member);
    return value && !value->is_null();
  }

  std::int64_t integer(std::string_view member, std::int64_t fallback, std::int64_t low, std::int64_t high) {
    const auto number = this->number(member, static_cast<double>(fallback), static_cast<double>(low),
                                     static_cast<double>(high));
    if (number != static_cast<double>(static_cast<std::int64_t>(number)))
      wrong(member, "must be a whole number");
    return static_cast<std::int64_t>(number);
  }

  double number(std::string_view member, double fallback, double low, double high) {
    const auto* value = json::find(object_, member);
    if (!value || value->is_null()) return fallback;
    if (!value->is_number()) {
      wrong(member, "must be a number");
      return fallback;
    }
    const double v = value->is_double()  ? value->get_double()
                     : value->is_int64() ? static_cast<double>(value->get_int64())
                                         : static_cast<double>(value->get_uint64());
    if (!(v >= low && v <= high)) {
      wrong(member, "must be " + short_number(low) + " to " + short_number(high));
      return fallback;
    }
    return v;
  }

  bool boolean(std::string_view member, bool fallback) {
    const auto* value = json::find(object_, member);
    if (!value || value->is_null()) return fallback;
    if (!value->is_bool()) {
      wrong(member, "must be true or false");
      return fallback;
    }
    return value->get_bool();
  }

  std::string one_of(std::string_view member, std::string_view fallback,
                     std::initializer_list<std::string_view> allowed) {
    const auto* value = json::find(object_, member);
    if (!value || value->is_null()) return std::string(fallback);
    std::string choices;
    for (auto a : allowed) {
      if (value->is_string() && value->as_string() == a) return std::string(a);
      choices += (choices.empty() ? "" : ", ") + std::string(a);
    }
    wrong(member, "must be one of " + choices);
    return std::string(fallback);
  }

  // A list of distinct texts out of `allowed`.
  json::Array names(std::string_view member, const json::Array& fallback,
                    const std::vector<std::string>& allowed, std::string_view rule) {
    const auto* value = json::find(object_, member);
    if (!value || value->is_null()) return fallback;
    json::Array out;
    if (!value->is_array()) {
      wrong(member, "must be a list");
      return fallback;
    }
    for (const auto& entry : value->as_array()) {
      if (!entry.is_string() ||
          std::find(allowed.begin(), allowed.end(), std::string_view(entry.as_string())) == allowed.end()) {
        wrong(member, rule);
        return fallback;
      }
      if (std::find(out.begin(), out.end(), entry) == out.end()) out.push_back(entry);
    }
    return out;
  }

  // The member as an object; an empty one when absent; reported when of another type.
  const json::Object& object(std::string_view member) {
    static const json::Object kNone;
    const auto* value = json::find(object_, member);
    if (!value || value->is_null()) return kNone;
    if (value->is_object()) return value->as_object();
    wrong(member, "must be an object");
    return kNone;
  }

  Reader inside(std::string_view member) {
    return {object(member), path_ + "." + std::string(member), details_};
  }
  const json::Object& raw() const { return object_; }
  const std::string& path() const { return path_; }

 private:
  static std::string short_number(double v) {
    std::string text = std::to_string(v);
    text.erase(text.find_last_not_of('0') + 1);
    if (!text.empty() && text.back() == '.') text.pop_back();
    return text;
  }

  const json::Object& object_;
  std::string path_;
  Details& details_;
};

json::Object simulcast_of(Reader reader, Details& details) {
  const auto* value = json::find(reader.raw(), "layers");
  if (!value || value->is_null()) return {};
  if (!value->is_array() || value->as_array().size() > 3) {
    reader.wrong("layers", "must be a list of at most 3 layers");
    return {};
  }
  static constexpr std::string_view kRids = "fhq";
  json::Array layers;
  double last_scale = 0;
  std::size_t last_rid = 0;
  for (const auto& entry : value->as_array()) {
    const std::string path = reader.path() + ".layers[" + std::to_string(layers.size()) + "]";
    if (!entry.is_object()) {
      details.push_back("Invalid body param: " + path + " must be an object");
      return {};
    }
    Reader layer(entry.as_object(), path, details);
    const std::string rid = layer.one_of("rid", "", {"f", "h", "q"});
    const auto order = rid.empty() ? std::string_view::npos : kRids.find(rid);
    if (order == std::string_view::npos || (layers.empty() ? order != 0 : order <= last_rid)) {
      layer.wrong("rid", "must be f, then h, then q");
      return {};
    }
    const double scale = layer.number("scaleResolutionDownBy", layers.empty() ? 1 : 0, 1, 12);
    if (layers.empty() ? scale != 1 : scale <= last_scale) {
      layer.wrong("scaleResolutionDownBy",
                  layers.empty() ? "of the first layer must be 1" : "must grow from layer to layer");
    }
    if (!layer.has("maxFramerate")) layer.wrong("maxFramerate", "is required");
    json::Object out{{"rid", rid}};
    if (scale == static_cast<double>(static_cast<std::int64_t>(scale))) {
      out["scaleResolutionDownBy"] = static_cast<std::int64_t>(scale);
    } else {
      out["scaleResolutionDownBy"] = scale;
    }
    out["maxBitrate"] = layer.integer("maxBitrate", 0, 0, 2000);
    out["maxFramerate"] = layer.integer("maxFramerate", 30, 1, 30);
    layers.push_back(std::move(out));
    last_scale = scale;
    last_rid = order;
  }
  return {{"layers", std::move(layers)}};
}

json::Object publish_of(Reader reader, Details& details) {
  json::Object out;
  out["allowed"] = reader.names("allowed", {}, {"audio", "video", "screen", "simulcast"},
                                "may hold audio, video, screen and simulcast");
  Reader audio = reader.inside("audio");
  out["audio"] = json::Object{{"bitRate", audio.integer("bitRate", 32, 16, 128)},
                              {"codec", audio.one_of("codec", "opus", {"opus"})}};
  Reader video = reader.inside("video");
  out["video"] = json::Object{{"bitRate", video.integer("bitRate", 256, 30, 2000)},
                              {"codec", video.one_of("codec", "vp8", {"vp8"})},
                              {"frameRate", video.integer("frameRate", 25, 1, 30)},
                              {"width", video.integer("width", 320, 50, 1920)},
                              {"height", video.integer("height", 180, 50, 1080)}};
  Reader screen = reader.inside("screen");
  out["screen"] = json::Object{{"bitRate", screen.integer("bitRate", 1024, 500, 1'000'000)},
                               {"codec", screen.one_of("codec", "vp8", {"vp8"})},
                               {"frameRate", screen.integer("frameRate", 10, 1, 30)},
                               {"width", screen.integer("width", 1280, 480, 1920)},
                               {"height", screen.integer("height", 720, 270, 1080)}};
  Reader simulcast = reader.inside("simulcast");
  out["simulcast"] = json::Object{{"video", simulcast_of(simulcast.inside("video"), details)},
                                  {"screen", simulcast_of(simulcast.inside("screen"), details)}};
  return out;
}

json::Object subscribe_of(Reader reader, const std::vector<std::string>& names) {
  json::Array everyone;
  for (const auto& name : names) everyone.emplace_back(name);
  json::Object out;
  out[kSubscribeRoles] =
      reader.names(kSubscribeRoles, everyone, names, "may hold names of roles of this template");
  out["maxSubsBitRate"] = reader.integer("maxSubsBitRate", 3200, 0, 1'000'000);
  if (reader.has("subscribeDegradation")) {
    Reader degrade = reader.inside("subscribeDegradation");
    out["subscribeDegradation"] =
        json::Object{{"packetLossThreshold", degrade.integer("packetLossThreshold", 50, 1, 100)},
                     {"degradeGracePeriodSeconds", degrade.integer("degradeGracePeriodSeconds", 1, 1, 10)},
                     {"recoverGracePeriodSeconds", degrade.integer("recoverGracePeriodSeconds", 4, 1, 10)}};
  }
  return out;
}

json::Object permissions_of(Reader reader) {
  json::Object out;
  for (auto name : {"endRoom", "removeOthers", "mute", "unmute", "changeRole", "sendRoomState", "pollRead",
                    "pollWrite"}) {
    out[name] = reader.boolean(name, false);
  }
  for (auto name : {"browserRecording", "rtmpStreaming", "hlsStreaming"})
    out[name] = reader.boolean(name, true);
  if (out["pollWrite"].as_bool()) out["pollRead"] = true;
  return out;
}

}  // namespace

bool is_template_name(std::string_view name) {
  if (name.empty() || name.size() > 100) return false;
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ' ||
           c == '-' || c == '.' || c == '_' || c == ':';
  });
}

json::Object normalise_role(const std::string& name, const json::Object& role,
                            const std::vector<std::string>& names, Details& details) {
  Reader reader(role, "roles." + name, details);
  json::Object out{{"name", name}};
  out["publishParams"] = publish_of(reader.inside("publishParams"), details);
  out["subscribeParams"] = subscribe_of(reader.inside("subscribeParams"), names);
  out["permissions"] = permissions_of(reader.inside("permissions"));
  out["priority"] = reader.integer("priority", 1, 1, 5);
  out["maxPeerCount"] = reader.integer("maxPeerCount", 0, -1, 20000);
  return out;
}

json::Object normalise_roles(const json::Object& roles, Details& details) {
  std::vector<std::string> names;
  for (const auto& [name, role] : roles) names.emplace_back(name);
  if (names.empty()) details.push_back("Invalid body param: roles must hold at least one role");
  if (names.size() > 50) details.push_back("Invalid body param: roles may hold at most 50 roles");
  json::Object out;
  for (const auto& [key, role] : roles) {
    const std::string name(key);
    if (!is_template_name(name)) {
      details.push_back("Invalid body param: a role name may hold letters, digits, space and - . _ : only");
    } else if (!role.is_object()) {
      details.push_back("Invalid body param: roles." + name + " must be an object");
    } else {
      out[name] = normalise_role(name, role.as_object(), names, details);
    }
  }
  return out;
}

json::Object normalise_settings(const json::Object& settings, Details& details) {
  Reader reader(settings, "settings", details);
  json::Object out;
  out["region"] = reader.one_of("region", "auto", {"in", "us", "eu", "auto"});
  const auto* recording = json::find(settings, "recording");
  out["recording"] = recording && recording->is_object() ? *recording : json::Value(nullptr);
  Reader state = reader.inside("roomState");
  const auto interval = state.integer("messageInterval", 5, 5, 3600);
  if (interval % 5 != 0) state.wrong("messageInterval", "must be a multiple of 5");
  out["roomState"] = json::Object{{"messageInterval", interval},
                                  {"sendPeerList", state.boolean("sendPeerList", false)},
                                  {"stopRoomStateOnJoin", state.boolean("stopRoomStateOnJoin", true)},
                                  {"enabled", state.boolean("enabled", false)}};
  out["retry"] = json::Object();
  return out;
}

json::Object normalise_plugins(const json::Object& plugins, const std::vector<std::string>& roles,
                               Details& details) {
  json::Object out = plugins;
  Reader reader(plugins, "plugins", details);
  if (reader.has("whiteboard")) {
    Reader permissions = reader.inside("whiteboard").inside("permissions");
    for (auto list : {"admin", "writer", "reader"}) {
      permissions.names(list, {}, roles, "may hold names of roles of this template");
    }
  }
  return out;
}

json::Object default_roles() {
  static constexpr std::string_view kText = R"({
   "host":{"publishParams":{"allowed":["audio","video","screen"],"audio":{"bitRate":40,"codec":"opus"},
     "video":{"bitRate":900,"codec":"vp8","frameRate":30,"width":1280,"height":720},
     "screen":{"bitRate":1500,"codec":"vp8","frameRate":10,"width":1920,"height":1080},
     "simulcast":{"video":{"layers":[
        {"rid":"f","scaleResolutionDownBy":1,"maxBitrate":900,"maxFramerate":30},
        {"rid":"h","scaleResolutionDownBy":2,"maxBitrate":350,"maxFramerate":24},
        {"rid":"q","scaleResolutionDownBy":4,"maxBitrate":120,"maxFramerate":15}]},"screen":{}}},
    "subscribeParams":{"subscribeToRoles":["host","guest","waiting-room"],"maxSubsBitRate":3200,
     "subscribeDegradation":{"packetLossThreshold":25,"degradeGracePeriodSeconds":2,"recoverGracePeriodSeconds":4}},
    "permissions":{"endRoom":true,"removeOthers":true,"mute":true,"unmute":true,"changeRole":true,
     "browserRecording":true,"rtmpStreaming":false,"hlsStreaming":false,"sendRoomState":true},
    "priority":1,"maxPeerCount":0},
   "guest":{"publishParams":{"allowed":["audio","video","screen"],"audio":{"bitRate":40,"codec":"opus"},
     "video":{"bitRate":700,"codec":"vp8","frameRate":30,"width":960,"height":540},
     "screen":{"bitRate":1200,"codec":"vp8","frameRate":10,"width":1280,"height":720},
     "simulcast":{"video":{},"screen":{}}},
    "subscribeParams":{"subscribeToRoles":["host","guest"],"maxSubsBitRate":3200},
    "permissions":{"browserRecording":false,"rtmpStreaming":false,"hlsStreaming":false},
    "priority":2,"maxPeerCount":0},
   "waiting-room":{"publishParams":{"allowed":[]},
    "subscribeParams":{"subscribeToRoles":[],"maxSubsBitRate":500},
    "permissions":{"browserRecording":false,"rtmpStreaming":false,"hlsStreaming":false},
    "priority":5,"maxPeerCount":0}})";
  Details details;
  auto parsed = json::parse(kText);
  return parsed ? normalise_roles(parsed->as_object(), details) : json::Object();
}

json::Object default_settings() {
  Details details;
  const json::Object given{{"region", "us"},
                           {"roomState", json::Object{{"messageInterval", 10},
                                                      {"sendPeerList", false},
                                                      {"stopRoomStateOnJoin", true},
                                                      {"enabled", true}}}};
  return normalise_settings(given, details);
}

}  // namespace engine
