// 100ms tokens (100ms-server-api.md §1.2, §1.3). Management tokens are cached and replaced 60 s before they
// expire; app tokens are minted per request and never stored. Thread-safe.
#pragma once

#include <mutex>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/sensitive.h"

namespace provider {

struct AppToken {
  std::string room_id;
  std::string role;
  std::string user_id;  // [A-Za-z0-9._:-]
  base::Duration lifetime = base::Duration::seconds(3600);
};

class Tokens {
 public:
  Tokens(std::string app_id, base::Secret app_secret, const base::Clock& clock, base::Random& random)
      : app_id_(std::move(app_id)), app_secret_(std::move(app_secret)), clock_(clock), random_(random) {}

  base::Secret management();
  // The cached token was refused: the next management() mints another.
  void forget_management();
  // A management token signed with another key, to see whether the endpoint checks signatures at all.
  base::Secret wrongly_signed();
  // Errors: "room_id_invalid" (a room name where an id belongs), "user_id_invalid".
  base::Result<base::Secret> app(const AppToken& wanted);

 private:
  base::Secret mint_management(const base::Secret& key);

  const std::string app_id_;
  const base::Secret app_secret_;
  const base::Clock& clock_;
  base::Random& random_;

  std::mutex mutex_;
  base::Secret cached_;
  base::WallTime cached_expires_{};
};

}  // namespace provider
