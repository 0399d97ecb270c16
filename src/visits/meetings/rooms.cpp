#include "visits/meetings/rooms.h"

#include "telemetry/log.h"
#include "visits/core/names.h"
#include "visits/store/meetings.h"

namespace visits {
namespace {

constexpr base::Duration kOperationPatience = base::Duration::seconds(60);

Attempt new_attempt(Core& core, const Integration& row, const Video& video, const NewRoom& wanted) {
  Attempt out;
  const base::WallTime now = core.now();
  out.spec.name = new_room_name(core.random);
  out.spec.template_id = video.config.template_id;
  out.spec.region = video.config.region;
  out.spec.size = video.config.room_size;
  out.spec.max_duration_seconds = 60 * wanted.duration_minutes.value_or(video.config.max_duration_min);
  json::Object args;
  args["templateId"] = out.spec.template_id;
  args["region"] = out.spec.region;
  out.operation.id = core.random.uuid();
  out.operation.org_id = row.org_id;
  out.operation.integration_id = row.id;
  out.operation.op = "create_room";
  out.operation.args = json::serialize(args);
  out.operation.room_name = out.spec.name;
  out.operation.created_at = now;
  out.operation.next_attempt_at = now + kOperationPatience;
  return out;
}

std::string link_of(const provider::Failure& failure) {
  if (failure.code == "integration_credentials_rejected") return "token.accepted";
  if (failure.code == "integration_template_unknown") return "template.id";
  if (failure.code == "provider_unreachable" || failure.code == "provider_timeout" ||
      failure.code == "provider_tls_invalid" || failure.code == "provider_circuit_open")
    return "endpoint.reachable";
  return failure.detail.find("read-back") != std::string::npos ? "room.readback" : "room.create";
}

void log_failure(const Failure& failure, const std::string& cause, const std::string& request_id) {
  telemetry::warn("100ms createRoom failed: " + cause + " " + failure.code + " link=" + failure.link +
                  " requestId=" + request_id);
}

}  // namespace

void give_up(Core& core, Operation operation, const std::string& code, bool may_have_acted) {
  operation.state = may_have_acted ? "compensating" : "failed";
  operation.next_attempt_at = core.now();
  auto done = write(
      core, [&](storage::Transaction& t) { return store::update_operation(t, operation, code, core.now()); });
  // The row then stays pending and the compensator finds it after kOperationPatience.
  if (!done)
    telemetry::warn("an operation could not be marked",
                    {{"operation", operation.id}, {"code", done.error().code}});
}

Outcome<Confirmed> confirm_room(Core& core, const Integration& row, const NewRoom& wanted,
                                base::SteadyTime deadline) {
  auto video = core.clients->of(row);
  if (!video) {
    log_failure(video.error(), "configuration", wanted.request_id);
    return refuse(std::move(video.error()));
  }
  if (auto fits = (*video)->check_template(core, deadline); !fits) {
    log_failure(fits.error(), "template check", wanted.request_id);
    return refuse(std::move(fits.error()));
  }
  Attempt attempt = new_attempt(core, row, **video, wanted);
  auto noted =
      write(core, [&](storage::Transaction& t) { return store::insert_operation(t, attempt.operation); });
  if (!noted) return refuse(Failure(noted.error()));
  auto room = (*video)->client.create_confirmed_room(attempt.spec, deadline);
  if (!room) {
    give_up(core, attempt.operation, room.error().code, room.error().may_have_acted);
    Failure failure = from_provider(room.error(), link_of(room.error()));
    log_failure(failure, room.error().cause, wanted.request_id);
    return refuse(std::move(failure));
  }
  attempt.operation.room_id = room->id;
  return Confirmed{std::move(attempt), std::move(*room), std::move(*video)};
}

}  // namespace visits
