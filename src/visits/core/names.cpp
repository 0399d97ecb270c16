#include "visits/core/names.h"

#include "base/bytes.h"
#include "base/text.h"
#include "crypto/digest.h"

namespace visits {
namespace {

constexpr std::string_view kCodeAlphabet = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789";
constexpr std::string_view kBase32 = "abcdefghijklmnopqrstuvwxyz234567";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

}  // namespace

std::string new_code(base::Random& random) {
  return random.text(kCodeAlphabet, 10);
}
std::string new_room_name(base::Random& random) {
  return "telehealth-consultation." + random.text(kBase32, 26);
}
std::string new_provider_user_id(base::Random& random) {
  return "u-" + random.text(kBase32, 24);
}
base::Secret new_invite(base::Random& random) {
  return base::Secret("tvi_" + random.text(kBase64Url, 43));
}
std::string new_key_prefix(base::Random& random) {
  return random.text(kBase32, 8);
}
base::Secret new_key(base::Random& random, const std::string& prefix) {
  return base::Secret("tvk_" + prefix + "_" + random.text(kBase64Url, 43));
}
base::Secret new_ticket(base::Random& random) {
  return base::Secret("tvt_" + random.text(kBase64Url, 43));
}

storage::Blob secret_hash(std::string_view secret) {
  const crypto::Sha256Digest digest = crypto::sha256(base::as_bytes(secret));
  return {std::string(digest.begin(), digest.end())};
}

std::optional<std::string> normalise_code(std::string_view text) {
  std::string out;
  for (const char c : base::to_upper(text))
    if (c != ' ' && c != '-') out += c;
  if (out.size() < 6 || out.size() > 12) return std::nullopt;
  if (out.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789") != std::string::npos) return std::nullopt;
  return out;
}

bool is_fhir_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-") ==
             std::string_view::npos;
}

}  // namespace visits
