// Turns a Response into the bytes of its head (RFC 9112 §4, §5), and files into bodies with ranges and
// validators (RFC 9110 §13, §14).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/message.h"

namespace http {

enum class BodyFraming { kLength, kChunked, kUntilClose };

struct HeadOptions {
  int minor_version = 1;
  bool keep_alive = true;
  BodyFraming framing = BodyFraming::kLength;
  std::uint64_t content_length = 0;  // for kLength
  std::string_view request_id;
  std::string_view date;
};

// Adds date, x-request-id, nosniff, referrer-policy, connection and the framing. A header of the response
// that could split the head is left out and reported; the framing is never taken from the handler.
std::string response_head(const Response& response, const HeadOptions& options);

// "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 §5.6.7).
std::string http_date(base::WallTime time);

bool status_has_no_body(int status);  // 1xx, 204, 304

// An open file and the part of it to send.
class FileBody {
 public:
  FileBody() = default;
  FileBody(int fd, std::uint64_t offset, std::uint64_t length) : fd_(fd), offset_(offset), left_(length) {}
  FileBody(FileBody&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)), offset_(other.offset_), left_(other.left_) {}
  FileBody& operator=(FileBody&& other) noexcept;
  ~FileBody();

  int release() { return std::exchange(fd_, -1); }
  std::uint64_t left() const { return left_; }
  // Up to `size` more bytes; empty at the end, nullopt when the file could not be read or became shorter.
  std::optional<std::string> read(std::size_t size);

 private:
  int fd_ = -1;
  std::uint64_t offset_ = 0;
  std::uint64_t left_ = 0;
};

// For a response with file_path: opens it, answers conditions and Range by changing status and headers.
// nullopt: the response needs no body (304, 416) or became a 404.
std::optional<FileBody> open_file(const Request& request, Response& response);

}  // namespace http
