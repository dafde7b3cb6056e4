// Command: a subcommand of the tool: one row of commands/command_list.cc and one function declared
// here. Must never be included below reporter/commands: nothing under it knows of a command line.
// To add a command: write commands/NAME.cc with its configure function, declare that function at
// the end of this file, add its row to command_list.cc and its file to meson.build.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/base/result.h"

namespace CLI {
class App;
}

namespace umaskaudit::commands {

// What a command may take behind its options. The option parser never gets these words: they
// belong to another program.
enum class Tail {
  none,
  after_dashes,  // umask MASK [-- CMD...]
  command,       // run [options] [--] CMD...
  maybe,         // doctor [[--] CMD...]: the same, or nothing
};
// Its first word that is no option is CMD.
inline bool begins_command(Tail tail) { return tail == Tail::command || tail == Tail::maybe; }

struct Invocation {
  Console& console;
  std::vector<std::string> tail;  // CMD and its arguments; empty when there are none
};

// Does the command's work and returns the exit code of the tool (an ExitCode, or CMD's own).
using Action = std::function<int(Invocation&)>;

struct Command {
  const char* name;
  const char* summary;  // one line, no full stop
  const char* example;  // one or more lines for --help
  Tail tail;
  bool paged;  // on a terminal, what is longer than the screen goes through a pager
  // Adds options and positional arguments to `app`. What they are stored in must live as long as
  // the returned action (hold it in a shared_ptr that the action captures).
  Action (*configure)(CLI::App& app);
};

// Every subcommand, in the order of --help.
std::span<const Command> commands();

// Prints `umaskaudit: error: WHAT (WHY); try HINT` on console.err, escaped, one line, and returns
// the error's exit code.
int fail(Console& console, const Error& error);
// The command that should have started CMD failed itself: says so. 125, as env(1).
int fail_run(Console& console, const Error& error);
// execvp(3) failed with `error`: says so. 127 when CMD was not found, else 126, as env(1).
int fail_exec(Console& console, const std::string& name, int error);
// Prints `umaskaudit: warning: TEXT`, escaped; silent with -q.
void warn(Console& console, std::string_view text);

Action configure_run(CLI::App& app);
Action configure_attach(CLI::App& app);
Action configure_report(CLI::App& app);
Action configure_threads(CLI::App& app);
Action configure_timeline(CLI::App& app);
Action configure_blame(CLI::App& app);
Action configure_check(CLI::App& app);
Action configure_diff(CLI::App& app);
Action configure_whatif(CLI::App& app);
Action configure_doctor(CLI::App& app);
Action configure_export(CLI::App& app);
Action configure_fleet(CLI::App& app);
Action configure_completions(CLI::App& app);
Action configure_explain(CLI::App& app);
Action configure_top(CLI::App& app);
Action configure_umask(CLI::App& app);
Action configure_pack(CLI::App& app);
Action configure_snapshot(CLI::App& app);
Action configure_ls(CLI::App& app);
Action configure_rm(CLI::App& app);
Action configure_clean(CLI::App& app);
Action configure_rules(CLI::App& app);

}  // namespace umaskaudit::commands
