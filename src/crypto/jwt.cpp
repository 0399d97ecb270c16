#include "crypto/jwt.h"

#include "base/text.h"
#include "crypto/digest.h"

namespace crypto {

namespace {

// {"alg":"HS256","typ":"JWT"}
constexpr std::string_view kHeader = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9";
constexpr std::size_t kMaxToken = 16 * 1024;

struct Parts {
  std::string_view header, payload, signature, signed_text;
};

base::Result<Parts> split(std::string_view token) {
  const auto malformed = [] {
    return base::fail("token_malformed", "the token is not three base64url parts");
  };
  if (token.size() > kMaxToken) return malformed();
  const auto parts = base::split(token, '.');
  if (parts.size() != 3) return malformed();
  for (const auto part : parts) {
    // RFC 7515 §2: base64url without padding.
    if (part.empty() || part.find('=') != std::string_view::npos) return malformed();
  }
  return Parts{parts[0], parts[1], parts[2], token.substr(0, parts[0].size() + 1 + parts[1].size())};
}

base::Result<json::Object> decode(std::string_view part, const char* what) {
  const auto text = base::from_base64url(part);
  const auto malformed = [&] {
    return base::fail("token_malformed", std::string("the token's ") + what + " is not a JSON object");
  };
  if (!text) return malformed();
  auto object = json::parse_object(*text);
  if (!object) return malformed();
  return std::move(*object);
}

base::Secret sign_parts(std::string payload, const base::Secret& key) {
  std::string token(kHeader);
  token += '.';
  token += payload;
  const auto mac = hmac_sha256(base::as_bytes(key.reveal()), base::as_bytes(token));
  token += '.';
  token += base::to_base64url(mac);
  return base::Secret(std::move(token));
}

// Rewrites JSON text so that its base64url holds neither '-' nor '_'. Those are the sextets 62 and 63, which
// bytes below 0x80 make only by a '>', '?', '~' or DEL in the third place of a triple: a fresh "jti" of the
// same length could not move them away, an escape removes them. Such characters stand only inside JSON
// strings, and so does what is not ASCII.
std::string plain_base64_json(std::string_view text) {
  std::string out;
  const auto escape = [&out](std::uint32_t unit) {
    const std::uint8_t two[] = {static_cast<std::uint8_t>(unit >> 8), static_cast<std::uint8_t>(unit)};
    out += "\\u" + base::to_hex(two);
  };
  for (std::size_t i = 0; i < text.size();) {
    const auto first = static_cast<std::uint8_t>(text[i]);
    const std::size_t size = first < 0x80 ? 1u : first < 0xe0 ? 2u : first < 0xf0 ? 3u : 4u;
    std::uint32_t point = size == 1 ? first : first & (0xffu >> (size + 1));
    for (std::size_t k = 1; k < size && i + k < text.size(); ++k)
      point = point << 6 | (static_cast<std::uint8_t>(text[i + k]) & 0x3f);
    i += size;
    if (point >= 0x10000) {
      escape(0xd800 + ((point - 0x10000) >> 10));
      escape(0xdc00 + ((point - 0x10000) & 0x3ff));
    } else if (point >= 0x7e || point == '>' || point == '?') {
      escape(point);
    } else {
      out += static_cast<char>(point);
    }
  }
  return out;
}

std::string payload_of(const json::Object& claims) {
  return base::to_base64url(base::as_bytes(json::serialize(claims)));
}

}  // namespace

base::Secret sign_jwt(const json::Object& claims, const base::Secret& key) {
  return sign_parts(payload_of(claims), key);
}

base::Secret sign_browser_jwt(json::Object claims, const base::Secret& key, base::Random& random) {
  claims["jti"] = random.uuid();
  return sign_parts(base::to_base64url(base::as_bytes(plain_base64_json(json::serialize(claims)))), key);
}

base::Result<json::Object> peek_jwt_claims(std::string_view token) {
  const auto parts = split(token);
  if (!parts) return base::fail(parts.error());
  if (auto header = decode(parts->header, "header"); !header) return base::fail(std::move(header.error()));
  return decode(parts->payload, "payload");
}

base::Result<json::Object> verify_jwt(std::string_view token, const base::Secret& key) {
  const auto parts = split(token);
  if (!parts) return base::fail(parts.error());
  const auto header = decode(parts->header, "header");
  if (!header) return base::fail(header.error());
  // "crit" names extensions that must be understood (RFC 7515 §4.1.11); none is.
  if (json::text_or(*header, "alg") != "HS256" || header->contains("crit"))
    return base::fail("token_algorithm", "the token is not signed with HS256");
  const auto signature = base::from_base64url(parts->signature);
  if (!signature) return base::fail("token_malformed", "the token's signature is not base64url");
  const auto mac = hmac_sha256(base::as_bytes(key.reveal()), base::as_bytes(parts->signed_text));
  if (key.empty() || !equal_constant_time(base::as_bytes(*signature), mac))
    return base::fail("token_signature", "the token's signature does not fit");
  return decode(parts->payload, "payload");
}

}  // namespace crypto
