// Compact HS256 JSON web tokens (RFC 7515, 7519) as 100ms uses them (100ms-server-api.md §1). Only HS256 is
// accepted: any other "alg" is refused before a key is looked at. Comparison is constant-time. Tokens never
// enter a log or an error text.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sensitive.h"
#include "json/json.h"

namespace crypto {

// Signs `claims` as they are.
base::Secret sign_jwt(const json::Object& claims, const base::Secret& key);

// Signs with a fresh "jti" (UUID) and with a payload segment that has neither '-' nor '_': the 100ms web SDK
// decodes it with plain atob (100ms-client-protocol.md §1). '>', '?', '~' and what is not ASCII are written
// as \u escapes, which is enough.
base::Secret sign_browser_jwt(json::Object claims, const base::Secret& key, base::Random& random);

// Splits and decodes without verifying, to learn the access key. Errors: "token_malformed".
base::Result<json::Object> peek_jwt_claims(std::string_view token);

// Verifies the signature only; times and claims are the caller's. Errors: "token_malformed",
// "token_algorithm", "token_signature".
base::Result<json::Object> verify_jwt(std::string_view token, const base::Secret& key);

}  // namespace crypto
