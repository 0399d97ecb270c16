// Two transports joined by a link in memory that can lose, reorder and delay datagrams, under a clock turned
// by hand. For tests.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "rtc/transport.h"

namespace rtc::testing {

struct Recorder : TransportListener {
  struct Sent {
    std::vector<std::uint8_t> data;
    base::SocketAddress to;
  };
  std::deque<Sent> sent;
  std::vector<base::SocketAddress> remotes;
  int connected = 0;
  std::vector<std::string> failures;
  std::vector<std::vector<std::uint8_t>> rtp, rtcp;
  std::map<std::uint16_t, std::string> channels;
  struct Message {
    std::uint16_t stream;
    std::string data;
    bool is_text;
  };
  std::vector<Message> messages;
  std::function<void()> when_connected = [] {};

  void on_send(base::Bytes d, const base::SocketAddress& to) override {
    sent.push_back({{d.begin(), d.end()}, to});
  }
  void on_remote_address(const base::SocketAddress& a) override { remotes.push_back(a); }
  void on_connected() override {
    ++connected;
    when_connected();
  }
  void on_failed(std::string_view reason) override { failures.emplace_back(reason); }
  void on_rtp(base::MutableBytes p, base::SteadyTime) override { rtp.emplace_back(p.begin(), p.end()); }
  void on_rtcp(base::MutableBytes p, base::SteadyTime) override { rtcp.emplace_back(p.begin(), p.end()); }
  void on_channel_open(std::uint16_t s, std::string_view label) override { channels[s] = label; }
  void on_channel_message(std::uint16_t s, base::Bytes m, bool is_text) override {
    messages.push_back({s, std::string(base::as_text(m)), is_text});
  }
};

struct End {
  Recorder events;
  base::SocketAddress address;
  std::shared_ptr<const Certificate> certificate;
  std::unique_ptr<Transport> transport;
};

class Pair {
 public:
  explicit Pair(bool data_channel, std::uint64_t seed = 7) : random_(seed) {
    if (data_channel) stack_ = std::make_unique<SctpStack>();
    make(server, TransportConfig::Role::kServer, *base::SocketAddress::parse("192.0.2.1", 40000));
    make(client, TransportConfig::Role::kClient, *base::SocketAddress::parse("198.51.100.7", 5555));
  }
  ~Pair() {
    server.transport.reset();
    client.transport.reset();
  }

  void introduce() {
    server.transport->set_remote(client.transport->local_credentials(), client.certificate->fingerprint());
    client.transport->set_remote(server.transport->local_credentials(), server.certificate->fingerprint());
    client.transport->set_remote_candidate(server.address);
  }
  base::SteadyTime now() const { return clock.steady(); }

  // Lets `span` pass in steps of 5 ms, carrying what both ends send.
  void run(base::Duration span) {
    const auto until = now() + span;
    while (now() < until) tick(base::Duration::millis(5));
    step(base::Duration{});
  }
  bool run_until(const std::function<bool()>& done, base::Duration limit = base::Duration::seconds(20)) {
    const auto until = now() + limit;
    while (!done()) {
      if (now() >= until) return false;
      tick(base::Duration::millis(5));
    }
    return true;
  }
  // The same with the system's clock moving ours: usrsctp measures round trips by the system's clock,
  // whatever its timers are told, and retransmits no data sooner.
  bool run_until_in_real_time(const std::function<bool()>& done,
                              base::Duration limit = base::Duration::seconds(20)) {
    const base::SystemClock system;
    const auto until = now() + limit;
    auto last = system.steady();
    while (!done()) {
      if (now() >= until) return false;
      const auto real = system.steady();
      if (real - last < base::Duration::millis(1)) continue;
      tick(real - last);
      last = real;
    }
    return true;
  }
  bool connect() {
    introduce();
    return run_until([&] { return server.transport->connected() && client.transport->connected(); });
  }

  base::ManualClock clock;
  End server, client;
  unsigned loss_percent = 0;
  unsigned delay_percent = 0;  // these come 5 to 45 ms later than the rest
  bool cut = false;
  std::function<void(bool to_server, const std::vector<std::uint8_t>&)> tap = [](bool, const auto&) {};
  base::SeededRandom& random() { return random_; }

 private:
  struct Flying {
    base::SteadyTime at;
    bool to_server;
    base::SocketAddress from;
    std::vector<std::uint8_t> data;
  };

  void make(End& end, TransportConfig::Role role, const base::SocketAddress& address) {
    end.address = address;
    end.certificate = *Certificate::generate(random_);
    TransportConfig config;
    config.role = role;
    config.local = IceCredentials::generate(random_);
    config.certificate = end.certificate;
    config.data_channel = stack_ != nullptr;
    end.transport = std::make_unique<Transport>(config, end.events, random_, stack_.get());
  }
  void collect(End& from, bool to_server) {
    const End& target = to_server ? server : client;
    while (!from.events.sent.empty()) {
      auto packet = std::move(from.events.sent.front());
      from.events.sent.pop_front();
      tap(to_server, packet.data);
      if (cut || packet.to != target.address || random_.below(100) < loss_percent) continue;
      const auto late = random_.below(100) < delay_percent ? base::Duration::millis(5 + random_.below(40))
                                                           : base::Duration{};
      flying_.push_back({now() + late, to_server, from.address, std::move(packet.data)});
    }
  }
  void tick(base::Duration elapsed) {
    step(elapsed);
    clock.advance(elapsed);
  }
  void step(base::Duration elapsed) {
    for (auto* end : {&server, &client}) {
      if (end->transport->next_timeout() <= now()) end->transport->handle_timeout(now());
    }
    if (stack_) stack_->handle_timers(elapsed);
    bool moved = true;
    while (moved) {
      moved = false;
      collect(server, false);
      collect(client, true);
      for (std::size_t i = 0; i < flying_.size();) {
        if (flying_[i].at > now()) {
          ++i;
          continue;
        }
        auto packet = std::move(flying_[i]);
        flying_.erase(flying_.begin() + static_cast<std::ptrdiff_t>(i));
        (packet.to_server ? server : client).transport->handle(packet.data, packet.from, now());
        moved = true;
      }
    }
  }

  base::SeededRandom random_;
  std::unique_ptr<SctpStack> stack_;
  std::vector<Flying> flying_;
};

inline std::vector<std::uint8_t> make_rtp(std::uint32_t ssrc, std::uint16_t sequence,
                                          std::string_view payload) {
  std::vector<std::uint8_t> p(12 + payload.size());
  base::ByteWriter out(p);
  out.u8(0x80);
  out.u8(96);
  out.u16(sequence);
  out.u32(1234);
  out.u32(ssrc);
  out.bytes(base::as_bytes(payload));
  return p;
}

}  // namespace rtc::testing
