// STUN messages as ICE uses them (RFC 8489, RFC 8445 §16): parsing, checking and building of Binding requests
// and responses. Sans-IO, no state; a malformed datagram is nullopt, never an exception. Views point into the
// datagram.
//
//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |0 0|     STUN Message Type     |         Message Length        |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |                  Magic Cookie 0x2112A442                      |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |                     Transaction ID (96 bits)                  |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/address.h"
#include "base/bytes.h"

namespace rtc {

enum class StunClass : std::uint8_t { kRequest = 0, kIndication = 1, kSuccess = 2, kError = 3 };
inline constexpr std::uint16_t kStunBinding = 1;
inline constexpr std::size_t kStunMaxSize = 1500;

using StunTransaction = std::array<std::uint8_t, 12>;

struct StunMessage {
  StunClass message_class = StunClass::kRequest;
  std::uint16_t method = 0;
  StunTransaction transaction{};
  std::optional<std::string_view> username;
  std::optional<std::string_view> software;
  std::optional<std::uint32_t> priority;
  std::optional<std::uint64_t> controlling;  // tie-breakers
  std::optional<std::uint64_t> controlled;
  std::optional<base::SocketAddress> xor_mapped;
  std::optional<std::uint16_t> error_code;
  bool use_candidate = false;
  std::optional<std::uint16_t> unknown_required;  // first comprehension-required attribute we do not know
  std::size_t integrity_at = 0;                   // offset of MESSAGE-INTEGRITY, 0 = none
  std::size_t fingerprint_at = 0;                 // offset of FINGERPRINT, 0 = none

  // The whole datagram must be one message: header length, padding and every attribute inside it.
  // FINGERPRINT, when present, must be last and correct.
  static std::optional<StunMessage> parse(base::Bytes datagram);
};

// Short-term credentials (RFC 8489 §9.1): HMAC-SHA1 keyed with the password. `message` was parsed from
// `datagram`. Constant time in the tag.
bool verify_stun_integrity(base::Bytes datagram, const StunMessage& message, std::string_view password);

// Writes one message into its own buffer. Attributes in the order of the calls; finish() closes it.
class StunWriter {
 public:
  StunWriter(StunClass message_class, std::uint16_t method, const StunTransaction& transaction);
  void username(std::string_view local_of_receiver,
                std::string_view remote_of_receiver);  // "receiver:sender"
  void priority(std::uint32_t value);
  void controlling(std::uint64_t tie_breaker);
  void controlled(std::uint64_t tie_breaker);
  void use_candidate();
  void xor_mapped(const base::SocketAddress& address);
  void error(std::uint16_t code, std::string_view reason);
  void unknown_attribute(std::uint16_t type);
  // Appends MESSAGE-INTEGRITY and FINGERPRINT. Empty when the message did not fit. Valid while the writer
  // lives.
  base::Bytes finish(std::string_view password);

 private:
  std::size_t begin(std::uint16_t type);
  void end(std::size_t begun);

  std::array<std::uint8_t, kStunMaxSize> buffer_{};
  base::ByteWriter out_{buffer_};
  StunTransaction transaction_;
};

}  // namespace rtc
