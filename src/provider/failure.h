// What can go wrong with a provider call, one code each (visit-api.md §6.4). Availability failures let the
// caller try the next provider; configuration failures must be shown as they are. Neither text holds a
// secret: vendor texts are redacted and cut at 300 characters.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace provider {

enum class FailureClass { kAvailability, kConfiguration };

struct Failure {
  FailureClass cls = FailureClass::kAvailability;
  std::string code;     // a code of visit-api.md §3.7
  std::string detail;   // one sentence for people
  std::string cause;    // "503", "timeout", "refused": what the log line shows
  int http_status = 0;  // 0: no status line was read
  std::optional<int> retry_after_s;
  // False when the provider certainly did nothing: it refused, or was never reached.
  bool may_have_acted = true;
};

template <class T>
using Result = tl::expected<T, Failure>;

// A vendor's words made fit to show: redacted, control characters escaped, at most 300 characters.
std::string shown_text(std::string_view vendor_text);

}  // namespace provider
