#include "http/event_stream.h"

namespace http {
namespace {

// A line break inside a name or id would begin a field of its own.
std::string one_line(std::string_view text) {
  std::string out(text);
  std::erase_if(out, [](char c) { return c == '\r' || c == '\n' || c == '\0'; });
  return out;
}

void append_lines(std::string& out, std::string_view field, std::string_view text) {
  for (;;) {
    const std::size_t end = text.find_first_of("\r\n");
    out += field;
    out += text.substr(0, end);
    out += '\n';
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + (text.substr(end, 2) == "\r\n" ? 2 : 1));
  }
}

class Handle final : public EventStream {
 public:
  explicit Handle(std::shared_ptr<EventStreamState> state) : state_(std::move(state)) {}
  ~Handle() override { state_->end(); }

  bool send(std::string_view event, std::string_view id, std::string_view data) override {
    std::string block;
    if (!event.empty()) block += "event: " + one_line(event) + '\n';
    if (!id.empty()) block += "id: " + one_line(id) + '\n';
    append_lines(block, "data: ", data);
    block += '\n';
    return state_->push(std::move(block));
  }
  bool comment(std::string_view text) override {
    std::string block;
    append_lines(block, ": ", text);
    block += '\n';
    return state_->push(std::move(block));
  }
  void close() override { state_->end(); }

 private:
  std::shared_ptr<EventStreamState> state_;
};

}  // namespace

bool EventStreamState::push(std::string block) {
  bool wake = false;
  bool accepted = false;
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || ended_) return false;
    if (queue_.size() + in_flight_ + block.size() > kEventStreamQueue) {
      open_ = false;
      too_slow_ = true;
    } else {
      queue_ += block;
      accepted = true;
    }
    wake = !std::exchange(woken_, true) || !accepted;  // the write under way may never end
  }
  if (wake) wake_();
  return accepted;
}

void EventStreamState::end() {
  {
    const std::lock_guard lock(mutex_);
    if (!open_ || ended_) return;
    ended_ = true;
    if (std::exchange(woken_, true)) return;
  }
  wake_();
}

EventStreamState::Drained EventStreamState::drain() {
  const std::lock_guard lock(mutex_);
  woken_ = false;
  Drained out;
  out.bytes.swap(queue_);
  in_flight_ += out.bytes.size();
  out.ended = ended_;
  return out;
}

bool EventStreamState::too_slow() {
  const std::lock_guard lock(mutex_);
  return too_slow_;
}

void EventStreamState::sent(std::size_t bytes) {
  const std::lock_guard lock(mutex_);
  in_flight_ -= bytes;
}

void EventStreamState::gone() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

std::shared_ptr<EventStream> make_event_stream(std::shared_ptr<EventStreamState> state) {
  return std::make_shared<Handle>(std::move(state));
}

}  // namespace http
