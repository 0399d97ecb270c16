// Requests at every split: the parser must not depend on how bytes were cut, and must never read a second
// request out of a body.
#include <cstdlib>

#include "http/request_parser.h"
#include "http/uri.h"

namespace {

struct Outcome {
  int status = 0;
  std::size_t consumed = 0;
  std::string body;
  bool complete = false;
  bool operator==(const Outcome&) const = default;
};

Outcome parse(std::string_view input, std::size_t step) {
  Outcome out;
  const http::HeadLimits limits;
  http::HeadScanner scanner(limits);
  std::size_t head_size = 0;
  for (std::size_t n = step; head_size == 0; n += step) {
    const auto found = scanner.scan(input.substr(0, std::min(n, input.size())));
    if (!found) {
      out.status = found.error().status;
      return out;
    }
    head_size = *found;
    if (n >= input.size()) break;
  }
  if (head_size == 0) return out;
  const auto head = http::parse_head(input.substr(0, head_size), limits);
  if (!head) {
    out.status = head.error().status;
    return out;
  }
  if (const auto target = http::parse_target(head->target)) {
    http::split_path(target->path);
    http::parse_query(target->query);
  }
  http::BodyReader body(*head, 64 * 1024);
  out.consumed = head_size;
  while (!body.done() && out.consumed < input.size()) {
    const auto used = body.feed(input.substr(out.consumed, step), out.body);
    if (!used) {
      out.status = used.error().status;
      out.body.clear();
      out.consumed = 0;
      return out;
    }
    out.consumed += *used;
  }
  out.complete = body.done();
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  const Outcome whole = parse(input, size == 0 ? 1 : size);
  for (std::size_t step : {1U, 3U, 17U})
    if (parse(input, step) != whole) std::abort();
  return 0;
}
