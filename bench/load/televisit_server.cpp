#include "load/televisit_server.h"

namespace load {

class TelevisitServer::Member final : public Person {
 public:
  template <class... Args>
  explicit Member(Args&&... args) : participant(std::forward<Args>(args)...) {}
  const std::string& failure() const override { return participant.failure(); }
  bool up() const override { return participant.is_up(); }
  probe::SendTotals sent() const override { return participant.sent(); }
  const probe::MediaReceiver* receiver() const override { return participant.receiver(); }
  std::size_t remote_tracks() const override { return participant.remote_tracks(); }
  probe::Participant participant;
};

TelevisitServer::TelevisitServer(probe::Loop& loop, base::Random& random,
                                 std::shared_ptr<const rtc::Certificate> certificate, std::string origin,
                                 std::vector<base::Secret> tokens, Shape shape)
    : loop_(loop),
      random_(random),
      certificate_(std::move(certificate)),
      origin_(std::move(origin)),
      tokens_(std::move(tokens)),
      shape_(shape) {}

base::Result<std::vector<Person*>> TelevisitServer::open_room(std::size_t people, std::size_t publishers) {
  if (next_room_ >= tokens_.size())
    return base::fail("tokens_used_up", "the file of tokens has no more rooms");
  const auto& token = tokens_[next_room_++];
  std::vector<Person*> out;
  for (std::size_t i = 0; i < people; ++i) {
    probe::ParticipantConfig config;
    config.name = "Load " + std::to_string(i);
    config.publish_audio = config.publish_video = i < publishers;
    config.simulcast = shape_.simulcast;
    config.video = shape_.video;
    const auto entrance = probe::fetch_entrance(client_, origin_, token, random_.uuid());
    if (!entrance) return base::fail(entrance.error());
    auto member = std::make_unique<Member>(loop_, random_, certificate_, config);
    if (const auto started = member->participant.start(*entrance); !started)
      return base::fail(started.error());
    out.push_back(member.get());
    people_.push_back(std::move(member));
    // Those who are inside go on sending while others join.
    loop_.run_once({});
  }
  return out;
}

}  // namespace load
