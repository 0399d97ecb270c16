// A signalling frame of a stranger: framing, then every description of params. What was read must be writable
// as JSON that parses again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "engine/signalling/frames.h"
#include "engine/signalling/params.h"

namespace {

template <class T>
void read_as(const json::Object& params) {
  auto read = json::read<T>(params);
  if (read.ok() && !json::parse_tolerant(json::serialize(json::write(read.value)))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  auto frame = engine::read_frame(text);
  if (!frame) return 0;
  namespace p = engine::params;
  const auto& params = frame->params;
  read_as<p::Join>(params);
  read_as<p::Offer>(params);
  read_as<p::Answer>(params);
  read_as<p::Track>(params);
  read_as<p::Trickle>(params);
  read_as<p::TrackUpdate>(params);
  read_as<p::Broadcast>(params);
  read_as<p::PeerUpdate>(params);
  read_as<p::Group>(params);
  read_as<p::RoleChangeRequest>(params);
  read_as<p::RoleChange>(params);
  read_as<p::TrackUpdateRequest>(params);
  read_as<p::MuteStateRequest>(params);
  read_as<p::PeerLeaveRequest>(params);
  read_as<p::EndRoom>(params);
  read_as<p::FindPeer>(params);
  read_as<p::PeerNameSearch>(params);
  read_as<p::SetMetadata>(params);
  read_as<p::ListenMetadata>(params);
  read_as<p::PreferVideo>(params);
  read_as<p::PreferAudio>(params);
  if (p::sdp_in(params, "desc").size() > size) std::abort();
  if (engine::result_frame(frame->id, params).empty() ||
      engine::notification_frame(frame->method, params).empty())
    std::abort();
  return 0;
}
