// A clinic under test: the real visits module behind a real HTTP server on loopback, a fresh database, and a
// scripted 100ms server. Header only.
#pragma once

#include <gtest/gtest.h>

#include <filesystem>

#include "http/client.h"
#include "provider/testing_imposter.h"
#include "storage/testing_databases.h"
#include "visits/visits.h"

namespace visits::testing {

// Found upwards from the test program, wherever it is run from.
inline std::string migrations_folder() {
  for (std::filesystem::path at = std::filesystem::canonical("/proc/self/exe"); at.has_relative_path();
       at = at.parent_path())
    if (std::filesystem::exists(at / "migrations" / "visits")) return (at / "migrations" / "visits").string();
  throw std::runtime_error("no migrations/visits above the test program");
}

class Clinic {
 public:
  explicit Clinic(storage::Backend backend, bool missing_template = false,
                  const std::function<void(Config&)>& change = {})
      : fresh(backend),
        key_file_(std::filesystem::temp_directory_path() /
                  ("televisit-key-" + random.text("abcdefghijklmnop", 12))) {
    auto ring = crypto::Keyring::load_or_create(key_file_.string(), random);
    if (!ring) throw std::runtime_error(ring.error().detail);
    keyring_.emplace(std::move(*ring));
    Config config;
    config.migrations_folder = migrations_folder();
    config.public_api_url = "http://localhost:8000";
    config.public_web_url = "http://localhost:3000";
    config.all_listeners_loopback = true;
    config.open_loopback = "auto";
    config.own_engine_endpoints = {imposter.endpoint()};
    config.background = false;
    config.provider_pause = [](base::Duration) {};
    if (change) change(config);
    auto opened =
        Visits::open(std::move(config), {fresh.db(), *keyring_, clock, random, metrics_, pool_, timers_});
    if (!opened) throw std::runtime_error(opened.error().code + ": " + opened.error().detail);
    visits = std::move(*opened);
    DemoSeed seed = demo_seed(missing_template);
    auto demo = visits->init_demo(seed);
    if (!demo) throw std::runtime_error(demo.error().code + ": " + demo.error().detail);
    org_id = demo->org_id;
    integration_id = demo->integration_id;
    visits->mount(router_);
    http::ServerConfig server;
    server.listeners.push_back({"api", base::SocketAddress::v4(0x7f000001, 0), &router_, "", ""});
    auto started = http::Server::start(server, random);
    if (!started) throw std::runtime_error(started.error().detail);
    server_ = std::move(*started);
  }
  ~Clinic() {
    server_.reset();
    visits.reset();
    std::filesystem::remove(key_file_);
  }

  DemoSeed demo_seed(bool missing_template) const {
    DemoSeed seed;
    seed.missing_template = missing_template;
    seed.app_id = provider::testing::kAppId;
    seed.app_secret = base::Secret(provider::testing::kSecret);
    seed.api_endpoint = imposter.endpoint();
    seed.template_id = provider::testing::kTemplate;
    return seed;
  }

  struct Answer {
    int status = 0;
    json::Object body;
    std::string text;
    http::ClientResponse raw;
    std::string at(std::string_view member) const { return std::string(json::text_or(body, member)); }
  };
  Answer call(const std::string& method, const std::string& path, const std::string& body = "",
              std::vector<http::Header> headers = {}, bool with_org = true) {
    http::ClientRequest request;
    request.method = method;
    request.url = "http://127.0.0.1:" + std::to_string(server_->address("api").port) + path;
    request.headers = std::move(headers);
    if (with_org) request.headers.emplace_back("x-org-id", org_id);
    if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
    request.body = body;
    request.total_timeout = base::Duration::seconds(30);
    auto response = http_.send(request);
    if (!response)
      throw std::runtime_error("the server did not answer " + path + ": " + response.error().detail);
    Answer out{response->status, {}, response->body, *response};
    if (auto parsed = json::parse_tolerant(out.text); parsed && parsed->is_object())
      out.body = parsed->as_object();
    return out;
  }
  Answer get(const std::string& path) { return call("GET", path); }
  Answer post(const std::string& path, const std::string& body = "") { return call("POST", path, body); }

  std::int64_t count(const std::string& table) {
    auto rows = fresh.db().query("SELECT count(*) AS n FROM " + table);
    return rows ? rows->rows.at(0).integer("n") : -1;
  }
  void sql(const std::string& statement) {
    auto done = fresh.db().query(statement);
    if (!done) throw std::runtime_error(done.error().code + ": " + done.error().detail);
  }

  crypto::SystemRandom random;
  base::ManualClock clock{base::SystemClock().wall()};
  provider::testing::Imposter imposter;
  storage::testing::FreshDatabase fresh;
  std::unique_ptr<Visits> visits;
  std::string org_id;
  std::string integration_id;

 private:
  std::filesystem::path key_file_;
  std::optional<crypto::Keyring> keyring_;
  telemetry::Metrics metrics_;
  net::WorkerPool pool_{"visits", 4};
  net::Timers timers_;
  http::Router router_;
  http::Client http_;
  std::unique_ptr<http::Server> server_;
};

}  // namespace visits::testing
