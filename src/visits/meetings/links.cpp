#include "visits/meetings/links.h"

#include "visits/integrations/endpoint_policy.h"

namespace visits {
namespace {

json::Value json_value(const std::string& text, json::Value fallback) {
  auto parsed = json::parse_tolerant(text);
  return parsed ? std::move(*parsed) : std::move(fallback);
}

// The origin of the page that asks, when it is a plain-http page of this machine.
OptionalText loopback_page(const http::Request& request) {
  const auto usable = [](std::string_view text) -> OptionalText {
    auto url = parse_url(text);
    if (!url || url->scheme != "http" || !url->loopback_host()) return std::nullopt;
    return url->origin();
  };
  if (const std::string_view origin = request.header("origin"); !origin.empty()) return usable(origin);
  if (request.listener == "web") return usable("http://" + std::string(request.header("host")));
  return std::nullopt;
}

}  // namespace

json::Value time_value(const OptionalTime& time) {
  return time ? json::Value(base::format_rfc3339(*time)) : json::Value(nullptr);
}
json::Value text_value(const OptionalText& text) {
  return text ? json::Value(*text) : json::Value(nullptr);
}

std::string public_link(const Config& config, const std::string& code) {
  return config.public_web_url + "/meeting/" + code;
}

std::string host_link(const Config& config, const std::string& code, const base::Secret& invite) {
  return public_link(config, code) + "#i=" + invite.reveal();
}

OptionalText init_endpoint(const Config& config, const ProviderConfig& provider,
                           const http::Request& request) {
  if (!provider.init_endpoint.empty()) return provider.init_endpoint;
  auto url = parse_url(provider.api_endpoint);
  if (!url || provider.api_endpoint.rfind("https://api.100ms.live", 0) == 0) return std::nullopt;
  if (url->scheme == "https") return url->origin();
  return loopback_page(request).value_or(config.public_web_url) + "/#https://local";
}

json::Object visit_object(const Config& config, const Visit& v, const Presence& presence) {
  json::Object o;
  o["id"] = v.id;
  o["orgId"] = v.org_id;
  o["code"] = v.code;
  o["meetingCode"] = v.code;
  o["meetingId"] = v.meeting_id;
  o["kind"] = v.kind;
  o["status"] = v.status;
  o["statusReason"] = text_value(v.status_reason);
  const std::string_view comment = json::text_or(v.config, "statusComment");
  o["statusComment"] = comment.empty() ? json::Value(nullptr) : json::Value(comment);
  o["displayName"] = v.display_name;
  o["appointmentId"] = text_value(v.appointment_id);
  o["encounterId"] = text_value(v.encounter_id);
  o["patientId"] = text_value(v.patient_id);
  o["hostPractitionerId"] = text_value(v.host_practitioner_id);
  o["scheduledStart"] = time_value(v.scheduled_start);
  o["scheduledEnd"] = time_value(v.scheduled_end);
  o["waitingSince"] = time_value(v.waiting_since);
  o["startedAt"] = time_value(v.started_at);
  o["pausedSince"] = time_value(v.paused_since);
  o["endedAt"] = time_value(v.ended_at);
  o["publicLink"] = public_link(config, v.code);
  o["roomUrl"] = public_link(config, v.code);
  o["integrationId"] = v.integration_id;
  o["vendorId"] = v.vendor_id;
  o["templateId"] = text_value(v.template_id);
  o["region"] = text_value(v.region);
  o["roomState"] = v.room_state;
  o["roomVerifiedAt"] = time_value(v.room_verified_at);
  o["failover"] = json_value(v.failover, json::Array{});
  o["waitingRoom"] = v.waiting_room;
  json::Object recording;
  recording["allowed"] = v.recording_enabled;
  recording["state"] = "idle";
  recording["consent"] = "missing";
  o["recording"] = std::move(recording);
  json::Object people;
  people["hosts"] = presence.hosts;
  people["admitted"] = presence.admitted;
  people["waiting"] = presence.waiting;
  o["presence"] = std::move(people);
  o["participantCount"] = presence.total;
  const json::Array* warnings = json::array_at(v.config, "warnings");
  o["warnings"] = warnings ? *warnings : json::Array{};
  o["rowVersion"] = v.row_version;
  o["createdAt"] = base::format_rfc3339(v.created_at);
  o["updatedAt"] = base::format_rfc3339(v.updated_at);
  return o;
}

json::Object participant_object(const Participant& p) {
  json::Object o;
  o["id"] = p.id;
  o["type"] = p.type;
  o["role"] = p.role;
  o["state"] = p.state;
  o["identity"] = p.identity;
  o["displayName"] = p.display_name;
  o["personRef"] = text_value(p.person_ref);
  o["language"] = text_value(p.language);
  o["arrivedAt"] = time_value(p.arrived_at);
  o["admittedAt"] = time_value(p.admitted_at);
  o["joinedAt"] = time_value(p.joined_at);
  o["leftAt"] = time_value(p.left_at);
  return o;
}

}  // namespace visits
