#include "rtc/ice/ice_agent.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace rtc {
namespace {

struct Events : IceListener {
  std::vector<std::pair<std::vector<std::uint8_t>, base::SocketAddress>> sent;
  std::vector<base::SocketAddress> selected;
  int lost = 0;
  void on_ice_send(base::Bytes d, const base::SocketAddress& to) override {
    sent.emplace_back(std::vector<std::uint8_t>(d.begin(), d.end()), to);
  }
  void on_ice_selected(const base::SocketAddress& a, base::SteadyTime) override { selected.push_back(a); }
  void on_ice_consent_lost() override { ++lost; }
};

base::SocketAddress address(const char* ip, std::uint16_t port = 1000) {
  return *base::SocketAddress::parse(ip, port);
}

class LiteAgent : public ::testing::Test {
 protected:
  LiteAgent() { agent.set_remote(remote); }

  struct Request {
    std::string username = "LOCAL123:REMOTE12";
    std::string password = "local-password-local-password";
    bool nominate = true;
    bool controlled = false;
  };
  // The reply, nullopt when there was none.
  std::optional<StunMessage> ask(const Request& r, const base::SocketAddress& from) {
    StunWriter writer(StunClass::kRequest, kStunBinding, {1, 2, 3});
    const auto colon = r.username.find(':');
    writer.username(r.username.substr(0, colon), r.username.substr(colon + 1));
    if (r.nominate) writer.use_candidate();
    if (r.controlled) {
      writer.controlled(1);
    } else {
      writer.controlling(1);
    }
    const auto bytes = writer.finish(r.password);
    events.sent.clear();
    authenticated = agent.handle(bytes, from, now);
    if (events.sent.empty()) return std::nullopt;
    EXPECT_EQ(events.sent.size(), 1U);
    EXPECT_EQ(events.sent[0].second, from);
    auto m = StunMessage::parse(events.sent[0].first);
    EXPECT_TRUE(m && verify_stun_integrity(events.sent[0].first, *m, r.password));
    return m;
  }

  Events events;
  base::SeededRandom random{5};
  IceCredentials local{"LOCAL123", "local-password-local-password"};
  IceCredentials remote{"REMOTE12", "remote-password-remote-password"};
  IceAgent agent{IceAgent::Role::kLite, local, events, random};
  base::SteadyTime now{1'000'000};
  bool authenticated = false;
};

TEST_F(LiteAgent, AnswersAnAuthenticatedCheckWithTheAddressItCameFrom) {
  const auto reply = ask({}, address("198.51.100.1"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->message_class, StunClass::kSuccess);
  EXPECT_EQ(reply->xor_mapped, address("198.51.100.1"));
  EXPECT_EQ(reply->transaction, (StunTransaction{1, 2, 3}));
  EXPECT_EQ(agent.selected(), address("198.51.100.1"));
  EXPECT_TRUE(agent.is_checked(address("198.51.100.1")));
}

TEST_F(LiteAgent, SaysNothingToStrangers) {
  const auto from = address("198.51.100.1");
  EXPECT_FALSE(ask({.password = "wrong-password-wrong-password"}, from).has_value());
  EXPECT_FALSE(ask({.username = "LOCAL124:REMOTE12"}, from).has_value());
  EXPECT_FALSE(ask({.username = "LOCAL123:REMOTE13"}, from).has_value());
  EXPECT_FALSE(ask({.username = "LOCAL123:"}, from).has_value());
  EXPECT_FALSE(authenticated);
  EXPECT_FALSE(agent.is_checked(from));
  EXPECT_FALSE(agent.selected().has_value());
}

TEST_F(LiteAgent, AnswersNobodyBeforeItKnowsThePeer) {
  Events silent;
  IceAgent unaware(IceAgent::Role::kLite, local, silent, random);
  StunWriter writer(StunClass::kRequest, kStunBinding, {});
  writer.username(local.ufrag, remote.ufrag);
  EXPECT_FALSE(unaware.handle(writer.finish(local.password), address("198.51.100.1"), now));
  EXPECT_TRUE(silent.sent.empty());
  EXPECT_EQ(unaware.next_timeout(), kNever);
}

TEST_F(LiteAgent, TheFirstCheckSelectsAndLaterOnlyNomination) {
  ask({.nominate = false}, address("198.51.100.1"));
  EXPECT_EQ(agent.selected(), address("198.51.100.1"));
  ask({.nominate = false}, address("198.51.100.2"));
  EXPECT_EQ(agent.selected(), address("198.51.100.1"));
  EXPECT_TRUE(agent.is_checked(address("198.51.100.2")));
  ask({}, address("198.51.100.2"));
  EXPECT_EQ(agent.selected(), address("198.51.100.2"));
  EXPECT_EQ(events.selected.size(), 2U);
}

TEST_F(LiteAgent, APeerThatClaimsToBeControlledIsToldToSwitch) {
  const auto reply = ask({.controlled = true}, address("198.51.100.1"));
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->message_class, StunClass::kError);
  EXPECT_EQ(reply->error_code, 487);
  EXPECT_FALSE(agent.is_checked(address("198.51.100.1")));
}

TEST_F(LiteAgent, AnUnknownRequiredAttributeIsNamedInA420) {
  const std::string username = local.ufrag + ":" + remote.ufrag;  // 17 characters, 3 of padding
  std::vector<std::uint8_t> request(20 + 24 + 8 + 24);
  base::ByteWriter out(request);
  out.u16(0x0001);
  out.u16(static_cast<std::uint16_t>(request.size() - 20));
  out.u32(0x2112A442);
  out.zeros(12);
  out.u16(0x0006);
  out.u16(17);
  out.bytes(base::as_bytes(username));
  out.zeros(3);
  out.u16(0x7777);
  out.u16(4);
  out.u32(1);
  unsigned size = 0;
  std::array<std::uint8_t, 20> tag{};
  HMAC(EVP_sha1(), local.password.data(), static_cast<int>(local.password.size()), request.data(), out.size(),
       tag.data(), &size);
  out.u16(0x0008);
  out.u16(20);
  out.bytes(tag);
  ASSERT_TRUE(out.ok());
  EXPECT_TRUE(agent.handle(request, address("198.51.100.1"), now));
  ASSERT_EQ(events.sent.size(), 1U);
  const auto reply = StunMessage::parse(events.sent[0].first);
  ASSERT_TRUE(reply.has_value());
  EXPECT_EQ(reply->error_code, 420);
  EXPECT_FALSE(agent.is_checked(address("198.51.100.1")));
  // With a broken signature the attribute is not even mentioned.
  events.sent.clear();
  request.back() ^= 1;
  EXPECT_FALSE(agent.handle(request, address("198.51.100.1"), now));
  EXPECT_TRUE(events.sent.empty());
}

TEST_F(LiteAgent, RemembersABoundedNumberOfAddressesAndNeverForgetsTheOneInUse) {
  ask({}, address("198.51.100.1"));
  for (std::uint16_t i = 0; i < 100; ++i) ask({.nominate = false}, address("198.51.100.2", i));
  EXPECT_TRUE(agent.is_checked(address("198.51.100.1")));
  EXPECT_TRUE(agent.is_checked(address("198.51.100.2", 99)));
  EXPECT_FALSE(agent.is_checked(address("198.51.100.2", 1)));
}

TEST_F(LiteAgent, ConsentNeedsAuthenticatedChecks) {
  EXPECT_LE(agent.next_timeout(), now);
  agent.handle_timeout(now);
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kConsentTimeout);
  now = now + base::Duration::seconds(20);
  ask({}, address("198.51.100.1"));
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kConsentTimeout);
  now = now + base::Duration::seconds(20);
  ask({.password = "wrong-password-wrong-password"}, address("198.51.100.1"));
  now = now + base::Duration::seconds(10);
  agent.handle_timeout(now);
  EXPECT_EQ(events.lost, 1);
  EXPECT_FALSE(ask({}, address("198.51.100.1")).has_value());
  agent.restart({"RENEWED1", "renewed-password-renewed-password"});
  EXPECT_TRUE(ask({.username = "RENEWED1:REMOTE12", .password = "renewed-password-renewed-password"},
                  address("198.51.100.1"))
                  .has_value());
}

TEST_F(LiteAgent, ARestartBeforeTheEndGivesTheWholeTimeAgain) {
  ask({}, address("198.51.100.1"));
  now = now + base::Duration::seconds(29);
  agent.handle_timeout(now);
  agent.restart({"RENEWED1", "renewed-password-renewed-password"});
  EXPECT_LE(agent.next_timeout(), now);
  agent.handle_timeout(now);
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kConsentTimeout);
  now = now + base::Duration::seconds(29);
  agent.handle_timeout(now);
  EXPECT_EQ(events.lost, 0);
  now = now + base::Duration::seconds(1);
  agent.handle_timeout(now);
  EXPECT_EQ(events.lost, 1);
}

TEST_F(LiteAgent, OldCredentialsWorkUntilTheNewOnesWereUsed) {
  const auto from = address("198.51.100.1");
  ask({}, from);
  agent.restart({"SECOND12", "second-password-second-password"});
  agent.restart({"THIRD123", "third-password-third-password-"});
  agent.set_remote({"REMOTE99", "r"});
  EXPECT_TRUE(ask({}, from).has_value());
  EXPECT_FALSE(ask({.username = "SECOND12:REMOTE12", .password = "second-password-second-password"}, from)
                   .has_value());
  EXPECT_TRUE(
      ask({.username = "THIRD123:REMOTE99", .password = "third-password-third-password-"}, from).has_value());
  EXPECT_FALSE(ask({}, from).has_value());
  EXPECT_FALSE(
      ask({.username = "THIRD123:REMOTE12", .password = "third-password-third-password-"}, from).has_value());
}

class ControllingAgent : public ::testing::Test {
 protected:
  ControllingAgent() {
    agent.set_remote(remote);
    agent.set_candidate(server);
  }
  StunMessage last_check() {
    message = events.sent.back().first;
    return *StunMessage::parse(message);
  }
  bool answer(const StunTransaction& t, const base::SocketAddress& from, std::string_view password,
              bool mapped = true) {
    StunWriter reply(StunClass::kSuccess, kStunBinding, t);
    if (mapped) reply.xor_mapped(address("198.51.100.1"));
    return agent.handle(reply.finish(password), from, now);
  }
  Events events;
  base::SeededRandom random{5};
  IceCredentials local{"LOCAL123", "local-password-local-password"};
  IceCredentials remote{"REMOTE12", "remote-password-remote-password"};
  IceAgent agent{IceAgent::Role::kControlling, local, events, random};
  base::SocketAddress server = address("192.0.2.1");
  base::SteadyTime now{1'000'000};
  std::vector<std::uint8_t> message;
};

TEST_F(ControllingAgent, ChecksEveryFiftyMillisecondsThenEveryFiveSeconds) {
  agent.handle_timeout(now);
  ASSERT_EQ(events.sent.size(), 1U);
  EXPECT_EQ(events.sent[0].second, server);
  const auto check = last_check();
  EXPECT_EQ(check.username, "REMOTE12:LOCAL123");
  EXPECT_TRUE(check.use_candidate);
  EXPECT_TRUE(check.controlling.has_value());
  EXPECT_TRUE(check.priority.has_value());
  EXPECT_TRUE(verify_stun_integrity(message, check, remote.password));
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kCheckInterval);
  now = agent.next_timeout();
  agent.handle_timeout(now);
  EXPECT_NE(last_check().transaction, check.transaction);
  EXPECT_TRUE(answer(check.transaction, server, remote.password));  // a late answer counts
  EXPECT_EQ(agent.selected(), server);
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kConsentInterval);
  now = agent.next_timeout();
  agent.handle_timeout(now);
  EXPECT_EQ(agent.next_timeout(), now + IceAgent::kConsentRetry);
}

TEST_F(ControllingAgent, BelievesOnlyAuthenticAnswersToItsOwnChecks) {
  agent.handle_timeout(now);
  const auto t = last_check().transaction;
  EXPECT_FALSE(answer(t, address("192.0.2.2"), remote.password));
  EXPECT_FALSE(answer(t, server, local.password));
  EXPECT_FALSE(answer({9}, server, remote.password));
  EXPECT_FALSE(agent.selected().has_value());
  EXPECT_TRUE(answer(t, server, remote.password, false));
  EXPECT_FALSE(agent.selected().has_value());
  EXPECT_FALSE(answer(t, server, remote.password));  // each check is answered once
  EXPECT_FALSE(agent.selected().has_value());
}

TEST_F(ControllingAgent, LosesConsentWithoutAnswers) {
  for (; events.lost == 0; now = agent.next_timeout()) {
    ASSERT_LE(now.us, 1'000'000 + 31'000'000);
    agent.handle_timeout(now);
  }
  EXPECT_EQ(agent.next_timeout(), kNever);
}

}  // namespace
}  // namespace rtc
