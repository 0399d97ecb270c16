// What the kernel counts of a process: CPU time and memory (proc(5)).
#pragma once

#include <cstdint>
#include <optional>

#include "base/clock.h"

namespace load {

struct ProcessUse {
  base::Duration cpu;         // user and system, all threads
  std::int64_t resident = 0;  // bytes
};
// nullopt: there is no such process.
std::optional<ProcessUse> read_process(int pid);

}  // namespace load
