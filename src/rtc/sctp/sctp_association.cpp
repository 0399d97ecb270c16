#include "rtc/sctp/sctp_association.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <usrsctp.h>

#include <cerrno>
#include <cstddef>
#include <cstring>
#include <utility>

#include "base/text.h"
#include "rtc/sctp/dcep.h"
#include "rtc/sctp/sctp_registry.h"

namespace rtc {
namespace {

constexpr int kReceiveBuffer = 256 * 1024;
constexpr int kSendBuffer = 512 * 1024;
// An SCTP packet within the DTLS record within a 1200 byte datagram: 37 bytes of record header, nonce and
// tag, and the SCTP common header (12), which usrsctp does not count on AF_CONN.
constexpr std::uint32_t kPathMtu = 1150;

void on_upcall(struct socket*, void* argument, int) {
  if (auto* registry = current_sctp_registry())
    registry->mark_ready(reinterpret_cast<std::uintptr_t>(argument));
}

template <class T>
void set_option(struct socket* so, int level, int name, const T& value) {
  usrsctp_setsockopt(so, level, name, &value, sizeof(value));
}

sockaddr_conn make_address(std::uintptr_t id) {
  sockaddr_conn address{};
  address.sconn_family = AF_CONN;
  address.sconn_port = htons(SctpAssociation::kPort);
  address.sconn_addr = reinterpret_cast<void*>(id);
  return address;
}

template <class T>
T read_at(base::Bytes bytes, std::size_t offset) {
  T value{};
  if (offset + sizeof(T) <= bytes.size()) std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace

SctpAssociation::SctpAssociation(SctpStack& stack, bool is_dtls_client, SctpListener& listener)
    : stack_(stack), listener_(listener), our_parity_(is_dtls_client ? 0 : 1) {}

SctpAssociation::~SctpAssociation() {
  close_socket();
}

void SctpAssociation::close_socket() {
  if (id_ != 0) stack_.impl_->registry.remove(id_);  // first: the ABORT of the close finds nobody
  if (socket_ != nullptr) {
    usrsctp_set_upcall(socket_, nullptr, nullptr);
    usrsctp_close(socket_);
    usrsctp_deregister_address(reinterpret_cast<void*>(id_));
    socket_ = nullptr;
  }
  id_ = 0;
  state_ = State::kClosed;
}

void SctpAssociation::abort() {
  if (socket_ != nullptr && state_ != State::kClosed) {
    sctp_sndinfo info{};
    info.snd_flags = SCTP_ABORT;
    usrsctp_sendv(socket_, nullptr, 0, nullptr, 0, &info, sizeof(info), SCTP_SENDV_SNDINFO, 0);
  }
  end();
}

void SctpAssociation::end() {
  state_ = State::kClosed;
  channels_.clear();
  queue_.clear();
  queued_ = 0;
}

void SctpAssociation::start() {
  if (state_ != State::kIdle) return;
  if (!open_socket()) end();
}

bool SctpAssociation::open_socket() {
  id_ = stack_.impl_->registry.add(*this);
  auto* address = reinterpret_cast<void*>(id_);
  usrsctp_register_address(address);
  socket_ = usrsctp_socket(AF_CONN, SOCK_STREAM, IPPROTO_SCTP, nullptr, nullptr, 0, nullptr);
  if (socket_ == nullptr) {
    usrsctp_deregister_address(address);
    return false;
  }
  configure(socket_);
  auto local = make_address(id_);
  if (usrsctp_bind(socket_, reinterpret_cast<sockaddr*>(&local), sizeof(local)) != 0) return false;
  state_ = State::kConnecting;
  // Both ends connect; SCTP resolves the collision (RFC 9260 §5.2).
  if (usrsctp_connect(socket_, reinterpret_cast<sockaddr*>(&local), sizeof(local)) != 0 &&
      errno != EINPROGRESS)
    return false;
  sctp_paddrparams path{};
  std::memcpy(&path.spp_address, &local, sizeof(local));
  path.spp_flags = SPP_PMTUD_DISABLE;
  path.spp_pathmtu = kPathMtu;
  set_option(socket_, IPPROTO_SCTP, SCTP_PEER_ADDR_PARAMS, path);
  return true;
}

void SctpAssociation::configure(struct socket* so) {
  usrsctp_set_non_blocking(so, 1);
  usrsctp_set_upcall(so, &on_upcall, reinterpret_cast<void*>(id_));
  set_option(so, SOL_SOCKET, SO_LINGER, linger{1, 0});
  set_option(so, SOL_SOCKET, SO_RCVBUF, kReceiveBuffer);
  set_option(so, SOL_SOCKET, SO_SNDBUF, kSendBuffer);
  set_option(so, IPPROTO_SCTP, SCTP_NODELAY, 1);
  set_option(so, IPPROTO_SCTP, SCTP_RECVRCVINFO, 1);
  set_option(so, IPPROTO_SCTP, SCTP_ENABLE_STREAM_RESET,
             sctp_assoc_value{SCTP_FUTURE_ASSOC, SCTP_ENABLE_RESET_STREAM_REQ});
  sctp_initmsg init{};
  init.sinit_num_ostreams = kStreams;
  init.sinit_max_instreams = kStreams;
  set_option(so, IPPROTO_SCTP, SCTP_INITMSG, init);
  for (const std::uint16_t type :
       {std::uint16_t{SCTP_ASSOC_CHANGE}, std::uint16_t{SCTP_STREAM_RESET_EVENT}}) {
    sctp_event event{};
    event.se_assoc_id = SCTP_FUTURE_ASSOC;
    event.se_type = type;
    event.se_on = 1;
    set_option(so, IPPROTO_SCTP, SCTP_EVENT, event);
  }
}

void SctpAssociation::output(base::Bytes packet) {
  listener_.on_sctp_send(packet);
}

void SctpAssociation::receive(base::Bytes packet) {
  if (socket_ == nullptr || state_ == State::kClosed) return;
  usrsctp_conninput(reinterpret_cast<void*>(id_), packet.data(), packet.size(), 0);
  stack_.impl_->registry.run_ready();
}

void SctpAssociation::drain() {
  while (state_ != State::kClosed && read_one()) {
  }
  flush();
}

// One piece of a message or a notification; false when there is nothing more.
bool SctpAssociation::read_one() {
  auto& buffer = stack_.impl_->registry.scratch();
  sctp_rcvinfo info{};
  auto info_size = static_cast<socklen_t>(sizeof(info));
  unsigned info_type = 0;
  int flags = 0;
  const auto n = usrsctp_recvv(socket_, buffer.data(), buffer.size(), nullptr, nullptr, &info, &info_size,
                               &info_type, &flags);
  if (n < 0 && (errno == EWOULDBLOCK || errno == EINTR || errno == EINPROGRESS || errno == ENOTCONN))
    return false;
  if (n <= 0) {
    end();
    return false;
  }
  const auto bytes = base::Bytes(buffer).first(static_cast<std::size_t>(n));
  if ((flags & MSG_NOTIFICATION) != 0) {
    handle_notification(bytes);
    return true;
  }
  if (info_type != SCTP_RECVV_RCVINFO) return true;
  if (!message_.empty() && message_stream_ != info.rcv_sid) message_overflow_ = true;
  message_stream_ = info.rcv_sid;
  if (message_.size() + bytes.size() > kMaxInbound) message_overflow_ = true;
  if (!message_overflow_) message_.insert(message_.end(), bytes.begin(), bytes.end());
  if ((flags & MSG_EOR) == 0) return true;
  const bool whole = !message_overflow_;
  const auto message = std::exchange(message_, {});
  message_overflow_ = false;
  if (whole) {
    handle_message(info.rcv_sid, ntohl(info.rcv_ppid), message);
  } else {
    listener_.on_sctp_oversized();
  }
  return true;
}

void SctpAssociation::handle_notification(base::Bytes bytes) {
  switch (read_at<std::uint16_t>(bytes, offsetof(sctp_assoc_change, sac_type))) {
    case SCTP_ASSOC_CHANGE:
      switch (read_at<std::uint16_t>(bytes, offsetof(sctp_assoc_change, sac_state))) {
        case SCTP_COMM_UP:
          state_ = State::kUp;
          break;
        case SCTP_COMM_LOST:
        case SCTP_SHUTDOWN_COMP:
        case SCTP_CANT_STR_ASSOC:
          end();
          break;
        default:
          break;
      }
      break;
    case SCTP_STREAM_RESET_EVENT:
      handle_stream_reset(bytes);
      break;
    default:
      break;
  }
}

// RFC 8831 §6.7: a channel is closed by resetting its outgoing stream; the other end answers by resetting its
// own.
void SctpAssociation::handle_stream_reset(base::Bytes bytes) {
  const auto flags = read_at<std::uint16_t>(bytes, offsetof(sctp_stream_reset_event, strreset_flags));
  if ((flags & SCTP_STREAM_RESET_INCOMING_SSN) == 0 ||
      (flags & (SCTP_STREAM_RESET_DENIED | SCTP_STREAM_RESET_FAILED)) != 0)
    return;
  for (auto at = offsetof(sctp_stream_reset_event, strreset_stream_list); at + 2 <= bytes.size(); at += 2) {
    const auto stream = read_at<std::uint16_t>(bytes, at);
    if (channels_.erase(stream) == 0) continue;
    std::array<std::uint8_t, sizeof(sctp_reset_streams) + sizeof(std::uint16_t)> request{};
    const std::uint16_t outgoing = SCTP_STREAM_RESET_OUTGOING;
    const std::uint16_t count = 1;
    std::memcpy(request.data() + offsetof(sctp_reset_streams, srs_flags), &outgoing, sizeof(outgoing));
    std::memcpy(request.data() + offsetof(sctp_reset_streams, srs_number_streams), &count, sizeof(count));
    std::memcpy(request.data() + offsetof(sctp_reset_streams, srs_stream_list), &stream, sizeof(stream));
    usrsctp_setsockopt(socket_, IPPROTO_SCTP, SCTP_RESET_STREAMS, request.data(),
                       static_cast<socklen_t>(request.size()));
  }
}

void SctpAssociation::handle_message(std::uint16_t stream, std::uint32_t ppid, base::Bytes data) {
  if (ppid == kPpidDcep) {
    handle_dcep(stream, data);
    return;
  }
  if (!channels_.contains(stream)) return;
  switch (ppid) {
    case kPpidString:
      listener_.on_sctp_message(stream, data, true);
      return;
    case kPpidStringEmpty:
      listener_.on_sctp_message(stream, {}, true);
      return;
    case kPpidBinary:
      listener_.on_sctp_message(stream, data, false);
      return;
    case kPpidBinaryEmpty:
      listener_.on_sctp_message(stream, {}, false);
      return;
    default:
      return;
  }
}

void SctpAssociation::handle_dcep(std::uint16_t stream, base::Bytes data) {
  if (const auto open = parse_dcep_open(data)) {
    // RFC 8832 §6: the peer opens streams of the other parity only, and none twice.
    if (stream % 2 == our_parity_ || stream >= kStreams || channels_.contains(stream) ||
        !base::is_valid_utf8(open->label))
      return;
    const std::string label(open->label);
    channels_[stream] = {label, true};
    enqueue(stream, kPpidDcep, kDcepAck);
    listener_.on_sctp_open(stream, label);
  } else if (is_dcep_ack(data)) {
    const auto channel = channels_.find(stream);
    if (channel == channels_.end() || channel->second.open) return;
    channel->second.open = true;
    const std::string label = channel->second.label;
    listener_.on_sctp_open(stream, label);
  }
}

base::Result<std::uint16_t> SctpAssociation::open_channel(std::string_view label) {
  if (state_ == State::kClosed) return base::fail("data_channel_closed", "The SCTP association has ended.");
  if (label.size() > kMaxDcepLabel)
    return base::fail("data_channel_label", "The label of a data channel is too long.");
  for (std::uint16_t stream = our_parity_; stream < kStreams;
       stream = static_cast<std::uint16_t>(stream + 2)) {
    if (channels_.contains(stream)) continue;
    channels_[stream] = {std::string(label), false};
    const auto open = make_dcep_open(label);
    if (!enqueue(stream, kPpidDcep, open)) {
      channels_.erase(stream);
      return base::fail("data_channel_closed", "Too much is waiting to be sent.");
    }
    flush();
    return stream;
  }
  return base::fail("data_channel_limit", "All streams of the association are in use.");
}

bool SctpAssociation::send_text(std::uint16_t stream, std::string_view text) {
  if (state_ == State::kClosed || !channels_.contains(stream) || text.size() > kMaxOutbound) return false;
  // An empty message cannot be sent in SCTP: one byte stands for it (RFC 8831 §6.6).
  static constexpr std::array<std::uint8_t, 1> kEmpty{0};
  const bool queued = text.empty() ? enqueue(stream, kPpidStringEmpty, kEmpty)
                                   : enqueue(stream, kPpidString, base::as_bytes(text));
  flush();
  return queued;
}

bool SctpAssociation::enqueue(std::uint16_t stream, std::uint32_t ppid, base::Bytes data) {
  if (queued_ + data.size() > kMaxQueued) return false;
  queue_.push_back({stream, ppid, {data.begin(), data.end()}});
  queued_ += data.size();
  return true;
}

void SctpAssociation::flush() {
  if (state_ != State::kUp || flushing_) return;
  flushing_ = true;
  while (state_ == State::kUp && !queue_.empty()) {
    const auto& next = queue_.front();
    sctp_sndinfo info{};
    info.snd_sid = next.stream;
    info.snd_ppid = htonl(next.ppid);
    const auto n = usrsctp_sendv(socket_, next.data.data(), next.data.size(), nullptr, 0, &info, sizeof(info),
                                 SCTP_SENDV_SNDINFO, 0);
    if (n < 0 && (errno == EWOULDBLOCK || errno == EINTR || errno == ENOBUFS))
      break;  // the upcall comes when there is room
    // The peer may allow fewer streams than we asked for; a channel beyond them cannot be.
    if (n < 0) channels_.erase(next.stream);
    queued_ -= next.data.size();
    queue_.pop_front();
  }
  flushing_ = false;
}

}  // namespace rtc
