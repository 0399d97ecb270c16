// Shell completion scripts, generated from the commands the program really has.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace app {

struct CompletionCommand {
  std::string name;
  std::vector<std::string> words;  // its options
};

// `shell`: "bash" or "zsh".
std::string completion_script(std::string_view shell, const std::vector<CompletionCommand>& commands);

}  // namespace app
