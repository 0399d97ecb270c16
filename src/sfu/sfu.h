// The media plane as its control sees it. Every call may come from any thread, returns at once and runs on
// the room's media worker in the order given per room. Every event is called on a media worker thread and
// must not block: post it to the room's queue.
//
// Each peer has two peer connections (100ms-client-protocol.md §4): publish, where the client offers, and
// subscribe, where we offer. Ids are opaque texts.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/address.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "base/strong.h"

namespace sfu {

using RoomId = base::StrongString<struct SfuRoomTag>;
using PeerId = base::StrongString<struct SfuPeerTag>;
using TrackId = base::StrongString<struct SfuTrackTag>;

enum class MediaKind { kAudio, kVideo };
enum class Layer { kNone, kLow, kMedium, kHigh };  // rids q, h, f
enum class Target { kPublish = 0, kSubscribe = 1 };

struct PublishedTrack {
  TrackId id;             // second word of a=msid
  std::string stream_id;  // first word of a=msid
  MediaKind kind = MediaKind::kAudio;
  std::string source;  // "regular", "screen", …
  bool muted = false;  // a muted track is not forwarded, whatever arrives
};

struct PeerPolicy {
  bool publish_audio = false;
  bool publish_video = false;  // camera
  bool publish_screen = false;
  std::vector<std::string> subscribe_to_roles;
  std::string role;
  int max_publish_video_kbps = 0;  // b=AS / x-google hints; 0 = none
};

struct Speaker {
  PeerId peer;
  TrackId track;
  int level = 0;  // 0..100, loudest first
};

class Events {
 public:
  virtual ~Events() = default;
  // A new offer for the peer's subscribe connection. The worker sends no further one until subscribe_answer()
  // or 10 s have passed.
  virtual void on_subscribe_offer(const RoomId&, const PeerId&, std::string sdp) = 0;
  // Text from the `ion-sfu` channel of the subscribe connection (prefer-video-track-state …).
  virtual void on_api_message(const RoomId&, const PeerId&, std::string text) = 0;
  virtual void on_api_channel_open(const RoomId&, const PeerId&) = 0;
  // Loudest first; sent when it changes, at most every 500 ms.
  virtual void on_active_speakers(const RoomId&, std::vector<Speaker>) = 0;
  // The layer of a video that flows to a subscriber changed; kNone while another is wanted: paused, the path
  // to the subscriber carries no more.
  virtual void on_track_layer_update(const RoomId&, const PeerId& subscriber, const TrackId&, Layer flowing,
                                     Layer wanted);
  virtual void on_connection_state(const RoomId&, const PeerId&, Target, bool connected,
                                   std::string reason) = 0;
};

struct Config {
  base::SocketAddress listen;                  // UDP; port 0 = any. Worker i listens on port + i
  std::vector<base::SocketAddress> announced;  // host candidates put in our SDP; empty = the bound address
                                               // (all local addresses when bound to any)
  int workers = 1;
  bool kernel_arrival_times = true;  // for the feedback to publishers; false: the loop's time, as tests with
                                     // a clock of their own need it
};

struct WorkerStats {
  std::uint64_t packets_in = 0, packets_out = 0, bytes_in = 0, bytes_out = 0;
  std::uint64_t dropped_muted = 0, dropped_unauthenticated = 0, srtp_failures = 0;
  std::uint64_t nacks_in = 0, retransmitted = 0, keyframe_requests = 0;
  std::uint64_t audio_forwarded = 0, video_forwarded = 0;
  std::uint64_t rooms = 0, peers = 0;
  std::uint64_t send_drops = 0;             // datagrams the kernel did not take
  std::uint64_t padding_sent = 0;           // packets of bandwidth probes
  std::uint64_t transport_feedback_in = 0;  // transport-cc reports of subscribers
};

class Sfu {
 public:
  // Binds the sockets and starts the workers. `events`, `clock` and `random` outlive it. Errors:
  // "media_port_unavailable".
  static base::Result<std::unique_ptr<Sfu>> start(const Config& config, Events& events,
                                                  const base::Clock& clock, base::Random& random);
  virtual ~Sfu() = default;

  virtual base::SocketAddress local_address() const = 0;

  // Creates the room on the first peer; drops it with the last.
  virtual void add_peer(const RoomId&, const PeerId&, PeerPolicy) = 0;
  virtual void set_policy(const RoomId&, const PeerId&, PeerPolicy) = 0;
  virtual void remove_peer(const RoomId&, const PeerId&) = 0;
  // Forgets both connections of the peer and what it publishes; the peer stays (node migration). The next
  // publish_offer starts anew.
  virtual void reset_peer(const RoomId&, const PeerId&) = 0;

  // Offer of the publish connection with the complete set of tracks; creates the connection the first time.
  // `done` gets the answer on the worker thread: always a valid SDP for a parseable offer (what is refused is
  // inactive); Error "sdp_invalid" otherwise. The first offer also starts the subscribe connection (first
  // on_subscribe_offer, carrying the server-made "ion-sfu" channel) once start_subscribe() was called.
  virtual void publish_offer(const RoomId&, const PeerId&, std::string sdp,
                             std::vector<PublishedTrack> tracks,
                             std::function<void(base::Result<std::string>)> done) = 0;
  virtual void start_subscribe(const RoomId&, const PeerId&) = 0;
  virtual void subscribe_answer(const RoomId&, const PeerId&, std::string sdp) = 0;
  virtual void restart_subscribe(const RoomId&, const PeerId&) = 0;  // ICE restart offer
  virtual void trickle(const RoomId&, const PeerId&, Target, std::string candidate) = 0;

  virtual void set_muted(const RoomId&, const PeerId&, const TrackId&, bool muted) = 0;
  // A subscriber's wish, by the `ion-sfu` channel. Idempotent. `done(false)`: no such track.
  virtual void prefer_video(const RoomId&, const PeerId& subscriber, const TrackId&, Layer,
                            std::function<void(bool)> done) = 0;
  virtual void prefer_audio(const RoomId&, const PeerId& subscriber, const TrackId&, bool subscribed,
                            std::function<void(bool)> done) = 0;
  virtual void send_api_message(const RoomId&, const PeerId&, std::string text) = 0;

  // Summed over the workers; thread-safe.
  virtual WorkerStats stats() const = 0;
};

}  // namespace sfu
