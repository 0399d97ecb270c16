#include "visits/problems.h"

#include "telemetry/log.h"

namespace visits {
namespace {

constexpr ProblemKind kKinds[] = {
    {"json_invalid", 400, "The body is not valid JSON", "Fix the offset named in detail."},
    {"request_invalid", 400, "The request is not well formed", "See errors for the part that is wrong."},
    {"org_required", 400, "The organisation is missing", "Send the organisation id in the header x-org-id."},
    {"unauthenticated", 401, "No valid credential", "Sign in or send an API key."},
    {"ticket_invalid", 401, "The join ticket is not valid", "Open the link again."},
    {"ticket_expired", 401, "The join ticket has run out", "Open the link again."},
    {"forbidden_scope", 403, "The credential lacks a scope",
     "Use a key or role that has the scope named in detail."},
    {"org_mismatch", 403, "Another organisation",
     "Drop x-org-id and orgId, or send your own organisation's id."},
    {"origin_refused", 403, "This page may not call the API",
     "Open the page at the configured publicWebUrl."},
    {"open_mode_refused", 403, "Open-on-loopback mode does not cover this request",
     "Use an API key, or call from this machine for a demo organisation."},
    {"role_not_allowed", 403, "This role is not yours", "Sign in or use your host link."},
    {"invite_required", 403, "Personal links only", "Ask the clinic for a personal link."},
    {"route_not_found", 404, "No such path", "Check the path against the API description."},
    {"not_found", 404, "No such object in this organisation", "Check the id and the organisation."},
    {"meeting_not_found", 404, "No visit with this code", "Check the code, or ask the clinic for the link."},
    {"appointment_not_found", 404, "No such appointment",
     "Check the appointment id, or create the visit with POST /api/virtual-meetings/instant."},
    {"method_not_allowed", 405, "The path does not take this method", "Use a method of the Allow header."},
    {"not_acceptable", 406, "Only JSON is served", "Accept application/json."},
    {"request_timeout", 408, "The request did not arrive in time", "Send it again, whole, within 15 s."},
    {"conflict", 409, "The change collides with another", "Read the object again and repeat the change."},
    {"idempotency_in_progress", 409, "The first call with this key still runs",
     "Wait retry-after seconds and repeat."},
    {"integration_exists", 409, "This integration exists", "Edit the existing one."},
    {"integration_in_use", 409, "Open visits use this integration",
     "End the visits first, or disable the integration."},
    {"integration_not_configured", 409, "The organisation has no video integration",
     "POST /api/integrations with vendor_id 100ms."},
    {"integration_disabled", 409, "No video integration is enabled",
     "POST /api/integrations/<id>/toggle with {\"enabled\":true}."},
    {"integration_incomplete", 422, "The integration lacks required credentials",
     "Send the members listed in errors."},
    {"integration_secret_unreadable", 409, "A stored secret cannot be opened",
     "Restore the key file, or write the secret again."},
    {"integration_credentials_rejected", 409, "The video provider refused the credentials",
     "Check appId, appSecret and this machine's clock."},
    {"integration_template_missing", 409, "The video integration has no template",
     "Set credentials.templateId; it applies to the next request."},
    {"integration_template_invalid", 409, "The template id is not one",
     "Set credentials.templateId to an id of 24 hexadecimal digits; it applies to the next request."},
    {"integration_template_unknown", 409, "The video provider does not know the template",
     "Set credentials.templateId to a template of this workspace; it applies to the next request."},
    {"integration_roles_missing", 409, "The template lacks a role or a right",
     "Change the template, or roleMap, as detail says."},
    {"test_running", 409, "A test of this integration is running",
     "Read it under /api/integrations/<id>/tests."},
    {"visit_state_conflict", 409, "The visit's state does not allow this", "See current and allowed."},
    {"visit_open_for_appointment", 409, "An open visit with other people exists",
     "Use or end the visit named in visitId."},
    {"visit_not_open_yet", 409, "The visit is not open yet", "Come back at opensAt."},
    {"visit_closed", 410, "The visit is over", "Make a new visit."},
    {"appointment_closed", 409, "The appointment is closed", "Book again."},
    {"appointment_already_fulfilled", 409, "An earlier visit of this appointment happened",
     "Send reopen:true to make another."},
    {"room_id_invalid", 409, "The stored room id was never issued by the provider",
     "Run `televisit repair rooms --apply`, or POST /api/virtual-meetings/<id>/repair."},
    {"room_gone", 409, "The provider no longer has the room",
     "Run `televisit repair rooms --verify --apply`, or POST /api/virtual-meetings/<id>/repair."},
    {"room_full", 409, "The visit is full", "Ask somebody to leave, or end the visit and create a new one."},
    {"precondition_failed", 412, "The object has changed since it was read",
     "Read it again and send its ETag in If-Match."},
    {"precondition_required", 428, "If-Match is missing",
     "Read the object and send its ETag in If-Match, or * to overwrite."},
    {"body_too_large", 413, "The body is too large", "Send at most 256 KiB."},
    {"uri_too_long", 414, "The address is too long", "Send at most 8 KiB."},
    {"headers_too_large", 431, "The headers are too large", "Send at most 100 headers and 32 KiB."},
    {"media_type_unsupported", 415, "The body is not JSON", "Send content-type: application/json."},
    {"host_refused", 421, "This host is not ours", "Use the configured address."},
    {"validation_failed", 422, "A member breaks a rule", "See errors."},
    {"idempotency_key_reused", 422, "The key was used for another request", "Send a new Idempotency-Key."},
    {"reference_unknown", 422, "An id is not stored here",
     "Store the resource first, or set referencePolicy to lenient."},
    {"vendor_unknown", 422, "No such vendor", "GET /api/integrations/vendors lists them."},
    {"endpoint_refused", 422, "The address may not be called",
     "Use an https address with a public host, or name it in allowPrivateEndpoints."},
    {"appointment_people_unclear", 422, "The appointment's people are unclear",
     "Name one patient and at least one practitioner in Appointment.participant."},
    {"rate_limited", 429, "Too many requests", "Wait retry-after seconds."},
    {"code_lookup_locked", 429, "Too many unknown codes",
     "Wait retry-after seconds, and use the link you were sent."},
    {"internal_error", 500, "A bug; nothing was committed", "Report the requestId."},
    {"not_implemented", 501, "Not offered", "See the API description."},
    {"provider_error", 502, "The video provider failed",
     "Try again; if it stays, look at the provider's status."},
    {"provider_bad_response", 502, "The video provider's answer cannot be trusted",
     "Check that apiEndpoint is the provider's REST address."},
    {"provider_tls_invalid", 502, "The video provider's certificate is not valid",
     "Fix the certificate; there is no switch to ignore it."},
    {"provider_rejected_request", 502, "The video provider refused a well-formed call",
     "See detail for its words."},
    {"provider_unreachable", 503, "The video provider cannot be reached",
     "Check apiEndpoint and the network."},
    {"provider_rate_limited", 503, "The video provider limits the rate", "Wait and try again."},
    {"provider_circuit_open", 503, "The video provider is left alone for a while",
     "Wait retry-after seconds."},
    {"provider_unavailable", 503, "No video provider is available", "See attempts."},
    {"provider_timeout", 504, "The video provider did not answer in time", "Try again."},
    {"database_unavailable", 503, "The database is not available", "Try again."},
    {"shutting_down", 503, "The server is stopping or full", "Try again."},
    {"storage_full", 507, "No space is left", "Free space."},
};

}  // namespace

Failure::Failure(const base::Error& error) : code(error.code), detail(error.detail) {
  if (find_problem_kind(code)) return;
  const bool database = code.rfind("db_", 0) == 0;
  telemetry::error("unexpected failure", {{"code", code}, {"detail", detail}});
  code = database && (code == "db_busy" || code == "db_timeout" || code == "db_read_only")
             ? "database_unavailable"
             : "internal_error";
  detail = code == "internal_error" ? "an unexpected error; nothing was committed"
                                    : "the database cannot take this now";
}

std::span<const ProblemKind> problem_kinds() {
  return kKinds;
}

const ProblemKind* find_problem_kind(std::string_view code) {
  for (const ProblemKind& kind : kKinds)
    if (kind.code == code) return &kind;
  return nullptr;
}

http::Problem to_problem(const Failure& failure) {
  const ProblemKind* kind = find_problem_kind(failure.code);
  if (!kind) {
    telemetry::error("problem code without a table entry", {{"code", failure.code}});
    return to_problem(Failure("internal_error", "an unexpected error; nothing was committed"));
  }
  http::Problem out;
  out.status = kind->status;
  out.code = kind->code;
  out.title = kind->title;
  out.detail = failure.detail;
  out.remedy = failure.remedy.empty() ? std::string(kind->remedy) : failure.remedy;
  out.link = failure.link;
  out.errors = failure.errors;
  out.extra = failure.extra;
  out.retry_after_s = failure.retry_after_s;
  return out;
}

std::string problem_page(const ProblemKind& kind) {
  const auto escaped = [](std::string_view text) {
    std::string out;
    for (const char c : text)
      out += c == '<'   ? "&lt;"
             : c == '>' ? "&gt;"
             : c == '&' ? "&amp;"
             : c == '"' ? "&quot;"
                        : std::string(1, c);
    return out;
  };
  return "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>" + escaped(kind.code) +
         "</title></head><body><main><h1>" + escaped(kind.title) + "</h1><p>Code <code>" +
         escaped(kind.code) + "</code>, HTTP status " + std::to_string(kind.status) + ".</p><p>" +
         escaped(kind.remedy) + "</p></main></body></html>\n";
}

}  // namespace visits
