// One row for each launcher, from its manual page.
#include "reporter/inspect/launchers.h"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace umaskaudit::inspect {
namespace {

struct Launcher {
  const char* name;
  const char* with_value;       // short options that take a value
  const char* long_with_value;  // the same for long ones, each followed by a blank
  unsigned operands = 0;        // words before the program: the duration of timeout(1)
  bool assignments = false;     // NAME=VALUE words before it
  bool always_cleans = false;
  const char* cleaning = "";  // a short option that empties the environment
  const char* cleaning_long = "";
  bool always_becomes = false;     // always runs it as another user
  const char* becoming_long = "";  // options that name another user, each with a blank behind it
  const char* becoming = "";       // the same, short
  bool changes_root = false;
  const char* naming = "";  // options whose value is the program, each with a blank behind it
};

constexpr Launcher kLaunchers[] = {
    {.name = "chroot",
     .with_value = "",
     .long_with_value = "",
     .operands = 1,
     .becoming_long = "--userspec ",
     .changes_root = true},
    {.name = "env",
     .with_value = "uC",
     .long_with_value = "--unset --chdir ",
     .assignments = true,
     .cleaning = "i",
     .cleaning_long = "--ignore-environment"},
    {.name = "gosu",
     .with_value = "",
     .long_with_value = "",
     .operands = 1,
     .always_becomes = true},
    {.name = "nice", .with_value = "n", .long_with_value = "--adjustment "},
    {.name = "nohup", .with_value = "", .long_with_value = ""},
    {.name = "runuser",
     .with_value = "ugGcsT",
     .long_with_value = "--user --group --supp-group --command --session-command --shell ",
     .always_becomes = true},
    {.name = "setpriv",
     .with_value = "",
     .long_with_value = "--reuid --ruid --euid --regid --rgid --egid --groups --bounding-set "
                        "--inh-caps --ambient-caps --securebits --pdeathsig --selinux-label "
                        "--apparmor-profile ",
     .cleaning_long = "--reset-env",
     .becoming_long = "--reuid --ruid --euid "},
    {.name = "setsid", .with_value = "", .long_with_value = ""},
    {.name = "start-stop-daemon",
     .with_value = "xapuncsrgkNPI",
     .long_with_value = "--exec --startas --pidfile --user --name --chuid --signal --chroot "
                        "--retry --group --umask --nicelevel --procsched --iosched --chdir "
                        "--pid --ppid --output ",
     .becoming_long = "--chuid ",
     .becoming = "c",
     .naming = "-a --startas -x --exec "},
    {.name = "stdbuf", .with_value = "ioe", .long_with_value = "--input --output --error "},
    {.name = "su",
     .with_value = "gGcsTw",
     .long_with_value = "--group --supp-group --command --session-command --shell "
                        "--whitelist-environment ",
     .always_becomes = true},
    {.name = "su-exec",
     .with_value = "",
     .long_with_value = "",
     .operands = 1,
     .always_becomes = true},
    {.name = "sudo",
     .with_value = "CDghpRrTtUu",
     .long_with_value = "--close-from --chdir --group --host --prompt --chroot --role "
                        "--command-timeout --type --other-user --user ",
     .assignments = true,
     .always_cleans = true,
     .always_becomes = true},
    {.name = "timeout",
     .with_value = "ks",
     .long_with_value = "--kill-after --signal ",
     .operands = 1},
};

// Whether `words` contains the option, each followed by a blank; "--user=x" counts as "--user".
bool is_among(const std::string& word, const char* words) {
  return std::strstr(words, (word.substr(0, word.find('=')) + ' ').c_str()) != nullptr;
}

const Launcher* find(const std::string& word) {
  const std::string name = word.substr(word.rfind('/') + 1);
  const auto* found = std::find_if(std::begin(kLaunchers), std::end(kLaunchers),
                                   [&](const Launcher& row) { return name == row.name; });
  return found == std::end(kLaunchers) ? nullptr : found;
}

// runuser -u USER: the program follows in place of a user name.
bool names_user(const std::vector<std::string>& command) {
  return std::any_of(command.begin() + 1, command.end(), [](const std::string& word) {
    return word == "-u" || word.starts_with("--user");
  });
}

}  // namespace

Launch started_program(const std::vector<std::string>& command) {
  Launch launch;
  const Launcher* launcher = command.empty() ? nullptr : find(command[0]);
  if (launcher == nullptr) return launch;
  launch.cleans_environment = launcher->always_cleans;
  launch.changes_user = launcher->always_becomes;
  launch.changes_root = launcher->changes_root;
  std::size_t named = 0;
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
      launch.changes_user |= is_among(word, launcher->becoming_long);
      if (is_among(word, launcher->naming) && word.find('=') == std::string::npos) named = at + 1;
      // "--unset NAME" takes the next word, "--unset=NAME" contains it.
      if (std::strstr(launcher->long_with_value, (word + ' ').c_str()) != nullptr) ++at;
      continue;
    }
    // The same for "-u NAME" and "-uNAME", also after other letters: "-vu NAME".
    const std::size_t value = word.find_first_of(launcher->with_value, 1);
    const std::string_view letters = std::string_view(word).substr(0, value);
    launch.cleans_environment |=
        *launcher->cleaning != '\0' && letters.find(launcher->cleaning) != letters.npos;
    if (value != word.npos && std::strchr(launcher->becoming, word[value]) != nullptr)
      launch.changes_user = true;
    if (is_among(word, launcher->naming)) named = at + 1;
    if (value == word.size() - 1) ++at;
  }
  while (launcher->assignments && at < command.size() &&
         command[at].find('=') != std::string::npos) {
    ++at;
  }
  // For a login shell, or "-c COMMAND", this word is a user name.
  const bool shell = launcher->always_becomes && launcher->operands == 0 &&
                     !launcher->assignments && !names_user(command);
  at = named != 0 ? named : at + launcher->operands;
  if (at < command.size() && !shell) launch.program = at;
  return launch;
}

}  // namespace umaskaudit::inspect
