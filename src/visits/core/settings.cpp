#include "visits/core/settings.h"

namespace visits {

Settings Settings::of(const json::Object& stored) {
  Settings out;
  const auto number = [&](std::string_view key, std::int64_t low, std::int64_t high, std::int64_t unit_s,
                          base::Duration& into) {
    const std::int64_t value = json::int_or(stored, key, low - 1);
    if (value >= low && value <= high) into = base::Duration::seconds(value * unit_s);
  };
  number("joinWindowBeforeMin", 0, 1440, 60, out.join_window_before);
  number("joinWindowAfterMin", 5, 1440, 60, out.join_window_after);
  number("reconnectGraceS", 15, 600, 1, out.reconnect_grace);
  number("emptyEndGraceS", 30, 3600, 1, out.empty_end_grace);
  number("hostAbsentGraceS", 60, 7200, 1, out.host_absent_grace);
  number("guestAbsentGraceS", 60, 7200, 1, out.guest_absent_grace);
  number("maxDurationMin", 2, 720, 60, out.max_duration);
  number("noShowMin", 5, 240, 60, out.no_show);
  number("waitingMaxMin", 15, 720, 60, out.waiting_max);
  number("unusedExpireMin", 15, 1440, 60, out.unused_expire);
  number("ticketTtlS", 60, 3600, 1, out.ticket_ttl);
  out.invite_only = json::text_or(stored, "publicLinkPolicy") == "invite_only";
  out.strict_references = json::text_or(stored, "referencePolicy") == "strict";
  return out;
}

}  // namespace visits
