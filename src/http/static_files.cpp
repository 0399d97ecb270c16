#include <filesystem>

#include "base/text.h"
#include "http/response_head.h"
#include "http/router_impl.h"
#include "http/server.h"

namespace http {
namespace {

namespace fs = std::filesystem;

std::string_view type_of(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 23> kTypes{{
      {".html", "text/html; charset=utf-8"},
      {".js", "text/javascript; charset=utf-8"},
      {".mjs", "text/javascript; charset=utf-8"},
      {".css", "text/css; charset=utf-8"},
      {".json", "application/json"},
      {".map", "application/json"},
      {".webmanifest", "application/manifest+json"},
      {".svg", "image/svg+xml"},
      {".png", "image/png"},
      {".jpg", "image/jpeg"},
      {".jpeg", "image/jpeg"},
      {".webp", "image/webp"},
      {".gif", "image/gif"},
      {".ico", "image/x-icon"},
      {".woff2", "font/woff2"},
      {".woff", "font/woff"},
      {".wasm", "application/wasm"},
      {".txt", "text/plain; charset=utf-8"},
      {".md", "text/plain; charset=utf-8"},
      {".mp4", "video/mp4"},
      {".webm", "video/webm"},
      {".mp3", "audio/mpeg"},
      {".pdf", "application/pdf"},
  }};
  for (const auto& [suffix, type] : kTypes)
    if (name.ends_with(suffix)) return type;
  return "application/octet-stream";
}

// Bundlers put a hash of the content into the names below assets/: index-Bx1-_9aQ.js.
bool is_hashed(std::string_view path) {
  if (!path.starts_with("assets/") && path.find("/assets/") == std::string_view::npos) return false;
  const std::string_view name = path.substr(path.rfind('/') + 1);
  const std::size_t dot = name.find('.');
  const std::size_t dash = name.find('-');
  return dot != std::string_view::npos && dash != std::string_view::npos && dash < dot && dot - dash > 8;
}

// "gzip, br;q=0" accepts gzip only.
bool accepts(std::string_view list, std::string_view coding) {
  for (std::string_view one : base::split(list, ',')) {
    const std::size_t semicolon = one.find(';');
    if (!base::equals_ignore_case(base::trim(one.substr(0, semicolon)), coding)) continue;
    if (semicolon == std::string_view::npos) return true;
    const std::string_view weight = base::trim(one.substr(semicolon + 1));
    return weight.find_first_of("123456789") != std::string_view::npos;
  }
  return false;
}

// The escapes of a parameter are gone, so a segment may hold anything; nothing may climb, hide or end early.
bool is_plain_path(std::string_view path) {
  if (path.empty()) return true;
  for (std::string_view segment : base::split(path, '/')) {
    if (segment.empty() || (segment.starts_with('.') && segment != ".well-known")) return false;
    if (segment.find_first_of(std::string_view("\\\0", 2)) != std::string_view::npos) return false;
  }
  return true;
}

constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kTwins{
    {{"br", ".br"}, {"gzip", ".gz"}}};

class Folder {
 public:
  Folder(const std::string& folder, std::string fallback) : fallback_(std::move(fallback)) {
    std::error_code ignored;
    root_ = fs::weakly_canonical(folder, ignored);
  }

  Response serve(const Request& request) const {
    std::string path = request.params.empty()
                           ? request.path.substr(std::min<std::size_t>(1, request.path.size()))
                           : request.params.back().second;
    if (!is_plain_path(path)) return not_found(request);
    std::optional<fs::path> file = path.empty() ? std::nullopt : inside(path);
    if (!file) {
      const std::string_view last = std::string_view(path).substr(path.rfind('/') + 1);
      if (fallback_.empty() || last.find('.') != std::string_view::npos) return not_found(request);
      path = fallback_;
      file = inside(path);
      if (!file) return not_found(request);
    }
    Response response;
    response.set("content-type", std::string(type_of(path)));
    response.set("cache-control", is_hashed(path) ? "public, max-age=31536000, immutable" : "no-cache");
    response.set("vary", "accept-encoding");
    response.file_path = file->string();
    for (const auto& [coding, suffix] : kTwins) {
      if (!accepts(request.header("accept-encoding"), coding)) continue;
      const auto twin = inside(path + std::string(suffix));
      if (!twin) continue;
      response.set("content-encoding", std::string(coding));
      response.file_path = twin->string();
      break;
    }
    return response;
  }

 private:
  // The file, when it is one and lies below the root after all links.
  std::optional<fs::path> inside(const std::string& path) const {
    std::error_code error;
    fs::path file = fs::canonical(root_ / path, error);
    if (error || !fs::is_regular_file(file, error)) return std::nullopt;
    const auto [end, unused] = std::mismatch(root_.begin(), root_.end(), file.begin(), file.end());
    if (end != root_.end()) return std::nullopt;
    return file;
  }

  static Response not_found(const Request& request) {
    return plain_error(404, "no such file", request.request_id);
  }

  fs::path root_;
  std::string fallback_;
};

}  // namespace

Handler static_files(std::string folder, std::string fallback) {
  return [files = std::make_shared<const Folder>(folder, std::move(fallback))](const Request& request) {
    return files->serve(request);
  };
}

}  // namespace http
