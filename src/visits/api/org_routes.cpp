#include "visits/api/org_routes.h"

#include "base/text.h"
#include "visits/store/org_settings.h"

namespace visits::api {
namespace {

// null takes a setting back to its default.
using Number = std::optional<std::optional<std::int64_t>>;
using Text = std::optional<std::optional<std::string>>;

struct SettingsBody {
  Number join_before, join_after, reconnect, empty, host_absent, guest_absent, max_duration, no_show,
      waiting_max, unused, ticket;
  Text link_policy, reference_policy;
  template <class V>
  static void fields(V& v) {
    v.field("joinWindowBeforeMin", &SettingsBody::join_before, json::integer(0, 1440));
    v.field("joinWindowAfterMin", &SettingsBody::join_after, json::integer(5, 1440));
    v.field("reconnectGraceS", &SettingsBody::reconnect, json::integer(15, 600));
    v.field("emptyEndGraceS", &SettingsBody::empty, json::integer(30, 3600));
    v.field("hostAbsentGraceS", &SettingsBody::host_absent, json::integer(60, 7200));
    v.field("guestAbsentGraceS", &SettingsBody::guest_absent, json::integer(60, 7200));
    v.field("maxDurationMin", &SettingsBody::max_duration, json::integer(2, 720));
    v.field("noShowMin", &SettingsBody::no_show, json::integer(5, 240));
    v.field("waitingMaxMin", &SettingsBody::waiting_max, json::integer(15, 720));
    v.field("unusedExpireMin", &SettingsBody::unused, json::integer(15, 1440));
    v.field("ticketTtlS", &SettingsBody::ticket, json::integer(60, 3600));
    v.field("publicLinkPolicy", &SettingsBody::link_policy,
            json::text().one_of({"waiting_room", "invite_only"}));
    v.field("referencePolicy", &SettingsBody::reference_policy, json::text().one_of({"lenient", "strict"}));
  }
};

struct OrgBody {
  std::optional<json::Object> settings;
  template <class V>
  static void fields(V& v) {
    v.field("settings", &OrgBody::settings, json::object());
  }
};

http::Response shown(const Call& call, const store::OrgSettings& org) {
  json::Object o;
  o["id"] = call.principal.org_id;
  o["name"] = org.name;
  o["demo"] = org.demo;
  o["settings"] = org.settings;
  o["rowVersion"] = org.row_version;
  http::Response response = answer(200, o);
  response.set("etag", "\"r" + std::to_string(org.row_version) + "\"");
  return response;
}

Outcome<store::OrgSettings> load(const Call& call) {
  auto org = read(
      call.core, [&](storage::Transaction& t) { return store::find_org_settings(t, call.principal.org_id); });
  if (!org) return refuse(Failure(org.error()));
  if (!*org) return refuse("not_found", "no such organisation");
  return std::move(**org);
}

Outcome<http::Response> one(const Call& call) {
  auto org = load(call);
  if (!org) return refuse(std::move(org.error()));
  return shown(call, *org);
}

Outcome<void> check(const json::Object& wanted) {
  json::Read<SettingsBody> read = json::read<SettingsBody>(wanted);
  Failure failure("validation_failed", "a setting breaks a rule");
  failure.errors = std::move(read.errors);
  for (const std::string& pointer : read.ignored)
    failure.errors.push_back({pointer, "unknown", "is not a setting of this server"});
  for (json::FieldError& error : failure.errors) error.pointer = "/settings" + error.pointer;
  if (failure.errors.empty()) return {};
  return refuse(std::move(failure));
}

Outcome<http::Response> change(const Call& call) {
  auto body = read_body<OrgBody>(call.request);
  if (!body) return refuse(std::move(body.error()));
  const json::Object wanted = body->value.settings.value_or(json::Object{});
  if (auto fine = check(wanted); !fine) return refuse(std::move(fine.error()));
  auto org = load(call);
  if (!org) return refuse(std::move(org.error()));
  const std::string_view tag = base::trim(call.request.header("if-match"));
  if (tag.empty()) return refuse("precondition_required", "this change needs If-Match");
  if (tag != "*" && tag != "\"r" + std::to_string(org->row_version) + "\"")
    return refuse("precondition_failed", "the organisation has changed since it was read");
  for (const auto& member : wanted) {
    if (member.value().is_null())
      org->settings.erase(member.key());
    else
      org->settings[member.key()] = member.value();
  }
  auto stored = write(call.core, [&](storage::Transaction& t) {
    return store::update_org_settings(t, call.principal.org_id, *org, call.core.now());
  });
  if (!stored) return refuse(Failure(stored.error()));
  if (!*stored) return refuse("precondition_failed", "the organisation has changed since it was read");
  ++org->row_version;
  http::Response response = shown(call, *org);
  note_ignored(response, body->ignored);
  return response;
}

}  // namespace

std::vector<StaffRoute> org_routes() {
  using http::Method;
  return {
      {Method::kGet, "/api/org", Scope::kAny, one},
      {Method::kPatch, "/api/org", Scope::kAdmin, change},
  };
}

}  // namespace visits::api
