// See launchers.h: one row a launcher, from its manual page.
#include "reporter/commands/launchers.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace umaskaudit {
namespace {

struct Launcher {
  const char* name;
  const char* with_value;       // short options that take a value
  const char* long_with_value;  // the same for long ones, each with a blank behind it
  unsigned operands;            // words before the program: the duration of timeout(1)
  bool assignments;             // NAME=VALUE words before it
  bool always_cleans;
  const char* cleaning;  // a short option that empties the environment
  const char* cleaning_long;
};

constexpr Launcher kLaunchers[] = {
    {"env", "uC", "--unset --chdir ", 0, true, false, "i", "--ignore-environment"},
    {"nice", "n", "--adjustment ", 0, false, false, "", ""},
    {"nohup", "", "", 0, false, false, "", ""},
    {"setsid", "", "", 0, false, false, "", ""},
    {"stdbuf", "ioe", "--input --output --error ", 0, false, false, "", ""},
    {"timeout", "ks", "--kill-after --signal ", 1, false, false, "", ""},
    {"sudo", "CDghpRrTtUu",
     "--close-from --chdir --group --host --prompt --chroot --role --command-timeout --type "
     "--other-user --user ",
     0, true, true, "", ""},
};

const Launcher* find(const std::string& word) {
  const std::string name = word.substr(word.rfind('/') + 1);
  const auto* found = std::find_if(std::begin(kLaunchers), std::end(kLaunchers),
                                   [&](const Launcher& row) { return name == row.name; });
  return found == std::end(kLaunchers) ? nullptr : found;
}

}  // namespace

Launch started_program(const std::vector<std::string>& command) {
  Launch launch;
  const Launcher* launcher = command.empty() ? nullptr : find(command[0]);
  if (launcher == nullptr) return launch;
  launch.cleans_environment = launcher->always_cleans;
  std::size_t at = 1;
  for (; at < command.size(); ++at) {
    const std::string& word = command[at];
    if (word == "--") {
      ++at;
      break;
    }
    if (word == "-" && *launcher->cleaning != '\0') {  // env -: the old spelling of -i
      launch.cleans_environment = true;
      continue;
    }
    if (word.size() < 2 || word[0] != '-') break;
    if (word[1] == '-') {
      launch.cleans_environment |= word == launcher->cleaning_long;
      // "--unset NAME" takes the next word, "--unset=NAME" has it.
      if (std::strstr(launcher->long_with_value, (word + ' ').c_str()) != nullptr) ++at;
      continue;
    }
    // The same with "-u NAME" and "-uNAME", also behind others: "-vu NAME".
    const std::size_t value = word.find_first_of(launcher->with_value, 1);
    const std::string_view letters = std::string_view(word).substr(0, value);
    launch.cleans_environment |=
        *launcher->cleaning != '\0' && letters.find(launcher->cleaning) != letters.npos;
    if (value == word.size() - 1) ++at;
  }
  while (launcher->assignments && at < command.size() &&
         command[at].find('=') != std::string::npos) {
    ++at;
  }
  at += launcher->operands;
  if (at < command.size()) launch.program = at;
  return launch;
}

}  // namespace umaskaudit
