#include "rtc/sctp/dcep.h"

namespace rtc {
namespace {

constexpr std::uint8_t kOpen = 0x03;
constexpr std::size_t kOpenHeader = 12;

}  // namespace

std::optional<DcepOpen> parse_dcep_open(base::Bytes message) {
  base::ByteReader in(message);
  if (in.u8() != kOpen) return std::nullopt;
  in.skip(1 + 2 + 4);  // channel type, priority, reliability: what we send is always reliable and ordered
  const std::size_t label_size = in.u16();
  const std::size_t protocol_size = in.u16();
  DcepOpen open;
  open.label = base::as_text(in.bytes(label_size));
  open.protocol = base::as_text(in.bytes(protocol_size));
  if (!in.ok() || !in.at_end() || label_size > kMaxDcepLabel) return std::nullopt;
  return open;
}

bool is_dcep_ack(base::Bytes message) {
  return message.size() == 1 && message[0] == kDcepAck[0];
}

std::vector<std::uint8_t> make_dcep_open(std::string_view label) {
  std::vector<std::uint8_t> message(kOpenHeader + label.size());
  base::ByteWriter out(message);
  out.u8(kOpen);
  out.zeros(1 + 2 + 4);
  out.u16(static_cast<std::uint16_t>(label.size()));
  out.u16(0);
  out.bytes(base::as_bytes(label));
  return message;
}

}  // namespace rtc
