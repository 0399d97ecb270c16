#include "provider/tokens.h"

#include "base/text.h"
#include "crypto/jwt.h"
#include "json/json.h"

namespace provider {
namespace {

constexpr std::int64_t kManagementLifetimeS = 24 * 3600;
constexpr std::int64_t kBackdateS = 10;  // absorbs clock skew
constexpr base::Duration kRefreshBefore = base::Duration::seconds(60);

json::Object claims(const std::string& app_id, std::string_view type, std::int64_t now_s,
                    std::int64_t lifetime_s) {
  json::Object out;
  out["access_key"] = app_id;
  out["type"] = type;
  out["version"] = 2;
  out["iat"] = now_s - kBackdateS;
  out["nbf"] = now_s - kBackdateS;
  out["exp"] = now_s + lifetime_s;
  return out;
}

bool is_user_id(std::string_view text) {
  return !text.empty() && text.size() <= 64 &&
         text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._:-") ==
             std::string_view::npos;
}

}  // namespace

base::Secret Tokens::mint_management(const base::Secret& key) {
  json::Object out = claims(app_id_, "management", clock_.wall().to_seconds(), kManagementLifetimeS);
  out["jti"] = random_.uuid();
  return crypto::sign_jwt(out, key);
}

base::Secret Tokens::management() {
  std::lock_guard lock(mutex_);
  const base::WallTime now = clock_.wall();
  if (cached_.empty() || now + kRefreshBefore >= cached_expires_) {
    cached_ = mint_management(app_secret_);
    cached_expires_ = now + base::Duration::seconds(kManagementLifetimeS);
  }
  return cached_;
}

void Tokens::forget_management() {
  std::lock_guard lock(mutex_);
  cached_ = base::Secret{};
}

base::Secret Tokens::wrongly_signed() {
  return mint_management(base::Secret("not-the-key." + random_.uuid()));
}

base::Result<base::Secret> Tokens::app(const AppToken& wanted) {
  if (!base::is_object_id(wanted.room_id))
    return base::fail("room_id_invalid", "a room id has 24 hexadecimal digits; this looks like a room name");
  if (!is_user_id(wanted.user_id))
    return base::fail("user_id_invalid", "a user id has 1 to 64 letters, digits or . _ : -");
  json::Object out = claims(app_id_, "app", clock_.wall().to_seconds(), wanted.lifetime.to_seconds());
  out["room_id"] = wanted.room_id;
  out["role"] = wanted.role;
  out["user_id"] = wanted.user_id;
  return crypto::sign_browser_jwt(std::move(out), app_secret_, random_);
}

}  // namespace provider
