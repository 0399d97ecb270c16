#include <gtest/gtest.h>

#include <thread>

#include "http/testing_socket.h"
#include "visits/integrations/endpoint_policy.h"
#include "visits/testing_clinic.h"

namespace {

using visits::testing::Clinic;

constexpr const char* kInstant = "/api/virtual-meetings/instant";

class ProviderFaultsTest : public ::testing::TestWithParam<storage::Backend> {
 protected:
  // A clinic that may call `endpoint` although it is on this machine, and does not wait for it long.
  static std::function<void(visits::Config&)> allowing(const std::string& endpoint) {
    return [endpoint](visits::Config& config) {
      config.allow_private_endpoints = {endpoint};
      config.provider_call_timeout = base::Duration::millis(80);
    };
  }
  static void point_at(Clinic& clinic, const std::string& endpoint) {
    const auto done =
        clinic.call("PUT", "/api/integrations/" + clinic.integration_id,
                    R"({"credentials":{"apiEndpoint":")" + endpoint + R"("}})", {{"if-match", "*"}});
    ASSERT_EQ(done.status, 200) << done.text;
  }
  static void expect_nothing_stored(Clinic& clinic, const std::string& endpoint, const std::string& code,
                                    int status) {
    point_at(clinic, endpoint);
    const auto made = clinic.post(kInstant);
    EXPECT_EQ(made.at("code"), code) << made.text;
    EXPECT_EQ(made.status, status);
    EXPECT_EQ(made.at("link"), "endpoint.reachable");
    EXPECT_FALSE(made.at("remedy").empty());
    EXPECT_EQ(clinic.count("virtual_meetings"), 0);
    EXPECT_EQ(clinic.post("/api/integrations/" + clinic.integration_id + "/test").at("firstBroken"),
              "endpoint.reachable");
  }
};
INSTANTIATE_TEST_SUITE_P(Databases, ProviderFaultsTest, ::testing::ValuesIn(storage::testing::backends()),
                         [](const auto& test) { return storage::testing::name_of(test.param); });

TEST_P(ProviderFaultsTest, SilenceIsATimeout) {
  http::testing::ScriptedServer silent([](http::testing::RawSocket& peer) { peer.read_to_end(); });
  Clinic clinic(GetParam(), false, allowing(silent.url("/v2")));
  expect_nothing_stored(clinic, silent.url("/v2"), "provider_timeout", 504);
}

TEST_P(ProviderFaultsTest, ADripFeedIsATimeout) {
  http::testing::ScriptedServer drip([](http::testing::RawSocket& peer) {
    peer.read_until("\r\n\r\n");
    peer.send("HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n{\"id\"");
    peer.read_to_end();
  });
  Clinic clinic(GetParam(), false, allowing(drip.url("/v2")));
  expect_nothing_stored(clinic, drip.url("/v2"), "provider_timeout", 504);
}

TEST_P(ProviderFaultsTest, ARefusedConnectionIsUnreachable) {
  std::string endpoint;
  {
    endpoint = http::testing::ScriptedServer([](http::testing::RawSocket&) {}).url("/v2");
  }
  Clinic clinic(GetParam(), false, allowing(endpoint));
  expect_nothing_stored(clinic, endpoint, "provider_unreachable", 503);
}

TEST_P(ProviderFaultsTest, ACertificateNobodyVouchesForIsNamed) {
  const std::string folder = (std::filesystem::temp_directory_path() /
                              ("televisit-tls-" + crypto::SystemRandom().text("abcdefghij", 12)))
                                 .string();
  std::filesystem::create_directory(folder);
  http::testing::write_certificate(folder + "/cert.pem", folder + "/key.pem", "self-signed");
  http::Router router;
  http::testing::TestServer server(router, [&](http::ServerConfig& config) {
    config.listeners[0].tls_certificate_file = folder + "/cert.pem";
    config.listeners[0].tls_key_file = folder + "/key.pem";
  });
  const std::string endpoint = "https://" + server.address().text() + "/v2";
  Clinic clinic(GetParam(), false,
                [&](visits::Config& config) { config.allow_private_endpoints = {endpoint}; });
  expect_nothing_stored(clinic, endpoint, "provider_tls_invalid", 502);
  std::filesystem::remove_all(folder);
}

TEST_P(ProviderFaultsTest, TheSecondProviderTakesOverAndTheReasonIsKept) {
  provider::testing::Imposter first;
  first.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(503, "maintenance"));
  });
  Clinic clinic(GetParam(), false,
                [&](visits::Config& config) { config.allow_private_endpoints = {first.endpoint()}; });
  const std::string other =
      R"({"vendor_id":"100ms","environment":"production","enabled":true,"priority":1,"credentials":{"appId":")" +
      std::string(provider::testing::kAppId) + R"(","appSecret":")" + provider::testing::kSecret +
      R"(","apiEndpoint":")" + first.endpoint() + R"(","templateId":")" + provider::testing::kTemplate +
      "\"}}";
  const auto added = clinic.post("/api/integrations", other);
  ASSERT_EQ(added.status, 201) << added.text;
  const auto made = clinic.post(kInstant);
  ASSERT_EQ(made.status, 201) << made.text;
  EXPECT_EQ(made.at("integrationId"), clinic.integration_id);
  EXPECT_NE(made.text.find("\"failed_over\""), std::string::npos);
  const auto read = clinic.get("/api/virtual-meetings/" + made.at("id"));
  const json::Array* failover = json::array_at(read.body, "failover");
  ASSERT_TRUE(failover && failover->size() == 1) << read.text;
  EXPECT_EQ(json::text_or(failover->front().as_object(), "integrationId"), added.at("id"));
  EXPECT_EQ(json::text_or(failover->front().as_object(), "code"), "provider_error");
  EXPECT_EQ(json::text_or(failover->front().as_object(), "link"), "endpoint.reachable");

  clinic.imposter.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(500, "no"));
  });
  clinic.clock.advance(base::Duration::seconds(61));  // the good template check is forgotten
  const auto none = clinic.post(kInstant);
  EXPECT_EQ(none.at("code"), "provider_unavailable") << none.text;
  EXPECT_EQ(json::array_at(none.body, "attempts")->size(), 2u);
  EXPECT_EQ(clinic.count("virtual_meetings"), 1);

  // A refusal of the credentials is no reason to try elsewhere.
  first.misbehave([](const http::Request&) {
    return std::optional<http::Response>(provider::testing::Imposter::error(401, "who?"));
  });
  clinic.imposter.behave();
  clinic.clock.advance(base::Duration::seconds(61));
  EXPECT_EQ(clinic.post(kInstant).at("code"), "integration_credentials_rejected");
}

TEST_P(ProviderFaultsTest, TwoCreationsForOneAppointmentMakeOneVisit) {
  Clinic clinic(GetParam());
  std::vector<Clinic::Answer> answers(4);
  std::vector<std::thread> people;
  for (Clinic::Answer& answer : answers)
    people.emplace_back([&] { answer = clinic.post("/api/virtual-meetings/appointment/ap-1001"); });
  for (std::thread& one : people) one.join();
  int created = 0;
  for (const Clinic::Answer& answer : answers) {
    EXPECT_TRUE(answer.status == 201 || answer.status == 200) << answer.text;
    EXPECT_EQ(answer.at("id"), answers[0].at("id"));
    created += answer.status == 201;
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(clinic.count("virtual_meetings"), 1);
  clinic.clock.advance(base::Duration::seconds(120));
  clinic.visits->run_housekeeping();
  EXPECT_EQ(clinic.imposter.enabled_rooms(), 1u);  // the losers' rooms are closed again
}

TEST_P(ProviderFaultsTest, AnIntegrationInUseStaysAndAUsedOneLosesItsSecrets) {
  Clinic clinic(GetParam());
  const std::string path = "/api/integrations/" + clinic.integration_id;
  const auto made = clinic.post(kInstant);
  ASSERT_EQ(made.status, 201);
  EXPECT_EQ(clinic.call("DELETE", path).at("code"), "integration_in_use");
  EXPECT_NE(clinic.get(path).text.find("\"fingerprint\""), std::string::npos);
  ASSERT_EQ(clinic.post("/api/virtual-meetings/" + made.at("id") + "/end").status, 200);
  EXPECT_EQ(clinic.call("DELETE", path).status, 200);
  const auto row = clinic.get(path);
  EXPECT_EQ(row.status, 200) << row.text;
  EXPECT_FALSE(json::bool_or(row.body, "enabled", true));
  EXPECT_EQ(row.text.find("\"fingerprint\""), std::string::npos) << row.text;
  auto stored = clinic.fresh.db().query("SELECT credentials FROM integrations");
  ASSERT_TRUE(stored);
  EXPECT_EQ(stored->rows.at(0).text("credentials").find("enc:v1"), std::string::npos);
  EXPECT_EQ(clinic.post(kInstant).at("code"), "integration_disabled");

  Clinic unused(GetParam());
  EXPECT_EQ(unused.call("DELETE", "/api/integrations/" + unused.integration_id).status, 200);
  EXPECT_EQ(unused.count("integrations"), 0);
  EXPECT_EQ(unused.call("DELETE", "/api/integrations/" + unused.integration_id).status, 404);
  EXPECT_EQ(unused.post(kInstant).at("code"), "integration_not_configured");
}

TEST(EndpointRule, AConnectionGoesOnlyWhereTheCheckLooked) {
  const auto address = [](const char* ip) { return *base::SocketAddress::parse(ip, 443); };
  visits::Config config;
  config.own_engine_endpoints = {"http://127.0.0.1:8000/v2"};
  config.allow_private_endpoints = {"https://video.internal/v2"};
  const auto cloud = visits::address_rule(config, "https://api.100ms.live/v2");
  EXPECT_TRUE(cloud(address("1.2.3.4")));
  for (const char* ip : {"127.0.0.1", "10.1.2.3", "169.254.169.254", "::1", "fd00::1", "192.168.0.1"})
    EXPECT_FALSE(cloud(address(ip))) << ip;
  const auto engine = visits::address_rule(config, "http://localhost:8000/v2");
  EXPECT_TRUE(engine(address("127.0.0.1")));
  EXPECT_FALSE(engine(address("10.1.2.3")));
  const auto vouched = visits::address_rule(config, "https://video.internal/v2");
  EXPECT_TRUE(!vouched || vouched(address("10.1.2.3")));
  EXPECT_FALSE(visits::address_rule(config, "nonsense")(address("1.2.3.4")));
}

}  // namespace
