#include "base/text.h"
#include "rtc/sdp/sdp.h"

namespace rtc {
namespace {

void line(std::string& out, std::initializer_list<std::string_view> parts) {
  for (auto part : parts) out += part;
  out += "\r\n";
}

std::string join(const std::vector<std::string>& list, char separator) {
  std::string out;
  for (const auto& item : list) {
    if (!out.empty()) out += separator;
    out += item;
  }
  return out;
}

void write_transport(std::string& out, const MediaSection& m) {
  if (!m.ice_ufrag.empty()) line(out, {"a=ice-ufrag:", m.ice_ufrag});
  if (!m.ice_password.empty()) line(out, {"a=ice-pwd:", m.ice_password});
  if (!m.fingerprint.empty()) line(out, {"a=fingerprint:sha-256 ", m.fingerprint});
  if (!m.setup.empty()) line(out, {"a=setup:", m.setup});
  for (const auto& c : m.candidates) line(out, {"a=", c});
  if (m.end_of_candidates) line(out, {"a=end-of-candidates"});
}

void write_formats(std::string& out, const MediaSection& m) {
  for (const auto& f : m.formats) {
    const auto pt = std::to_string(f.payload_type);
    if (!f.codec.empty()) {
      const auto channels = f.channels > 1 ? "/" + std::to_string(f.channels) : std::string();
      line(out, {"a=rtpmap:", pt, " ", f.codec, "/", std::to_string(f.clock_rate), channels});
    }
    for (const auto& fb : f.feedback) line(out, {"a=rtcp-fb:", pt, " ", fb});
    if (!f.fmtp.empty()) line(out, {"a=fmtp:", pt, " ", f.fmtp});
  }
}

void write_streams(std::string& out, const MediaSection& m) {
  for (const auto& rid : m.send_rids) line(out, {"a=rid:", rid, " send"});
  for (const auto& rid : m.receive_rids) line(out, {"a=rid:", rid, " recv"});
  if (!m.simulcast_send.empty() || !m.simulcast_receive.empty()) {
    std::string value;
    if (!m.simulcast_send.empty()) value += "send " + join(m.simulcast_send, ';');
    if (!m.simulcast_receive.empty())
      value += (value.empty() ? "recv " : " recv ") + join(m.simulcast_receive, ';');
    line(out, {"a=simulcast:", value});
  }
  for (const auto& g : m.ssrc_groups) {
    std::string value = g.semantics;
    for (auto ssrc : g.ssrcs) value += " " + std::to_string(ssrc);
    line(out, {"a=ssrc-group:", value});
  }
  for (const auto& s : m.ssrcs) {
    line(out, {"a=ssrc:", std::to_string(s.ssrc), " ", s.name, s.value.empty() ? "" : ":", s.value});
  }
}

void write_section(std::string& out, const MediaSection& m) {
  std::string formats;
  for (const auto& f : m.formats) formats += " " + std::to_string(f.payload_type);
  if (m.formats.empty()) formats = " " + (m.format_list.empty() ? "0" : join(m.format_list, ' '));
  line(out, {"m=", m.kind_text, " ", std::to_string(m.port), " ", m.protocol, formats});
  line(out, {"c=IN IP4 0.0.0.0"});
  if (m.bandwidth_kbps > 0) line(out, {"b=AS:", std::to_string(m.bandwidth_kbps)});
  if (!m.mid.empty()) line(out, {"a=mid:", m.mid});
  write_transport(out, m);
  if (m.kind == SdpKind::kApplication) {
    if (m.sctp_port > 0) line(out, {"a=sctp-port:", std::to_string(m.sctp_port)});
    if (m.max_message_size > 0) line(out, {"a=max-message-size:", std::to_string(m.max_message_size)});
    return;
  }
  line(out, {"a=", direction_text(m.direction)});
  if (m.rtcp_mux) line(out, {"a=rtcp-mux"});
  if (m.rtcp_rsize) line(out, {"a=rtcp-rsize"});
  for (const auto& e : m.extensions) line(out, {"a=extmap:", std::to_string(e.id), " ", e.uri});
  if (!m.msid_track.empty()) line(out, {"a=msid:", m.msid_stream, " ", m.msid_track});
  write_formats(out, m);
  write_streams(out, m);
}

}  // namespace

std::string write_sdp(const SessionDescription& d) {
  std::string out;
  out.reserve(1024 + d.media.size() * 1024);
  line(out, {"v=0"});
  line(out, {"o=- ", std::to_string(d.session_id), " ", std::to_string(d.version), " IN IP4 127.0.0.1"});
  line(out, {"s=-"});
  line(out, {"t=0 0"});
  if (!d.bundle.empty()) line(out, {"a=group:BUNDLE ", join(d.bundle, ' ')});
  if (d.ice_lite) line(out, {"a=ice-lite"});
  line(out, {"a=msid-semantic: WMS *"});
  for (const auto& m : d.media) write_section(out, m);
  return out;
}

std::string_view direction_text(Direction direction) {
  switch (direction) {
    case Direction::kSendRecv:
      return "sendrecv";
    case Direction::kSendOnly:
      return "sendonly";
    case Direction::kRecvOnly:
      return "recvonly";
    case Direction::kInactive:
      break;
  }
  return "inactive";
}

std::string_view fmtp_value(std::string_view fmtp, std::string_view key) {
  for (auto part : base::split(fmtp, ';')) {
    part = base::trim(part);
    const auto equal = part.find('=');
    if (equal != std::string_view::npos && base::equals_ignore_case(part.substr(0, equal), key))
      return part.substr(equal + 1);
  }
  return {};
}

const RtpFormat* MediaSection::find_format(std::uint8_t payload_type) const {
  for (const auto& f : formats) {
    if (f.payload_type == payload_type) return &f;
  }
  return nullptr;
}

std::uint8_t MediaSection::find_extension(std::string_view uri) const {
  for (const auto& e : extensions) {
    if (e.uri == uri) return e.id;
  }
  return 0;
}

}  // namespace rtc
