#include "sfu/subscribe_connection.h"

#include <algorithm>

#include "sfu/publish_connection.h"

namespace sfu {
namespace {

constexpr std::string_view kApiChannel = "ion-sfu";
constexpr std::size_t kMaxApiMessage = 64 * 1024;
// Retransmissions per subscriber: a burst of a quarter second and then 2 Mbit/s.
constexpr std::int64_t kRetransmitBurst = 400 * 1000;
constexpr std::int64_t kRetransmitBytesPerSecond = 250 * 1000;

}  // namespace

SubscribeConnection::SubscribeConnection(WorkerContext& context, RoomId room, PeerId peer)
    : Connection(context),
      room_(std::move(room)),
      peer_(std::move(peer)),
      session_id_(context.random.u64() >> 2),
      retransmit_budget_(kRetransmitBurst) {
  lines_.emplace_back();
  if (const auto channel = transport().open_channel(kApiChannel)) channel_ = *channel;
}

SubscribeConnection::~SubscribeConnection() = default;

bool SubscribeConnection::has(const Track& track) const {
  return std::any_of(lines_.begin(), lines_.end(),
                     [&](const Line& l) { return l.track && &l.track->track() == &track; });
}

SubscriberTrack* SubscribeConnection::find(const TrackId& id) const {
  for (const auto& l : lines_) {
    if (l.track && l.track->track().info.id == id) return l.track.get();
  }
  return nullptr;
}

SubscriberTrack* SubscribeConnection::find_ssrc(std::uint32_t ssrc) const {
  for (const auto& l : lines_) {
    if (l.track && (l.track->ssrc() == ssrc || l.track->rtx_ssrc() == ssrc)) return l.track.get();
  }
  return nullptr;
}

std::uint32_t SubscribeConnection::new_ssrc() {
  for (;;) {
    const auto ssrc = context_.random.u32();
    if (ssrc > 1 && !find_ssrc(ssrc)) return ssrc;
  }
}

void SubscribeConnection::add_track(Track& track) {
  if (has(track)) return;
  const auto kind = track.info.kind == MediaKind::kAudio ? rtc::SdpKind::kAudio : rtc::SdpKind::kVideo;
  const auto media = new_ssrc();
  auto rtx = kind == rtc::SdpKind::kVideo ? new_ssrc() : 0;
  if (rtx == media) ++rtx;
  // Low enough that the first packets do not wrap at once.
  const auto first_sequence = static_cast<std::uint16_t>(context_.random.u32() & 0x7FFF);
  auto subscriber = std::make_unique<SubscriberTrack>(*this, track, media, rtx, first_sequence);
  changed_ = true;
  if (lines_.size() > kReuseAbove) {
    for (auto& l : lines_) {
      if (l.kind != kind || l.track || !l.agreed) continue;
      l.track = std::move(subscriber);
      l.offered = l.agreed = false;
      return;
    }
  }
  lines_.push_back({kind, std::move(subscriber), false, false});
}

void SubscribeConnection::remove_track(const Track& track) {
  for (auto& l : lines_) {
    if (!l.track || &l.track->track() != &track) continue;
    l.track.reset();
    l.offered = l.agreed = false;
    changed_ = true;
  }
}

void SubscribeConnection::request_ice_restart(base::SteadyTime now) {
  restart_wanted_ = true;
  changed_ = true;
  offer_if_needed(now);
}

void SubscribeConnection::offer_if_needed(base::SteadyTime now) {
  if (outstanding_since_ && now - *outstanding_since_ < kAnswerTimeout) return;
  if (!changed_ && !outstanding_since_) return;
  if (std::exchange(restart_wanted_, false)) restart_ice();
  changed_ = false;
  outstanding_since_ = now;
  outstanding_lines_ = lines_.size();
  outstanding_text_ = build_offer();
  context_.events.on_subscribe_offer(room_, peer_, outstanding_text_);
}

void SubscribeConnection::offer_again() {
  if (outstanding_since_) context_.events.on_subscribe_offer(room_, peer_, outstanding_text_);
}

std::string SubscribeConnection::build_offer() {
  rtc::SessionDescription d;
  d.session_id = session_id_;
  d.version = ++version_;
  d.ice_lite = true;
  for (std::size_t i = 0; i < lines_.size(); ++i) {
    d.media.push_back(describe_line(lines_[i], i));
    d.bundle.push_back(d.media.back().mid);
    lines_[i].offered = true;
  }
  add_candidates(d);
  return rtc::write_sdp(d);
}

rtc::MediaSection SubscribeConnection::describe_line(const Line& line, std::size_t index) const {
  rtc::MediaSection m;
  m.kind = line.kind;
  m.mid = std::to_string(index);
  describe(m, "actpass");
  if (line.kind == rtc::SdpKind::kApplication) {
    m.kind_text = "application";
    m.protocol = "UDP/DTLS/SCTP";
    m.format_list = {"webrtc-datachannel"};
    m.sctp_port = 5000;
    m.max_message_size = 262144;
    return m;
  }
  m.kind_text = line.kind == rtc::SdpKind::kAudio ? "audio" : "video";
  m.rtcp_mux = true;
  m.rtcp_rsize = true;
  m.formats = rtc::subscriber_formats(line.kind);
  m.extensions = rtc::subscriber_extensions(line.kind);
  m.direction = rtc::Direction::kInactive;
  if (!line.track) return m;
  const auto& info = line.track->track().info;
  m.direction = rtc::Direction::kSendOnly;
  m.msid_stream = info.stream_id;
  m.msid_track = info.id.str();
  const auto msid = info.stream_id + " " + info.id.str();
  const auto& cname = line.track->track().connection.peer().str();
  const auto add = [&](std::uint32_t ssrc) {
    m.ssrcs.push_back({ssrc, "cname", cname});
    m.ssrcs.push_back({ssrc, "msid", msid});
  };
  add(line.track->ssrc());
  if (line.kind == rtc::SdpKind::kVideo) {
    add(line.track->rtx_ssrc());
    m.ssrc_groups.push_back({"FID", {line.track->ssrc(), line.track->rtx_ssrc()}});
  }
  return m;
}

bool SubscribeConnection::answer(const rtc::SessionDescription& description, base::SteadyTime now) {
  if (!outstanding_since_ || description.media.size() != outstanding_lines_) return false;
  outstanding_since_.reset();
  outstanding_text_.clear();
  set_remote(description);
  for (std::size_t i = 0; i < description.media.size(); ++i) {
    auto& line = lines_[i];
    if (!line.offered || line.agreed) continue;
    line.agreed = true;
    if (!line.track) continue;
    const auto& m = description.media[i];
    const bool receives =
        m.port != 0 && (m.direction == rtc::Direction::kRecvOnly || m.direction == rtc::Direction::kSendRecv);
    bool opus = false, vp8 = false, h264 = false, rtx = false;
    for (const auto& c : rtc::negotiated_codecs(m)) {
      opus = opus || c.codec == rtc::Codec::kOpus;
      vp8 = vp8 || c.codec == rtc::Codec::kVp8;
      h264 = h264 || c.codec == rtc::Codec::kH264;
      rtx = rtx || c.rtx_payload_type != 0;
    }
    line.track->set_accepted(receives && opus, receives && vp8, receives && h264, rtx);
  }
  offer_if_needed(now);
  return true;
}

bool SubscribeConnection::send_rtp(base::Bytes plain, std::uint16_t number, base::SteadyTime now) {
  if (!send_again(plain)) return false;
  bandwidth_.on_sent(number, plain.size(), now);
  return true;
}

bool SubscribeConnection::send_again(base::Bytes plain) {
  const auto& to = transport().remote_address();
  if (!to) return false;
  auto& socket = context_.socket;
  const auto size = transport().seal_rtp(plain, socket.slot());
  if (size == 0) return false;
  socket.commit(size, *to);
  return true;
}

base::Duration SubscribeConnection::retransmit_interval() const {
  const auto measured = bandwidth_.round_trip() - base::Duration::millis(30);
  return std::clamp(measured, base::Duration::millis(20), base::Duration::millis(500));
}

bool SubscribeConnection::take_retransmission(std::size_t bytes) {
  if (retransmit_budget_ < static_cast<std::int64_t>(bytes)) return false;
  retransmit_budget_ -= static_cast<std::int64_t>(bytes);
  return true;
}

void SubscribeConnection::on_rtcp(base::MutableBytes packet, base::SteadyTime now) {
  rtc::RtcpReader reader(packet);
  while (const auto block = reader.next()) {
    const auto feedback = rtc::read_feedback(*block);
    if (!feedback) continue;
    if (feedback->kind == rtc::FeedbackKind::kTransportCc) {
      counters().transport_feedback_in.add();
      const auto before = bandwidth_.kbps();
      bandwidth_.on_feedback(feedback->fci, now);
      const auto after = bandwidth_.kbps();
      if (after && (!before || *after < *before)) share_bandwidth(now);
    } else if (feedback->kind == rtc::FeedbackKind::kNack) {
      if (auto* t = find_ssrc(feedback->media_ssrc)) t->on_nack(feedback->fci, now);
    } else if (feedback->kind == rtc::FeedbackKind::kPli) {
      if (auto* t = find_ssrc(feedback->media_ssrc)) t->on_key_frame_request(now);
    } else if (feedback->kind == rtc::FeedbackKind::kFir) {
      rtc::for_each_fir(feedback->fci, [&](std::uint32_t ssrc) {
        if (auto* t = find_ssrc(ssrc)) t->on_key_frame_request(now);
      });
    }
  }
}

void SubscribeConnection::on_channel_open(std::uint16_t stream, std::string_view label) {
  if (label != kApiChannel) return;
  channel_ = stream;
  context_.events.on_api_channel_open(room_, peer_);
}

void SubscribeConnection::on_channel_message(std::uint16_t stream, base::Bytes message, bool is_text) {
  if (!is_text || channel_ != stream || message.size() > kMaxApiMessage) return;
  context_.events.on_api_message(room_, peer_, std::string(base::as_text(message)));
}

void SubscribeConnection::on_up() {
  for (auto& l : lines_) {
    if (l.track) l.track->interrupt();
  }
  context_.events.on_connection_state(room_, peer_, Target::kSubscribe, true, "");
}

void SubscribeConnection::send_api_message(std::string_view text) {
  if (channel_) transport().send_text(*channel_, text);
}

void SubscribeConnection::tick(base::SteadyTime now) {
  const auto elapsed = std::clamp<std::int64_t>((now - budget_at_).us, 0, 1'000'000);
  budget_at_ = now;
  // Where the path is narrow, at most a quarter of it.
  const auto narrow = bandwidth_.kbps() ? std::max<std::int64_t>(*bandwidth_.kbps() * 1000 / 32, 15'000)
                                        : kRetransmitBytesPerSecond;
  const auto per_second = std::min(kRetransmitBytesPerSecond, narrow);
  const auto burst = std::min(kRetransmitBurst, per_second * 8 / 5);
  retransmit_budget_ = std::min(burst, retransmit_budget_ + elapsed * per_second / 1'000'000);
  share_bandwidth(now);
  for (auto& l : lines_) {
    if (l.track) l.track->tick(now);
  }
  if (changed_ || outstanding_since_) offer_if_needed(now);
}

}  // namespace sfu
