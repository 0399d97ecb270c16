// The session descriptions a browser would write: offers of what is published, answers to what the server
// offers; and what the other side's answer decided. Pure functions.
#pragma once

#include <string>
#include <vector>

#include "probe/media_source.h"
#include "rtc/sdp/sdp.h"

namespace probe {

// A track that is published, with everything that stays the same over its life.
struct LocalTrack {
  bool video = false;
  std::string track_id, stream_id, mid;
  std::uint32_t ssrc = 0;         // RTX has the next one; simulcast layers follow in steps of two
  std::vector<std::string> rids;  // simulcast, best first; empty = one stream
};

// The m-line of one track as Chromium offers it, without the transport's lines.
rtc::MediaSection describe_track(const LocalTrack& track);
rtc::MediaSection describe_data_channel(std::string mid);

// What the answer to describe_track() allows: one format per stream, in the order of `rids`; empty when it
// was refused.
std::vector<StreamFormat> negotiated_streams(const LocalTrack& track, const rtc::MediaSection& answer);

// One m-line the server sends on.
struct RemoteTrack {
  bool video = false;
  std::string track_id, stream_id, mid;
  std::uint32_t ssrc = 0, rtx_ssrc = 0;
  std::vector<std::pair<std::uint8_t, std::uint8_t>> rtx_of;  // RTX payload type -> media payload type
  std::uint8_t transport_cc = 0;
};
// Those of an offer that are active.
std::vector<RemoteTrack> remote_tracks(const rtc::SessionDescription& offer);
// Accepts everything. The transport's lines are to be filled in.
rtc::SessionDescription accept_offer(const rtc::SessionDescription& offer);

}  // namespace probe
