// Session descriptions as values: a tolerant, bounded parser and a writer (RFC 8866, 8829, 9143; rid and
// simulcast RFC 8851, 8853; ICE RFC 8839; SCTP RFC 8841). Pure functions, any thread. Unknown lines are
// skipped; what exceeds a limit fails as "sdp_invalid". The detail never quotes the input.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace rtc {

enum class SdpKind { kAudio, kVideo, kApplication, kOther };
enum class Direction { kSendRecv, kSendOnly, kRecvOnly, kInactive };

// One payload type of an m-line: a=rtpmap, a=fmtp and a=rtcp-fb together.
struct RtpFormat {
  std::uint8_t payload_type = 0;
  std::string codec;  // as written: "opus", "VP8", "rtx"
  std::uint32_t clock_rate = 0;
  int channels = 1;
  std::string fmtp;
  std::vector<std::string> feedback;  // "nack", "nack pli", "transport-cc" …
};

struct ExtensionMap {
  std::uint8_t id = 0;
  std::string uri;
};

struct SsrcAttribute {
  std::uint32_t ssrc = 0;
  std::string name;  // "cname", "msid"
  std::string value;
};

struct SsrcGroup {
  std::string semantics;  // "FID", "SIM"
  std::vector<std::uint32_t> ssrcs;
};

struct MediaSection {
  SdpKind kind = SdpKind::kOther;
  std::string kind_text;   // the first word of m=, kept so that an unknown kind can be refused in kind
  std::uint16_t port = 9;  // 0 = rejected
  std::string protocol = "UDP/TLS/RTP/SAVPF";
  std::vector<std::string>
      format_list;  // of m=, as written; the writer uses `formats` instead when there are some
  std::string mid;
  Direction direction = Direction::kSendRecv;
  std::vector<RtpFormat> formats;
  std::vector<ExtensionMap> extensions;
  bool extmap_allow_mixed = false;
  std::string msid_stream;
  std::string msid_track;
  std::vector<std::string> send_rids;     // a=rid:<id> send
  std::vector<std::string> receive_rids;  // a=rid:<id> recv
  std::vector<std::string>
      simulcast_send;  // a=simulcast, first alternative of each entry, '~' (paused) removed
  std::vector<std::string> simulcast_receive;
  std::vector<SsrcAttribute> ssrcs;
  std::vector<SsrcGroup> ssrc_groups;
  bool rtcp_mux = false;
  bool rtcp_rsize = false;
  int sctp_port = 0;
  std::uint32_t max_message_size = 0;
  int bandwidth_kbps = 0;  // b=AS

  // At media level, or inherited from the session level by the parser.
  std::string ice_ufrag;
  std::string ice_password;
  std::string fingerprint;  // the value after "sha-256 "; other hashes are ignored
  std::string setup;
  std::vector<std::string> candidates;  // without "a="
  bool end_of_candidates = false;

  const RtpFormat* find_format(std::uint8_t payload_type) const;
  std::uint8_t find_extension(std::string_view uri) const;  // 0 = not mapped
};

struct SessionDescription {
  std::uint64_t session_id = 0;
  std::uint64_t version = 0;
  std::vector<std::string> bundle;  // mids of the first BUNDLE group
  bool ice_lite = false;
  std::vector<MediaSection> media;
};

inline constexpr std::size_t kMaxSdpBytes = 512 * 1024;
inline constexpr std::size_t kMaxSdpMedia = 256;

base::Result<SessionDescription> parse_sdp(std::string_view text);
std::string write_sdp(const SessionDescription& description);

std::string_view direction_text(Direction direction);

// Value of `key` in a format's "a=1;b=2" parameters; empty when absent.
std::string_view fmtp_value(std::string_view fmtp, std::string_view key);

}  // namespace rtc
