// The load generator: opens rooms on a running server, lets media flow, measures, prints one JSON object a
// line. `media_load --help` lists the options; bench/run calls it for both servers and makes the table.
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <map>

#include "base/random.h"
#include "base/text.h"
#include "crypto/digest.h"
#include "json/json.h"
#include "load/janus_server.h"
#include "load/process.h"
#include "load/televisit_server.h"
#include "probe/check.h"

namespace {

constexpr std::string_view kHelp = R"(media_load OPTION VALUE ...
  --server televisit|janus   which client to be
  --url URL                  origin of Televisit's web listener, or Janus's ws:// URL
  --tokens FILE              Televisit: app tokens, one a line, each of its own room
  --pid N                    the server's process, for CPU time and memory
  --rooms N                  rooms (1)
  --people N                 people in each (2)
  --publishers N             of these publish (all)
  --seconds N                measured time (10)
  --warmup N                 seconds before (3)
  --kbps N, --fps N          of each camera (1440, 30)
  --simulcast yes            three layers where the server offers it
  --step N                   capacity: adds at least so many rooms at a time until loss or latency is too high
  --check yes                Televisit: two people of the first token's room, what they reached; exit code 1 if not all
  --max-rooms N              where stepping ends (400)
  --read-every-us N          how often sockets are read; 0: a packet wakes the generator (500)
  --label TEXT               repeated in the output
)";

struct Options {
  std::map<std::string, std::string> given;
  std::string text(const std::string& key, const std::string& fallback = {}) const {
    const auto it = given.find(key);
    return it == given.end() ? fallback : it->second;
  }
  std::size_t number(const std::string& key, std::size_t fallback) const {
    const auto it = given.find(key);
    if (it == given.end()) return fallback;
    return static_cast<std::size_t>(base::parse_u64(it->second).value_or(fallback));
  }
};

struct Snapshot {
  probe::ReceiveTotals received;
  std::uint64_t sent = 0;
  base::SteadyTime at;
  load::ProcessUse server, self;
};

class Run {
 public:
  Run(const Options& options, probe::Loop& loop, load::Server& server)
      : options_(options), loop_(loop), server_(server), pid_(static_cast<int>(options.number("pid", 0))) {
    idle_ = load::read_process(pid_).value_or(load::ProcessUse{}).resident;
  }

  base::Result<void> add_rooms(std::size_t count) {
    const auto people = options_.number("people", 2);
    const auto publishers = options_.number("publishers", people);
    for (std::size_t i = 0; i < count; ++i) {
      auto room = server_.open_room(people, publishers);
      if (!room) return base::fail(room.error());
      for (std::size_t p = 0; p < room->size(); ++p) {
        people_.push_back((*room)[p]);
        expected_tracks_.push_back(2 * (publishers - (p < publishers ? 1 : 0)));
      }
      ++rooms_;
      // Rooms come one after the other, as people do; a burst of handshakes is not what is measured.
      loop_.run_until([&] { return last_room_up(people); },
                      loop_.clock().steady() + base::Duration::seconds(15));
      if (auto bad = first_failure(); !bad.empty()) return base::fail("person_failed", bad);
      if (!last_room_up(people))
        return base::fail("person_failed", "room " + std::to_string(rooms_) + " did not come up within 15 s");
    }
    return {};
  }

  json::Object measure() {
    turn(options_.number("warmup", 3));
    for (const auto* p : people_) {
      if (p->receiver()) {
        for (const auto& t : p->receiver()->tracks()) t->clear_latency();
      }
    }
    loop_.take_worst_lag();
    const auto before = snapshot();
    turn(options_.number("seconds", 10));
    return report(before, snapshot());
  }

  std::size_t rooms() const { return rooms_; }
  std::string first_failure() const {
    for (const auto* p : people_) {
      if (!p->failure().empty()) return p->failure();
    }
    return {};
  }

 private:
  bool last_room_up(std::size_t people) const {
    for (std::size_t i = people_.size() - people; i < people_.size(); ++i) {
      if (!people_[i]->failure().empty()) return true;
      if (!people_[i]->up() || people_[i]->remote_tracks() < expected_tracks_[i]) return false;
    }
    return true;
  }
  void turn(std::size_t seconds) {
    const auto end = loop_.clock().steady() + base::Duration::seconds(static_cast<std::int64_t>(seconds));
    loop_.run_until([] { return false; }, end);
  }
  Snapshot snapshot() const {
    Snapshot s;
    for (const auto* p : people_) {
      if (p->receiver()) {
        const auto r = p->receiver()->totals();
        s.received.audio_packets += r.audio_packets;
        s.received.video_packets += r.video_packets;
        s.received.expected += r.expected;
        s.received.recovered += r.recovered;
        s.received.frames += r.frames;
        s.received.octets += r.octets;
      }
      const auto sent = p->sent();
      s.sent += sent.audio_packets + sent.video_packets;
    }
    s.at = loop_.clock().steady();
    s.server = load::read_process(pid_).value_or(load::ProcessUse{});
    s.self = load::read_process(::getpid()).value_or(load::ProcessUse{});
    return s;
  }

  json::Object report(const Snapshot& a, const Snapshot& b) {
    probe::LatencyHistogram latency;
    for (const auto* p : people_) {
      if (!p->receiver()) continue;
      for (const auto& t : p->receiver()->tracks()) latency.merge(t->latency());
    }
    const auto delta = [](std::uint64_t from, std::uint64_t to) { return static_cast<double>(to - from); };
    const auto seconds = static_cast<double>((b.at - a.at).us) / 1e6;
    const auto forwarded = delta(a.received.received(), b.received.received());
    const auto recovered = delta(a.received.recovered, b.received.recovered);
    const auto expected = delta(a.received.expected, b.received.expected);
    const auto cpu = static_cast<double>((b.server.cpu - a.server.cpu).us) / 1e6;
    // What arrived without help; what a retransmission repaired was lost first.
    const auto lost = expected > 0 ? 1 - (forwarded - recovered) / expected : 1.0;
    json::Object out;
    out["label"] = options_.text("label");
    out["server"] = options_.text("server");
    out["rooms"] = rooms_;
    out["people"] = people_.size();
    out["seconds"] = seconds;
    out["sent_per_second"] = delta(a.sent, b.sent) / seconds;
    out["forwarded_per_second"] = forwarded / seconds;
    out["frames_per_second"] = delta(a.received.frames, b.received.frames) / seconds;
    out["megabits_per_second"] = delta(a.received.octets, b.received.octets) * 8 / 1e6 / seconds;
    out["server_cores"] = cpu / seconds;
    out["forwarded_per_cpu_second"] = cpu > 0 ? forwarded / cpu : 0.0;
    out["loss_percent"] = std::max(0.0, lost * 100);
    out["latency_p50_us"] = latency.quantile(0.5);
    out["latency_p99_us"] = latency.quantile(0.99);
    out["server_resident_mib"] = static_cast<double>(b.server.resident) / 1048576;
    out["kib_per_person"] = people_.empty() ? 0.0
                                            : static_cast<double>(b.server.resident - idle_) / 1024 /
                                                  static_cast<double>(people_.size());
    out["generator_cores"] = static_cast<double>((b.self.cpu - a.self.cpu).us) / 1e6 / seconds;
    out["generator_worst_lag_us"] = loop_.take_worst_lag().us;
    return out;
  }

  const Options& options_;
  probe::Loop& loop_;
  load::Server& server_;
  const int pid_;
  std::int64_t idle_ = 0;
  std::size_t rooms_ = 0;
  std::vector<load::Person*> people_;
  std::vector<std::size_t> expected_tracks_;
};

int complain(const base::Error& error) {
  std::cerr << "media_load: " << error.detail << " [" << error.code << "]\n";
  return 1;
}

void print(const json::Object& object) {
  std::cout << json::serialize(object) << std::endl;
}

int run_load(const Options& options, Run& run) {
  const auto step = options.number("step", 0);
  if (step == 0) {
    if (const auto added = run.add_rooms(options.number("rooms", 1)); !added) return complain(added.error());
    print(run.measure());
    return 0;
  }
  std::size_t good = 0;
  const auto most = options.number("max-rooms", 400);
  while (run.rooms() < most) {
    // Fine steps where there are few rooms, a fifth more where there are many.
    const auto more = std::min(std::max(step, run.rooms() / 5), most - run.rooms());
    const auto added = run.add_rooms(more);
    if (!added) {
      std::cerr << "media_load: " << added.error().detail << "\n";
      break;
    }
    auto seen = run.measure();
    const bool holds = seen["loss_percent"].as_double() < 0.1 && seen["latency_p99_us"].as_int64() < 10'000;
    seen["holds"] = holds;
    print(seen);
    if (!holds) break;
    good = run.rooms();
  }
  print({{"label", options.text("label")}, {"server", options.text("server")}, {"capacity_rooms", good}});
  return 0;
}

int run_check(const std::string& origin, const base::Secret& token, const base::Clock& clock,
              base::Random& random) {
  http::Client client;
  probe::TwoPartyCheck check;
  check.origin = origin;
  check.tokens = {token, token};
  const auto report = probe::run_two_party_check(check, client, clock, random);
  json::Object out{{"signalling", report.signalling},
                   {"media", report.media},
                   {"first_broken", report.first_broken},
                   {"took_ms", report.took.to_millis()}};
  json::Array parties;
  for (const auto& p : report.parties)
    parties.push_back(json::Object{{"role", p.role},
                                   {"joined", p.steps.joined},
                                   {"publish_connected", p.steps.publish_connected},
                                   {"subscribe_connected", p.steps.subscribe_connected},
                                   {"api_channel", p.steps.api_channel},
                                   {"audio_packets", p.received.audio_packets},
                                   {"video_packets", p.received.video_packets},
                                   {"frames", p.received.frames},
                                   {"latency_p50_us", p.latency_p50_us}});
  out["parties"] = std::move(parties);
  print(out);
  return report.media ? 0 : 1;
}

std::vector<base::Secret> read_tokens(const std::string& path) {
  std::vector<base::Secret> tokens;
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.empty()) tokens.emplace_back(line);
  }
  return tokens;
}

}  // namespace

int main(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; i += 2) {
    const std::string_view key(argv[i]);
    if (!key.starts_with("--") || i + 1 >= argc) {
      std::cerr << kHelp;
      return 2;
    }
    options.given[std::string(key.substr(2))] = argv[i + 1];
  }
  const base::SystemClock clock;
  crypto::SystemRandom random;
  const auto certificate = rtc::Certificate::generate(random);
  if (!certificate) return complain(certificate.error());
  const bool janus = options.text("server") == "janus";
  auto tokens = read_tokens(options.text("tokens"));
  if (!options.text("check").empty()) {
    if (tokens.empty()) return complain({"tokens_missing", "--check needs --tokens"});
    return run_check(options.text("url"), tokens.front(), clock, random);
  }
  auto loop =
      probe::Loop::create(clock, janus ? probe::Loop::DataChannels::kNo : probe::Loop::DataChannels::kYes);
  if (!loop) return complain(loop.error());
  (*loop)->read_every(
      base::Duration::micros(static_cast<std::int64_t>(options.number("read-every-us", 500))));
  load::Shape shape;
  shape.video.kbps = static_cast<int>(options.number("kbps", 1440));
  shape.video.fps = static_cast<int>(options.number("fps", 30));
  shape.simulcast = options.text("simulcast") == "yes";
  if (janus) {
    load::JanusServer server(**loop, random, *certificate, shape);
    if (const auto started = server.start(options.text("url")); !started) return complain(started.error());
    Run run(options, **loop, server);
    return run_load(options, run);
  }
  load::TelevisitServer server(**loop, random, *certificate, options.text("url"), std::move(tokens), shape);
  Run run(options, **loop, server);
  return run_load(options, run);
}
