// Data channel establishment messages (RFC 8832 §5) and the payload protocol ids of data channels (RFC 8831
// §8). Sans-IO.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace rtc {

inline constexpr std::uint32_t kPpidDcep = 50;
inline constexpr std::uint32_t kPpidString = 51;
inline constexpr std::uint32_t kPpidBinary = 53;
inline constexpr std::uint32_t kPpidStringEmpty = 56;
inline constexpr std::uint32_t kPpidBinaryEmpty = 57;

inline constexpr std::array<std::uint8_t, 1> kDcepAck{0x02};
inline constexpr std::size_t kMaxDcepLabel = 1024;

struct DcepOpen {
  std::string_view label;  // points into the message
  std::string_view protocol;
};

// nullopt: not a DATA_CHANNEL_OPEN, or its lengths do not fit.
std::optional<DcepOpen> parse_dcep_open(base::Bytes message);
bool is_dcep_ack(base::Bytes message);
// Reliable and ordered, no protocol.
std::vector<std::uint8_t> make_dcep_open(std::string_view label);

}  // namespace rtc
