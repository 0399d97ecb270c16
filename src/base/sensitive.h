// Values that must not reach a log. There is no conversion to string, no stream operator and no formatter, so
// logging one does not compile; the reader has to write reveal(), which reviewers grep for.
#pragma once

#include <string>
#include <utility>

namespace base {

template <class Tag>
class Sensitive {
 public:
  Sensitive() = default;
  explicit Sensitive(std::string value) : value_(std::move(value)) {}
  const std::string& reveal() const { return value_; }
  bool empty() const { return value_.empty(); }
  friend bool operator==(const Sensitive&, const Sensitive&) = default;

 private:
  std::string value_;
};

using Secret = Sensitive<struct SecretTag>;        // keys, passwords, tokens
using PatientData = Sensitive<struct PatientTag>;  // names and anything else of a chart

}  // namespace base
