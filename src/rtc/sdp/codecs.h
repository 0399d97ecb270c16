// The one place that decides codecs, feedback and header extensions: for our answer to a publisher and for
// our offers to subscribers. Pure functions.
//
// Publishers keep their own payload types and extension ids (we answer with what they offered). Subscribers
// get ours, the constants below, so that one rewritten packet fits all of them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "rtc/sdp/sdp.h"

namespace rtc {

enum class Codec { kNone, kOpus, kVp8, kH264 };

// What a packet's payload type means on one m-line.
struct NegotiatedCodec {
  Codec codec = Codec::kNone;
  std::uint8_t payload_type = 0;
  std::uint8_t rtx_payload_type = 0;  // 0 = no RTX
};

inline constexpr std::string_view kExtAudioLevel = "urn:ietf:params:rtp-hdrext:ssrc-audio-level";  // RFC 6464
inline constexpr std::string_view kExtAbsSendTime =
    "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time";
inline constexpr std::string_view kExtTransportCc =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";
inline constexpr std::string_view kExtMid = "urn:ietf:params:rtp-hdrext:sdes:mid";            // RFC 9143
inline constexpr std::string_view kExtRid = "urn:ietf:params:rtp-hdrext:sdes:rtp-stream-id";  // RFC 8852
inline constexpr std::string_view kExtRepairedRid = "urn:ietf:params:rtp-hdrext:sdes:repaired-rtp-stream-id";
inline constexpr std::string_view kExtTimeOffset = "urn:ietf:params:rtp-hdrext:toffset";  // RFC 5450
inline constexpr std::string_view kExtVideoOrientation = "urn:3gpp:video-orientation";
inline constexpr std::string_view kExtPlayoutDelay =
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

// Extension ids towards subscribers. One-byte form; the publisher's ids are mapped onto these.
struct SubscriberExtensions {
  static constexpr std::uint8_t kAudioLevel = 1;
  static constexpr std::uint8_t kAbsSendTime = 2;
  static constexpr std::uint8_t kTransportCc = 3;
  static constexpr std::uint8_t kTimeOffset = 5;
  static constexpr std::uint8_t kVideoOrientation = 6;
  static constexpr std::uint8_t kPlayoutDelay = 7;
};

// Payload types towards subscribers.
inline constexpr std::uint8_t kSubscriberOpus = 111;
inline constexpr std::uint8_t kSubscriberVp8 = 96;
inline constexpr std::uint8_t kSubscriberVp8Rtx = 97;
inline constexpr std::uint8_t kSubscriberH264 = 102;
inline constexpr std::uint8_t kSubscriberH264Rtx = 103;
NegotiatedCodec subscriber_codec(Codec codec);

struct VideoHints {
  int start_kbps =
      0;  // x-google-start-bitrate, so that upper simulcast layers start (100ms-client-protocol.md §4.3)
};

// The formats of `offered` we receive, best first; empty when there is none.
std::vector<RtpFormat> answer_formats(const MediaSection& offered, const VideoHints& hints);
std::vector<ExtensionMap> answer_extensions(const MediaSection& offered);
// Our own offer to a subscriber.
std::vector<RtpFormat> subscriber_formats(SdpKind kind);
std::vector<ExtensionMap> subscriber_extensions(SdpKind kind);

Codec codec_of(const RtpFormat& format);
// Every media codec of the section with its RTX payload type.
std::vector<NegotiatedCodec> negotiated_codecs(const MediaSection& section);

}  // namespace rtc
