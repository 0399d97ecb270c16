// One peer connection on a media worker: the transport, its place in the demultiplexer and the sending of
// packets. Publish and subscribe connections derive from it. Worker thread only.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "rtc/sdp/sdp.h"
#include "rtc/transport.h"
#include "sfu/context.h"

namespace sfu {

class Connection : public rtc::TransportListener {
 public:
  explicit Connection(WorkerContext& context);
  ~Connection() override;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void handle(base::MutableBytes datagram, const base::SocketAddress& from, base::SteadyTime now);
  void handle_timeout(base::SteadyTime now);
  rtc::Transport& transport() { return *transport_; }
  bool connected() const { return connected_; }
  // Set by a transport failure; the owner reads and clears it outside of the packet path.
  bool take_failure(std::string& reason);
  void restart_ice();
  // Takes ufrag, password and fingerprint of the first section that has them. True when the credentials
  // changed.
  bool set_remote(const rtc::SessionDescription& description);
  const std::string& remote_fingerprint() const { return remote_fingerprint_; }

 protected:
  // What every m-line of ours says about the transport.
  void describe(rtc::MediaSection& section, std::string_view setup) const;
  // Candidates belong to the first section that is kept.
  void add_candidates(rtc::SessionDescription& description) const;
  void send_rtcp(base::Bytes plain);

  WorkerContext& context_;

 private:
  void on_send(base::Bytes datagram, const base::SocketAddress& to) override;
  void on_remote_address(const base::SocketAddress& address) override;
  void on_connected() override;
  void on_failed(std::string_view reason) override;
  virtual void on_up() = 0;

  static constexpr std::size_t kMaxAddresses = 6;
  void remember_ufrag();
  void learn_address(const base::SocketAddress& address);

  std::unique_ptr<rtc::Transport> transport_;
  std::vector<std::string> ufrags_;  // the current one and the one before
  std::vector<base::SocketAddress> addresses_;
  std::string remote_fingerprint_;
  rtc::IceCredentials remote_;
  bool connected_ = false;
  bool ended_ = false;   // the transport takes nothing until an ICE restart
  bool failed_ = false;  // not yet reported
  bool recovering_ =
      false;  // consent was lost and ICE restarted; the next authenticated check brings the connection back
  std::string failure_;
  std::uint64_t reported_srtp_failures_ = 0;
  std::uint64_t reported_unauthenticated_ = 0;
};

}  // namespace sfu
