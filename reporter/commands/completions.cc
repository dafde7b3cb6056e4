// `completions`: scripts for bash, zsh and fish, made from the options as they are.
// Must never be edited by hand in their stored form (reporter/completions): a test compares.
// Called through the table; hidden from --help, since packages install the scripts.
#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/events/events.h"
#include "reporter/rules/finding.h"

namespace umaskaudit::commands {
namespace {

enum class Shell { bash, zsh, fish };

// What an option or argument takes.
enum class Value { none, maybe_words, words, file, directory, text };

Value value_of(const CLI::Option& option) {
  const std::string type = option.get_type_name();
  // A flag that may have one of a few words, as in --live=findings.
  if (option.get_items_expected_max() == 0)
    return type.find('|') == std::string::npos ? Value::none : Value::maybe_words;
  if (type.find('|') != std::string::npos || type == "RULE" || type == "KIND") return Value::words;
  if (type == "FILE") return Value::file;
  return type == "DIR" ? Value::directory : Value::text;
}

std::string join(const std::vector<std::string>& words) {
  std::string out;
  for (const std::string& word : words) out += (out.empty() ? "" : " ") + word;
  return out;
}

std::string rule_words() {
  std::vector<std::string> words;
  for (std::size_t i = 0; i < rules::kRuleCount; ++i)
    words.emplace_back(rules::rule_info(static_cast<rules::RuleId>(i)).id);
  return join(words);
}

std::string kind_words() {
  std::vector<std::string> words;
  for (int i = 1; i <= static_cast<int>(trace::Kind::tmpfile); ++i)
    words.emplace_back(kind_name(static_cast<trace::Kind>(i)));
  return join(words);
}

std::string words_of(const CLI::Option& option) {
  std::string words = option.get_type_name();
  if (words == "RULE") return rule_words();
  if (words == "KIND") return kind_words();
  for (char& c : words)
    if (c == '|') c = ' ';
  return words;
}

// "--output", "-o": every spelling.
std::vector<std::string> spellings(const CLI::Option& option) {
  std::vector<std::string> names;
  for (const std::string& name : option.get_lnames()) names.push_back("--" + name);
  for (const std::string& name : option.get_snames()) names.push_back("-" + name);
  return names;
}

std::vector<const CLI::Option*> options_of(const CLI::App& app) {
  return app.get_options([](const CLI::Option* option) { return option->nonpositional(); });
}

bool takes_run(const CLI::App& app) { return app.get_option_no_throw("RUN") != nullptr; }

// A quote inside a quoted word of a shell script.
std::string quoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

// Listed commands: those that --help shows.
std::vector<const Command*> listed() {
  std::vector<const Command*> out;
  for (const Command& command : commands())
    if (command.configure != configure_completions) out.push_back(&command);
  return out;
}

constexpr char kOrigin[] =
    "# Made by `umaskaudit completions`; tests/golden/update makes it anew.\n";

// Of the options that may have a value behind '=', or of those that must have one.
std::string bash_values(const CLI::App& app, const std::string& name, bool maybe) {
  std::string out;
  for (const CLI::Option* option : options_of(app)) {
    if (maybe != (value_of(*option) == Value::maybe_words)) continue;
    std::string pattern;
    for (const std::string& spelling : spellings(*option)) {
      if (!pattern.empty()) pattern += '|';
      pattern.append(name).append(":").append(spelling);
      if (maybe) pattern += '=';
    }
    const std::string head = "    " + pattern + ") ";
    switch (value_of(*option)) {
      case Value::none:
        break;
      case Value::maybe_words:
      case Value::words:
        out +=
            head + "COMPREPLY=($(compgen -W '" + words_of(*option) + "' -- \"$cur\")); return;;\n";
        break;
      case Value::file:
        out += head + "COMPREPLY=($(compgen -f -- \"$cur\")); return;;\n";
        break;
      case Value::directory:
        out += head + "COMPREPLY=($(compgen -d -- \"$cur\")); return;;\n";
        break;
      case Value::text:
        out += head + "return;;\n";
        break;
    }
  }
  return out;
}

std::string bash(const CLI::App& root) {
  std::vector<std::string> names;
  std::string values, maybe, options, tails;
  for (const Command* command : listed()) {
    const CLI::App& app = *root.get_subcommand(command->name);
    names.emplace_back(command->name);
    values += bash_values(app, command->name, false);
    maybe += bash_values(app, command->name, true);
    std::vector<std::string> all;
    for (const CLI::Option* option : options_of(app))
      for (const std::string& spelling : spellings(*option)) all.push_back(spelling);
    options += std::string("    ") + command->name + ") options='" + join(all) + "';;\n";
    if (begins_command(command->tail))
      tails += (tails.empty() ? "" : "|") + std::string(command->name);
  }
  return std::string(kOrigin) +
         "_umaskaudit() {\n"
         "  local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD-1]}\n"
         "  local command=${COMP_WORDS[1]} options i\n"
         "  COMPREPLY=()\n"
         // bash cuts words at '='.
         "  if [[ $cur == = ]]; then\n"
         "    cur= prev+==\n"
         "  elif [[ $prev == = ]]; then\n"
         "    prev=${COMP_WORDS[COMP_CWORD-2]}=\n"
         "  fi\n"
         "  if ((COMP_CWORD == 1)); then\n"
         "    COMPREPLY=($(compgen -W '" +
         join(names) +
         " help --help --version' -- \"$cur\"))\n"
         // `umaskaudit ./app` runs it.
         "    [[ $cur != */* ]] || COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "    return\n"
         "  fi\n"
         "  case $command in " +
         tails +
         ")\n"
         "    for ((i = 2; i < COMP_CWORD; i++)); do\n"
         "      [[ ${COMP_WORDS[i]} == -- ]] || continue\n"
         "      if declare -F _command_offset >/dev/null; then\n"
         "        _command_offset $((i + 1))\n"
         "      elif ((COMP_CWORD == i + 1)); then\n"
         "        COMPREPLY=($(compgen -c -- \"$cur\"))\n"
         "      else\n"
         "        COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "      fi\n"
         "      return\n"
         "    done\n"
         "  esac\n"
         "  case $command:$prev in\n" +
         maybe +
         "  esac\n"
         "  case $command:${prev%=} in\n" +
         values +
         "  esac\n"
         "  case $command in\n" +
         options +
         "  esac\n"
         "  if [[ $cur == -* ]]; then\n"
         "    COMPREPLY=($(compgen -W \"$options\" -- \"$cur\"))\n"
         "  elif [[ $command == help ]]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         join(names) +
         "' -- \"$cur\"))\n"
         "  elif [[ $command == explain ]]; then\n"
         "    COMPREPLY=($(compgen -W '" +
         rule_words() +
         "' -- \"$cur\"))\n"
         "  else\n"
         "    COMPREPLY=($(compgen -f -- \"$cur\"))\n"
         "  fi\n"
         "}\n"
         "complete -o filenames -F _umaskaudit umaskaudit\n";
}

// In a zsh specification ':', '[' and ']' mean something.
std::string zsh_text(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == ':' || c == '[' || c == ']' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

std::string zsh_action(const CLI::Option& option) {
  switch (value_of(option)) {
    case Value::none:
      return "";
    case Value::maybe_words:
      return "::word:(" + words_of(option) + ")";
    case Value::words:
      return ":word:(" + words_of(option) + ")";
    case Value::file:
      return ":file:_files";
    case Value::directory:
      return ":directory:_files -/";
    case Value::text:
      return ":" + zsh_text(option.get_type_name()) + ": ";
  }
  return "";
}

// How a value stands behind the option: by '=' alone, or by that as well.
const char* zsh_equals(const CLI::Option& option, const std::string& spelling) {
  const Value value = value_of(option);
  if (value == Value::none || spelling[1] != '-') return "";
  return value == Value::maybe_words ? "=-" : "=";
}

std::string zsh(const CLI::App& root) {
  std::string names, cases, begin, dashes;
  for (const Command* command : listed()) {
    const CLI::App& app = *root.get_subcommand(command->name);
    names += "    " + quoted(std::string(command->name) + ":" + zsh_text(command->summary)) + "\n";
    cases += std::string("  ") + command->name + ") _arguments -s -S";
    for (const CLI::Option* option : options_of(app))
      for (const std::string& spelling : spellings(*option))
        cases +=
            " \\\n      " + quoted("*" + spelling + zsh_equals(*option, spelling) + "[" +
                                   zsh_text(option->get_description()) + "]" + zsh_action(*option));
    if (begins_command(command->tail))
      cases += " \\\n      '*::command:_normal'";
    else if (command->configure == configure_explain)
      cases += " \\\n      '*:rule:(" + rule_words() + ")'";
    else
      cases += takes_run(app) ? " \\\n      '*:run:_files'" : " \\\n      '*:argument:_files'";
    cases += ";;\n";
    std::string* list = begins_command(command->tail)         ? &begin
                        : command->tail == Tail::after_dashes ? &dashes
                                                              : nullptr;
    if (list != nullptr) *list += (list->empty() ? "" : "|") + std::string(command->name);
  }
  return std::string("#compdef umaskaudit\n") + kOrigin +
         // Not `commands`: that is the table in which zsh looks CMD up.
         "local -a subcommands\n"
         "subcommands=(\n" +
         names +
         ")\n"
         "if ((CURRENT == 2)); then\n"
         // `umaskaudit ./app` runs it.
         "  if [[ $PREFIX == */* ]]; then _files; else _describe command subcommands; fi\n"
         "  return\n"
         "fi\n"
         "local command=$words[2]\n"
         "shift words\n"
         "((CURRENT--))\n"
         "case $command in\n"
         // As the first word it would be taken for CMD.
         "  " +
         begin +
         ")\n"
         "    if ((CURRENT > 2)) && [[ $words[2] == -- ]]; then\n"
         "      words[2]=()\n"
         "      ((CURRENT--))\n"
         "    fi;;\n"
         "  " +
         dashes +
         ")\n"
         "    local -i at=${words[(ie)--]}\n"
         "    if ((at < CURRENT)); then\n"
         "      shift at words\n"
         "      ((CURRENT -= at))\n"
         "      _normal\n"
         "      return\n"
         "    fi;;\n"
         "esac\n"
         "case $command in\n" +
         cases + "  help) _describe command subcommands;;\nesac\n";
}

std::string fish_line(const std::string& name, const CLI::Option& option) {
  std::string line = "complete -c umaskaudit -n '__fish_seen_subcommand_from " + name + "'";
  for (const std::string& one : option.get_lnames()) line += " -l " + one;
  for (const std::string& one : option.get_snames()) line += " -s " + one;
  switch (value_of(option)) {
    case Value::none:
      break;
    case Value::maybe_words:
      line += " -f -a '" + words_of(option) + "'";
      break;
    case Value::words:
      line += " -x -a '" + words_of(option) + "'";
      break;
    case Value::file:
      line += " -r -F";
      break;
    case Value::directory:
      line += " -x -a '(__fish_complete_directories)'";
      break;
    case Value::text:
      line += " -x";
      break;
  }
  return line + " -d " + quoted(option.get_description()) + "\n";
}

std::string fish(const CLI::App& root) {
  std::string out = kOrigin, names;
  for (const Command* command : listed())
    names += (names.empty() ? "" : " ") + std::string(command->name);
  for (const Command* command : listed())
    out += "complete -c umaskaudit -n 'not __fish_seen_subcommand_from " + names + "' -f -a " +
           command->name + " -d " + quoted(command->summary) + "\n";
  // `umaskaudit ./app` runs it.
  out += "complete -c umaskaudit -n 'not __fish_seen_subcommand_from " + names +
         "; and string match -q \"*/*\" -- (commandline -ct)' -f -a "
         "'(__fish_complete_path (commandline -ct))'\n";
  out += "complete -c umaskaudit -n '__fish_seen_subcommand_from help' -f -a '" + names + "'\n";
  for (const Command* command : listed()) {
    const CLI::App& app = *root.get_subcommand(command->name);
    if (command->configure == configure_explain)
      out += "complete -c umaskaudit -n '__fish_seen_subcommand_from explain' -f -a '" +
             rule_words() + "'\n";
    for (const CLI::Option* option : options_of(app)) out += fish_line(command->name, *option);
    if (begins_command(command->tail))
      out += std::string("complete -c umaskaudit -n '__fish_seen_subcommand_from ") +
             command->name + "' -x -a '(__fish_complete_subcommand --fcs-skip=2)'\n";
  }
  return out;
}

}  // namespace

Action configure_completions(CLI::App& app) {
  app.group("");  // not in --help
  auto shell = std::make_shared<Shell>(Shell::bash);
  add_enum_option<Shell>(app, "SHELL", *shell,
                         {{"bash", Shell::bash}, {"zsh", Shell::zsh}, {"fish", Shell::fish}},
                         "The shell")
      ->required();
  return [shell, &app](Invocation& invocation) {
    const CLI::App& root = *app.get_parent();
    switch (*shell) {
      case Shell::bash:
        invocation.console.out << bash(root);
        break;
      case Shell::zsh:
        invocation.console.out << zsh(root);
        break;
      case Shell::fish:
        invocation.console.out << fish(root);
        break;
    }
    return 0;
  };
}

}  // namespace umaskaudit::commands
