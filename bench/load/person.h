// One synthetic person of a load, whichever server it talks to. Loop thread only.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "probe/media_flow.h"

namespace load {

class Person {
 public:
  virtual ~Person() = default;
  virtual const std::string& failure() const = 0;  // empty: all is well
  virtual bool up() const = 0;                     // connected, and publishing what it should
  virtual probe::SendTotals sent() const = 0;
  virtual const probe::MediaReceiver* receiver() const = 0;
  virtual std::size_t remote_tracks() const = 0;
};

// What all persons of one load have in common.
struct Shape {
  probe::VideoShape video;
  bool simulcast = false;
};

// A server that rooms can be opened on.
class Server {
 public:
  virtual ~Server() = default;
  // Opens a room of `people`, of whom the first `publishers` publish. The persons come up as the loop turns.
  virtual base::Result<std::vector<Person*>> open_room(std::size_t people, std::size_t publishers) = 0;
};

}  // namespace load
