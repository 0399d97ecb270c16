#include "engine/tokens.h"

#include "base/text.h"
#include "crypto/jwt.h"

namespace engine {

namespace {

constexpr std::int64_t kLeewaySeconds = 60;

tl::unexpected<base::Error> refuse(std::string detail) {
  return base::fail("token_invalid", std::move(detail));
}

// NumericDate may be written with a fraction (RFC 7519 §2).
std::optional<std::int64_t> seconds_of(const json::Object& claims, std::string_view name) {
  const auto* value = json::find(claims, name);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double() && value->get_double() > 0 && value->get_double() < 1e12)
    return static_cast<std::int64_t>(value->get_double());
  return std::nullopt;
}

}  // namespace

std::string_view Tokens::bearer(std::string_view authorization) {
  constexpr std::string_view kScheme = "bearer ";
  if (authorization.size() <= kScheme.size() ||
      !base::equals_ignore_case(authorization.substr(0, kScheme.size()), kScheme))
    return {};
  return base::trim(authorization.substr(kScheme.size()));
}

base::Result<VerifiedToken> Tokens::verify(std::string_view token, TokenType type,
                                           const Lookup& lookup) const {
  if (token.empty()) return base::fail("token_missing", "no bearer token");
  auto peeked = crypto::peek_jwt_claims(token);
  if (!peeked) return base::fail("token_missing", "not a JSON web token");
  auto workspace = lookup(std::string(json::text_or(*peeked, "access_key")));
  if (!workspace) return refuse("access key is unknown");
  auto claims = crypto::verify_jwt(token, workspace->secret);
  const auto& old_counts_until = workspace->previous_secret_until;
  if (!claims && old_counts_until && clock_.wall() < *old_counts_until)
    claims = crypto::verify_jwt(token, workspace->previous_secret);
  if (!claims)
    return refuse(claims.error().code == "token_algorithm" ? "algorithm must be HS256"
                                                           : "signature is invalid");

  if (json::int_or(*claims, "version", 0) != 2) return refuse("version must be 2");
  if (json::text_or(*claims, "type") != (type == TokenType::kApp ? "app" : "management")) {
    return refuse(type == TokenType::kApp ? "type must be app" : "type must be management");
  }
  if (json::text_or(*claims, "jti").empty()) return refuse("jti is missing");
  const auto issued = seconds_of(*claims, "iat");
  const auto expires = seconds_of(*claims, "exp");
  const std::int64_t now = clock_.wall().to_seconds();
  if (!issued) return refuse("iat is missing");
  if (!expires) return refuse("exp is missing");
  if (*expires <= now) return refuse("token is expired");
  if (*issued > now + kLeewaySeconds) return refuse("token is used before issued");
  if (json::find(*claims, "nbf")) {
    const auto not_before = seconds_of(*claims, "nbf");
    if (!not_before || *not_before > now + kLeewaySeconds) return refuse("token is not valid yet");
  }
  if (*expires > now + max_days_ * 86400LL + kLeewaySeconds || *expires - *issued > max_days_ * 86400LL) {
    return refuse("token is valid for more than " + std::to_string(max_days_) + " days");
  }

  VerifiedToken verified{std::move(workspace), {}, {}, {}};
  if (type == TokenType::kApp) {
    verified.room_id = std::string(json::text_or(*claims, "room_id"));
    verified.role = std::string(json::text_or(*claims, "role"));
    verified.user_id = std::string(json::text_or(*claims, "user_id"));
    if (verified.room_id.empty()) return refuse("room_id is missing");
  }
  return verified;
}

}  // namespace engine
