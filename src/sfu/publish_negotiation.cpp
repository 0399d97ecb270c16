// The answers of a publish connection (RFC 8829 §5.3, RFC 8853 for simulcast, 100ms-client-protocol.md §4.2,
// §4.3).
#include <algorithm>

#include "sfu/publish_connection.h"

namespace sfu {
namespace {

bool sends(const rtc::MediaSection& m) {
  return m.port != 0 &&
         (m.direction == rtc::Direction::kSendOnly || m.direction == rtc::Direction::kSendRecv);
}

bool is_media(const rtc::MediaSection& m) {
  return m.kind == rtc::SdpKind::kAudio || m.kind == rtc::SdpKind::kVideo;
}

MediaKind kind_of(const rtc::MediaSection& m) {
  return m.kind == rtc::SdpKind::kAudio ? MediaKind::kAudio : MediaKind::kVideo;
}

bool same_kind(const rtc::MediaSection& m, const PublishedTrack& t) {
  return is_media(m) && kind_of(m) == t.kind;
}

// The sum of what three layers need to start, when the role says nothing (100ms-client-protocol.md §4.3: a
// low start keeps upper layers off).
constexpr int kSimulcastStartKbps = 2000;
constexpr int kSingleStartKbps = 1200;

}  // namespace

bool may_publish(const PeerPolicy& policy, MediaKind kind, const std::string& source) {
  if (source == "screen") return policy.publish_screen;
  return kind == MediaKind::kAudio ? policy.publish_audio : policy.publish_video;
}

// By the second word of msid first; what is left over pairs up in order, kind by kind (some browsers write
// other ids into the SDP).
void PublishConnection::match_tracks(const rtc::SessionDescription& offer,
                                     const std::vector<PublishedTrack>& tracks,
                                     std::vector<const PublishedTrack*>& out) const {
  out.assign(offer.media.size(), nullptr);
  std::vector<bool> used(tracks.size());
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    if (!sends(offer.media[i])) continue;
    for (std::size_t t = 0; t < tracks.size(); ++t) {
      if (used[t] || tracks[t].id.str() != offer.media[i].msid_track || !same_kind(offer.media[i], tracks[t]))
        continue;
      out[i] = &tracks[t];
      used[t] = true;
      break;
    }
  }
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    if (!sends(offer.media[i]) || out[i]) continue;
    for (std::size_t t = 0; t < tracks.size(); ++t) {
      if (used[t] || !same_kind(offer.media[i], tracks[t])) continue;
      out[i] = &tracks[t];
      used[t] = true;
      break;
    }
  }
}

std::string PublishConnection::answer(const rtc::SessionDescription& offer,
                                      const std::vector<PublishedTrack>& tracks, const PeerPolicy& policy) {
  const bool first = remote_fingerprint().empty();
  if (set_remote(offer) && !first) {
    restart_ice();
  }
  std::vector<const PublishedTrack*> matched;
  match_tracks(offer, tracks, matched);

  rtc::SessionDescription d;
  d.session_id = session_id_;
  d.version = ++version_;
  d.ice_lite = true;
  for (auto& s : sections_) s.track = nullptr;
  sections_.resize(offer.media.size());
  for (std::size_t i = 0; i < offer.media.size(); ++i) {
    const auto& offered = offer.media[i];
    auto& section = sections_[i];
    section.mid = offered.mid;
    section.kind = kind_of(offered);
    section.codecs.clear();
    auto answered = answer_section(offered, matched[i], policy);
    const bool kept = answered.port != 0 &&
                      std::find(offer.bundle.begin(), offer.bundle.end(), offered.mid) != offer.bundle.end();
    if (kept) d.bundle.push_back(offered.mid);
    if (answered.direction == rtc::Direction::kRecvOnly && matched[i]) {
      bind_section(offered, answered, *matched[i], policy);
      section.track = find_track(matched[i]->id);
      section.track_id = matched[i]->id;
      section.codecs = section.track->codecs;
    }
    d.media.push_back(std::move(answered));
  }
  add_candidates(d);
  return rtc::write_sdp(d);
}

rtc::MediaSection PublishConnection::answer_section(const rtc::MediaSection& offered,
                                                    const PublishedTrack* info, const PeerPolicy& policy) {
  rtc::MediaSection m;
  m.kind = offered.kind;
  m.kind_text = offered.kind_text;
  m.protocol = offered.protocol;
  m.mid = offered.mid;
  m.format_list = offered.format_list;
  m.direction = rtc::Direction::kInactive;
  if (offered.port == 0 && offered.formats.empty() && offered.kind != rtc::SdpKind::kApplication) {
    m.port = 0;
    return m;
  }
  if (offered.kind == rtc::SdpKind::kApplication && offered.protocol.find("SCTP") != std::string::npos &&
      offered.port != 0) {
    m.format_list = {"webrtc-datachannel"};
    m.sctp_port = 5000;
    m.max_message_size = 262144;
    describe(m, "passive");
    return m;
  }
  rtc::VideoHints hints;
  const bool camera = info && info->source != "screen";
  const bool simulcast = offered.simulcast_send.size() > 1;
  if (offered.kind == rtc::SdpKind::kVideo) {
    hints.start_kbps = simulcast ? kSimulcastStartKbps : kSingleStartKbps;
    // All layers of a camera together need about 1.4 times what the best one does.
    if (camera && policy.max_publish_video_kbps > 0) {
      hints.start_kbps = simulcast ? policy.max_publish_video_kbps * 7 / 5 : policy.max_publish_video_kbps;
    }
  }
  if (is_media(offered)) m.formats = rtc::answer_formats(offered, hints);
  const bool bundled_port = offered.port != 0;
  if (m.formats.empty() || !bundled_port) {
    m.port = 0;
    m.formats.clear();
    return m;
  }
  describe(m, "passive");
  m.rtcp_mux = true;
  m.rtcp_rsize = offered.rtcp_rsize;
  m.extensions = rtc::answer_extensions(offered);
  if (!sends(offered) || !info || !may_publish(policy, info->kind, info->source)) return m;
  m.direction = rtc::Direction::kRecvOnly;
  if (simulcast && offered.kind == rtc::SdpKind::kVideo) {
    m.receive_rids = offered.simulcast_send;
    m.simulcast_receive = offered.simulcast_send;
  }
  if (camera && offered.kind == rtc::SdpKind::kVideo && policy.max_publish_video_kbps > 0) {
    m.bandwidth_kbps = simulcast ? policy.max_publish_video_kbps * 3 / 2 : policy.max_publish_video_kbps;
  }
  return m;
}

void PublishConnection::bind_section(const rtc::MediaSection& offered, const rtc::MediaSection& answered,
                                     const PublishedTrack& info, const PeerPolicy& policy) {
  auto* track = find_track(info.id);
  if (!track) {
    tracks_.push_back(std::make_unique<Track>(*this, info));
    track = tracks_.back().get();
  } else {
    set_muted(*track, info.muted);
    track->info.source = info.source;
  }
  track->allowed = may_publish(policy, info.kind, info.source);
  track->codecs = rtc::negotiated_codecs(answered);
  learn_extensions(answered);
  if (track->streams.empty()) {
    track->simulcast = !answered.simulcast_receive.empty();
    if (track->simulcast) {
      for (const auto& rid : answered.simulcast_receive) {
        const auto layer = layer_of(rid);
        if (layer != Layer::kNone && !track->stream(layer))
          track->streams.push_back(std::make_unique<ReceiveStream>(info.kind, layer));
      }
    }
    if (track->streams.empty()) {
      track->simulcast = false;
      track->streams.push_back(std::make_unique<ReceiveStream>(info.kind, Layer::kHigh));
    }
  }
  if (track->simulcast || offered.ssrcs.empty()) return;
  // The SSRCs the offer names: the first of FID is the media, the second its retransmissions.
  auto& stream = *track->streams.front();
  std::uint32_t media = offered.ssrcs.front().ssrc;
  std::uint32_t rtx = 0;
  for (const auto& g : offered.ssrc_groups) {
    if (g.semantics != "FID" || g.ssrcs.size() < 2) continue;
    media = g.ssrcs[0];
    rtx = g.ssrcs[1];
    break;
  }
  const auto* known = find_binding(media);
  if (!known) bind(*track, stream, media, false);
  if (rtx != 0 && !find_binding(rtx)) bind(*track, stream, rtx, true);
}

void PublishConnection::learn_extensions(const rtc::MediaSection& m) {
  const auto learn = [&](std::uint8_t& id, std::string_view uri) {
    if (const auto found = m.find_extension(uri); found != 0) id = found;
  };
  learn(extensions_.audio_level, rtc::kExtAudioLevel);
  learn(extensions_.transport_cc, rtc::kExtTransportCc);
  learn(extensions_.mid, rtc::kExtMid);
  learn(extensions_.rid, rtc::kExtRid);
  learn(extensions_.repaired_rid, rtc::kExtRepairedRid);
  learn(extensions_.time_offset, rtc::kExtTimeOffset);
  learn(extensions_.video_orientation, rtc::kExtVideoOrientation);
  learn(extensions_.playout_delay, rtc::kExtPlayoutDelay);
}

}  // namespace sfu
