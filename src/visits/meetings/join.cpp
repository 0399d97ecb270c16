#include "visits/meetings/join.h"

#include "base/text.h"
#include "visits/core/names.h"
#include "visits/core/settings.h"
#include "visits/integrations/clients.h"
#include "visits/meetings/links.h"
#include "visits/store/events.h"
#include "visits/store/meetings.h"
#include "visits/store/organizations.h"

namespace visits {
namespace {

constexpr std::int64_t kParticipantsPerVisit = 50;

struct Room {
  Visit visit;
  Organization org;
  Integration integration;
  Presence presence;
};

Failure closed(const Visit& v) {
  Failure failure("visit_closed", "this visit is over");
  failure.extra["status"] = v.status;
  return failure;
}

Outcome<Room> room_of(Core& core,
                      const std::function<base::Result<std::optional<Visit>>(storage::Transaction&)>& find) {
  auto found = read(core, [&](storage::Transaction& t) -> base::Result<std::optional<Room>> {
    auto visit = find(t);
    if (!visit) return base::fail(visit.error());
    if (!*visit) return std::optional<Room>{};
    auto org = store::find_organization(t, (*visit)->org_id);
    if (!org) return base::fail(org.error());
    auto integration = store::find_integration(t, (*visit)->org_id, (*visit)->integration_id);
    if (!integration) return base::fail(integration.error());
    auto people = store::presence(t, (*visit)->org_id, (*visit)->id);
    if (!people) return base::fail(people.error());
    if (!*org || !*integration)
      return base::fail("internal_error", "a visit without its organisation or integration");
    return std::optional<Room>(Room{std::move(**visit), std::move(**org), std::move(**integration), *people});
  });
  if (!found) return refuse(Failure(found.error()));
  if (!*found) return refuse("meeting_not_found", "no visit has this code");
  return std::move(**found);
}

Outcome<Room> room_by_code(Core& core, const std::string& text) {
  const auto code = normalise_code(text);
  if (!code) return refuse("meeting_not_found", "no visit has this code");
  return room_of(core, [&](storage::Transaction& t) { return store::find_visit_by_code(t, *code); });
}

json::Object lobby_object(const Room& room) {
  const Visit& v = room.visit;
  const Settings settings = Settings::of(room.org.settings);
  const ProviderConfig config = read_config(room.integration.credentials);
  json::Object o;
  o["code"] = v.code;
  o["status"] = v.status;
  o["orgName"] = room.org.name;
  o["displayName"] = v.display_name;
  o["scheduledStart"] = time_value(v.scheduled_start);
  o["joinOpensAt"] = v.scheduled_start
                         ? json::Value(base::format_rfc3339(*v.scheduled_start - settings.join_window_before))
                         : json::Value(nullptr);
  o["hostPresent"] = room.presence.hosts > 0;
  o["waitingRoom"] = v.waiting_room;
  json::Object features;
  features["chat"] = config.chat;
  features["screenShare"] = config.screen_share;
  o["features"] = std::move(features);
  return o;
}

bool asks_for_host(const OptionalText& text) {
  if (!text) return false;
  const std::string lower = base::to_lower(base::trim(*text));
  return lower == "provider" || lower == "practitioner" || lower == "host";
}

Outcome<std::optional<Invite>> invite_of(Core& core, const Room& room, const JoinRequest& wanted) {
  if (!wanted.invite) {
    if (asks_for_host(wanted.claim) || asks_for_host(wanted.user_type) || asks_for_host(wanted.role))
      return refuse("role_not_allowed", "the role of a host needs a sign-in or a host link");
    return std::optional<Invite>{};
  }
  auto invite = read(core, [&](storage::Transaction& t) {
    return store::find_invite(t, room.visit.org_id, secret_hash(*wanted.invite));
  });
  if (!invite) return refuse(Failure(invite.error()));
  const bool usable = *invite && (*invite)->visit_id == room.visit.id && !(*invite)->revoked_at &&
                      core.now() < (*invite)->expires_at;
  if (!usable) {
    Failure failure("role_not_allowed",
                    "this personal link is not valid: it was replaced, revoked, has run out, or belongs to "
                    "another visit");
    failure.remedy = "Ask the clinic for a new link.";
    return refuse(std::move(failure));
  }
  return std::optional<Invite>(std::move(**invite));
}

Outcome<void> check_window(const Room& room, bool host, base::WallTime now) {
  if (!room.visit.scheduled_start) return {};
  const Settings settings = Settings::of(room.org.settings);
  const base::WallTime opens = *room.visit.scheduled_start - settings.join_window_before;
  const base::WallTime closes =
      room.visit.scheduled_end.value_or(*room.visit.scheduled_start) + settings.join_window_after;
  if (!host && now < opens) {
    Failure failure("visit_not_open_yet", "this visit opens later");
    failure.extra["opensAt"] = base::format_rfc3339(opens);
    return refuse(std::move(failure));
  }
  // People who are in it stay; nobody starts a visit long after its time.
  if (now >= closes && room.visit.status == "scheduled") return refuse(closed(room.visit));
  return {};
}

struct Ticket {
  base::Secret secret;
  base::WallTime expires_at;
};

base::Result<Ticket> issue_ticket(storage::Transaction& t, Core& core, const Participant& p,
                                  const Settings& settings) {
  Ticket out{new_ticket(core.random), core.now() + settings.ticket_ttl};
  if (auto r = store::set_ticket(t, p.org_id, p.id, secret_hash(out.secret.reveal()), out.expires_at); !r)
    return base::fail(r.error());
  return out;
}

struct Joined {
  Participant participant;
  Ticket ticket;
};

// The participant of this person: the one of the same personal invite again, else a new one.
base::Result<Joined> admit(storage::Transaction& t, Core& core, const Room& room,
                           const std::optional<Invite>& invite, const JoinRequest& wanted) {
  const Settings settings = Settings::of(room.org.settings);
  const base::WallTime now = core.now();
  if (invite) {
    auto again = store::find_participant_of_invite(t, room.visit.org_id, invite->id);
    if (!again) return base::fail(again.error());
    if (*again && ((*again)->state == "denied" || (*again)->state == "removed"))
      return base::fail("role_not_allowed", "the host has removed this person");
    if (*again) {
      Participant p = std::move(**again);
      p.display_name = wanted.display_name;
      if (p.state == "left") p.state = "admitted";
      if (auto r = store::update_participant(t, p); !r) return base::fail(r.error());
      auto ticket = issue_ticket(t, core, p, settings);
      if (!ticket) return base::fail(ticket.error());
      return Joined{std::move(p), std::move(*ticket)};
    }
    if (invite->uses >= invite->max_uses)
      return base::fail("role_not_allowed", "this personal link was used too often");
    if (auto r = store::count_invite_use(t, room.visit.org_id, invite->id); !r) return base::fail(r.error());
  }
  auto people = store::presence(t, room.visit.org_id, room.visit.id);
  if (!people) return base::fail(people.error());
  if (people->issued >= kParticipantsPerVisit)
    return base::fail("room_full", "this visit has 50 participants");
  Participant p;
  p.id = core.random.uuid();
  p.org_id = room.visit.org_id;
  p.visit_id = room.visit.id;
  const bool host = invite && invite->kind == "host";
  if (invite) p.invite_id = invite->id;
  p.type = host ? "practitioner" : invite ? invite->kind : wanted.claim.value_or("guest");
  p.role = host ? "host" : "guest";
  p.state = "admitted";
  p.identity = invite ? "verified" : "claimed";
  if (invite) p.person_ref = invite->person_ref;
  p.display_name = wanted.display_name;
  p.language = wanted.language;
  p.provider_user_id = new_provider_user_id(core.random);
  p.arrived_at = now;
  p.admitted_at = now;
  if (auto r = store::insert_participant(t, p, now); !r) return base::fail(r.error());
  for (const char* type : {"participant.arrived", "participant.admitted"}) {
    json::Object data;
    data["participantId"] = p.id;
    data["type"] = p.type;
    if (auto r = store::append_event(
            t, {p.org_id, p.visit_id, type, std::move(data), "participant", p.id, now, now});
        !r)
      return base::fail(r.error());
  }
  auto ticket = issue_ticket(t, core, p, settings);
  if (!ticket) return base::fail(ticket.error());
  return Joined{std::move(p), std::move(*ticket)};
}

std::string provider_role(const ProviderConfig& config, const Participant& p) {
  return p.role == "host" ? config.roles.host : p.role == "guest" ? config.roles.guest : config.roles.waiting;
}

Outcome<base::Secret> token_for(Video& video, const Visit& visit, const Participant& p) {
  auto token = video.media_token(visit.meeting_id, provider_role(video.config, p), p.provider_user_id);
  if (!token) return refuse(Failure(token.error()));
  return std::move(*token);
}

json::Object answer(const Room& room, const Participant& p, const std::optional<Ticket>& ticket,
                    const base::Secret& token, const OptionalText& endpoint) {
  json::Object o;
  o["visit"] = lobby_object(room);
  o["participantId"] = p.id;
  o["type"] = p.type;
  o["state"] = p.state;
  o["role"] = p.role;
  o["next"] = "media";
  if (ticket) {
    o["ticket"] = ticket->secret.reveal();
    o["ticketExpiresAt"] = base::format_rfc3339(ticket->expires_at);
  } else {
    o["ticket"] = nullptr;
    o["ticketExpiresAt"] = time_value(p.ticket_expires_at);
  }
  o["consents"] = json::Array{};
  o["authToken"] = token.reveal();
  o["initEndpoint"] = text_value(endpoint);
  o["encounterId"] = text_value(room.visit.encounter_id);
  return o;
}

Outcome<Room> room_of_holder(Core& core, const TicketHolder& holder) {
  auto room = room_of(core, [&](storage::Transaction& t) {
    return store::find_visit(t, holder.visit.org_id, holder.visit.id);
  });
  if (room && !room->visit.open()) return refuse(closed(room->visit));
  return room;
}

}  // namespace

Outcome<json::Object> lobby_view(Core& core, const std::string& code) {
  auto room = room_by_code(core, code);
  if (!room) return refuse(std::move(room.error()));
  return lobby_object(*room);
}

Outcome<json::Object> join(Core& core, const std::string& code, const JoinRequest& wanted,
                           const http::Request& request) {
  auto room = room_by_code(core, code);
  if (!room) return refuse(std::move(room.error()));
  if (!room->visit.open()) return refuse(closed(room->visit));
  if (!base::is_object_id(room->visit.meeting_id)) {
    Failure failure("room_id_invalid", "this visit's stored room id was never issued by the provider");
    failure.link = "sys.rooms";
    return refuse(std::move(failure));
  }
  auto invite = invite_of(core, *room, wanted);
  if (!invite) return refuse(std::move(invite.error()));
  if (!*invite && Settings::of(room->org.settings).invite_only)
    return refuse("invite_required", "this clinic takes personal links only");
  const bool host = *invite && (*invite)->kind == "host";
  if (auto open = check_window(*room, host, core.now()); !open) return refuse(std::move(open.error()));
  auto video = core.clients->of(room->integration);
  if (!video) return refuse(std::move(video.error()));
  auto joined = write(core, [&](storage::Transaction& t) { return admit(t, core, *room, *invite, wanted); });
  if (!joined) return refuse(Failure(joined.error()));
  auto token = token_for(**video, room->visit, joined->participant);
  if (!token) return refuse(std::move(token.error()));
  return answer(*room, joined->participant, joined->ticket, *token,
                init_endpoint(core.config, (*video)->config, request));
}

Outcome<TicketHolder> holder_of(Core& core, std::string_view ticket) {
  if (ticket.rfind("tvt_", 0) != 0) return refuse("unauthenticated", "this path takes a join ticket");
  auto found = read(core, [&](storage::Transaction& t) -> base::Result<std::optional<TicketHolder>> {
    auto p = store::find_participant_by_ticket(t, secret_hash(ticket));
    if (!p) return base::fail(p.error());
    if (!*p) return std::optional<TicketHolder>{};
    auto visit = store::find_visit(t, (*p)->org_id, (*p)->visit_id);
    if (!visit) return base::fail(visit.error());
    if (!*visit) return std::optional<TicketHolder>{};
    return std::optional<TicketHolder>(TicketHolder{std::move(**p), std::move(**visit)});
  });
  if (!found) return refuse(Failure(found.error()));
  if (!*found) return refuse("ticket_invalid", "no open visit has this ticket");
  if (!(*found)->participant.ticket_expires_at || core.now() >= *(*found)->participant.ticket_expires_at)
    return refuse("ticket_expired", "the ticket is older than its lifetime");
  return std::move(**found);
}

Outcome<json::Object> join_answer(Core& core, const TicketHolder& holder, bool renew,
                                  const http::Request& request) {
  auto room = room_of_holder(core, holder);
  if (!room) return refuse(std::move(room.error()));
  auto video = core.clients->of(room->integration);
  if (!video) return refuse(std::move(video.error()));
  std::optional<Ticket> ticket;
  if (renew) {
    auto issued = write(core, [&](storage::Transaction& t) {
      return issue_ticket(t, core, holder.participant, Settings::of(room->org.settings));
    });
    if (!issued) return refuse(Failure(issued.error()));
    ticket = std::move(*issued);
  }
  auto token = token_for(**video, room->visit, holder.participant);
  if (!token) return refuse(std::move(token.error()));
  return answer(*room, holder.participant, ticket, *token,
                init_endpoint(core.config, (*video)->config, request));
}

Outcome<json::Object> media_token_answer(Core& core, const TicketHolder& holder,
                                         const http::Request& request) {
  auto room = room_of_holder(core, holder);
  if (!room) return refuse(std::move(room.error()));
  auto video = core.clients->of(room->integration);
  if (!video) return refuse(std::move(video.error()));
  auto token = token_for(**video, room->visit, holder.participant);
  if (!token) return refuse(std::move(token.error()));
  json::Object o;
  o["token"] = token->reveal();
  o["role"] = holder.participant.role;
  o["roomId"] = room->visit.meeting_id;
  o["initEndpoint"] = text_value(init_endpoint(core.config, (*video)->config, request));
  o["expiresAt"] = base::format_rfc3339(core.now() + (*video)->media_token_life());
  return o;
}

Outcome<void> leave(Core& core, const TicketHolder& holder) {
  auto done = write(core, [&](storage::Transaction& t) -> base::Result<void> {
    Participant p = holder.participant;
    p.state = "left";
    p.left_at = core.now();
    if (auto r = store::update_participant(t, p); !r) return r;
    json::Object data;
    data["participantId"] = p.id;
    return store::append_event(t, {p.org_id, p.visit_id, "participant.left", std::move(data), "participant",
                                   p.id, core.now(), core.now()});
  });
  if (!done) return refuse(Failure(done.error()));
  return {};
}

}  // namespace visits
