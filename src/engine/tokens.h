// Management and app tokens (100ms-server-api.md §1.2, §1.3, §1.6). The secret's bytes are the key; clocks
// may differ by 60 s on nbf and iat, not on exp. Error: code "token_invalid" with the detail to show, or
// "token_missing" when there is none. No token text is ever part of an error.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "engine/workspaces.h"

namespace engine {

enum class TokenType { kManagement, kApp };

struct VerifiedToken {
  WorkspacePtr workspace;
  std::string room_id;  // app tokens; as claimed, its form unchecked
  std::string role;
  std::string user_id;
};

class Tokens {
 public:
  Tokens(const base::Clock& clock, int max_days) : clock_(clock), max_days_(max_days) {}

  using Lookup = std::function<WorkspacePtr(const std::string& access_key)>;
  base::Result<VerifiedToken> verify(std::string_view token, TokenType type, const Lookup& lookup) const;
  // The token of "Bearer …"; empty when the header is another.
  static std::string_view bearer(std::string_view authorization);

 private:
  const base::Clock& clock_;
  int max_days_;
};

}  // namespace engine
