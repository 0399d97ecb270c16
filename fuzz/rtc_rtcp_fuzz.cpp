// Any compound packet: every block is walked within bounds, and the walks end.
#include <cstdint>
#include <cstdlib>

#include "rtc/rtcp/rtcp.h"
#include "rtc/rtcp/transport_cc.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  rtc::RtcpReader reader({data, size});
  std::uint64_t sum = 0;
  while (const auto block = reader.next()) {
    if (const auto info = rtc::read_sender_info(*block)) sum += info->ssrc;
    rtc::for_each_report(*block, [&](const rtc::ReportBlock& r) { sum += r.ssrc; });
    rtc::for_each_bye(*block, [&](std::uint32_t ssrc) { sum += ssrc; });
    const auto feedback = rtc::read_feedback(*block);
    if (!feedback) continue;
    rtc::for_each_nack(feedback->fci, [&](std::uint16_t s) { sum += s; });
    rtc::for_each_fir(feedback->fci, [&](std::uint32_t s) { sum += s; });
    sum += rtc::read_remb(feedback->fci).value_or(0);
    std::size_t packets = 0;
    const auto summary =
        rtc::read_transport_cc(feedback->fci, [&](std::uint16_t, bool, std::int64_t) { ++packets; });
    if (summary && packets != summary->packet_count) std::abort();
  }
  volatile std::uint64_t sink = sum;
  (void)sink;
  return 0;
}
