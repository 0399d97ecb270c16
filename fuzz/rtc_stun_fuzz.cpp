// STUN parser, integrity check and the ICE agents behind it: no input may crash them, and nothing unsigned is
// answered.
#include <cstdlib>

#include "rtc/ice/ice_agent.h"

namespace {

struct Silent : rtc::IceListener {
  void on_ice_send(base::Bytes, const base::SocketAddress&) override { ++sent; }
  void on_ice_selected(const base::SocketAddress&, base::SteadyTime) override { ++selected; }
  void on_ice_consent_lost() override {}
  int sent = 0;
  int selected = 0;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const base::Bytes input(data, size);
  static_cast<void>(rtc::peek_local_ufrag(input));
  if (const auto message = rtc::StunMessage::parse(input))
    rtc::verify_stun_integrity(input, *message, "VOkJxbRl1RmTxUk/WvJxBt");
  base::SeededRandom random(1);
  for (const auto role : {rtc::IceAgent::Role::kLite, rtc::IceAgent::Role::kControlling}) {
    Silent events;
    // Passwords no input can know: an answer would be a hole.
    rtc::IceAgent agent(role, {"evtj", "0123456789abcdef0123456789abcdef"}, events, random);
    agent.set_remote({"h6vY", "fedcba9876543210fedcba9876543210"});
    agent.set_candidate(base::SocketAddress::v4(0x7f000001, 1));
    agent.handle_timeout({1});
    events.sent = 0;
    agent.handle(input, base::SocketAddress::v4(0x7f000001, 1), {2});
    if (events.sent != 0 || events.selected != 0) std::abort();
  }
  return 0;
}
