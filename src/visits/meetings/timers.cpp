#include "visits/meetings/timers.h"

namespace visits {
namespace {

bool patient_side(const Participant& p) {
  return p.role != "host" && p.type != "interpreter";
}

Due earlier(Due a, Due b) {
  return b.at < a.at ? std::move(b) : std::move(a);
}

Due due_of_active(const Visit& v, const Settings& s) {
  const base::WallTime started = v.started_at.value_or(v.created_at);
  base::Duration longest = s.max_duration;
  const std::int64_t asked_min = json::int_or(v.config, "durationMinutes", 0);
  if (asked_min > 0) longest = base::Duration::seconds(asked_min * 60);
  Due out{started + longest, "ended", "max_duration"};
  if (v.empty_since) out = earlier({*v.empty_since + s.empty_end_grace, "ended", "everyone_left"}, out);
  if (v.host_absent_since)
    out = earlier(std::move(out), {*v.host_absent_since + s.host_absent_grace, "ended", "host_absent"});
  if (v.guest_absent_since)
    out = earlier(std::move(out), {*v.guest_absent_since + s.guest_absent_grace, "ended", "guest_absent"});
  return out;
}

Due due_before_start(const Visit& v, const Crowd& crowd, const Settings& s) {
  if (!v.scheduled_start)
    return {v.created_at + s.unused_expire, "cancelled", crowd.guest_here ? "host_absent" : "unused"};
  const base::WallTime from = std::max(*v.scheduled_start, v.created_at);
  if (crowd.guest_here) return {from + s.waiting_max, "no_show", "provider_absent"};
  const char* reason = crowd.host_ever    ? "patient_absent"
                       : crowd.guest_ever ? "provider_absent"
                                          : "nobody_came";
  return {from + s.no_show, "no_show", reason};
}

}  // namespace

Crowd crowd_of(const std::vector<Participant>& participants) {
  Crowd out;
  for (const Participant& p : participants) {
    const bool came = p.joined_at || p.state == "waiting";
    if (p.role == "host" && came) out.host_ever = true;
    if (!patient_side(p)) continue;
    if (came) out.guest_ever = true;
    if (p.state == "connected" || p.state == "away" || p.state == "waiting") out.guest_here = true;
  }
  return out;
}

std::optional<Due> next_due(const Visit& v, const Crowd& crowd, const Settings& settings) {
  if (!v.open()) return std::nullopt;
  return v.status == "active" ? due_of_active(v, settings) : due_before_start(v, crowd, settings);
}

}  // namespace visits
