// Any text: parsing, the choice of codecs and writing stay within bounds.
#include <cstdint>
#include <cstdlib>

#include "base/bytes.h"
#include "rtc/sdp/codecs.h"
#include "rtc/sdp/sdp.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto parsed = rtc::parse_sdp(base::as_text({data, size}));
  if (!parsed) return 0;
  for (const auto& m : parsed->media) {
    rtc::answer_formats(m, {.start_kbps = 1000});
    rtc::answer_extensions(m);
    rtc::negotiated_codecs(m);
  }
  const auto text = rtc::write_sdp(*parsed);
  const auto again = rtc::parse_sdp(text);
  // Writing adds lines, so the largest accepted input may exceed the limit when written.
  if (again && rtc::write_sdp(*again).empty()) std::abort();
  return 0;
}
