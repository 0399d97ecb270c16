#include "load/process.h"

#include <unistd.h>

#include <fstream>
#include <sstream>
#include <string>

namespace load {

std::optional<ProcessUse> read_process(int pid) {
  const auto folder = "/proc/" + std::to_string(pid);
  std::string line;
  if (!std::getline(std::ifstream(folder + "/stat"), line)) return std::nullopt;
  // The name in parentheses may hold anything; state follows it.
  const auto end = line.rfind(')');
  if (end == std::string::npos) return std::nullopt;
  std::istringstream rest(line.substr(end + 2));
  std::string word;
  std::int64_t ticks = 0;
  // utime and stime are fields 14 and 15 of proc(5); state is the third.
  for (int field = 3; field <= 15 && rest >> word; ++field) {
    if (field >= 14) ticks += std::stoll(word);
  }
  std::ifstream statm(folder + "/statm");
  std::int64_t size = 0, resident = 0;
  statm >> size >> resident;
  ProcessUse out;
  out.cpu = base::Duration::micros(ticks * 1'000'000 / ::sysconf(_SC_CLK_TCK));
  out.resident = resident * ::sysconf(_SC_PAGESIZE);
  return out;
}

}  // namespace load
