#include "sfu/testing_harness.h"

namespace sfu::testing {

Harness::Harness() {
  sctp = std::make_unique<rtc::SctpStack>();
  certificate = *rtc::Certificate::generate(random);
  Config config;
  config.listen = base::SocketAddress::v4(0x7F000001, 0);
  config.kernel_arrival_times = false;
  worker = std::move(*Worker::create(config, events, clock, random, *rtc::Certificate::generate(random)));
  worker->attach(*sctp);
}

Harness::~Harness() {
  worker.reset();
  clients.clear();
  sctp.reset();
}

Client& Harness::add(const std::string& name, PeerPolicy policy) {
  clients[name] = std::make_unique<Client>(random, certificate, sctp.get(), name);
  worker->post([&](Worker& w) { w.room(room).add_peer(PeerId(name), policy); });
  run(5);
  return *clients[name];
}

Client& Harness::join(const std::string& name, PeerPolicy policy) {
  auto& client = add(name, std::move(policy));
  negotiate(client);
  do_in_room([&](Room& r) { r.start_subscribe(PeerId(name)); });
  for (int i = 0; i < 100 && !(client.publish->connected && client.subscribe->connected); ++i) run(10);
  EXPECT_TRUE(client.publish->connected);
  EXPECT_TRUE(client.subscribe->connected);
  return client;
}

void Harness::do_in_room(const std::function<void(Room&)>& use) {
  worker->post([&](Worker& w) {
    if (auto* r = w.find_room(room)) use(*r);
  });
  worker->run_once(0);
}

std::string Harness::negotiate(Client& client) {
  std::string answer;
  do_in_room([&](Room& r) {
    r.publish_offer(PeerId(client.name), client.publish_offer(), client.tracks(),
                    [&](base::Result<std::string> result) {
                      EXPECT_TRUE(result.has_value());
                      if (result) answer = *result;
                    });
  });
  client.apply_publish_answer(answer);
  run(10);
  return answer;
}

bool Harness::prefer_video(const std::string& subscriber, const std::string& track, Layer layer) {
  bool done = false;
  do_in_room([&](Room& r) { done = r.prefer_video(PeerId(subscriber), TrackId(track), layer); });
  return done;
}

void Harness::run(int ms) {
  for (int at = 0; at < ms; at += step_ms) {
    clock.advance(base::Duration::millis(step_ms));
    if (each_step) each_step(clock.steady());
    worker->run_once(0);
    for (auto& [name, client] : clients) {
      client->poll(clock.steady());
      auto& offers = events.offers[name];
      if (!answering || answered_[name] >= offers.size()) continue;
      answered_[name] = offers.size();
      const auto answer = client->answer_subscribe(offers.back());
      do_in_room([&, peer = name](Room& r) { r.subscribe_answer(PeerId(peer), answer); });
    }
    worker->run_once(0);
  }
}

}  // namespace sfu::testing
