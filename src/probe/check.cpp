#include "probe/check.h"

namespace probe {
namespace {

std::string describe_gap(const Participant& p, const TwoPartyCheck& check, int number) {
  const auto who = "participant " + std::to_string(number + 1) + ": ";
  const auto& s = p.steps();
  if (!p.failure().empty()) return who + p.failure();
  if (!s.websocket) return who + "the WebSocket did not open";
  if (!s.policy) return who + "no policy came after the WebSocket opened";
  if (!s.joined) return who + "join was not answered";
  if (!s.publish_connected) return who + "the publish connection did not come up (UDP to the media address)";
  if (!s.subscribe_connected) return who + "the subscribe connection did not come up";
  if (!s.api_channel) return who + "the ion-sfu channel did not open";
  if (!s.audio_accepted || !s.video_accepted)
    return who + "the role '" + p.role() + "' may not publish audio and video";
  const auto r = p.received();
  if (r.audio_packets < check.audio_packets)
    return who + std::to_string(r.audio_packets) + " audio packets arrived of " +
           std::to_string(check.audio_packets);
  if (r.video_packets < check.video_packets || r.frames == 0)
    return who + std::to_string(r.video_packets) + " video packets arrived of " +
           std::to_string(check.video_packets);
  return {};
}

std::int64_t median_latency(const Participant& p) {
  LatencyHistogram all;
  if (!p.receiver()) return 0;
  for (const auto& track : p.receiver()->tracks()) all.merge(track->latency());
  return all.quantile(0.5);
}

}  // namespace

TwoPartyReport run_two_party_check(const TwoPartyCheck& check, http::Client& client, const base::Clock& clock,
                                   base::Random& random) {
  TwoPartyReport out;
  const auto began = clock.steady();
  std::array<Entrance, 2> entrances;
  for (std::size_t i = 0; i < 2; ++i) {
    auto entrance = fetch_entrance(client, check.origin, check.tokens[i], random.uuid(), check.ca_file);
    if (!entrance) {
      out.parties[i].entrance = entrance.error();
      out.first_broken = "participant " + std::to_string(i + 1) + ": " + entrance.error().detail;
      return out;
    }
    entrances[i] = std::move(*entrance);
  }
  const auto certificate = rtc::Certificate::generate(random);
  auto loop = Loop::create(clock, Loop::DataChannels::kYes);
  if (!certificate || !loop) {
    out.first_broken = certificate ? loop.error().detail : certificate.error().detail;
    return out;
  }
  std::array<std::unique_ptr<Participant>, 2> people;
  for (std::size_t i = 0; i < 2; ++i) {
    people[i] = std::make_unique<Participant>(**loop, random, *certificate, ParticipantConfig{});
    if (const auto started = people[i]->start(entrances[i]); !started)
      out.first_broken = started.error().detail;
  }
  const auto gap = [&](std::size_t i) { return describe_gap(*people[i], check, static_cast<int>(i)); };
  const auto settled = [&] {
    return !people[0]->failure().empty() || !people[1]->failure().empty() ||
           (gap(0).empty() && gap(1).empty());
  };
  if (out.first_broken.empty()) (*loop)->run_until(settled, began + check.deadline);
  for (std::size_t i = 0; i < 2; ++i) {
    auto& party = out.parties[i];
    party.steps = people[i]->steps();
    party.failure = people[i]->failure();
    party.role = people[i]->role();
    party.received = people[i]->received();
    party.latency_p50_us = median_latency(*people[i]);
    if (out.first_broken.empty()) out.first_broken = gap(i);
  }
  out.signalling = out.parties[0].steps.joined && out.parties[1].steps.joined;
  out.media = out.signalling && out.first_broken.empty();
  for (const auto& p : people) p->leave();
  out.took = clock.steady() - began;
  return out;
}

}  // namespace probe
