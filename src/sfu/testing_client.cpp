#include "sfu/testing_client.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "base/text.h"

namespace sfu::testing {
namespace {

// The ids Chromium uses.
constexpr std::uint8_t kLevelId = 1, kSendTimeId = 2, kTransportCcId = 3, kMidId = 4, kRidId = 10,
                       kRepairedRidId = 11;

sockaddr_in native(const base::SocketAddress& a) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(a.port);
  out.sin_addr.s_addr = htonl(a.v4_host_order());
  return out;
}

void element(base::ByteWriter& out, std::uint8_t id, base::Bytes data) {
  if (data.empty()) return;
  out.u8(static_cast<std::uint8_t>(unsigned{id} << 4 | (data.size() - 1)));
  out.bytes(data);
}

}  // namespace

ClientConnection::ClientConnection(base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
                                   rtc::SctpStack* sctp)
    : random_(random), certificate_(certificate) {
  rtc::TransportConfig config;
  config.role = rtc::TransportConfig::Role::kClient;
  config.local = rtc::IceCredentials::generate(random);
  config.certificate = std::move(certificate);
  config.data_channel = sctp != nullptr;
  transport_ = std::make_unique<rtc::Transport>(std::move(config), *this, random, sctp);
  open_socket();
}

ClientConnection::~ClientConnection() {
  ::close(fd_);
}

void ClientConnection::open_socket() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  const auto any = native(base::SocketAddress::v4(0x7F000001, 0));
  ::bind(fd_, reinterpret_cast<const sockaddr*>(&any), sizeof any);
}

void ClientConnection::rebind() {
  open_socket();
}
void ClientConnection::restart_ice() {
  transport_->restart_ice(rtc::IceCredentials::generate(random_));
}

void ClientConnection::on_send(base::Bytes datagram, const base::SocketAddress& to) {
  if (up) return up->push(datagram, now_);
  send_now(datagram, to);
}

void ClientConnection::send_now(base::Bytes datagram, const base::SocketAddress& to) {
  const auto address = native(to);
  ::sendto(fd_, datagram.data(), datagram.size(), 0, reinterpret_cast<const sockaddr*>(&address),
           sizeof address);
}

void ClientConnection::send_raw(base::Bytes datagram) {
  on_send(datagram, server_);
}

void ClientConnection::send_rtp(base::Bytes plain) {
  std::array<std::uint8_t, 1600> out;
  const auto size = transport_->seal_rtp(plain, out);
  if (size > 0) on_send(base::Bytes(out).first(size), server_);
}

void ClientConnection::send_rtcp(base::Bytes plain) {
  std::array<std::uint8_t, 1600> out;
  const auto size = transport_->seal_rtcp(plain, out);
  if (size > 0) on_send(base::Bytes(out).first(size), server_);
}

void ClientConnection::poll(base::SteadyTime now) {
  now_ = now;
  std::array<std::uint8_t, 2048> buffer;
  sockaddr_in from{};
  const auto handle = [&](base::MutableBytes datagram) {
    if (keep_datagrams) datagrams.emplace_back(datagram.begin(), datagram.end());
    if (lossy) return;
    transport_->handle(datagram, server_, now);
  };
  for (;;) {
    socklen_t size = sizeof from;
    const auto n =
        ::recvfrom(fd_, buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&from), &size);
    if (n <= 0) break;
    const auto datagram = base::MutableBytes(buffer).first(static_cast<std::size_t>(n));
    if (down) {
      down->push(datagram, now);
    } else {
      handle(datagram);
    }
  }
  if (down) down->pop(now, handle);
  if (transport_->next_timeout() <= now) transport_->handle_timeout(now);
  if (up) up->pop(now, [&](base::MutableBytes datagram) { send_now(datagram, server_); });
}

void ClientConnection::on_rtp(base::MutableBytes packet, base::SteadyTime) {
  const auto view = rtc::RtpView::parse(packet);
  if (!view) return;
  const auto payload = view->payload();
  received.push_back({{packet.begin(), packet.end()},
                      view->payload_type,
                      view->sequence,
                      view->timestamp,
                      view->ssrc,
                      {payload.begin(), payload.end()}});
}

std::vector<std::uint8_t> ClientConnection::Packet::extension(std::uint8_t id) const {
  auto copy = bytes;
  const auto view = rtc::RtpView::parse(copy);
  const auto data = view ? view->extension(id) : base::MutableBytes{};
  return {data.begin(), data.end()};
}

void ClientConnection::set_remote(const rtc::SessionDescription& d) {
  for (const auto& m : d.media) {
    if (m.ice_ufrag.empty()) continue;
    transport_->set_remote({m.ice_ufrag, m.ice_password}, m.fingerprint);
    for (const auto& c : m.candidates) {
      const auto words = base::split(c, ' ');
      if (words.size() < 6 || server_.port != 0) continue;
      const auto port = base::parse_u64(words[5]);
      const auto address = base::SocketAddress::parse(words[4], static_cast<std::uint16_t>(port.value_or(0)));
      if (!address) continue;
      server_ = *address;
      transport_->set_remote_candidate(server_);
    }
    return;
  }
}

void ClientConnection::describe(rtc::MediaSection& section, std::string_view setup) const {
  section.ice_ufrag = transport_->local_credentials().ufrag;
  section.ice_password = transport_->local_credentials().password;
  section.fingerprint = certificate_->fingerprint();
  section.setup = setup;
}

Client::Client(base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
               rtc::SctpStack* sctp, std::string client_name)
    : name(std::move(client_name)),
      publish(std::make_unique<ClientConnection>(random, certificate, sctp)),
      subscribe(std::make_unique<ClientConnection>(random, certificate, sctp)) {}

ClientTrack& Client::add_track(MediaKind kind, const std::string& id, bool simulcast,
                               const std::string& source) {
  ClientTrack t;
  t.info = {TrackId(id), "stream-" + name, kind, source, false};
  t.mid = std::to_string(tracks_list.size() + 1);
  t.ssrc = 100'000 + 1000 * static_cast<std::uint32_t>(name.empty() ? 'a' : name[0]) +
           100 * static_cast<std::uint32_t>(tracks_list.size());
  t.simulcast = simulcast;
  tracks_list.push_back(t);
  return tracks_list.back();
}

std::vector<PublishedTrack> Client::tracks() const {
  std::vector<PublishedTrack> out;
  for (const auto& t : tracks_list) {
    if (!t.removed) out.push_back(t.info);
  }
  return out;
}

std::string Client::publish_offer() {
  rtc::SessionDescription d;
  d.session_id = 1;
  d.version = ++version_;
  rtc::MediaSection app;
  app.kind = rtc::SdpKind::kApplication;
  app.kind_text = "application";
  app.protocol = "UDP/DTLS/SCTP";
  app.format_list = {"webrtc-datachannel"};
  app.mid = "0";
  app.sctp_port = 5000;
  publish->describe(app, "actpass");
  d.media.push_back(app);
  d.bundle.push_back("0");
  for (const auto& t : tracks_list) {
    rtc::MediaSection m;
    const bool audio = t.info.kind == MediaKind::kAudio;
    m.kind = audio ? rtc::SdpKind::kAudio : rtc::SdpKind::kVideo;
    m.kind_text = audio ? "audio" : "video";
    m.mid = t.mid;
    m.direction = t.removed ? rtc::Direction::kInactive : rtc::Direction::kSendOnly;
    m.rtcp_mux = m.rtcp_rsize = true;
    m.extensions = {{kSendTimeId, std::string(rtc::kExtAbsSendTime)},
                    {kTransportCcId, std::string(rtc::kExtTransportCc)},
                    {kMidId, std::string(rtc::kExtMid)}};
    if (audio) {
      m.extensions.push_back({kLevelId, std::string(rtc::kExtAudioLevel)});
      m.formats = {{.payload_type = 109,
                    .codec = "opus",
                    .clock_rate = 48000,
                    .channels = 2,
                    .fmtp = "useinbandfec=1",
                    .feedback = {"transport-cc"}}};
    } else {
      m.extensions.push_back({kRidId, std::string(rtc::kExtRid)});
      m.extensions.push_back({kRepairedRidId, std::string(rtc::kExtRepairedRid)});
      const std::vector<std::string> feedback{"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"};
      m.formats = {{.payload_type = 120,
                    .codec = "VP8",
                    .clock_rate = 90000,
                    .channels = 1,
                    .fmtp = {},
                    .feedback = feedback},
                   {.payload_type = 121,
                    .codec = "rtx",
                    .clock_rate = 90000,
                    .channels = 1,
                    .fmtp = "apt=120",
                    .feedback = {}}};
    }
    if (!t.removed) {
      m.msid_stream = t.info.stream_id;
      m.msid_track = t.info.id.str();
      if (t.simulcast) {
        m.send_rids = {"f", "h", "q"};
        m.simulcast_send = m.send_rids;
      } else if (t.ssrc_in_sdp) {
        m.ssrcs = {{t.ssrc, "cname", "c"}};
        if (!audio) {
          m.ssrc_groups = {{"FID", {t.ssrc, t.ssrc + 1}}};
          m.ssrcs.push_back({t.ssrc + 1, "cname", "c"});
        }
      }
    }
    publish->describe(m, "actpass");
    d.bundle.push_back(m.mid);
    d.media.push_back(std::move(m));
  }
  return rtc::write_sdp(d);
}

void Client::apply_publish_answer(const std::string& sdp) {
  const auto answer = rtc::parse_sdp(sdp);
  if (!answer) return;
  publish_answer = *answer;
  publish->set_remote(*answer);
}

std::string Client::answer_subscribe(const std::string& offer) {
  const auto parsed = rtc::parse_sdp(offer);
  if (!parsed) return {};
  subscribe_offer = *parsed;
  subscribe->set_remote(*parsed);
  auto answer = *parsed;
  answer.ice_lite = false;
  for (auto& m : answer.media) {
    subscribe->describe(m, "active");
    m.candidates.clear();
    m.ssrcs.clear();
    m.ssrc_groups.clear();
    m.msid_stream.clear();
    m.msid_track.clear();
    if (m.direction == rtc::Direction::kSendOnly) m.direction = rtc::Direction::kRecvOnly;
    if (!accepts_rtx) std::erase_if(m.formats, [](const rtc::RtpFormat& f) { return f.codec == "rtx"; });
  }
  return rtc::write_sdp(answer);
}

void Client::poll(base::SteadyTime now) {
  publish->poll(now);
  subscribe->poll(now);
}

void Client::send_audio(ClientTrack& t, int level) {
  std::array<std::uint8_t, 200> buffer;
  base::ByteWriter out(buffer);
  out.u8(0x90);
  out.u8(109);
  out.u16(t.sequence++);
  out.u32(t.timestamp += 960);
  out.u32(t.ssrc);
  out.u16(0xBEDE);
  out.u16(3);
  const std::array<std::uint8_t, 1> level_byte{static_cast<std::uint8_t>(0x80 | level)};
  element(out, kLevelId, level_byte);
  const std::array<std::uint8_t, 2> number{static_cast<std::uint8_t>(transport_sequence >> 8),
                                           static_cast<std::uint8_t>(transport_sequence)};
  ++transport_sequence;
  element(out, kTransportCcId, number);
  element(out, kMidId, base::as_bytes(t.mid));
  out.zeros(28 - out.size());
  out.bytes(base::as_bytes("opus-frame"));
  publish->send_rtp(out.written());
}

void Client::send_video(ClientTrack& t, std::uint32_t ssrc, std::uint16_t sequence, std::uint32_t timestamp,
                        bool key, std::uint16_t pid, std::uint8_t tl0, std::string_view rid,
                        std::uint8_t fill) {
  std::array<std::uint8_t, 400> buffer;
  base::ByteWriter out(buffer);
  out.u8(0x90);
  out.u8(0x80 | 120);
  out.u16(sequence);
  out.u32(timestamp);
  out.u32(ssrc);
  out.u16(0xBEDE);
  out.u16(3);
  const std::array<std::uint8_t, 2> number{static_cast<std::uint8_t>(transport_sequence >> 8),
                                           static_cast<std::uint8_t>(transport_sequence)};
  ++transport_sequence;
  element(out, kTransportCcId, number);
  element(out, kMidId, base::as_bytes(t.mid));
  element(out, kRidId, base::as_bytes(rid));
  out.zeros(28 - out.size());
  // VP8: X, start of partition 0; I and L; 15-bit picture id; TL0PICIDX.
  out.u8(0x90);
  out.u8(0xC0);
  out.u16(static_cast<std::uint16_t>(0x8000 | pid));
  out.u8(tl0);
  out.u8(key ? 0x10 : 0x11);
  for (int i = 0; i < 100; ++i) out.u8(fill);
  publish->send_rtp(out.written());
}

void Client::send_sender_report(std::uint32_t ssrc, rtc::NtpTime ntp, std::uint32_t timestamp) {
  std::array<std::uint8_t, 64> buffer;
  const auto size = rtc::write_sender_report(buffer, {ssrc, ntp, timestamp, 1, 1});
  publish->send_rtcp(base::Bytes(buffer).first(size));
}

void Client::send_nack(std::uint32_t ssrc, std::vector<std::uint16_t> sequences) {
  std::array<std::uint8_t, 256> buffer;
  const auto size = rtc::write_nack(buffer, 7, ssrc, sequences);
  subscribe->send_rtcp(base::Bytes(buffer).first(size));
}

void Client::send_pli(std::uint32_t ssrc) {
  std::array<std::uint8_t, 64> buffer;
  const auto size = rtc::write_pli(buffer, 7, ssrc);
  subscribe->send_rtcp(base::Bytes(buffer).first(size));
}

const rtc::MediaSection* Client::subscribed(const std::string& track_id) const {
  for (const auto& m : subscribe_offer.media) {
    if (m.msid_track == track_id && m.direction == rtc::Direction::kSendOnly) return &m;
  }
  return nullptr;
}

std::uint32_t Client::media_ssrc(const rtc::MediaSection& section) {
  return section.ssrcs.empty() ? 0 : section.ssrcs.front().ssrc;
}

}  // namespace sfu::testing
