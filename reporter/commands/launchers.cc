// See launchers.h: one row a launcher, from its manual page.
#include "reporter/commands/launchers.h"

#include <algorithm>
#include <cstring>

namespace umaskaudit {
namespace {

struct Launcher {
  const char* name;
  const char* with_value;  // short options whose value is the next word
  unsigned operands;       // words before the program: the duration of timeout(1)
  bool assignments;        // NAME=VALUE words before it
  bool always_cleans;
  const char* cleaning;  // a short option that empties the environment
  const char* cleaning_long;
};

constexpr Launcher kLaunchers[] = {
    {"env", "uC", 0, true, false, "i", "--ignore-environment"},
    {"nice", "n", 0, false, false, "", ""},
    {"nohup", "", 0, false, false, "", ""},
    {"setsid", "", 0, false, false, "", ""},
    {"stdbuf", "ioe", 0, false, false, "", ""},
    {"timeout", "ks", 1, false, false, "", ""},
    {"sudo", "ACDghpRrTtUu", 0, true, true, "", ""},
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
      if (*launcher->cleaning_long != '\0' && word == launcher->cleaning_long) {
        launch.cleans_environment = true;
      }
      continue;
    }
    const bool cleans = *launcher->cleaning != '\0' && word.find(launcher->cleaning) != word.npos;
    if (cleans) launch.cleans_environment = true;
    // "-u NAME" takes the next word, "-uNAME" has it.
    if (word.size() == 2 && std::strchr(launcher->with_value, word[1]) != nullptr) ++at;
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
