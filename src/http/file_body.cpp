#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/text.h"
#include "http/response_head.h"
#include "http/router_impl.h"

namespace http {
namespace {

// A list of entity tags names `etag`; weak comparison (RFC 9110 §13.1.2).
bool etag_matches(std::string_view list, std::string_view etag) {
  const auto opaque = [](std::string_view tag) { return tag.starts_with("W/") ? tag.substr(2) : tag; };
  for (std::string_view one : base::split(list, ',')) {
    one = base::trim(one);
    if (one == "*" || opaque(one) == opaque(etag)) return true;
  }
  return false;
}

struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
enum class RangeVerdict { kWhole, kPart, kUnsatisfiable };

// One range of bytes; several or a malformed one are answered with the whole (RFC 9110 §14.2 allows it).
RangeVerdict parse_range(std::string_view field, std::uint64_t size, Range& out) {
  if (!field.starts_with("bytes=")) return RangeVerdict::kWhole;
  field.remove_prefix(6);
  const std::size_t dash = field.find('-');
  if (dash == std::string_view::npos || field.find(',') != std::string_view::npos)
    return RangeVerdict::kWhole;
  const std::string_view from = base::trim(field.substr(0, dash));
  const std::string_view to = base::trim(field.substr(dash + 1));
  const auto first = base::parse_u64(from);
  const auto last = base::parse_u64(to);
  if (from.empty()) {
    if (!last) return RangeVerdict::kWhole;
    if (*last == 0 || size == 0) return RangeVerdict::kUnsatisfiable;
    out = {size - std::min(*last, size), size - 1};
    return RangeVerdict::kPart;
  }
  if (!first || (!to.empty() && (!last || *last < *first))) return RangeVerdict::kWhole;
  if (*first >= size) return RangeVerdict::kUnsatisfiable;
  out = {*first, last ? std::min(*last, size - 1) : size - 1};
  return RangeVerdict::kPart;
}

std::string to_hex_text(std::uint64_t v) {
  std::array<char, 24> out{};
  std::snprintf(out.data(), out.size(), "%llx", static_cast<unsigned long long>(v));
  return out.data();
}

std::string_view find_header(const Response& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (base::equals_ignore_case(key, name)) return value;
  return {};
}

}  // namespace

FileBody& FileBody::operator=(FileBody&& other) noexcept {
  std::swap(fd_, other.fd_);
  std::swap(offset_, other.offset_);
  std::swap(left_, other.left_);
  return *this;
}

FileBody::~FileBody() {
  if (fd_ >= 0) ::close(fd_);
}

std::optional<std::string> FileBody::read(std::size_t size) {
  std::string out(static_cast<std::size_t>(std::min<std::uint64_t>(size, left_)), '\0');
  if (out.empty()) return out;
  const ssize_t n = ::pread(fd_, out.data(), out.size(), static_cast<off_t>(offset_));
  if (n <= 0) return std::nullopt;
  out.resize(static_cast<std::size_t>(n));
  offset_ += out.size();
  left_ -= out.size();
  return out;
}

std::optional<FileBody> open_file(const Request& request, Response& response) {
  const int fd = ::open(response.file_path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  FileBody whole(fd, 0, 0);
  struct stat s{};
  if (fd < 0 || fstat(fd, &s) != 0 || !S_ISREG(s.st_mode)) {
    response = plain_error(404, "the file is not there", request.request_id);
    return std::nullopt;
  }
  const auto size = static_cast<std::uint64_t>(s.st_size);
  if (find_header(response, "etag").empty())
    response.set("etag", '"' +
                             to_hex_text(static_cast<std::uint64_t>(s.st_mtim.tv_sec) * 1'000'000'000ULL +
                                         static_cast<std::uint64_t>(s.st_mtim.tv_nsec)) +
                             '-' + to_hex_text(size) + '"');
  const std::string etag(find_header(response, "etag"));
  response.set("accept-ranges", "bytes");
  const bool reading = request.method == Method::kGet || request.method == Method::kHead;
  if (response.status != 200 || !reading) return FileBody(whole.release(), 0, size);
  if (const auto condition = request.header("if-none-match");
      !condition.empty() && etag_matches(condition, etag)) {
    response.status = 304;
    return std::nullopt;
  }
  const std::string_view if_range = request.header("if-range");
  const std::string_view range_field = request.header("range");
  Range range;
  if (request.method == Method::kGet && !range_field.empty() && (if_range.empty() || if_range == etag)) {
    switch (parse_range(range_field, size, range)) {
      case RangeVerdict::kWhole:
        break;
      case RangeVerdict::kUnsatisfiable:
        response.status = 416;
        response.set("content-range", "bytes */" + std::to_string(size));
        return std::nullopt;
      case RangeVerdict::kPart:
        response.status = 206;
        response.set("content-range", "bytes " + std::to_string(range.first) + '-' +
                                          std::to_string(range.last) + '/' + std::to_string(size));
        return FileBody(whole.release(), range.first, range.last - range.first + 1);
    }
  }
  return FileBody(whole.release(), 0, size);
}

}  // namespace http
