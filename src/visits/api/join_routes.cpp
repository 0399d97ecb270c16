#include "base/text.h"
#include "visits/api/support.h"
#include "visits/core/names.h"
#include "visits/meetings/join.h"

namespace visits::api {
namespace {

struct JoinBody {
  std::string display_name;
  std::optional<std::string> invite;
  std::optional<std::string> claim;
  std::optional<std::string> user_type;
  std::optional<std::string> role;
  std::optional<std::string> language;
  std::optional<std::string> device_id;
  template <class V>
  static void fields(V& v) {
    v.field("displayName", &JoinBody::display_name, json::text().min(1).max(120).name().single_line());
    v.field("invite", &JoinBody::invite, json::text().max(100));
    v.field("claim", &JoinBody::claim, json::text().max(40));
    v.field("userType", &JoinBody::user_type, json::text().max(40));
    v.field("role", &JoinBody::role, json::text().max(40));
    v.field("language", &JoinBody::language, json::text().max(35));
    v.field("deviceId", &JoinBody::device_id, json::text().max(200));
  }
};

bool reserved_role(const std::string& text) {
  const std::string lower = base::to_lower(base::trim(text));
  return lower == "provider" || lower == "practitioner" || lower == "host";
}

void note_allowance(http::Response& response, const Allowance& allowance) {
  response.set("ratelimit-limit", std::to_string(allowance.limit));
  response.set("ratelimit-remaining", std::to_string(allowance.remaining));
  response.set("ratelimit-reset", std::to_string(allowance.reset_s));
}

// Runs `work` within the limits of §12.2. `proven`: the caller showed a credential that may exempt it, so the
// work decides, and only its refusal counts.
Outcome<http::Response> within_limits(Core& core, const http::Request& request, const char* what, bool proven,
                                      const std::function<Outcome<http::Response>()>& work) {
  const std::string code = normalise_code(request.param("code")).value_or("-");
  const auto enter = [&] {
    return core.limits.enter_lobby(what, request.client_ip, code, core.clock.steady());
  };
  std::optional<Allowance> allowance;
  if (!proven) {
    auto entered = enter();
    if (!entered) return refuse(std::move(entered.error()));
    allowance = *entered;
  }
  auto done = work();
  if (done) {
    if (allowance) note_allowance(*done, *allowance);
    return done;
  }
  if (proven)
    if (auto entered = enter(); !entered) return refuse(std::move(entered.error()));
  if (done.error().code == "meeting_not_found")
    core.limits.note_unknown_code(request.client_ip, core.clock.steady());
  return done;
}

Outcome<http::Response> join_route(Core& core, const http::Request& request) {
  auto body = read_body<JoinBody>(request);
  if (!body) return refuse(std::move(body.error()));
  const JoinBody& b = body->value;
  Failure invalid("validation_failed", "a member of the body breaks a rule");
  if (base::trim(b.display_name).empty())
    invalid.errors.push_back({"/displayName", "too_short", "is a name"});
  if (b.claim && !reserved_role(*b.claim)) {
    bool known = false;
    for (const std::string_view claim : {"patient", "caregiver", "interpreter", "guest"})
      known = known || *b.claim == claim;
    if (!known) invalid.errors.push_back({"/claim", "one_of", "is patient, caregiver, interpreter or guest"});
  }
  if (!invalid.errors.empty()) return refuse(std::move(invalid));
  JoinRequest wanted{b.display_name, b.invite, b.claim, b.user_type, b.role, b.language};
  if (wanted.invite && wanted.claim && reserved_role(*wanted.claim)) wanted.claim.reset();
  auto joined = join(core, std::string(request.param("code")), wanted, request);
  if (!joined) return refuse(std::move(joined.error()));
  http::Response response = answer(200, *joined);
  note_ignored(response, body->ignored);
  return response;
}

Outcome<TicketHolder> holder(Core& core, const http::Request& request) {
  const std::string_view credential = request.header("authorization");
  if (credential.size() < 7 || !base::equals_ignore_case(credential.substr(0, 7), "Bearer "))
    return refuse("unauthenticated", "this path takes a join ticket");
  return holder_of(core, base::trim(credential.substr(7)));
}

}  // namespace

void mount_joining(const Api& api, http::Router& router) {
  using http::Method;
  Core& core = api.core;
  const std::string base_path = "/api/virtual-meetings";
  router.add(Method::kGet, base_path + "/code/:code", open_to_all(api, [&core](const http::Request& request) {
               auto who = request.header("authorization").empty()
                              ? Outcome<TicketHolder>(refuse("unauthenticated", ""))
                              : holder(core, request);
               const bool proven = who && who->visit.code == normalise_code(request.param("code"));
               return within_limits(core, request, "look-up", proven, [&]() -> Outcome<http::Response> {
                 auto view = lobby_view(core, std::string(request.param("code")));
                 if (!view) return refuse(std::move(view.error()));
                 return answer(200, *view);
               });
             }));
  router.add(
      Method::kPost, base_path + "/join/:code", open_to_all(api, [&core](const http::Request& request) {
        // The body is read twice, once here to see whether it has a personal link.
        auto body = body_object(request);
        const bool invited = body && !json::text_or(*body, "invite").empty();
        return within_limits(core, request, "join", invited, [&] { return join_route(core, request); });
      }));
  const auto with_ticket =
      [&](Method method, const std::string& path,
          std::function<Outcome<http::Response>(const TicketHolder&, const http::Request&)> work) {
        router.add(method, base_path + "/participants/me" + path,
                   open_to_all(api,
                               [&core, work = std::move(work)](
                                   const http::Request& request) -> Outcome<http::Response> {
                                 auto who = holder(core, request);
                                 if (!who) return refuse(std::move(who.error()));
                                 return work(*who, request);
                               }));
      };
  const auto joined = [&core](bool renew) {
    return [&core, renew](const TicketHolder& who, const http::Request& request) -> Outcome<http::Response> {
      auto body = join_answer(core, who, renew, request);
      if (!body) return refuse(std::move(body.error()));
      return answer(200, *body);
    };
  };
  with_ticket(Method::kGet, "", joined(false));
  with_ticket(Method::kPost, "/refresh", joined(true));
  with_ticket(Method::kPost, "/token",
              [&core](const TicketHolder& who, const http::Request& request) -> Outcome<http::Response> {
                auto body = media_token_answer(core, who, request);
                if (!body) return refuse(std::move(body.error()));
                return answer(200, *body);
              });
  with_ticket(Method::kPost, "/leave",
              [&core](const TicketHolder& who, const http::Request&) -> Outcome<http::Response> {
                if (auto left = leave(core, who); !left) return refuse(std::move(left.error()));
                http::Response response;
                response.status = 204;
                return response;
              });
}

}  // namespace visits::api
