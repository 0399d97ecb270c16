// Digests and MACs. Constant-time comparison for everything an attacker may vary.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/random.h"

namespace crypto {

using Sha256Digest = std::array<std::uint8_t, 32>;
using Sha1Digest = std::array<std::uint8_t, 20>;

Sha256Digest sha256(base::Bytes data);
Sha256Digest hmac_sha256(base::Bytes key, base::Bytes data);
Sha1Digest hmac_sha1(base::Bytes key, base::Bytes data);
bool equal_constant_time(base::Bytes a, base::Bytes b);

// The operating system's generator. Thread-safe.
class SystemRandom final : public base::Random {
 public:
  void fill(std::span<std::uint8_t> out) override;
};

}  // namespace crypto
