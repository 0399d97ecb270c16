// One synthetic participant of a visit: joins by the client protocol (100ms-client-protocol.md §3-§5),
// publishes what its role allows, receives what the server offers. Any number of them share a Loop;
// everything happens on its thread, and a participant must not be destroyed from inside it. It does not
// reconnect: the first thing that goes wrong ends it, and failure() names it.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "json/json.h"
#include "probe/entrance.h"
#include "probe/media_flow.h"
#include "probe/peer_connection.h"
#include "probe/web_socket.h"

namespace probe {

struct ParticipantConfig {
  std::string name = "Probe";
  bool publish_audio = true;
  bool publish_video = true;
  bool simulcast = false;  // when the server offers it
  VideoShape video;
  std::string video_layer = "high";  // asked for every remote video; "none": audio only
};

// What was reached, in the order of a join.
struct Steps {
  bool websocket = false;  // opened
  bool policy = false;     // names the role
  bool joined = false;     // join was answered
  bool publish_connected = false;
  bool subscribe_connected = false;
  bool api_channel = false;  // ion-sfu is open
  bool audio_accepted = false, video_accepted = false;
};

class Participant {
 public:
  Participant(Loop& loop, base::Random& random, std::shared_ptr<const rtc::Certificate> certificate,
              ParticipantConfig config);
  ~Participant();
  Participant(const Participant&) = delete;
  Participant& operator=(const Participant&) = delete;

  // Errors: those of WebSocketClient::connect(). Everything later is in steps() and failure().
  base::Result<void> start(const Entrance& entrance);
  // Says goodbye and closes; counts stay.
  void leave();

  const Steps& steps() const { return steps_; }
  const std::string& failure() const { return failure_; }  // empty: all is well
  const std::string& role() const { return role_; }
  const std::string& peer_id() const { return peer_id_; }
  // Joined, media connected, and everything it wants to publish was accepted.
  bool is_up() const;
  SendTotals sent() const { return sender_ ? sender_->totals() : SendTotals{}; }
  ReceiveTotals received() const { return receiver_ ? receiver_->totals() : ReceiveTotals{}; }
  const MediaReceiver* receiver() const { return receiver_.get(); }
  std::size_t remote_tracks() const { return remote_tracks_; }

  // Any other request of §3.5. `done` gets the result, or the error's code and words.
  using Done = std::function<void(base::Result<json::Object> result)>;
  void request(std::string_view method, json::Object params, Done done);

 private:
  // One of the two connections, as a listener that knows which it is.
  class Side final : public PeerConnectionListener {
   public:
    Side(Participant& owner, bool publish) : owner_(owner), publish_(publish) {}
    void on_connected() override;
    void on_failed(std::string_view reason) override;
    void on_rtp(rtc::RtpView view, base::SteadyTime arrival) override;
    void on_rtcp(base::Bytes packet, base::SteadyTime now) override;
    void on_channel_open(std::uint16_t stream, std::string_view label) override;
    void on_channel_text(std::uint16_t stream, std::string_view text) override;

   private:
    Participant& owner_;
    const bool publish_;
  };

  void on_text(const std::string& text);
  void on_notification(std::string_view method, const json::Object& params);
  void on_policy(const json::Object& params);
  void on_offer(const std::string& sdp);
  void join();
  void publish_next();
  void on_published(const base::Result<json::Object>& result);
  std::string publish_offer() const;
  json::Object track_table() const;
  void notify(std::string_view method, json::Object params);
  void ask_for_layers();
  void fail(std::string what);
  base::SteadyTime ping(base::SteadyTime now);

  Loop& loop_;
  base::Random& random_;
  std::shared_ptr<const rtc::Certificate> certificate_;
  const ParticipantConfig config_;
  Steps steps_;
  std::string failure_, role_, peer_id_, node_id_, stream_id_;
  bool simulcast_ = false;
  bool may_audio_ = false, may_video_ = false;
  bool ended_ = false;

  Side publish_side_{*this, true}, subscribe_side_{*this, false};
  std::unique_ptr<WebSocketClient> socket_;
  std::unique_ptr<PeerConnection> publish_, subscribe_;
  std::unique_ptr<MediaSender> sender_;
  std::unique_ptr<MediaReceiver> receiver_;
  std::vector<LocalTrack> tracks_;
  bool publishing_ = false;  // an offer is not answered yet
  std::uint64_t offer_version_ = 0;
  std::map<std::string, Done, std::less<>> waiting_;
  std::uint64_t next_request_ = 1;
  std::vector<std::string> remote_videos_;  // track ids
  std::vector<std::string> asked_;          // of these, those whose layer was asked for
  std::size_t remote_tracks_ = 0;
  std::optional<std::uint16_t> api_channel_;
  TaskId ping_ = 0;
};

}  // namespace probe
