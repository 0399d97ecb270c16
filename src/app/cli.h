// The command line: subcommands, --help, completion. CLI11 lives in cli.cpp alone.
#pragma once

namespace app {

// Exit codes: 0 done, 1 the command's answer is "no" (doctor: a check failed), 2 wrong usage,
// 69 something needed is unavailable, 78 the configuration is wrong (sysexits.h).
int run(int argc, char** argv);

}  // namespace app
