#include "rtc/ice/stun.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>

namespace rtc {
namespace {

constexpr std::uint32_t kCookie = 0x2112A442;
constexpr std::size_t kHeader = 20;
constexpr std::uint32_t kFingerprintXor = 0x5354554e;
constexpr std::size_t kIntegritySize = 20;
constexpr std::size_t kMaxUsername = 513;

enum Attribute : std::uint16_t {
  kMappedAddress = 0x0001,
  kUsername = 0x0006,
  kMessageIntegrity = 0x0008,
  kErrorCode = 0x0009,
  kUnknownAttributes = 0x000A,
  kRealm = 0x0014,
  kNonce = 0x0015,
  kMessageIntegritySha256 = 0x001C,
  kXorMappedAddress = 0x0020,
  kPriority = 0x0024,
  kUseCandidate = 0x0025,
  kSoftware = 0x8022,
  kFingerprint = 0x8028,
  kIceControlled = 0x8029,
  kIceControlling = 0x802A,
};

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t c = i;
    for (int k = 0; k < 8; ++k) c = (c & 1) != 0 ? 0xEDB88320U ^ (c >> 1) : c >> 1;
    table[i] = c;
  }
  return table;
}
constexpr auto kCrcTable = make_crc_table();

std::uint32_t crc32(base::Bytes data) {
  std::uint32_t c = 0xFFFFFFFFU;
  for (auto b : data) c = kCrcTable[(c ^ b) & 0xFF] ^ (c >> 8);
  return c ^ 0xFFFFFFFFU;
}

// The HMAC covers everything before the attribute, with the header's length counting up to the attribute's
// end (RFC 8489 §14.5).
std::array<std::uint8_t, kIntegritySize> integrity(base::Bytes before, std::string_view password) {
  std::array<std::uint8_t, kIntegritySize> tag{};
  std::array<std::uint8_t, kStunMaxSize> copy;
  if (before.size() < kHeader || before.size() > copy.size()) return tag;
  std::copy(before.begin(), before.end(), copy.begin());
  const std::size_t length = before.size() - kHeader + 4 + kIntegritySize;
  copy[2] = static_cast<std::uint8_t>(length >> 8);
  copy[3] = static_cast<std::uint8_t>(length);
  unsigned size = 0;
  HMAC(EVP_sha1(), password.data(), static_cast<int>(password.size()), copy.data(), before.size(), tag.data(),
       &size);
  return tag;
}

std::optional<base::SocketAddress> read_xor_address(base::Bytes value, const StunTransaction& transaction) {
  base::ByteReader in(value);
  in.skip(1);
  const auto family = in.u8();
  const auto port = static_cast<std::uint16_t>(in.u16() ^ (kCookie >> 16));
  if (family == 1) {
    const auto ip = in.u32() ^ kCookie;
    if (!in.ok() || !in.at_end()) return std::nullopt;
    return base::SocketAddress::v4(ip, port);
  }
  if (family != 2) return std::nullopt;
  const auto ip = in.bytes(16);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  base::SocketAddress address;
  address.port = port;
  for (std::size_t i = 0; i < 16; ++i) {
    const auto key = i < 4 ? static_cast<std::uint8_t>(kCookie >> (24 - 8 * i)) : transaction[i - 4];
    address.ip[i] = static_cast<std::uint8_t>(ip[i] ^ key);
  }
  return address;
}

bool known_required(std::uint16_t type) {
  switch (type) {
    case kMappedAddress:
    case kUsername:
    case kMessageIntegrity:
    case kErrorCode:
    case kUnknownAttributes:
    case kRealm:
    case kNonce:
    case kMessageIntegritySha256:
    case kXorMappedAddress:
    case kPriority:
    case kUseCandidate:
      return true;
    default:
      return false;
  }
}

template <class T>
void keep_first(std::optional<T>& slot, T value) {
  if (!slot) slot = value;
}

// False: the attribute's own form is wrong and the message with it.
bool read_attribute(StunMessage& m, std::uint16_t type, base::Bytes value) {
  base::ByteReader in(value);
  switch (type) {
    case kUsername:
      if (value.size() > kMaxUsername) return false;
      keep_first(m.username, base::as_text(value));
      return true;
    case kSoftware:
      keep_first(m.software, base::as_text(value));
      return true;
    case kPriority:
      keep_first(m.priority, in.u32());
      return in.ok() && in.at_end();
    case kIceControlled:
      keep_first(m.controlled, in.u64());
      return in.ok() && in.at_end();
    case kIceControlling:
      keep_first(m.controlling, in.u64());
      return in.ok() && in.at_end();
    case kUseCandidate:
      m.use_candidate = true;
      return value.empty();
    case kXorMappedAddress: {
      const auto address = read_xor_address(value, m.transaction);
      if (!address) return false;
      keep_first(m.xor_mapped, *address);
      return true;
    }
    case kErrorCode: {
      in.skip(2);
      const unsigned hundreds = in.u8() & 7U;
      const unsigned rest = in.u8();
      if (!in.ok() || rest > 99) return false;
      keep_first(m.error_code, static_cast<std::uint16_t>(hundreds * 100 + rest));
      return true;
    }
    default:
      if (type < 0x8000 && !known_required(type)) keep_first(m.unknown_required, type);
      return true;
  }
}

bool read_attributes(StunMessage& m, base::Bytes datagram) {
  base::ByteReader in(datagram);
  in.skip(kHeader);
  while (!in.at_end()) {
    const auto at = in.position();
    const auto type = in.u16();
    const auto size = in.u16();
    const auto value = in.bytes(size);
    in.skip((4U - size % 4U) % 4U);
    if (!in.ok() || m.fingerprint_at != 0) return false;
    if (type == kFingerprint) {
      if (size != 4) return false;
      base::ByteReader crc(value);
      if (crc.u32() != (crc32(datagram.first(at)) ^ kFingerprintXor)) return false;
      m.fingerprint_at = at;
    } else if (m.integrity_at != 0) {
      continue;  // §14.5: whatever follows the integrity is not protected by it
    } else if (type == kMessageIntegrity) {
      if (size != kIntegritySize) return false;
      m.integrity_at = at;
    } else if (!read_attribute(m, type, value)) {
      return false;
    }
  }
  return true;
}

}  // namespace

std::optional<StunMessage> StunMessage::parse(base::Bytes datagram) {
  if (datagram.size() > kStunMaxSize) return std::nullopt;
  base::ByteReader in(datagram);
  const unsigned type = in.u16();
  const std::size_t length = in.u16();
  const auto cookie = in.u32();
  const auto transaction = in.bytes(12);
  if (!in.ok() || (type & 0xC000U) != 0 || cookie != kCookie || length % 4 != 0 || length != in.remaining())
    return std::nullopt;
  StunMessage m;
  // Class bits are C1 = bit 8 and C0 = bit 4, the method is what remains (§5).
  m.message_class = static_cast<StunClass>((type >> 7 & 2U) | (type >> 4 & 1U));
  m.method = static_cast<std::uint16_t>((type & 0x000FU) | (type >> 1 & 0x0070U) | (type >> 2 & 0x0F80U));
  std::copy(transaction.begin(), transaction.end(), m.transaction.begin());
  if (!read_attributes(m, datagram)) return std::nullopt;
  return m;
}

bool verify_stun_integrity(base::Bytes datagram, const StunMessage& message, std::string_view password) {
  if (message.integrity_at == 0 || message.integrity_at + 4 + kIntegritySize > datagram.size()) return false;
  const auto expected = integrity(datagram.first(message.integrity_at), password);
  return CRYPTO_memcmp(expected.data(), datagram.data() + message.integrity_at + 4, kIntegritySize) == 0;
}

StunWriter::StunWriter(StunClass message_class, std::uint16_t method, const StunTransaction& transaction)
    : transaction_(transaction) {
  const auto c = static_cast<unsigned>(message_class);
  const unsigned m = method;
  const unsigned type =
      (m & 0x000FU) | (m & 0x0070U) << 1 | (m & 0x0F80U) << 2 | (c & 1U) << 4 | (c & 2U) << 7;
  out_.u16(static_cast<std::uint16_t>(type));
  out_.u16(0);
  out_.u32(kCookie);
  out_.bytes(transaction);
}

std::size_t StunWriter::begin(std::uint16_t type) {
  out_.u16(type);
  out_.u16(0);
  return out_.size();
}

void StunWriter::end(std::size_t begun) {
  const auto size = out_.size() - begun;
  out_.patch_u16(begun - 2, static_cast<std::uint16_t>(size));
  out_.zeros((4 - size % 4) % 4);
}

void StunWriter::username(std::string_view local_of_receiver, std::string_view remote_of_receiver) {
  const auto at = begin(kUsername);
  out_.bytes(base::as_bytes(local_of_receiver));
  out_.u8(':');
  out_.bytes(base::as_bytes(remote_of_receiver));
  end(at);
}

void StunWriter::priority(std::uint32_t value) {
  const auto at = begin(kPriority);
  out_.u32(value);
  end(at);
}

void StunWriter::controlling(std::uint64_t tie_breaker) {
  const auto at = begin(kIceControlling);
  out_.u64(tie_breaker);
  end(at);
}

void StunWriter::controlled(std::uint64_t tie_breaker) {
  const auto at = begin(kIceControlled);
  out_.u64(tie_breaker);
  end(at);
}

void StunWriter::use_candidate() {
  end(begin(kUseCandidate));
}

void StunWriter::xor_mapped(const base::SocketAddress& address) {
  const auto at = begin(kXorMappedAddress);
  out_.u8(0);
  out_.u8(address.is_v4() ? 1 : 2);
  out_.u16(static_cast<std::uint16_t>(address.port ^ (kCookie >> 16)));
  if (address.is_v4()) {
    out_.u32(address.v4_host_order() ^ kCookie);
  } else {
    for (std::size_t i = 0; i < 16; ++i) {
      const auto key = i < 4 ? static_cast<std::uint8_t>(kCookie >> (24 - 8 * i)) : transaction_[i - 4];
      out_.u8(static_cast<std::uint8_t>(address.ip[i] ^ key));
    }
  }
  end(at);
}

void StunWriter::error(std::uint16_t code, std::string_view reason) {
  const auto at = begin(kErrorCode);
  out_.u16(0);
  out_.u8(static_cast<std::uint8_t>(code / 100));
  out_.u8(static_cast<std::uint8_t>(code % 100));
  out_.bytes(base::as_bytes(reason));
  end(at);
}

void StunWriter::unknown_attribute(std::uint16_t type) {
  const auto at = begin(kUnknownAttributes);
  out_.u16(type);
  end(at);
}

base::Bytes StunWriter::finish(std::string_view password) {
  const auto tag = integrity(out_.written(), password);
  auto at = begin(kMessageIntegrity);
  out_.bytes(tag);
  end(at);
  // The fingerprint's CRC covers the header with the final length (§14.7).
  out_.patch_u16(2, static_cast<std::uint16_t>(out_.size() - kHeader + 8));
  const auto crc = crc32(out_.written()) ^ kFingerprintXor;
  at = begin(kFingerprint);
  out_.u32(crc);
  end(at);
  return out_.ok() ? out_.written() : base::Bytes{};
}

}  // namespace rtc
