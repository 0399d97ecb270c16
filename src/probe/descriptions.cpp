#include "probe/descriptions.h"

#include <algorithm>

#include "base/text.h"
#include "rtc/sdp/codecs.h"

namespace probe {
namespace {

// The ids and payload types Chromium uses.
constexpr std::uint8_t kLevelId = 1, kSendTimeId = 2, kTransportCcId = 3, kMidId = 4, kRidId = 10,
                       kRepairedRidId = 11;
constexpr std::uint8_t kOpus = 111, kVp8 = 96, kVp8Rtx = 97;

}  // namespace

rtc::MediaSection describe_data_channel(std::string mid) {
  rtc::MediaSection m;
  m.kind = rtc::SdpKind::kApplication;
  m.kind_text = "application";
  m.protocol = "UDP/DTLS/SCTP";
  m.format_list = {"webrtc-datachannel"};
  m.mid = std::move(mid);
  m.sctp_port = 5000;
  m.max_message_size = 262144;
  return m;
}

rtc::MediaSection describe_track(const LocalTrack& track) {
  rtc::MediaSection m;
  m.kind = track.video ? rtc::SdpKind::kVideo : rtc::SdpKind::kAudio;
  m.kind_text = track.video ? "video" : "audio";
  m.mid = track.mid;
  m.direction = rtc::Direction::kSendOnly;
  m.rtcp_mux = m.rtcp_rsize = true;
  m.msid_stream = track.stream_id;
  m.msid_track = track.track_id;
  m.extensions = {{kSendTimeId, std::string(rtc::kExtAbsSendTime)},
                  {kTransportCcId, std::string(rtc::kExtTransportCc)},
                  {kMidId, std::string(rtc::kExtMid)}};
  if (!track.video) {
    m.extensions.push_back({kLevelId, std::string(rtc::kExtAudioLevel)});
    m.formats = {{.payload_type = kOpus,
                  .codec = "opus",
                  .clock_rate = 48000,
                  .channels = 2,
                  .fmtp = "minptime=10;useinbandfec=1;usedtx=1",
                  .feedback = {"transport-cc"}}};
  } else {
    m.formats = {{.payload_type = kVp8,
                  .codec = "VP8",
                  .clock_rate = 90000,
                  .channels = 1,
                  .fmtp = {},
                  .feedback = {"goog-remb", "transport-cc", "ccm fir", "nack", "nack pli"}},
                 {.payload_type = kVp8Rtx,
                  .codec = "rtx",
                  .clock_rate = 90000,
                  .channels = 1,
                  .fmtp = "apt=96",
                  .feedback = {}}};
  }
  if (!track.rids.empty()) {
    m.extensions.push_back({kRidId, std::string(rtc::kExtRid)});
    m.extensions.push_back({kRepairedRidId, std::string(rtc::kExtRepairedRid)});
    m.send_rids = m.simulcast_send = track.rids;
    return m;
  }
  m.ssrcs = {{track.ssrc, "cname", "probe"}};
  if (track.video) {
    m.ssrcs.push_back({track.ssrc + 1, "cname", "probe"});
    m.ssrc_groups = {{"FID", {track.ssrc, track.ssrc + 1}}};
  }
  return m;
}

std::vector<StreamFormat> negotiated_streams(const LocalTrack& track, const rtc::MediaSection& answer) {
  const bool receives = answer.port != 0 && (answer.direction == rtc::Direction::kRecvOnly ||
                                             answer.direction == rtc::Direction::kSendRecv);
  if (!receives) return {};
  StreamFormat format;
  for (const auto& codec : rtc::negotiated_codecs(answer)) {
    if (codec.codec != (track.video ? rtc::Codec::kVp8 : rtc::Codec::kOpus) || format.payload_type != 0)
      continue;
    format.payload_type = codec.payload_type;
    format.rtx_payload_type = codec.rtx_payload_type;
  }
  if (format.payload_type == 0) return {};
  format.audio_level = track.video ? std::uint8_t{0} : answer.find_extension(rtc::kExtAudioLevel);
  format.abs_send_time = answer.find_extension(rtc::kExtAbsSendTime);
  format.transport_cc = answer.find_extension(rtc::kExtTransportCc);
  format.mid = answer.find_extension(rtc::kExtMid);
  format.mid_text = track.mid;
  format.ssrc = track.ssrc;
  format.rtx_ssrc = track.ssrc + 1;
  // An answer without simulcast takes the first stream alone (§4.3).
  if (track.rids.empty() || answer.simulcast_receive.empty()) {
    if (!track.rids.empty()) {
      format.rid = answer.find_extension(rtc::kExtRid);
      format.rid_text = track.rids.front();
    }
    return {format};
  }
  std::vector<StreamFormat> out;
  for (std::size_t i = 0; i < track.rids.size(); ++i) {
    const auto& wanted = answer.simulcast_receive;
    if (std::find(wanted.begin(), wanted.end(), track.rids[i]) == wanted.end()) continue;
    auto layer = format;
    layer.ssrc = track.ssrc + 2 * static_cast<std::uint32_t>(i);
    layer.rtx_ssrc = layer.ssrc + 1;
    layer.rid = answer.find_extension(rtc::kExtRid);
    layer.rid_text = track.rids[i];
    out.push_back(std::move(layer));
  }
  return out;
}

std::vector<RemoteTrack> remote_tracks(const rtc::SessionDescription& offer) {
  std::vector<RemoteTrack> out;
  for (const auto& m : offer.media) {
    const bool media = m.kind == rtc::SdpKind::kAudio || m.kind == rtc::SdpKind::kVideo;
    const bool sends = m.direction == rtc::Direction::kSendOnly || m.direction == rtc::Direction::kSendRecv;
    if (!media || !sends || m.port == 0) continue;
    RemoteTrack t;
    t.video = m.kind == rtc::SdpKind::kVideo;
    t.track_id = m.msid_track;
    t.stream_id = m.msid_stream;
    t.mid = m.mid;
    if (!m.ssrcs.empty()) t.ssrc = m.ssrcs.front().ssrc;
    for (const auto& g : m.ssrc_groups) {
      if (g.semantics != "FID" || g.ssrcs.size() != 2) continue;
      t.ssrc = g.ssrcs[0];
      t.rtx_ssrc = g.ssrcs[1];
    }
    for (const auto& f : m.formats) {
      if (!base::equals_ignore_case(f.codec, "rtx")) continue;
      const auto media_type = base::parse_u64(rtc::fmtp_value(f.fmtp, "apt"));
      if (media_type && *media_type < 128)
        t.rtx_of.emplace_back(f.payload_type, static_cast<std::uint8_t>(*media_type));
    }
    t.transport_cc = m.find_extension(rtc::kExtTransportCc);
    out.push_back(std::move(t));
  }
  return out;
}

rtc::SessionDescription accept_offer(const rtc::SessionDescription& offer) {
  auto answer = offer;
  answer.ice_lite = false;
  for (auto& m : answer.media) {
    m.candidates.clear();
    m.end_of_candidates = false;
    m.ssrcs.clear();
    m.ssrc_groups.clear();
    m.msid_stream.clear();
    m.msid_track.clear();
    if (m.kind == rtc::SdpKind::kApplication) continue;
    const bool sends = m.direction == rtc::Direction::kSendOnly || m.direction == rtc::Direction::kSendRecv;
    m.direction = sends ? rtc::Direction::kRecvOnly : rtc::Direction::kInactive;
  }
  return answer;
}

}  // namespace probe
