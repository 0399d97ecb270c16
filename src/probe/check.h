// Two synthetic participants in one room, for a person who wants to know whether a visit would work: what was
// reached, what flowed each way. Blocks until it is sure or the deadline passes; call it from a thread of its
// own, in a process without a media server (see README).
#pragma once

#include <array>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/sensitive.h"
#include "http/client.h"
#include "probe/participant.h"

namespace probe {

struct TwoPartyCheck {
  std::string origin;                  // of initEndpoint
  std::array<base::Secret, 2> tokens;  // app tokens of one room, roles that publish
  std::string ca_file;
  base::Duration deadline = base::Duration::seconds(10);
  std::uint64_t audio_packets = 50;  // wanted each way
  std::uint64_t video_packets = 20;
};

struct PartyReport {
  base::Error entrance;  // code empty: /init was answered
  Steps steps;
  std::string failure;
  std::string role;
  ReceiveTotals received;
  std::int64_t latency_p50_us = 0;
};

struct TwoPartyReport {
  bool signalling = false;   // both joined
  bool media = false;        // the wanted packets arrived each way
  std::string first_broken;  // a sentence naming the first thing that did not work; empty when all did
  std::array<PartyReport, 2> parties;
  base::Duration took;
};

TwoPartyReport run_two_party_check(const TwoPartyCheck& check, http::Client& client, const base::Clock& clock,
                                   base::Random& random);

}  // namespace probe
