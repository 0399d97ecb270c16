// Any packet: the view stays inside it, extensions and payload descriptors are read within bounds, RTX
// wrapping is undone exactly.
#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "rtc/rtp/packet.h"
#include "rtc/rtp/payload.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> packet(data, data + size);
  const auto view = rtc::RtpView::parse(packet);
  if (!view) return 0;
  std::size_t total = 0;
  rtc::for_each_extension(*view, [&](std::uint8_t, base::MutableBytes element) { total += element.size(); });
  if (total > size) std::abort();
  for (int id = 0; id < 256; ++id) view->extension(static_cast<std::uint8_t>(id));
  if (const auto vp8 = rtc::parse_vp8(view->payload())) {
    rtc::rewrite_vp8(view->payload(), *vp8, 0x1234, 7);
    const auto again = rtc::parse_vp8(view->payload());
    if (!again) std::abort();
    if (vp8->picture_id_bits == 15 && again->picture_id != 0x1234) std::abort();
    if (vp8->has_tl0 && again->tl0 != 7) std::abort();
  }
  rtc::h264_starts_key_frame(view->payload());
  if (view->padding == 0 && view->payload_size > 0) {
    std::vector<std::uint8_t> wrapped(size + 2);
    const auto n = rtc::wrap_rtx(packet, view->payload_offset, 1, 2, 97, wrapped);
    auto rtx = rtc::RtpView::parse(base::MutableBytes(wrapped).first(n));
    if (!rtx) std::abort();
    const auto back = rtc::unwrap_rtx(*rtx, view->ssrc, view->payload_type);
    if (!back || !std::equal(back->bytes.begin(), back->bytes.end(), packet.begin(), packet.end()))
      std::abort();
  }
  return 0;
}
