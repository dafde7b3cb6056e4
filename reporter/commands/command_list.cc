// The table of subcommands, and the errors and warnings that all of them may print.
// Must never hold code of one command.
// Read by the command line, the completions and the manual's test.
#include <cerrno>
#include <cstring>
#include <ostream>

#include "reporter/commands/command.h"
#include "reporter/text/escape.h"

namespace umaskaudit::commands {
namespace {

// NAME, SUMMARY, EXAMPLE, TAIL, PAGED, CONFIGURE
constexpr Command kCommands[] = {
    {"run", "Record a program and its children", "umaskaudit run -o trace -- make install",
     Tail::command, false, configure_run},
    {"attach", "Record a process that runs already", "umaskaudit attach 1234 --for 30s", Tail::none,
     false, configure_attach},
    {"snapshot", "Copy a run while its program goes on", "umaskaudit snapshot trace -o copy",
     Tail::none, false, configure_snapshot},
    {"pack", "One file of a run, to be read on another machine",
     "umaskaudit pack trace -o trace.uapack", Tail::none, false, configure_pack},
    {"report", "What was created, who changed the mask, what could not be seen",
     "umaskaudit report trace --sort mode --path '*.key'", Tail::none, true, configure_report},
    {"threads", "Which thread changed the mask, when, for how long, from where",
     "umaskaudit threads trace", Tail::none, true, configure_threads},
    {"timeline", "Mask changes and creations in order",
     "umaskaudit timeline trace --since 1.5s --thread 'worker*'", Tail::none, true,
     configure_timeline},
    {"top", "Watch a run live, full screen", "umaskaudit top -- make install", Tail::after_dashes,
     false, configure_top},
    {"blame", "The history of one object's permissions, back to the umask call",
     "umaskaudit blame trace /srv/app/secret.key", Tail::none, true, configure_blame},
    {"check", "Findings, by rules, policy and baseline, with an exit code",
     "umaskaudit check trace --policy policy.toml --baseline known.json", Tail::none, true,
     configure_check},
    {"export", "Write a run for a trace viewer, a flame graph, SQL or a log fleet",
     "umaskaudit export trace --format chrome -o trace.json", Tail::none, false, configure_export},
    {"fleet", "Questions about the runs of many machines",
     "umaskaudit export trace --format tables -o lake\numaskaudit fleet lake", Tail::none, true,
     configure_fleet},
    {"diff", "Whose objects differ in mode between two runs, and why", "umaskaudit diff here there",
     Tail::none, true, configure_diff},
    {"whatif", "The recorded run under another mask: which modes would change",
     "umaskaudit whatif trace --umask 027", Tail::none, true, configure_whatif},
    {"doctor", "What could not be seen of a program here, and what to do about it",
     "umaskaudit doctor /usr/sbin/nginx", Tail::maybe, true, configure_doctor},
    {"explain", "How a mode comes about, bit by bit", "umaskaudit explain 0666 0022", Tail::none,
     true, configure_explain},
    {"rules", "The rules that findings go by", "umaskaudit rules", Tail::none, true,
     configure_rules},
    {"ls", "The runs that were recorded here", "umaskaudit ls", Tail::none, true, configure_ls},
    {"rm", "Remove runs", "umaskaudit rm make.1234", Tail::none, false, configure_rm},
    {"clean", "Remove all runs here but the latest", "umaskaudit clean --keep 5 --older 24h",
     Tail::none, false, configure_clean},
    {"umask", "Show masks, never changing one to read it", "umaskaudit umask u=rwx,g=rx,o= -- make",
     Tail::after_dashes, false, configure_umask},
    {"completions", "The completion script for a shell", "umaskaudit completions bash", Tail::none,
     false, configure_completions},
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

int fail_run(Console& console, const Error& error) {
  fail(console, error);
  return 125;
}

int fail_exec(Console& console, const std::string& name, int error) {
  fail(console, {"cannot run '" + name + "'", std::strerror(error), "umaskaudit doctor " + name,
                 ExitCode::internal});
  return error == ENOENT ? 127 : 126;
}

void warn(Console& console, std::string_view text) {
  if (console.verbosity == Verbosity::quiet) return;
  const std::string line = "umaskaudit: warning: " + escape(text) + '\n';
  console.err << line << std::flush;
}

}  // namespace umaskaudit::commands
