// A worker, clients and a clock turned by hand, all in the test's thread: what happens is the same in every
// run and nothing sleeps.
#pragma once

#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sfu/testing_client.h"
#include "sfu/worker.h"

namespace sfu::testing {

struct RecordedEvents final : Events {
  void on_subscribe_offer(const RoomId&, const PeerId& peer, std::string sdp) override {
    offers[peer.str()].push_back(std::move(sdp));
  }
  void on_api_message(const RoomId&, const PeerId& peer, std::string text) override {
    messages.push_back(peer.str() + ":" + text);
  }
  void on_api_channel_open(const RoomId&, const PeerId& peer) override { channels.push_back(peer.str()); }
  void on_active_speakers(const RoomId&, std::vector<Speaker> list) override {
    speakers.push_back(std::move(list));
  }
  void on_connection_state(const RoomId&, const PeerId& peer, Target target, bool connected,
                           std::string reason) override {
    states.push_back(peer.str() + (target == Target::kPublish ? ":publish:" : ":subscribe:") +
                     (connected ? "up" : "down:" + reason));
  }
  std::map<std::string, std::vector<std::string>> offers;
  std::vector<std::string> messages, channels, states;
  std::vector<std::vector<Speaker>> speakers;
};

class Harness {
 public:
  Harness();
  ~Harness();

  static PeerPolicy host() { return {true, true, true, {"host", "guest"}, "host", 0}; }

  // Adds the peer and its client; joined() has run the first offers and both connections are up.
  Client& add(const std::string& name, PeerPolicy policy = host());
  Client& join(const std::string& name, PeerPolicy policy = host());
  // Sends the client's offer with its tracks and applies the answer. Returns the answer's text.
  std::string negotiate(Client& client);
  // Turns the clock in steps of step_ms and lets everybody work. Subscribe offers are answered unless
  // `answering` is off.
  void run(int ms);
  void do_in_room(const std::function<void(Room&)>& use);
  bool prefer_video(const std::string& subscriber, const std::string& track, Layer layer);

  base::ManualClock clock;
  base::SeededRandom random{42};
  RecordedEvents events;
  std::unique_ptr<rtc::SctpStack> sctp;
  std::shared_ptr<const rtc::Certificate> certificate;
  std::unique_ptr<Worker> worker;
  std::map<std::string, std::unique_ptr<Client>> clients;
  bool answering = true;
  int step_ms = 5;
  std::function<void(base::SteadyTime)> each_step;  // media of the test, before everybody works
  const RoomId room{"room"};

 private:
  std::map<std::string, std::size_t> answered_;
};

}  // namespace sfu::testing
