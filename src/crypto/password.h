// Password hashes: Argon2id (RFC 9106), 64 MiB, t=3, p=1, 16 bytes of salt, as PHC strings (visit-api.md
// §3.2). One call takes some 100 ms and 64 MiB: worker threads only. Any thread.
#pragma once

#include <string>
#include <string_view>

#include "base/random.h"
#include "base/sensitive.h"

namespace crypto {

// "$argon2id$v=19$m=65536,t=3,p=1$<salt>$<hash>".
std::string hash_password(const base::Secret& password, base::Random& random);

// Compares in constant time. False for a text that is not such a PHC string, or asks for more than 256 MiB or
// 16 passes.
bool verify_password(const base::Secret& password, std::string_view phc);

// True when `phc` was made with weaker parameters than hash_password() uses now: hash again at the next
// sign-in.
bool password_needs_rehash(std::string_view phc);

// A hash no password fits, for the path of an unknown user: verify against it, so that both take the same
// time.
const std::string& unmatchable_password_hash();

}  // namespace crypto
