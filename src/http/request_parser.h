// HTTP/1.1 requests, sans-IO (RFC 9112 §2-7): bytes in, a head and body bytes out. Strict where leniency lets
// two parties disagree about where a request ends (visit-api.md §12.1): lines end in CRLF, one Host, one
// Content-Length of digits or "Transfer-Encoding: chunked" alone. Not thread-safe. After an error the
// connection must be closed.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "http/message.h"

namespace http {

struct HeadLimits {
  std::size_t target = 8 * 1024;
  std::size_t header_bytes = 32 * 1024;  // without the request line
  std::size_t header_fields = 100;
};

struct ParseError {
  int status = 400;
  std::string detail;
};

struct RequestHead {
  Method method = Method::kGet;
  std::string target;
  int minor_version = 1;        // HTTP/1.<minor>
  std::vector<Header> headers;  // names lower-case, values trimmed
  std::string host;
  std::uint64_t content_length = 0;
  bool chunked = false;
  bool keep_alive = true;
  bool expect_continue = false;
  bool upgrade_websocket = false;  // Connection has "upgrade" and Upgrade names websocket
};

// Finds the end of a head in a growing buffer; looks at each byte once.
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

  // `buffer` is everything received since the last reset(). Returns the head's length with its empty line, 0
  // for "more", or an error.
  tl::expected<std::size_t, ParseError> scan(std::string_view buffer);
  void reset() { *this = HeadScanner(limits_); }

 private:
  tl::expected<bool, ParseError> end_line(std::size_t line_length);

  HeadLimits limits_;
  std::size_t at_ = 0;
  std::size_t line_start_ = 0;
  std::size_t headers_start_ = 0;
  std::size_t lines_ = 0;
  bool skipped_empty_line_ = false;
};

// `head` is what HeadScanner delimited.
tl::expected<RequestHead, ParseError> parse_head(std::string_view head, const HeadLimits& limits);

// Takes a body apart as it arrives.
class BodyReader {
 public:
  BodyReader() = default;
  BodyReader(const RequestHead& head, std::size_t limit);

  // Consumes from the front of `input` and appends body bytes to `body`. Returns how much was consumed;
  // done() tells the end. Errors: 400 for bad chunking, 413 beyond the limit.
  tl::expected<std::size_t, ParseError> feed(std::string_view input, std::string& body);
  bool done() const { return state_ == State::kDone; }

 private:
  enum class State { kLength, kChunkSize, kChunkData, kChunkEnd, kTrailer, kDone };
  std::optional<ParseError> end_of_line();
  std::optional<ParseError> chunk_size(std::string_view line);

  State state_ = State::kDone;
  std::uint64_t left_ = 0;  // bytes of the body or chunk still to come
  std::size_t limit_ = 0;
  std::size_t taken_ = 0;
  std::string line_;  // a chunk-size or trailer line so far
  std::size_t trailer_bytes_ = 0;
};

// Comma-separated tokens of a field, compared without case: contains_token("keep-alive, Upgrade", "upgrade").
bool contains_token(std::string_view list, std::string_view token);

}  // namespace http
