// Our SRTP against libsrtp2, per packet, at an audio and a video size; the ratio comes last.
#include <benchmark/benchmark.h>
#include <srtp2/srtp.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "rtc/srtp/srtp_session.h"

namespace {

using Packet = std::vector<std::uint8_t>;
constexpr std::size_t kBatch = 4096;

rtc::SrtpMasterKey make_key(rtc::SrtpProfile profile) {
  rtc::SrtpMasterKey key;
  key.key.fill(0x42);
  std::fill_n(key.salt.begin(), rtc::srtp_salt_size(profile), std::uint8_t{0x24});
  return key;
}

srtp_t make_libsrtp(rtc::SrtpProfile profile, bool sends) {
  static const bool kReady = srtp_init() == srtp_err_status_ok;
  const auto key = make_key(profile);
  std::array<std::uint8_t, rtc::kSrtpKeySize + 14> material{};
  std::copy(key.salt.begin(), key.salt.end(), std::copy(key.key.begin(), key.key.end(), material.begin()));
  srtp_policy_t policy{};
  for (auto* part : {&policy.rtp, &policy.rtcp}) {
    if (profile == rtc::SrtpProfile::kAeadAes128Gcm) {
      srtp_crypto_policy_set_aes_gcm_128_16_auth(part);
    } else {
      srtp_crypto_policy_set_aes_cm_128_hmac_sha1_80(part);
    }
  }
  policy.ssrc.type = sends ? ssrc_any_outbound : ssrc_any_inbound;
  policy.key = material.data();
  policy.window_size = 1024;
  srtp_t session = nullptr;
  if (!kReady || srtp_create(&session, &policy) != srtp_err_status_ok) std::abort();
  return session;
}

// Packets of one stream, numbered from `first` on.
std::vector<Packet> make_packets(std::size_t size, std::uint32_t first) {
  std::vector<Packet> packets;
  for (std::uint32_t i = 0; i < kBatch; ++i) {
    Packet p(size, 0x33);
    p[0] = 0x80;
    p[1] = 96;
    p[2] = static_cast<std::uint8_t>((first + i) >> 8);
    p[3] = static_cast<std::uint8_t>(first + i);
    packets.push_back(std::move(p));
  }
  return packets;
}

rtc::SrtpProfile profile_of(const benchmark::State& state) {
  return state.range(0) == 0 ? rtc::SrtpProfile::kAeadAes128Gcm : rtc::SrtpProfile::kAes128CmSha1_80;
}

void seal_ours(benchmark::State& state) {
  const auto profile = profile_of(state);
  rtc::SrtpSender sender(profile, make_key(profile));
  auto packets = make_packets(static_cast<std::size_t>(state.range(1)), 0);
  Packet out(2000);
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    auto& p = packets[sequence % kBatch];
    p[2] = static_cast<std::uint8_t>(sequence >> 8);
    p[3] = static_cast<std::uint8_t>(sequence);
    ++sequence;
    benchmark::DoNotOptimize(sender.seal_rtp(p, out));
  }
}

void seal_libsrtp(benchmark::State& state) {
  auto* session = make_libsrtp(profile_of(state), true);
  auto packets = make_packets(static_cast<std::size_t>(state.range(1)), 0);
  Packet out(2000);
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    auto& p = packets[sequence % kBatch];
    p[2] = static_cast<std::uint8_t>(sequence >> 8);
    p[3] = static_cast<std::uint8_t>(sequence);
    ++sequence;
    std::copy(p.begin(), p.end(),
              out.begin());  // libsrtp works in place; the plain packet is needed for the next receiver
    int size = static_cast<int>(p.size());
    benchmark::DoNotOptimize(srtp_protect(session, out.data(), &size));
  }
  srtp_dealloc(session);
}

// Opening needs fresh packets: a batch is sealed outside of the measured time.
template <class Open>
void open_batches(benchmark::State& state, Open open) {
  const auto profile = profile_of(state);
  rtc::SrtpSender sender(profile, make_key(profile));
  std::uint32_t first = 0;
  std::vector<Packet> sealed;
  std::size_t at = kBatch;
  for (auto _ : state) {
    if (at == kBatch) {
      state.PauseTiming();
      sealed.clear();
      for (const auto& p : make_packets(static_cast<std::size_t>(state.range(1)), first)) {
        Packet out(p.size() + 20);
        out.resize(sender.seal_rtp(p, out));
        out.reserve(out.size() + 200);
        sealed.push_back(std::move(out));
      }
      first += kBatch;
      at = 0;
      state.ResumeTiming();
    }
    if (!open(sealed[at++])) state.SkipWithError("a packet did not open");
  }
}

void open_ours(benchmark::State& state) {
  rtc::SrtpReceiver receiver(profile_of(state), make_key(profile_of(state)));
  open_batches(state,
               [&](Packet& p) { return receiver.open_rtp(p).status == rtc::SrtpReceiver::Status::kOk; });
}

void open_libsrtp(benchmark::State& state) {
  auto* session = make_libsrtp(profile_of(state), false);
  open_batches(state, [&](Packet& p) {
    int size = static_cast<int>(p.size());
    return srtp_unprotect(session, p.data(), &size) == srtp_err_status_ok;
  });
  srtp_dealloc(session);
}

class Ratios : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const auto& run : runs) times_[run.benchmark_name()] = run.GetAdjustedCPUTime();
  }
  void print() const {
    for (const auto& [name, ours] : times_) {
      const auto at = name.find("ours");
      if (at == std::string::npos) continue;
      auto other = name;
      other.replace(at, 4, "libsrtp");
      const auto theirs = times_.find(other);
      if (theirs != times_.end())
        std::printf("%-24s %.2f us, libsrtp2 %.2f us: %.1f times the speed\n", name.c_str(), ours / 1000,
                    theirs->second / 1000, theirs->second / ours);
    }
  }

 private:
  std::map<std::string, double> times_;
};

}  // namespace

// The first argument: 0 = AEAD_AES_128_GCM, 1 = AES128_CM_SHA1_80. The second: bytes of the plain packet.
BENCHMARK(seal_ours)->ArgsProduct({{0, 1}, {160, 1200}});
BENCHMARK(seal_libsrtp)->ArgsProduct({{0, 1}, {160, 1200}});
BENCHMARK(open_ours)->ArgsProduct({{0, 1}, {160, 1200}});
BENCHMARK(open_libsrtp)->ArgsProduct({{0, 1}, {160, 1200}});

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  Ratios reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print();
  return 0;
}
