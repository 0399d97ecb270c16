#include "visits/integrations/credentials.h"

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "telemetry/log.h"
#include "visits/integrations/endpoint_policy.h"
#include "visits/integrations/members.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

std::string aad_of(const Integration& row, std::string_view member) {
  return "televisit/v1/integrations/" + row.org_id + "/" + row.id + "/" + std::string(member);
}

std::string fingerprint(const base::Secret& secret) {
  const crypto::Sha256Digest digest = crypto::sha256(base::as_bytes(secret.reveal()));
  return base::to_hex(std::span(digest).first(4));
}

void read_roles(const json::Object& plain, RoleMap& roles) {
  const json::Object* map = json::object_at(plain, "roleMap");
  if (!map) return;
  roles.host = json::text_or(*map, "host", roles.host);
  roles.guest = json::text_or(*map, "guest", roles.guest);
  roles.waiting = json::text_or(*map, "waiting", roles.waiting);
}

}  // namespace

bool is_secret_member(std::string_view key) {
  for (const std::string_view known : {"appSecret", "webhookSecret", "clientSecret", "privateKey"})
    if (key == known) return true;
  if (find_member(key)) return false;
  const std::string lower = base::to_lower(key);
  for (const std::string_view ending : {"secret", "password", "passwd", "token", "privatekey", "private_key"})
    if (lower.size() >= ending.size() &&
        std::string_view(lower).substr(lower.size() - ending.size()) == ending)
      return true;
  return false;
}

bool is_placeholder(std::string_view text) {
  const std::string lower = base::to_lower(base::trim(text));
  if (lower.empty()) return true;
  if (lower.front() == '<' && lower.back() == '>') return true;
  for (const std::string_view start :
       {"your_", "your-", "your ", "changeme", "change_me", "change-me", "placeholder", "example_", "xxx"})
    if (lower.rfind(start, 0) == 0) return true;
  return false;
}

ProviderConfig read_config(const json::Object& plain) {
  ProviderConfig out;
  const auto text = [&](std::string_view name) { return std::string(base::trim(member_text(plain, name))); };
  out.app_id = text("appId");
  out.app_secret = base::Secret(std::string(member_text(plain, "appSecret")));
  out.api_endpoint = text("apiEndpoint");
  while (!out.api_endpoint.empty() && out.api_endpoint.back() == '/') out.api_endpoint.pop_back();
  out.init_endpoint = text("initEndpoint");
  out.template_id = text("templateId");
  for (const Member& member : members()) {
    const json::Value* value = find_value(plain, member);
    if (!value || value->is_null()) continue;
    if (auto fault = type_fault(member, *value)) out.mistyped.push_back(*fault);
  }
  out.allow_default_template = member_bool(plain, "allowDefaultTemplate", false);
  out.chat = member_bool(plain, "chatEnabled", true);
  out.screen_share = member_bool(plain, "screenShareEnabled", true);
  out.waiting_by_role = text("waitingRoomMode") != "hold";
  out.max_duration_min = member_int(plain, "maxDuration", 120);
  out.room_size = member_int(plain, "roomSize", 10);
  if (const std::string region = text("defaultRegion"); !region.empty()) out.region = region;
  read_roles(plain, out.roles);
  if (is_placeholder(out.app_id)) out.missing.emplace_back("appId");
  if (is_placeholder(out.app_secret.reveal())) out.missing.emplace_back("appSecret");
  if (is_placeholder(out.api_endpoint)) out.missing.emplace_back("apiEndpoint");
  for (const auto& [key, value] : plain)
    if (!find_member(std::string_view(key)) && !is_secret_member(std::string_view(key)))
      out.without_effect.emplace_back(base::escape_controls(std::string_view(key).substr(0, 60)));
  return out;
}

Outcome<OpenedCredentials> open_credentials(Core& core, const Integration& row) {
  OpenedCredentials out{row.credentials, false};
  json::Object sealed = row.credentials;
  for (auto& [key, value] : out.plain) {
    const std::string name{std::string_view(key)};
    if (!is_secret_member(name) || !value.is_string()) continue;
    const std::string text{std::string_view(value.as_string())};
    if (text.empty()) continue;
    if (!crypto::Keyring::is_envelope(text)) {
      sealed[name] = core.keyring.seal(base::Secret(text), aad_of(row, name), core.random);
      out.reenveloped = true;
      continue;
    }
    auto opened = core.keyring.open(text, aad_of(row, name));
    if (!opened) {
      Failure failure("integration_secret_unreadable", "credentials." + name + " of integration " + row.id +
                                                           " cannot be opened with the keys at hand");
      failure.link = "credentials.secret";
      return refuse(std::move(failure));
    }
    value = opened->reveal();
  }
  if (!out.reenveloped) return out;
  auto swapped = write(core, [&](storage::Transaction& t) -> base::Result<bool> {
    auto done = store::swap_credentials(t, row, json::serialize(sealed), core.now());
    if (!done || !*done) return done;
    if (auto logged = store::log_activity(
            t, {row.org_id, row.id, "reencrypted", true, "{}", std::nullopt, "system"}, core.now());
        !logged)
      return base::fail(logged.error());
    return true;
  });
  // A secret that could not be enveloped now is still used; the next use tries again.
  if (!swapped)
    telemetry::warn("a plain secret could not be enveloped",
                    {{"integration", row.id}, {"code", swapped.error().code}});
  return out;
}

json::Object mask_credentials(const Core& core, const Integration& row) {
  json::Object out = row.credentials;
  for (auto& [key, value] : out) {
    const std::string name{std::string_view(key)};
    if (!is_secret_member(name)) continue;
    json::Object mask;
    const std::string text =
        value.is_string() ? std::string(std::string_view(value.as_string())) : std::string();
    mask["set"] = !text.empty();
    if (!text.empty() && !crypto::Keyring::is_envelope(text)) {
      mask["fingerprint"] = fingerprint(base::Secret(text));
    } else if (!text.empty()) {
      auto opened = core.keyring.open(text, aad_of(row, name));
      if (opened)
        mask["fingerprint"] = fingerprint(*opened);
      else
        mask["readable"] = false;
    }
    value = std::move(mask);
  }
  return out;
}

Outcome<void> merge_credentials(Core& core, Integration& row, const json::Object& change) {
  Failure invalid("validation_failed", "a member of credentials breaks a rule");
  const auto wrong = [&](std::string_view key, std::string_view code, std::string message) {
    invalid.errors.push_back({"/credentials/" + std::string(key), std::string(code), std::move(message)});
  };
  for (const auto& [key, value] : change) {
    const std::string_view given(key);
    if (given.size() > 100) {
      wrong(given.substr(0, 100), "too_long", "a member name has at most 100 characters");
      continue;
    }
    const Member* member = find_member(given);
    const std::string name(member ? member->name : given);
    if (value.is_null()) {
      row.credentials.erase(name);
      row.credentials.erase(given);
      continue;
    }
    if (is_secret_member(name)) {
      const std::string text =
          value.is_string() ? std::string(std::string_view(value.as_string())) : std::string();
      if (!value.is_string() || crypto::Keyring::is_envelope(text))
        wrong(name, "type", "send the secret itself as text, or leave the member out to keep the stored one");
      else if (auto fault = secret_fault(text))
        wrong(name, "format", *fault);
      else
        row.credentials[name] = core.keyring.seal(base::Secret(text), aad_of(row, name), core.random);
      continue;
    }
    json::Value normal = value;
    if (member) {
      if (auto fault = normalise(*member, normal)) {
        wrong(name, "format", *fault);
        continue;
      }
      if (given != name) row.credentials.erase(given);
    }
    row.credentials[name] = std::move(normal);
  }
  if (!invalid.errors.empty()) return refuse(std::move(invalid));
  for (const std::string_view name : {"apiEndpoint", "initEndpoint"}) {
    const std::string text(json::text_or(row.credentials, name));
    if (text.empty() || !change.contains(name)) continue;
    if (auto allowed = check_endpoint(core.config, text, ResolveNames::kYes); !allowed) {
      Failure refused("endpoint_refused", "credentials." + std::string(name) + ": " + allowed.error().detail);
      refused.link = "endpoint.policy";
      refused.errors.push_back({"/credentials/" + std::string(name), "format", allowed.error().detail});
      return refuse(std::move(refused));
    }
  }
  return {};
}

}  // namespace visits
