#include "visits/integrations/clients.h"

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "telemetry/log.h"
#include "visits/integrations/endpoint_policy.h"

namespace visits {
namespace {

constexpr base::Duration kTemplateGoodFor = base::Duration::seconds(60);

std::string hash_of(const json::Object& plain) {
  const std::string text = json::canonical(plain);
  const crypto::Sha256Digest digest = crypto::sha256(base::as_bytes(text));
  return base::to_hex(digest);
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const std::string& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

void host_faults(const provider::Role& role, const ProviderConfig& config, std::vector<RoleFault>& out) {
  const std::string who = "role " + role.name;
  for (const char* kind : {"audio", "video"})
    if (!role.publishes_kind(kind)) out.push_back({"roles.host", who + " may not publish " + kind});
  if (!role.publishes_kind("screen"))
    out.push_back({"roles.host", who + " may not publish screen", !config.screen_share});
  for (const std::string& other : {config.roles.host, config.roles.guest})
    if (!role.subscribes(other)) out.push_back({"roles.host", who + " does not subscribe to " + other});
  for (const char* right : {"endRoom", "removeOthers", "mute"})
    if (!role.may(right)) out.push_back({"roles.host", who + " lacks the permission " + std::string(right)});
}

void guest_faults(const provider::Role& role, const ProviderConfig& config, std::vector<RoleFault>& out) {
  const std::string who = "role " + role.name;
  for (const char* kind : {"audio", "video"})
    if (!role.publishes_kind(kind)) out.push_back({"roles.guest", who + " may not publish " + kind});
  for (const std::string& other : {config.roles.host, config.roles.guest})
    if (!role.subscribes(other)) out.push_back({"roles.guest", who + " does not subscribe to " + other});
  for (const char* right :
       {"endRoom", "removeOthers", "changeRole", "browserRecording", "rtmpStreaming", "hlsStreaming"})
    if (role.may(right))
      out.push_back({"roles.guest",
                     who + " has the permission " + std::string(right) + ", which a patient must not have"});
}

void waiting_faults(const provider::Role& role, std::vector<RoleFault>& out) {
  const std::string who = "role " + role.name;
  if (!role.publishes.empty()) out.push_back({"roles.waiting", who + " may publish"});
  if (!role.subscribes_to.empty())
    out.push_back({"roles.waiting", who + " subscribes to " + joined(role.subscribes_to)});
  for (const char* right : {"endRoom", "removeOthers", "mute", "unmute", "changeRole", "browserRecording",
                            "rtmpStreaming", "hlsStreaming"})
    if (role.may(right)) out.push_back({"roles.waiting", who + " has the permission " + std::string(right)});
}

}  // namespace

std::vector<RoleFault> role_faults(const provider::Template& t, const ProviderConfig& config) {
  std::vector<RoleFault> out;
  const auto role = [&](const std::string& name, const char* check) -> const provider::Role* {
    const auto it = t.roles.find(name);
    if (it != t.roles.end()) return &it->second;
    out.push_back({check, "the template has no role " + name});
    return nullptr;
  };
  if (const auto* host = role(config.roles.host, "roles.host")) host_faults(*host, config, out);
  if (const auto* guest = role(config.roles.guest, "roles.guest")) guest_faults(*guest, config, out);
  if (config.waiting_by_role)
    if (const auto* waiting = role(config.roles.waiting, "roles.waiting")) waiting_faults(*waiting, out);
  return out;
}

Failure from_provider(const provider::Failure& failure, std::string_view link) {
  Failure out(failure.code, failure.detail);
  out.link = link;
  out.retry_after_s = failure.retry_after_s;
  return out;
}

Video::Video(Integration row, ProviderConfig c, Core& core)
    : config(std::move(c)),
      client({config.app_id, config.app_secret, config.api_endpoint}, core.http, core.clock, core.random,
             {core.breakers.of(row.org_id, row.id), core.config.provider_pause,
              core.config.provider_connect_timeout, core.config.provider_call_timeout,
              address_rule(core.config, config.api_endpoint)}),
      integration_id_(row.id) {}

std::vector<std::string> Video::fitting_templates(base::SteadyTime deadline) {
  std::vector<std::string> out;
  auto templates = client.list_templates(deadline);
  if (!templates) return out;
  for (const provider::Template& t : *templates) {
    const auto faults = role_faults(t, config);
    if (std::all_of(faults.begin(), faults.end(), [](const RoleFault& f) { return f.warning; }))
      out.push_back(t.id + " (" + provider::shown_text(t.name) + ")");
  }
  return out;
}

Outcome<void> Video::check_template(const Core& core, base::SteadyTime deadline) {
  if (config.template_id.empty() && config.allow_default_template) return {};
  const auto broken = [&](std::string_view code, std::string detail) {
    Failure failure(code, std::move(detail));
    failure.link = "template.id";
    const auto fitting = fitting_templates(deadline);
    if (!fitting.empty())
      failure.remedy = "Set credentials.templateId to one of the fitting templates: " + joined(fitting) +
                       ". PUT /api/integrations/" + integration_id_ +
                       " or the SQL in the manual; it applies to the next request.";
    return failure;
  };
  const std::string who = "Integration " + integration_id_ + " (100ms) ";
  const std::string nothing = " No room was created and nothing was stored.";
  if (config.template_id.empty())
    return refuse(broken("integration_template_missing", who + "has no templateId." + nothing));
  if (!base::is_object_id(config.template_id))
    return refuse(broken("integration_template_invalid",
                         who + "has a templateId that is not 24 hexadecimal digits." + nothing));
  {
    std::lock_guard lock(mutex_);
    if (template_good_until_ && core.clock.steady() < *template_good_until_) return {};
  }
  auto found = client.get_template(config.template_id, deadline);
  if (!found) {
    if (found.error().code == "integration_template_unknown")
      return refuse(broken(
          "integration_template_unknown",
          who + "names template " + config.template_id + ", which the provider does not know." + nothing));
    const std::string& code = found.error().code;
    const bool refused = code == "integration_credentials_rejected";
    return refuse(from_provider(found.error(), refused                           ? "token.accepted"
                                               : code == "provider_bad_response" ? "template.id"
                                                                                 : "endpoint.reachable"));
  }
  for (const RoleFault& fault : role_faults(*found, config)) {
    if (fault.warning || fault.check == "roles.waiting")
      continue;  // no visit of this program has a waiting room yet
    Failure failure("integration_roles_missing",
                    "Template " + config.template_id + ": " + fault.words + "." + nothing);
    failure.link = fault.check;
    return refuse(std::move(failure));
  }
  std::lock_guard lock(mutex_);
  template_good_until_ = core.clock.steady() + kTemplateGoodFor;
  return {};
}

base::Duration Video::media_token_life() const {
  const std::int64_t minutes = std::min<std::int64_t>(12 * 60, config.max_duration_min + 15);
  return base::Duration::seconds(minutes * 60);
}

base::Result<base::Secret> Video::media_token(const std::string& room_id, const std::string& role,
                                              const std::string& user_id) {
  return client.app_token({room_id, role, user_id, media_token_life()});
}

Outcome<std::shared_ptr<Video>> Clients::of(const Integration& row) {
  auto opened = open_credentials(core_, row);
  if (!opened) return refuse(std::move(opened.error()));
  ProviderConfig config = read_config(opened->plain);
  if (!config.missing.empty()) {
    Failure failure("integration_incomplete", "Integration " + row.id + " lacks required credentials.");
    failure.link = "credentials.present";
    for (const std::string& name : config.missing)
      failure.errors.push_back({"/credentials/" + name, "required", name + " is required"});
    return refuse(std::move(failure));
  }
  if (auto allowed = check_endpoint(core_.config, config.api_endpoint, ResolveNames::kYes); !allowed) {
    Failure failure("provider_unreachable",
                    "credentials.apiEndpoint is refused: " + allowed.error().detail + "; no packet was sent");
    failure.link = "endpoint.policy";
    return refuse(std::move(failure));
  }
  const std::string hash = hash_of(opened->plain);
  std::lock_guard lock(mutex_);
  Entry& entry = entries_[{row.org_id, row.id}];
  if (entry.video && entry.hash == hash) return entry.video;
  entry.hash = hash;
  entry.video = std::make_shared<Video>(row, std::move(config), core_);
  telemetry::info("✓ 100ms client initialized for " + row.id);
  telemetry::info("  templateId: " + (entry.video->config.template_id.empty()
                                          ? std::string("missing")
                                          : entry.video->config.template_id));
  telemetry::info("  endpoint: " + entry.video->client.host());
  return entry.video;
}

}  // namespace visits
