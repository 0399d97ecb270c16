// SRTP and SRTCP receivers and senders on arbitrary packets, and the DCEP parser: nothing forged opens,
// whatever is sealed opens again.
#include <cstdlib>
#include <vector>

#include "rtc/sctp/dcep.h"
#include "rtc/srtp/srtp_session.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size > 2000) return 0;
  const base::Bytes input(data, size);
  static_cast<void>(rtc::parse_dcep_open(input));
  rtc::SrtpMasterKey key;
  key.key.fill(0x17);
  for (const auto profile : {rtc::SrtpProfile::kAeadAes128Gcm, rtc::SrtpProfile::kAes128CmSha1_80}) {
    rtc::SrtpReceiver receiver(profile, key);
    rtc::SrtpSender sender(profile, key);
    std::vector<std::uint8_t> packet(input.begin(), input.end());
    if (receiver.open_rtp(packet).status == rtc::SrtpReceiver::Status::kOk) std::abort();
    packet.assign(input.begin(), input.end());
    if (receiver.open_rtcp(packet).status == rtc::SrtpReceiver::Status::kOk) std::abort();

    std::vector<std::uint8_t> sealed(size + 20);
    if (const auto n = sender.seal_rtp(input, sealed)) {
      const auto opened = receiver.open_rtp(base::MutableBytes(sealed).first(n));
      if (opened.status != rtc::SrtpReceiver::Status::kOk ||
          !std::equal(input.begin(), input.end(), sealed.begin()))
        std::abort();
    }
    if (const auto n = sender.seal_rtcp(input, sealed); n != 0 && input[0] >> 6 == 2) {
      const auto opened = receiver.open_rtcp(base::MutableBytes(sealed).first(n));
      if (opened.status != rtc::SrtpReceiver::Status::kOk ||
          !std::equal(input.begin(), input.end(), sealed.begin()))
        std::abort();
    }
  }
  return 0;
}
