// `doctor`: what could not be seen here or of CMD, and what to do about it.
// Must never run CMD, nor change anything.
// Called through the table.
#include <sys/stat.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cstdlib>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "reporter/base/proc_status.h"
#include "reporter/commands/command.h"
#include "reporter/commands/preload_environment.h"
#include "reporter/commands/program.h"
#include "reporter/render/escape.h"
#include "reporter/render/mode_text.h"
#include "reporter/render/text_table.h"

namespace umaskaudit {
namespace {

enum class Verdict { good, advice, bad };

class Findings {
 public:
  void add(Verdict verdict, const std::string& what, const std::string& text) {
    const bool good = verdict == Verdict::good;
    const bool bad = verdict == Verdict::bad;
    table_.add({Cell(good  ? "ok"
                     : bad ? "bad"
                           : "note",
                     good  ? Style::good
                     : bad ? Style::bad
                           : Style::warning),
                what, text});
    if (bad) ++bad_;
  }
  unsigned bad() const { return bad_; }
  std::string text(const Console& console) const {
    return table_.text(console.width, Paint(console.out_colour));
  }

 private:
  TextTable table_{{{""}, {"WHAT"}, {"FOUND", Align::left, true}}, 0};
  unsigned bad_ = 0;
};

const char* remedy(Obstacle obstacle) {
  switch (obstacle) {
    case Obstacle::none:
    case Obstacle::not_found:
    case Obstacle::not_executable:
      return "";
    case Obstacle::static_link:
      return "; link it dynamically for the audit, or audit what starts it";
    case Obstacle::privileged:
      return "; run it as the user that it would become";
    case Obstacle::architecture:
      return "; build libumaskaudit.so for that machine";
    case Obstacle::foreign_libc:
      return "; build it against glibc for the audit";
    case Obstacle::go_runtime:
      return "; what its C parts do is seen, what Go does is not";
  }
  return "";
}

void examine_program(Findings& findings, const std::string& name) {
  const ProgramFacts facts = inspect_program(name);
  const bool found = !facts.path.empty();
  findings.add(found ? Verdict::good : Verdict::bad, "program",
               found ? escape(facts.path) : escape(name) + ": not found");
  for (const std::string& interpreter : facts.interpreters)
    findings.add(Verdict::good, "interpreter", escape(interpreter));
  if (facts.obstacle == Obstacle::not_found && !found) return;
  const Verdict verdict = facts.obstacle == Obstacle::none ? Verdict::good : Verdict::bad;
  findings.add(verdict, "preload",
               std::string(obstacle_text(facts.obstacle)) + remedy(facts.obstacle));
}

void examine_machine(Findings& findings) {
  const Result<std::string> library = find_library();
  if (library)
    findings.add(Verdict::good, "library", escape(*library));
  else
    findings.add(Verdict::bad, "library",
                 escape(library.error().what + ": " + library.error().why));
  if (const auto mask = umask_of_process("self"))
    findings.add(Verdict::good, "mask", octal(*mask) + ", read from /proc without writing it");
  else
    findings.add(Verdict::advice, "mask",
                 "/proc has no field Umask; masks at birth are read by a forked child");
  const bool writable = access(".", W_OK | X_OK) == 0;
  findings.add(writable ? Verdict::good : Verdict::advice, "run directory",
               writable ? "can be made here" : "cannot be made here; name another with -o DIR");
  if (const char* preload = std::getenv("LD_PRELOAD"); preload != nullptr && *preload != '\0')
    findings.add(Verdict::advice, "LD_PRELOAD", escape(preload) + " is kept, and runs before us");
  if (const char* options = std::getenv("UMASKAUDIT_OPTIONS");
      options != nullptr && *options != '\0')
    findings.add(Verdict::advice, "UMASKAUDIT_OPTIONS", escape(options) + " is kept");
  findings.add(Verdict::advice, "never seen",
               "system calls made past the C library, io_uring, other programs' changes");
}

}  // namespace

Action configure_doctor(CLI::App&) {
  return [](Invocation& invocation) {
    Findings findings;
    if (!invocation.tail.empty()) examine_program(findings, invocation.tail[0]);
    examine_machine(findings);
    invocation.console.out << findings.text(invocation.console);
    return static_cast<int>(findings.bad() == 0 ? ExitCode::clean : ExitCode::findings);
  };
}

}  // namespace umaskaudit
