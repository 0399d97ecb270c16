// A sequence of datagrams (two bytes of length each) into a server transport whose peer passed its check: the
// demultiplexer and OpenSSL's server behind our BIO.
#include <memory>
#include <vector>

#include "rtc/ice/stun.h"
#include "rtc/transport.h"

namespace {

struct Ignore : rtc::TransportListener {
  void on_send(base::Bytes, const base::SocketAddress&) override {}
  void on_remote_address(const base::SocketAddress&) override {}
  void on_connected() override {}
  void on_failed(std::string_view) override {}
  void on_rtp(base::MutableBytes, base::SteadyTime) override {}
  void on_rtcp(base::MutableBytes, base::SteadyTime) override {}
  void on_channel_open(std::uint16_t, std::string_view) override {}
  void on_channel_message(std::uint16_t, base::Bytes, bool) override {}
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static base::SeededRandom random(1);
  static const auto certificate = *rtc::Certificate::generate(random);
  static rtc::SctpStack stack;
  const auto peer = base::SocketAddress::v4(0x7f000001, 1);
  const rtc::IceCredentials local{"evtj", "0123456789abcdef0123456789abcdef"};
  Ignore events;
  rtc::TransportConfig config;
  config.local = local;
  config.certificate = certificate;
  rtc::Transport transport(config, events, random, &stack);
  transport.set_remote({"h6vY", "fedcba9876543210fedcba9876543210"}, certificate->fingerprint());
  base::SteadyTime now{1};
  {
    rtc::StunWriter check(rtc::StunClass::kRequest, rtc::kStunBinding, {});
    check.username("evtj", "h6vY");
    check.use_candidate();
    const auto bytes = check.finish(local.password);
    std::vector<std::uint8_t> datagram(bytes.begin(), bytes.end());
    transport.handle(datagram, peer, now);
  }
  base::ByteReader in({data, size});
  while (!in.at_end()) {
    const std::size_t length = in.u16();
    const auto part = in.bytes(std::min<std::size_t>(length, in.remaining()));
    std::vector<std::uint8_t> datagram(part.begin(), part.end());
    now = now + base::Duration::millis(50);
    transport.handle(datagram, peer, now);
    if (transport.next_timeout() <= now) transport.handle_timeout(now);
  }
  return 0;
}
