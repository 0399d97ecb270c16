#include "rtc/sdp/codecs.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/text.h"

namespace rtc {
namespace {

std::vector<std::string> video_feedback() {
  return {"transport-cc", "ccm fir", "nack", "nack pli"};
}

// Constrained baseline with packetization mode 1 is the one H.264 form every browser decodes (RFC 7742 §6.2).
bool usable_h264(const RtpFormat& f) {
  return fmtp_value(f.fmtp, "packetization-mode") == "1" &&
         base::to_lower(fmtp_value(f.fmtp, "profile-level-id")).starts_with("42e0");
}

const RtpFormat* find_rtx(const MediaSection& m, std::uint8_t payload_type) {
  for (const auto& f : m.formats) {
    if (!base::equals_ignore_case(f.codec, "rtx")) continue;
    if (base::parse_u64(fmtp_value(f.fmtp, "apt")) == std::uint64_t{payload_type}) return &f;
  }
  return nullptr;
}

// Only feedback that was offered may be answered (RFC 4585 §4.2); REMB is never answered: transport-cc is
// what we send.
std::vector<std::string> common_feedback(const RtpFormat& offered, bool video) {
  std::vector<std::string> out;
  for (std::string_view wanted : {"transport-cc", "ccm fir", "nack", "nack pli"}) {
    if (!video && wanted != "transport-cc") continue;
    if (std::find(offered.feedback.begin(), offered.feedback.end(), wanted) != offered.feedback.end())
      out.emplace_back(wanted);
  }
  return out;
}

void append_video(const MediaSection& offered, const RtpFormat& format, const VideoHints& hints,
                  std::vector<RtpFormat>& out) {
  auto media = format;
  media.feedback = common_feedback(format, true);
  if (hints.start_kbps > 0) {
    if (!media.fmtp.empty()) media.fmtp += ";";
    media.fmtp += "x-google-start-bitrate=" + std::to_string(hints.start_kbps);
  }
  out.push_back(std::move(media));
  if (const auto* rtx = find_rtx(offered, format.payload_type)) {
    out.push_back(*rtx);
    out.back().feedback.clear();
  }
}

RtpFormat rtx_format(std::uint8_t payload_type, std::uint8_t media_payload_type) {
  return {.payload_type = payload_type,
          .codec = "rtx",
          .clock_rate = 90000,
          .channels = 1,
          .fmtp = "apt=" + std::to_string(media_payload_type),
          .feedback = {}};
}

}  // namespace

Codec codec_of(const RtpFormat& f) {
  if (base::equals_ignore_case(f.codec, "opus") && f.clock_rate == 48000) return Codec::kOpus;
  if (base::equals_ignore_case(f.codec, "VP8") && f.clock_rate == 90000) return Codec::kVp8;
  if (base::equals_ignore_case(f.codec, "H264") && f.clock_rate == 90000) return Codec::kH264;
  return Codec::kNone;
}

NegotiatedCodec subscriber_codec(Codec codec) {
  switch (codec) {
    case Codec::kOpus:
      return {codec, kSubscriberOpus, 0};
    case Codec::kVp8:
      return {codec, kSubscriberVp8, kSubscriberVp8Rtx};
    case Codec::kH264:
      return {codec, kSubscriberH264, kSubscriberH264Rtx};
    case Codec::kNone:
      break;
  }
  return {};
}

std::vector<RtpFormat> answer_formats(const MediaSection& offered, const VideoHints& hints) {
  std::vector<RtpFormat> out;
  if (offered.kind == SdpKind::kAudio) {
    for (const auto& f : offered.formats) {
      if (codec_of(f) != Codec::kOpus || !out.empty()) continue;
      out.push_back(f);
      out.back().feedback = common_feedback(f, false);
    }
    return out;
  }
  for (const auto& f : offered.formats) {
    if (codec_of(f) == Codec::kVp8 && out.empty()) append_video(offered, f, hints, out);
  }
  for (const auto& f : offered.formats) {
    if (codec_of(f) == Codec::kH264 && usable_h264(f)) {
      append_video(offered, f, hints, out);
      break;
    }
  }
  return out;
}

std::vector<ExtensionMap> answer_extensions(const MediaSection& offered) {
  static constexpr std::array kAudio{kExtAudioLevel, kExtAbsSendTime, kExtTransportCc, kExtMid};
  static constexpr std::array kVideo{
      kExtAbsSendTime, kExtTransportCc,      kExtMid,         kExtRid, kExtRepairedRid,
      kExtTimeOffset,  kExtVideoOrientation, kExtPlayoutDelay};
  std::vector<ExtensionMap> out;
  for (const auto& e : offered.extensions) {
    const bool known = offered.kind == SdpKind::kAudio
                           ? std::find(kAudio.begin(), kAudio.end(), e.uri) != kAudio.end()
                           : std::find(kVideo.begin(), kVideo.end(), e.uri) != kVideo.end();
    const bool twice =
        std::any_of(out.begin(), out.end(), [&](const auto& o) { return o.id == e.id || o.uri == e.uri; });
    if (known && !twice) out.push_back(e);
  }
  return out;
}

std::vector<RtpFormat> subscriber_formats(SdpKind kind) {
  if (kind == SdpKind::kAudio) {
    return {{.payload_type = kSubscriberOpus,
             .codec = "opus",
             .clock_rate = 48000,
             .channels = 2,
             .fmtp = "minptime=10;useinbandfec=1;usedtx=1",
             .feedback = {"transport-cc"}}};
  }
  return {{.payload_type = kSubscriberVp8,
           .codec = "VP8",
           .clock_rate = 90000,
           .channels = 1,
           .fmtp = {},
           .feedback = video_feedback()},
          rtx_format(kSubscriberVp8Rtx, kSubscriberVp8),
          {.payload_type = kSubscriberH264,
           .codec = "H264",
           .clock_rate = 90000,
           .channels = 1,
           .fmtp = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f",
           .feedback = video_feedback()},
          rtx_format(kSubscriberH264Rtx, kSubscriberH264)};
}

std::vector<ExtensionMap> subscriber_extensions(SdpKind kind) {
  using Ext = SubscriberExtensions;
  std::vector<ExtensionMap> out{{Ext::kAbsSendTime, std::string(kExtAbsSendTime)},
                                {Ext::kTransportCc, std::string(kExtTransportCc)}};
  if (kind == SdpKind::kAudio) {
    out.insert(out.begin(), {Ext::kAudioLevel, std::string(kExtAudioLevel)});
  } else {
    out.push_back({Ext::kTimeOffset, std::string(kExtTimeOffset)});
    out.push_back({Ext::kVideoOrientation, std::string(kExtVideoOrientation)});
    out.push_back({Ext::kPlayoutDelay, std::string(kExtPlayoutDelay)});
  }
  return out;
}

std::vector<NegotiatedCodec> negotiated_codecs(const MediaSection& section) {
  std::vector<NegotiatedCodec> out;
  for (const auto& f : section.formats) {
    const auto codec = codec_of(f);
    if (codec == Codec::kNone) continue;
    const auto* rtx = find_rtx(section, f.payload_type);
    out.push_back({codec, f.payload_type, rtx ? rtx->payload_type : std::uint8_t{0}});
  }
  return out;
}

}  // namespace rtc
