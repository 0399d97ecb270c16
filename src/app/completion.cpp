#include "app/completion.h"

namespace app {

std::string completion_script(std::string_view shell, const std::vector<CompletionCommand>& commands) {
  std::string names;
  std::string cases;
  for (const auto& command : commands) {
    names += (names.empty() ? "" : " ") + command.name;
    std::string words;
    for (const auto& word : command.words) words += (words.empty() ? "" : " ") + word;
    cases += "    " + command.name + ") words=\"" + words + "\" ;;\n";
  }
  std::string script;
  if (shell == "zsh") script += "autoload -U +X bashcompinit && bashcompinit\n";
  script +=
      "_televisit() {\n"
      "  local current=\"${COMP_WORDS[COMP_CWORD]}\" words=\"" +
      names +
      "\"\n"
      "  if [ \"$COMP_CWORD\" -gt 1 ]; then\n"
      "    case \"${COMP_WORDS[1]}\" in\n" +
      cases +
      "    esac\n"
      "  fi\n"
      "  COMPREPLY=($(compgen -W \"$words\" -- \"$current\"))\n"
      "}\n"
      "complete -o default -F _televisit televisit\n";
  return script;
}

}  // namespace app
