// Shell completion, generated from the command tree itself so that it cannot miss a command.
#include <CLI/CLI.hpp>
#include <cstdio>
#include <memory>

#include "cli/context.hpp"

namespace godwit::cli {
namespace {

// One `case` branch a command path: "messages send") its subcommands and options.
void branches(const CLI::App& command, const std::string& path, std::string& out) {
  std::string words;
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    words += sub->get_name() + " ";
  for (const CLI::Option* option : command.get_options())
    for (const std::string& name : option->get_lnames())
      if (!option->get_group().empty()) words += "--" + name + " ";
  if (!words.empty()) words.pop_back();
  out += "    \"" + path + "\") words=\"" + words + "\" ;;\n";
  for (const CLI::App* sub : command.get_subcommands([](const CLI::App*) { return true; }))
    branches(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), out);
}

}  // namespace

void add_completion(CLI::App& app, Context& context) {
  CLI::App* completion = app.add_subcommand("completion", "print shell completion: source <(godwit completion bash)");
  auto shell = std::make_shared<std::string>("bash");
  completion->add_option("SHELL", *shell)->check(CLI::IsMember({"bash", "zsh"}))->capture_default_str();
  completion->callback([&app, shell] {
    std::string out = *shell == "zsh" ? "autoload -U +X bashcompinit && bashcompinit\n" : "";
    out +=
        "_godwit() {\n  local path=\"\" word words\n"
        "  for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "    case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n  done\n  case \"$path\" in\n";
    branches(app, "", out);
    out +=
        "    *) words=\"\" ;;\n  esac\n  COMPREPLY=($(compgen -W \"$words\" -- \"${COMP_WORDS[COMP_CWORD]}\"))\n}\n"
        "complete -F _godwit godwit\n";
    std::fputs(out.c_str(), stdout);
  });
  (void)context;
}

}  // namespace godwit::cli
