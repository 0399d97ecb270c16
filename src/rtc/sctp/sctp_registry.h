// Which association an usrsctp address means. Addresses are counted numbers, never pointers, so that a packet
// or timer of a socket that usrsctp has not freed yet finds nothing instead of a dead object. Internal to
// rtc; the thread of the SctpStack.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <vector>

#include "base/bytes.h"
#include "rtc/transport.h"

namespace rtc {

class SctpAssociation;

class SctpRegistry {
 public:
  std::uintptr_t add(SctpAssociation& association);
  void remove(std::uintptr_t id);
  SctpAssociation* find(std::uintptr_t id) const;
  // From usrsctp's upcall, under its locks: only notes that there is something to do.
  void mark_ready(std::uintptr_t id) { ready_.push_back(id); }
  // Lets every marked association read and write, until none is left. Nested calls return at once.
  void run_ready();
  // Where a message is read into; one per thread is enough.
  std::vector<std::uint8_t>& scratch() { return scratch_; }

 private:
  std::unordered_map<std::uintptr_t, SctpAssociation*> associations_;
  std::vector<std::uintptr_t> ready_;
  std::vector<std::uint8_t> scratch_ = std::vector<std::uint8_t>(64 * 1024);
  std::uintptr_t next_id_ = 1;
  bool running_ = false;
};

struct SctpStack::Impl {
  SctpRegistry registry;
  std::int64_t carried_us = 0;  // less than a millisecond, for the next call
};

// The registry of the process's stack, nullptr without one.
SctpRegistry* current_sctp_registry();

}  // namespace rtc
