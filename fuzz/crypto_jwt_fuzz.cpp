// Tokens from strangers: nothing verifies but what was signed with the key, and nothing crashes.
#include <cstdlib>

#include "crypto/jwt.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view token(reinterpret_cast<const char*>(data), size);
  static const base::Secret key("a key that is not in the corpus");
  (void)crypto::peek_jwt_claims(token);
  if (crypto::verify_jwt(token, key)) std::abort();
  if (const auto claims = json::parse_object(token)) {
    const auto signed_token = crypto::sign_jwt(*claims, key);
    base::SeededRandom random(size);
    const auto for_browser = crypto::sign_browser_jwt(*claims, key, random);
    const std::string& text = for_browser.reveal();
    const auto payload = text.substr(text.find('.') + 1, text.rfind('.') - text.find('.') - 1);
    if (payload.find_first_of("-_") != std::string::npos) std::abort();
    // Larger tokens than a header line holds are refused by design.
    if (signed_token.reveal().size() <= 16 * 1024 && !crypto::verify_jwt(signed_token.reveal(), key))
      std::abort();
    if (text.size() <= 16 * 1024 && claims->size() < 1000 && !crypto::verify_jwt(text, key)) std::abort();
  }
  return 0;
}
