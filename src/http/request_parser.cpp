#include "http/request_parser.h"

#include "base/text.h"
#include "http/uri.h"

namespace http {
namespace {

constexpr std::size_t kMaxMethod = 32;
constexpr std::size_t kMaxChunkLine = 256;  // size and extensions
constexpr std::size_t kMaxTrailer = 8 * 1024;

tl::unexpected<ParseError> bad(std::string detail, int status = 400) {
  return tl::unexpected<ParseError>(ParseError{status, std::move(detail)});
}

// RFC 9110 §5.6.2.
bool is_token(std::string_view text) {
  if (text.empty()) return false;
  for (char c : text) {
    const bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && std::string_view("!#$%&'*+-.^_`|~").find(c) == std::string_view::npos) return false;
  }
  return true;
}

bool is_field_value(std::string_view text) {
  for (char c : text) {
    const auto b = static_cast<unsigned char>(c);
    if ((b < 0x20 && c != '\t') || b == 0x7f) return false;
  }
  return true;
}

std::string_view trim_ows(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

tl::expected<Method, ParseError> parse_method(std::string_view name) {
  for (Method m : {Method::kGet, Method::kHead, Method::kPost, Method::kPut, Method::kPatch, Method::kDelete,
                   Method::kOptions})
    if (name == to_string(m)) return m;
  if (name == "TRACE" || name == "CONNECT") return bad("this method is not served", 405);
  if (is_token(name) && name.size() <= kMaxMethod) return bad("unknown method", 501);
  return bad("malformed method");
}

std::optional<ParseError> parse_request_line(std::string_view line, const HeadLimits& limits,
                                             RequestHead& head) {
  const std::size_t first = line.find(' ');
  const std::size_t last = line.rfind(' ');
  if (first == std::string_view::npos || first == last) return ParseError{400, "malformed request line"};
  const std::string_view version = line.substr(last + 1);
  if (version != "HTTP/1.1" && version != "HTTP/1.0")
    return ParseError{400, "malformed or unsupported HTTP version"};
  head.minor_version = version.back() - '0';
  const std::string_view target = line.substr(first + 1, last - first - 1);
  if (target.size() > limits.target) return ParseError{414, "the request target is longer than 8 KiB"};
  if (target.empty() || target.find(' ') != std::string_view::npos)
    return ParseError{400, "malformed request line"};
  auto method = parse_method(line.substr(0, first));
  if (!method) return method.error();
  head.method = *method;
  head.target = std::string(target);
  return std::nullopt;
}

// The fields that decide where the request ends and what happens to the connection.
struct Framing {
  int hosts = 0;
  int lengths = 0;
  int encodings = 0;
  std::string_view length;
  std::string_view encoding;
  bool close = false;
  bool keep_alive = false;
  bool upgrade = false;
  std::string_view upgrade_to;
};

std::optional<ParseError> note_field(const std::string& name, std::string_view value, RequestHead& head,
                                     Framing& f) {
  if (name == "host") {
    ++f.hosts;
    head.host = std::string(value);
  } else if (name == "content-length") {
    ++f.lengths;
    f.length = value;
  } else if (name == "transfer-encoding") {
    ++f.encodings;
    f.encoding = value;
  } else if (name == "connection") {
    f.close = f.close || contains_token(value, "close");
    f.keep_alive = f.keep_alive || contains_token(value, "keep-alive");
    f.upgrade = f.upgrade || contains_token(value, "upgrade");
  } else if (name == "upgrade") {
    f.upgrade_to = value;
  } else if (name == "expect") {
    if (!base::equals_ignore_case(value, "100-continue")) return ParseError{417, "unknown expectation"};
    head.expect_continue = true;
  }
  return std::nullopt;
}

std::optional<ParseError> apply_framing(const Framing& f, RequestHead& head) {
  if (f.hosts > 1 || (f.hosts == 0 && head.minor_version == 1))
    return ParseError{400, "exactly one Host field is needed"};
  if (f.hosts == 1 && !is_valid_host(head.host)) return ParseError{400, "malformed Host field"};
  if (f.lengths > 1) return ParseError{400, "more than one Content-Length"};
  if (f.lengths > 0 && f.encodings > 0) return ParseError{400, "both Content-Length and Transfer-Encoding"};
  if (f.lengths == 1) {
    const auto length = base::parse_u64(f.length);
    if (!length || *length > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return ParseError{400, "malformed Content-Length"};
    head.content_length = *length;
  }
  if (f.encodings > 0) {
    if (f.encodings > 1 || head.minor_version == 0 || !base::equals_ignore_case(f.encoding, "chunked"))
      return ParseError{400, "only Transfer-Encoding: chunked is understood"};
    head.chunked = true;
  }
  head.keep_alive = head.minor_version == 1 ? !f.close : f.keep_alive && !f.close;
  if (head.minor_version == 0) head.expect_continue = false;
  if (f.upgrade && contains_token(f.upgrade_to, "h2c")) return ParseError{501, "HTTP/2 is not served"};
  head.upgrade_websocket = head.minor_version == 1 && f.upgrade && contains_token(f.upgrade_to, "websocket");
  return std::nullopt;
}

}  // namespace

bool contains_token(std::string_view list, std::string_view token) {
  while (!list.empty()) {
    const std::size_t comma = list.find(',');
    if (base::equals_ignore_case(trim_ows(list.substr(0, comma)), token)) return true;
    if (comma == std::string_view::npos) break;
    list.remove_prefix(comma + 1);
  }
  return false;
}

tl::expected<bool, ParseError> HeadScanner::end_line(std::size_t line_length) {
  if (line_length == 0) {
    if (lines_ > 0) return true;
    // One empty line before a request is skipped (RFC 9112 §2.2).
    if (skipped_empty_line_) return bad("empty lines before the request line");
    skipped_empty_line_ = true;
    return false;
  }
  ++lines_;
  if (lines_ == 1) headers_start_ = at_;
  if (lines_ > limits_.header_fields + 1) return bad("too many header fields", 431);
  return false;
}

tl::expected<std::size_t, ParseError> HeadScanner::scan(std::string_view buffer) {
  for (; at_ < buffer.size(); ++at_) {
    const char c = buffer[at_];
    const auto b = static_cast<unsigned char>(c);
    const bool after_cr = at_ > line_start_ && buffer[at_ - 1] == '\r';
    if (c == '\n') {
      if (!after_cr) return bad("bare LF");
      auto end = end_line(at_ - line_start_ - 1);
      if (!end) return tl::unexpected<ParseError>(end.error());
      line_start_ = at_ + 1;
      if (*end) return at_ + 1;
      continue;
    }
    if (after_cr) return bad("bare CR");
    if ((b < 0x20 && c != '\r' && c != '\t') || b == 0x7f) return bad("control character in the head");
    if (lines_ == 0) {
      if (at_ - line_start_ > limits_.target + kMaxMethod + 16)
        return bad("the request target is longer than 8 KiB", 414);
    } else if (at_ - headers_start_ > limits_.header_bytes) {
      return bad("the header fields are larger than 32 KiB", 431);
    }
  }
  return 0;
}

tl::expected<RequestHead, ParseError> parse_head(std::string_view head_text, const HeadLimits& limits) {
  RequestHead head;
  Framing framing;
  if (head_text.starts_with("\r\n")) head_text.remove_prefix(2);
  bool first = true;
  while (!head_text.empty()) {
    const std::size_t end = head_text.find("\r\n");
    if (end == std::string_view::npos) return bad("malformed head");
    const std::string_view line = head_text.substr(0, end);
    head_text.remove_prefix(end + 2);
    if (first) {
      if (auto error = parse_request_line(line, limits, head)) return tl::unexpected<ParseError>(*error);
      first = false;
      continue;
    }
    if (line.empty()) break;
    const std::size_t colon = line.find(':');
    // Folded lines start with a blank, and a blank before the colon is no token either.
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon)))
      return bad("malformed header field");
    const std::string_view value = trim_ows(line.substr(colon + 1));
    if (!is_field_value(value)) return bad("malformed header field");
    head.headers.emplace_back(base::to_lower(line.substr(0, colon)), std::string(value));
    if (auto error = note_field(head.headers.back().first, value, head, framing))
      return tl::unexpected<ParseError>(*error);
  }
  if (first) return bad("malformed head");
  if (auto error = apply_framing(framing, head)) return tl::unexpected<ParseError>(*error);
  return head;
}

BodyReader::BodyReader(const RequestHead& head, std::size_t limit)
    : left_(head.content_length), limit_(limit) {
  if (head.chunked) {
    state_ = State::kChunkSize;
  } else {
    state_ = left_ == 0 ? State::kDone : State::kLength;
  }
}

std::optional<ParseError> BodyReader::chunk_size(std::string_view line) {
  const std::string_view digits = trim_ows(line.substr(0, line.find(';')));
  // Eight hex digits are more than any limit here; more could overflow someone's counter.
  if (digits.empty() || digits.size() > 8) return ParseError{400, "malformed chunk size"};
  std::uint64_t size = 0;
  for (char c : digits) {
    const bool digit = c >= '0' && c <= '9';
    const char lower = static_cast<char>(c | 0x20);
    if (!digit && (lower < 'a' || lower > 'f')) return ParseError{400, "malformed chunk size"};
    size = size * 16 + static_cast<std::uint64_t>(digit ? c - '0' : lower - 'a' + 10);
  }
  if (size > limit_ - taken_) return ParseError{413, "the body is larger than allowed"};
  left_ = size;
  state_ = size == 0 ? State::kTrailer : State::kChunkData;
  return std::nullopt;
}

std::optional<ParseError> BodyReader::end_of_line() {
  line_.pop_back();
  if (!line_.ends_with('\r')) return ParseError{400, "bare LF in the chunked body"};
  line_.pop_back();
  if (!is_field_value(line_)) return ParseError{400, "control character in the chunked body"};
  std::optional<ParseError> error;
  switch (state_) {
    case State::kChunkSize:
      error = chunk_size(line_);
      break;
    case State::kChunkEnd:
      if (!line_.empty()) error = ParseError{400, "chunk longer than its size"};
      state_ = State::kChunkSize;
      break;
    case State::kTrailer:
      if (line_.empty()) {
        state_ = State::kDone;
      } else if (line_.find(':') == std::string::npos ||
                 !is_token(std::string_view(line_).substr(0, line_.find(':')))) {
        error = ParseError{400, "malformed trailer field"};
      }
      break;
    default:
      break;
  }
  line_.clear();
  return error;
}

tl::expected<std::size_t, ParseError> BodyReader::feed(std::string_view input, std::string& body) {
  std::size_t used = 0;
  while (used < input.size() && !done()) {
    if (state_ == State::kLength || state_ == State::kChunkData) {
      const std::size_t n = static_cast<std::size_t>(std::min<std::uint64_t>(left_, input.size() - used));
      if (n > limit_ - taken_) return bad("the body is larger than allowed", 413);
      body.append(input.substr(used, n));
      used += n;
      taken_ += n;
      left_ -= n;
      if (left_ == 0) state_ = state_ == State::kLength ? State::kDone : State::kChunkEnd;
      continue;
    }
    const char c = input[used++];
    line_ += c;
    if (state_ == State::kTrailer && ++trailer_bytes_ > kMaxTrailer)
      return bad("the trailer is too large", 431);
    if (line_.size() > (state_ == State::kTrailer ? kMaxTrailer : kMaxChunkLine))
      return bad("chunk line too long");
    if (c != '\n') continue;
    if (auto error = end_of_line()) return tl::unexpected<ParseError>(*error);
  }
  return used;
}

}  // namespace http
