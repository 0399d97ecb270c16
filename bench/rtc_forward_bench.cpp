// The bare cost of forwarding, with no product around it: open one packet, rewrite its header for each of N
// subscribers, seal each, send them on loopback. What a server's figure is compared with (bench/run). Sizes
// are those of the load: 50 audio and 180 video packets a second. items/s are sent packets per CPU-second.
#include <arpa/inet.h>
#include <benchmark/benchmark.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <memory>
#include <vector>

#include "rtc/rtp/packet.h"
#include "rtc/srtp/srtp_session.h"

namespace {

constexpr std::size_t kPackets = 4096;
constexpr std::size_t kSendBatch = 64;
constexpr std::size_t kAudioSize = 112, kVideoSize = 1080;

rtc::SrtpMasterKey key_of(std::uint8_t fill) {
  rtc::SrtpMasterKey key;
  key.key.fill(fill);
  std::fill_n(key.salt.begin(), 12, fill);
  return key;
}

// Sealed packets of one stream, numbered from 0.
std::vector<std::vector<std::uint8_t>> sealed_packets() {
  rtc::SrtpSender sender(rtc::SrtpProfile::kAeadAes128Gcm, key_of(1));
  std::vector<std::vector<std::uint8_t>> out;
  for (std::size_t i = 0; i < kPackets; ++i) {
    // 5 of 23 packets are audio.
    std::vector<std::uint8_t> plain(i * 5 % 23 < 5 ? kAudioSize : kVideoSize, 0x33);
    plain[0] = 0x80;
    plain[1] = 96;
    rtc::set_sequence(plain, static_cast<std::uint16_t>(i));
    std::vector<std::uint8_t> sealed(plain.size() + 20);
    sealed.resize(sender.seal_rtp(plain, sealed));
    out.push_back(std::move(sealed));
  }
  return out;
}

// Two sockets: one to send from, one whose full queue drops what nobody reads, as cheaply as a receiver
// elsewhere.
struct Wire {
  Wire() {
    sink = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    out = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    to.sin_family = AF_INET;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof to;
    const int small = 64 * 1024;
    ::setsockopt(sink, SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
    if (::bind(sink, reinterpret_cast<sockaddr*>(&to), size) != 0 ||
        ::getsockname(sink, reinterpret_cast<sockaddr*>(&to), &size) != 0)
      std::abort();
  }
  ~Wire() {
    ::close(sink);
    ::close(out);
  }
  Wire(const Wire&) = delete;
  Wire& operator=(const Wire&) = delete;
  int sink = -1, out = -1;
  sockaddr_in to{};
};

void forward(benchmark::State& state) {
  static const auto kSealed = sealed_packets();
  const auto subscribers = static_cast<std::size_t>(state.range(0));
  const bool sends = state.range(1) != 0;
  std::vector<std::unique_ptr<rtc::SrtpSender>> senders;
  for (std::size_t i = 0; i < subscribers; ++i)
    senders.push_back(std::make_unique<rtc::SrtpSender>(rtc::SrtpProfile::kAeadAes128Gcm,
                                                        key_of(static_cast<std::uint8_t>(i + 2))));
  auto receiver = std::make_unique<rtc::SrtpReceiver>(rtc::SrtpProfile::kAeadAes128Gcm, key_of(1));
  Wire wire;
  std::vector<std::uint8_t> slab(kSendBatch * 1500);
  std::array<mmsghdr, kSendBatch> headers{};
  std::array<iovec, kSendBatch> parts{};
  for (std::size_t i = 0; i < kSendBatch; ++i) {
    headers[i].msg_hdr.msg_iov = &parts[i];
    headers[i].msg_hdr.msg_iovlen = 1;
    headers[i].msg_hdr.msg_name = &wire.to;
    headers[i].msg_hdr.msg_namelen = sizeof wire.to;
  }
  std::array<std::uint8_t, 1500> packet;
  std::size_t next = 0, queued = 0;
  std::uint16_t sequence = 0;
  for (auto _ : state) {
    if (next == kPackets) {
      state.PauseTiming();
      receiver = std::make_unique<rtc::SrtpReceiver>(rtc::SrtpProfile::kAeadAes128Gcm, key_of(1));
      next = 0;
      state.ResumeTiming();
    }
    const auto& sealed = kSealed[next++];
    std::memcpy(packet.data(), sealed.data(), sealed.size());
    const auto opened = receiver->open_rtp(base::MutableBytes(packet).first(sealed.size()));
    if (opened.status != rtc::SrtpReceiver::Status::kOk) state.SkipWithError("open failed");
    const auto plain = base::MutableBytes(packet).first(opened.size);
    ++sequence;
    for (auto& sender : senders) {
      rtc::set_sequence(plain, sequence);
      rtc::set_timestamp(plain, sequence * 3000U);
      rtc::set_ssrc(plain, 77);
      auto* slot = slab.data() + queued * 1500;
      const auto size = sender->seal_rtp(plain, {slot, 1500});
      parts[queued] = {slot, size};
      if (++queued < kSendBatch) continue;
      queued = 0;
      if (sends) benchmark::DoNotOptimize(::sendmmsg(wire.out, headers.data(), kSendBatch, 0));
    }
  }
  state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(subscribers));
}

}  // namespace

// Subscribers; 1 = with sending.
BENCHMARK(forward)->ArgNames({"subscribers", "send"})->ArgsProduct({{1, 9, 100}, {0, 1}});

BENCHMARK_MAIN();
