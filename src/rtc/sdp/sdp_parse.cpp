#include <array>
#include <limits>
#include <optional>

#include "base/text.h"
#include "rtc/sdp/sdp.h"

namespace rtc {
namespace {

// Bounds per m-line: well above what browsers write, low enough that a description stays small in memory.
constexpr std::size_t kMaxPerSection = 256;
constexpr std::size_t kMaxLine = 8 * 1024;

std::string_view take_word(std::string_view& text, char separator = ' ') {
  const auto at = text.find(separator);
  const auto word = text.substr(0, at);
  text = at == std::string_view::npos ? std::string_view{} : text.substr(at + 1);
  return word;
}

template <class T>
std::optional<T> number(std::string_view text) {
  const auto n = base::parse_u64(text);
  if (!n || *n > std::numeric_limits<T>::max()) return std::nullopt;
  return static_cast<T>(*n);
}

template <class T>
bool push(std::vector<T>& list, T value) {
  if (list.size() >= kMaxPerSection) return false;
  list.push_back(std::move(value));
  return true;
}

SdpKind kind_of(std::string_view word) {
  if (word == "audio") return SdpKind::kAudio;
  if (word == "video") return SdpKind::kVideo;
  if (word == "application") return SdpKind::kApplication;
  return SdpKind::kOther;
}

RtpFormat* format_of(MediaSection& m, std::uint8_t payload_type) {
  for (auto& f : m.formats) {
    if (f.payload_type == payload_type) return &f;
  }
  return nullptr;
}

// m=<media> <port>[/<count>] <proto> <fmt> …
bool parse_media_line(std::string_view line, MediaSection& m) {
  const auto media = take_word(line);
  auto port_text = take_word(line);
  const auto port = number<std::uint16_t>(take_word(port_text, '/'));
  m.kind = kind_of(media);
  m.kind_text = media;
  m.protocol = take_word(line);
  if (media.empty() || !port || m.protocol.empty()) return false;
  m.port = *port;
  const bool rtp = m.kind == SdpKind::kAudio || m.kind == SdpKind::kVideo;
  while (!line.empty()) {
    const auto word = take_word(line);
    if (word.empty()) continue;
    if (!push(m.format_list, std::string(word))) return false;
    if (!rtp) continue;
    const auto pt = number<std::uint8_t>(word);
    if (!pt || *pt > 127) return false;
    if (!format_of(m, *pt))
      m.formats.push_back({.payload_type = *pt, .codec = {}, .fmtp = {}, .feedback = {}});
  }
  return true;
}

// a=rtpmap:<pt> <codec>/<clock>[/<channels>]
void parse_rtpmap(std::string_view value, MediaSection& m) {
  const auto pt = number<std::uint8_t>(take_word(value));
  auto* format = pt ? format_of(m, *pt) : nullptr;
  if (!format) return;
  format->codec = take_word(value, '/');
  format->clock_rate = number<std::uint32_t>(take_word(value, '/')).value_or(0);
  format->channels = number<std::uint8_t>(base::trim(value)).value_or(1);
}

bool parse_feedback(std::string_view value, MediaSection& m) {
  const auto word = take_word(value);
  if (word == "*") {
    for (auto& f : m.formats) {
      if (!push(f.feedback, std::string(value))) return false;
    }
    return true;
  }
  const auto pt = number<std::uint8_t>(word);
  auto* format = pt ? format_of(m, *pt) : nullptr;
  return !format || push(format->feedback, std::string(value));
}

// a=simulcast:send f;h;q [recv …]; alternatives "a,b" keep the first.
bool parse_simulcast(std::string_view value, MediaSection& m) {
  while (!value.empty()) {
    const auto direction = take_word(value);
    auto list = take_word(value);
    auto& out = direction == "send" ? m.simulcast_send : m.simulcast_receive;
    if (direction != "send" && direction != "recv") return true;
    while (!list.empty()) {
      auto entry = take_word(list, ';');
      auto rid = take_word(entry, ',');
      if (rid.starts_with('~')) rid.remove_prefix(1);
      if (!rid.empty() && !push(out, std::string(rid))) return false;
    }
  }
  return true;
}

bool parse_ssrc(std::string_view value, MediaSection& m) {
  const auto ssrc = number<std::uint32_t>(take_word(value));
  if (!ssrc) return true;
  const auto name = take_word(value, ':');
  return push(m.ssrcs, SsrcAttribute{*ssrc, std::string(name), std::string(value)});
}

bool parse_ssrc_group(std::string_view value, MediaSection& m) {
  SsrcGroup group;
  group.semantics = take_word(value);
  while (!value.empty()) {
    const auto ssrc = number<std::uint32_t>(take_word(value));
    if (ssrc && !push(group.ssrcs, *ssrc)) return false;
  }
  return push(m.ssrc_groups, std::move(group));
}

// Attributes allowed at session and media level alike; true when `name` was one.
bool parse_transport(std::string_view name, std::string_view value, MediaSection& m) {
  if (name == "ice-ufrag") {
    m.ice_ufrag = base::trim(value);
  } else if (name == "ice-pwd") {
    m.ice_password = base::trim(value);
  } else if (name == "setup") {
    m.setup = base::trim(value);
  } else if (name == "extmap-allow-mixed") {
    m.extmap_allow_mixed = true;
  } else if (name == "fingerprint") {
    const auto hash = take_word(value);
    if (base::equals_ignore_case(hash, "sha-256")) m.fingerprint = base::trim(value);
  } else if (name == "sendrecv") {
    m.direction = Direction::kSendRecv;
  } else if (name == "sendonly") {
    m.direction = Direction::kSendOnly;
  } else if (name == "recvonly") {
    m.direction = Direction::kRecvOnly;
  } else if (name == "inactive") {
    m.direction = Direction::kInactive;
  } else {
    return false;
  }
  return true;
}

bool parse_extmap(std::string_view value, MediaSection& m) {
  auto id_text = take_word(value);
  const auto id = number<std::uint8_t>(take_word(id_text, '/'));
  const auto uri = take_word(value);
  if (!id || *id == 0 || uri.empty()) return true;
  return push(m.extensions, ExtensionMap{*id, std::string(uri)});
}

bool parse_rid(std::string_view value, MediaSection& m) {
  const auto id = take_word(value);
  const auto direction = take_word(value);
  if (id.empty() || id.size() > 16) return true;
  return push(direction == "recv" ? m.receive_rids : m.send_rids, std::string(id));
}

bool parse_media_attribute(std::string_view name, std::string_view value, MediaSection& m) {
  if (parse_transport(name, value, m)) return true;
  if (name == "mid") {
    m.mid = base::trim(value);
    return m.mid.size() <= 64;
  }
  if (name == "rtpmap") {
    parse_rtpmap(value, m);
  } else if (name == "fmtp") {
    const auto pt = number<std::uint8_t>(take_word(value));
    if (auto* format = pt ? format_of(m, *pt) : nullptr) format->fmtp = base::trim(value);
  } else if (name == "rtcp-fb") {
    return parse_feedback(value, m);
  } else if (name == "extmap") {
    return parse_extmap(value, m);
  } else if (name == "msid") {
    m.msid_stream = take_word(value);
    m.msid_track = take_word(value);
  } else if (name == "rid") {
    return parse_rid(value, m);
  } else if (name == "simulcast") {
    return parse_simulcast(value, m);
  } else if (name == "ssrc") {
    return parse_ssrc(value, m);
  } else if (name == "ssrc-group") {
    return parse_ssrc_group(value, m);
  } else if (name == "rtcp-mux") {
    m.rtcp_mux = true;
  } else if (name == "rtcp-rsize") {
    m.rtcp_rsize = true;
  } else if (name == "sctp-port") {
    m.sctp_port = number<std::uint16_t>(base::trim(value)).value_or(0);
  } else if (name == "max-message-size") {
    m.max_message_size = number<std::uint32_t>(base::trim(value)).value_or(0);
  } else if (name == "candidate") {
    return push(m.candidates, "candidate:" + std::string(value));
  } else if (name == "end-of-candidates") {
    m.end_of_candidates = true;
  }
  return true;
}

bool parse_session_attribute(std::string_view name, std::string_view value, SessionDescription& d,
                             MediaSection& defaults) {
  if (name == "group") {
    if (take_word(value) != "BUNDLE" || !d.bundle.empty()) return true;
    while (!value.empty()) {
      const auto mid = base::trim(take_word(value));
      if (!mid.empty() && !push(d.bundle, std::string(mid))) return false;
    }
    return true;
  }
  if (name == "ice-lite") {
    d.ice_lite = true;
    return true;
  }
  parse_transport(name, value, defaults);
  return true;
}

bool parse_line(std::string_view line, SessionDescription& d, MediaSection& defaults) {
  if (line.size() < 2 || line[1] != '=') return true;
  const char type = line[0];
  auto value = line.substr(2);
  if (type == 'm') {
    if (d.media.size() >= kMaxSdpMedia) return false;
    auto section = defaults;
    if (!parse_media_line(value, section)) return false;
    d.media.push_back(std::move(section));
    return true;
  }
  if (type == 'o') {
    take_word(value);
    d.session_id = number<std::uint64_t>(take_word(value)).value_or(0);
    d.version = number<std::uint64_t>(take_word(value)).value_or(0);
    return true;
  }
  if (type == 'b' && !d.media.empty() && take_word(value, ':') == "AS") {
    d.media.back().bandwidth_kbps = static_cast<int>(number<std::uint16_t>(base::trim(value)).value_or(0));
    return true;
  }
  if (type != 'a') return true;
  const auto name = take_word(value, ':');
  if (d.media.empty()) return parse_session_attribute(name, value, d, defaults);
  return parse_media_attribute(name, value, d.media.back());
}

}  // namespace

base::Result<SessionDescription> parse_sdp(std::string_view text) {
  if (text.size() > kMaxSdpBytes) return base::fail("sdp_invalid", "The session description is too long.");
  if (!text.starts_with("v=0")) return base::fail("sdp_invalid", "A session description starts with v=0.");
  SessionDescription description;
  MediaSection defaults;
  std::size_t number_of_line = 0;
  while (!text.empty()) {
    auto line = take_word(text, '\n');
    if (line.ends_with('\r')) line.remove_suffix(1);
    ++number_of_line;
    if (line.size() > kMaxLine || !parse_line(line, description, defaults)) {
      return base::fail("sdp_invalid", "Line " + std::to_string(number_of_line) +
                                           " of the session description is malformed or over a limit.");
    }
  }
  return description;
}

}  // namespace rtc
