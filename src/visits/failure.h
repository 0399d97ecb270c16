// How a use case fails: a code of visit-api.md §3.7 and what goes with it. No member may hold a secret or
// patient data.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "json/fields.h"

namespace visits {

struct Failure {
  std::string code;
  std::string detail;
  std::string remedy;  // empty: the table's
  std::string link;    // doctor check id of the broken link
  std::vector<json::FieldError> errors;
  json::Object extra;
  std::optional<int> retry_after_s;

  Failure(std::string_view c, std::string d) : code(c), detail(std::move(d)) {}
  // Database errors become "database_unavailable", "storage_full" or "internal_error"; other codes stay.
  Failure(const base::Error& error);
};

template <class T>
using Outcome = tl::expected<T, Failure>;

inline tl::unexpected<Failure> refuse(std::string_view code, std::string detail) {
  return tl::unexpected<Failure>(Failure(code, std::move(detail)));
}
inline tl::unexpected<Failure> refuse(Failure failure) {
  return tl::unexpected<Failure>(std::move(failure));
}

}  // namespace visits
