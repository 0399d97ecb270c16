// What Chromium offers for a microphone, a simulcast camera (f;h;q), a second video track and a data channel,
// line for line.
#pragma once

#include <string>

namespace rtc::testing {

std::string chromium_offer();

}  // namespace rtc::testing
