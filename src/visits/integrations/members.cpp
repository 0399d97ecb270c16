#include "visits/integrations/members.h"

#include "base/text.h"
#include "visits/integrations/credentials.h"

namespace visits {
namespace {

using Type = Member::Type;

constexpr Member kMembers[] = {
    {"appId", "appAccessKey", Type::kText, 1, "", 1, 64, "", "App access key of the workspace", true},
    {"appSecret", "", Type::kSecret, 1, "", 16, 512, "", "App secret of the workspace", true},
    {"apiEndpoint", "api_endpoint", Type::kUrl, 1, "\"https://api.100ms.live/v2\"", 0, 2000, "",
     "REST address; every call uses it", true},
    {"initEndpoint", "", Type::kUrl, 1, "", 0, 2000, "", "Where browsers join; derived when absent"},
    {"templateId", "template_id", Type::kText, 2, "", 0, 64, "", "Template of the rooms; needed to enable"},
    {"allowDefaultTemplate", "", Type::kBool, 2, "false", 0, 0, "",
     "Permits rooms of the workspace's default template"},
    {"roleMap", "", Type::kObject, 2, "{\"host\":\"host\",\"guest\":\"guest\",\"waiting\":\"waiting-room\"}",
     0, 0, "", "Role names of the template"},
    {"defaultRegion", "region", Type::kChoice, 2, "\"auto\"", 0, 0, "auto,us,eu,in", "Region of the rooms"},
    {"maxDuration", "", Type::kInteger, 2, "120", 2, 720, "", "Longest visit in minutes"},
    {"roomSize", "", Type::kInteger, 2, "10", 2, 100, "", "People in a room at most"},
    {"chatEnabled", "", Type::kBool, 3, "true", 0, 0, "", "Chat panel"},
    {"screenShareEnabled", "", Type::kBool, 3, "true", 0, 0, "", "Screen sharing"},
    {"waitingRoomMode", "", Type::kChoice, 4, "\"role\"", 0, 0, "role,hold", "How people wait"},
    // Kept so that the guide's rows read as they are; recording and the waiting room are refused per visit
    // until they exist.
    {"recordingEnabled", "", Type::kBool, 3, "false", 0, 0, "", "Recording"},
    {"waitingRoomEnabled", "", Type::kBool, 4, "true", 0, 0, "", "Waiting room"},
    {"webhookSecret", "", Type::kSecret, 1, "", 1, 512, "", "Signature secret of the workspace's webhooks"},
    {"publicWebhook", "", Type::kBool, 4, "", 0, 0, "", "Attach our webhook receiver to each room"},
};

// Members whose feature does not exist yet are read, but not offered by the wizard.
constexpr std::string_view kNotOffered[] = {"recordingEnabled", "waitingRoomEnabled", "webhookSecret",
                                            "publicWebhook"};

std::optional<bool> as_bool(const json::Value& value) {
  if (value.is_bool()) return value.as_bool();
  if (!value.is_string()) return std::nullopt;
  const std::string text = base::to_lower(std::string_view(value.as_string()));
  if (text == "true") return true;
  if (text == "false") return false;
  return std::nullopt;
}

std::optional<std::int64_t> as_int(const json::Value& value) {
  if (value.is_int64()) return value.as_int64();
  if (value.is_uint64()) return std::nullopt;
  if (value.is_double()) {
    const double d = value.as_double();
    if (d >= -1e9 && d <= 1e9 && d == static_cast<double>(static_cast<std::int64_t>(d)))
      return static_cast<std::int64_t>(d);
    return std::nullopt;
  }
  if (!value.is_string()) return std::nullopt;
  if (const auto number = base::parse_u64(std::string_view(value.as_string())); number && *number < 1'000'000)
    return static_cast<std::int64_t>(*number);
  return std::nullopt;
}

bool is_choice(std::string_view choices, std::string_view text) {
  for (const std::string_view choice : base::split(choices, ','))
    if (choice == text) return true;
  return false;
}

std::string must(const Member& m) {
  const std::string name(m.name);
  switch (m.type) {
    case Type::kText:
      return name + " must be text of at most " + std::to_string(m.high) + " characters";
    case Type::kSecret:
      return name + " must be text";
    case Type::kUrl:
      return name + " must be an address";
    case Type::kBool:
      return name + " must be true or false";
    case Type::kInteger:
      return name + " must be a whole number from " + std::to_string(m.low) + " to " + std::to_string(m.high);
    case Type::kChoice:
      return name + " must be one of " + std::string(m.choices);
    case Type::kObject:
      return name + " must be an object with host, guest and waiting as texts";
  }
  return name;
}

bool role_map_ok(const json::Value& value) {
  if (!value.is_object()) return false;
  for (const auto& [key, role] : value.as_object()) {
    const std::string_view name(key);
    if (name != "host" && name != "guest" && name != "waiting") return false;
    if (!role.is_string() || role.as_string().empty() || role.as_string().size() > 100) return false;
  }
  return true;
}

bool text_ok(const Member& m, const json::Value& value) {
  if (!value.is_string()) return false;
  const std::string_view text(value.as_string());
  return text.size() >= static_cast<std::size_t>(m.low) && text.size() <= static_cast<std::size_t>(m.high) &&
         std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) >= 0x20; });
}

}  // namespace

std::span<const Member> members() {
  return kMembers;
}

const Member* find_member(std::string_view name) {
  for (const Member& member : kMembers)
    if (member.name == name || (!member.alias.empty() && member.alias == name)) return &member;
  return nullptr;
}

const json::Value* find_value(const json::Object& object, const Member& member) {
  const json::Value* value = json::find(object, member.name);
  if (!value && !member.alias.empty()) value = json::find(object, member.alias);
  return value;
}

std::string_view member_text(const json::Object& object, std::string_view name) {
  const Member* member = find_member(name);
  const json::Value* value = member ? find_value(object, *member) : json::find(object, name);
  return value && value->is_string() ? std::string_view(value->as_string()) : std::string_view{};
}

bool member_bool(const json::Object& object, std::string_view name, bool fallback) {
  const json::Value* value = json::find(object, name);
  return value ? as_bool(*value).value_or(fallback) : fallback;
}

std::int64_t member_int(const json::Object& object, std::string_view name, std::int64_t fallback) {
  const Member* member = find_member(name);
  const json::Value* value = json::find(object, name);
  if (!member || !value) return fallback;
  const auto number = as_int(*value);
  return number && *number >= member->low && *number <= member->high ? *number : fallback;
}

std::optional<std::string> type_fault(const Member& m, const json::Value& value) {
  bool ok = false;
  switch (m.type) {
    case Type::kText:
    case Type::kUrl:
    case Type::kSecret:
      ok = value.is_string();
      break;
    case Type::kBool:
      ok = as_bool(value).has_value();
      break;
    case Type::kInteger: {
      const auto number = as_int(value);
      ok = number && *number >= m.low && *number <= m.high;
      break;
    }
    case Type::kChoice:
      ok = value.is_string() && is_choice(m.choices, std::string_view(value.as_string()));
      break;
    case Type::kObject:
      ok = role_map_ok(value);
      break;
  }
  if (ok) return std::nullopt;
  return must(m);
}

std::optional<std::string> normalise(const Member& m, json::Value& value) {
  switch (m.type) {
    case Type::kBool:
      if (const auto flag = as_bool(value)) {
        value = *flag;
        return std::nullopt;
      }
      return must(m);
    case Type::kInteger:
      if (auto fault = type_fault(m, value)) return fault;
      value = *as_int(value);
      return std::nullopt;
    case Type::kUrl: {
      if (!text_ok(m, value)) return must(m);
      std::string text(base::trim(std::string_view(value.as_string())));
      while (!text.empty() && text.back() == '/') text.pop_back();
      value = text;
      return std::nullopt;
    }
    case Type::kText:
      if (!text_ok(m, value)) return must(m);
      if (m.name == "templateId" && !value.as_string().empty() &&
          !base::is_object_id(std::string_view(value.as_string())))
        return "templateId must be 24 lower-case hexadecimal digits";
      if (m.name == "appId" &&
          std::string_view(value.as_string())
                  .find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") !=
              std::string_view::npos)
        return "appId must be letters, digits, _ or -";
      return std::nullopt;
    case Type::kSecret:
    case Type::kChoice:
    case Type::kObject:
      return type_fault(m, value);
  }
  return must(m);
}

std::optional<std::string> secret_fault(std::string_view secret) {
  if (secret.size() < 16 || secret.size() > 512) return "a secret has 16 to 512 characters";
  for (const char c : secret)
    if (c < 0x21 || c > 0x7e) return "a secret has printable ASCII characters only";
  return std::nullopt;
}

json::Object credentials_schema() {
  json::Array steps;
  static constexpr std::string_view kTitles[] = {"API credentials", "Room", "Features", "Security"};
  for (int step = 1; step <= 4; ++step) {
    json::Array fields;
    for (const Member& m : kMembers) {
      if (m.step != step ||
          std::find(std::begin(kNotOffered), std::end(kNotOffered), m.name) != std::end(kNotOffered))
        continue;
      static constexpr std::string_view kTypes[] = {"string",  "secret", "url",   "boolean",
                                                    "integer", "enum",   "object"};
      json::Object field;
      field["key"] = m.name;
      field["type"] = kTypes[static_cast<std::size_t>(m.type)];
      field["required"] = m.required;
      field["description"] = m.about;
      if (!m.fallback.empty())
        if (auto value = json::parse(m.fallback)) field["default"] = std::move(*value);
      if (m.type == Type::kInteger) {
        field["minimum"] = m.low;
        field["maximum"] = m.high;
      }
      if (!m.choices.empty()) {
        json::Array choices;
        for (const std::string_view choice : base::split(m.choices, ',')) choices.emplace_back(choice);
        field["enum"] = std::move(choices);
      }
      if (m.name == "templateId") field["pattern"] = "^[0-9a-f]{24}$";
      fields.push_back(std::move(field));
    }
    json::Object entry;
    entry["step"] = step;
    entry["title"] = kTitles[step - 1];
    entry["fields"] = std::move(fields);
    steps.push_back(std::move(entry));
  }
  json::Object out;
  out["vendorId"] = "100ms";
  out["steps"] = std::move(steps);
  return out;
}

}  // namespace visits
