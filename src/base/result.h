// Expected failures are values. An Error carries a stable code (what programs branch on) and a detail (what
// people read). Neither may hold a secret or patient data: both reach logs and replies.
#pragma once

#include <string>
#include <string_view>
#include <tl/expected.hpp>
#include <utility>

namespace base {

struct Error {
  std::string code;    // stable, snake_case; e.g. "json_invalid"
  std::string detail;  // one sentence for people
};

template <class T>
using Result = tl::expected<T, Error>;

// `return base::fail("not_found", "no such room");` from any function that returns a Result.
inline tl::unexpected<Error> fail(std::string_view code, std::string detail) {
  return tl::unexpected<Error>(Error{std::string(code), std::move(detail)});
}
inline tl::unexpected<Error> fail(Error error) {
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace base
