// The table of subcommands, and the two lines that all of them may say.
// Must never hold code of one command.
// Read by the command line, the completions and the manual's test.
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/render/escape.h"

namespace umaskaudit {
namespace {

// NAME, SUMMARY, EXAMPLE, TAIL, CONFIGURE
constexpr Command kCommands[] = {
    {"run", "Record a program and its children", "umaskaudit run -o trace -- make install",
     Tail::command, configure_run},
};

}  // namespace

std::span<const Command> commands() { return kCommands; }

int fail(Console& console, const Error& error) {
  std::string line = "umaskaudit: error: " + escape(error.what);
  if (!error.why.empty()) line += " (" + escape(error.why) + ")";
  if (!error.hint.empty()) line += "; try " + escape(error.hint);
  line += '\n';
  console.err << line << std::flush;  // one write: lines of parallel jobs do not tear
  return static_cast<int>(error.code);
}

void warn(Console& console, std::string_view text) {
  if (console.verbosity == Verbosity::quiet) return;
  const std::string line = "umaskaudit: warning: " + escape(text) + '\n';
  console.err << line << std::flush;
}

}  // namespace umaskaudit
