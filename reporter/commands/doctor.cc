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

#include "reporter/commands/command.h"
#include "reporter/commands/twin_format.h"
#include "reporter/events/events.h"
#include "reporter/inspect/code_hints.h"
#include "reporter/inspect/launchers.h"
#include "reporter/inspect/proc_status.h"
#include "reporter/inspect/program.h"
#include "reporter/record/preload_environment.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/mode_text.h"
#include "reporter/text/escape.h"
#include "reporter/text/json_writer.h"
#include "reporter/text/text_table.h"

namespace umaskaudit::commands {
namespace {

enum class Grade { good, advice, bad };

class Checks {
 public:
  void add(Grade grade, const std::string& what, const std::string& text) {
    const bool good = grade == Grade::good;
    const bool bad = grade == Grade::bad;
    const char* const word = good ? "ok" : bad ? "bad" : "note";
    table_.add({Cell(word, good ? Style::good : bad ? Style::bad : Style::warning), what, text});
    rows_.push_back({word, what, text});
    if (bad) ++bad_;
  }
  unsigned bad() const { return bad_; }
  std::string text(const Console& console) const {
    return table_.text(console.width, Paint(console.out_colour));
  }
  // The texts are escaped as in the table.
  std::string json() const {
    std::string out;
    JsonWriter json(out);
    json.begin_object();
    json.number("schema", render::kJsonSchema);
    json.begin_array("checks");
    for (const Row& row : rows_) {
      json.begin_object();
      json.text("verdict", row.grade);
      json.text("what", row.what);
      json.text("found", row.text);
      json.end_object();
    }
    json.end_array();
    json.boolean("good", bad_ == 0);
    json.end_object();
    return out += '\n';
  }

 private:
  struct Row {
    std::string grade, what, text;
  };
  std::vector<Row> rows_;
  TextTable table_{{{""}, {"WHAT"}, {"FOUND", Align::left, true}}, 0};
  unsigned bad_ = 0;
};

const char* remedy(inspect::Obstacle obstacle) {
  switch (obstacle) {
    case inspect::Obstacle::none:
    case inspect::Obstacle::not_found:
    case inspect::Obstacle::not_executable:
      return "";
    case inspect::Obstacle::static_link:
      return "; run --see=all traces it";
    case inspect::Obstacle::privileged:
      return "; run it as the user that it would become";
    case inspect::Obstacle::architecture:
      return "; run --see=all traces it where this machine runs it";
    case inspect::Obstacle::foreign_libc:
      return "; run --see=all traces it";
    case inspect::Obstacle::go_runtime:
      return "; what its C parts do is seen, what Go does is not, unless run --see=all traces it";
  }
  return "";
}

// What a recording of it would have as a blind spot, or as drift of the mask.
void examine_code(Checks& checks, const std::string& path) {
  for (const inspect::CodeHint& hint : inspect::code_hints(path)) {
    const bool drift = hint.reason == trace::Blind::other;
    checks.add(Grade::advice, drift ? "drift" : blind_name(hint.reason),
               escape(hint.culprit) + "; " +
                   (drift ? "what they make is not seen, and a mask that they change is noticed "
                            "at the next umask call or creation"
                          : blind_advice(hint.reason)));
  }
}

// A file of that name may be here, where PATH does not look.
std::string not_found_text(const std::string& name) {
  const std::string text = escape(name) + ": not found";
  const bool here = name.find('/') == std::string::npos && access(name.c_str(), F_OK) == 0;
  if (!here) return text;
  if (access(name.c_str(), X_OK) == 0) return text + " in PATH; the one here is ./" + escape(name);
  return text + " in PATH; ./" + escape(name) + " is here, and not executable: try sh " +
         escape(name);
}

void examine_program(Checks& checks, const std::string& name) {
  const inspect::ProgramFacts facts = inspect::inspect_program(name);
  const bool found = !facts.path.empty();
  checks.add(found ? Grade::good : Grade::bad, "program",
             found ? escape(facts.path) : not_found_text(name));
  for (const std::string& interpreter : facts.interpreters)
    checks.add(Grade::good, "interpreter", escape(interpreter));
  if (facts.obstacle == inspect::Obstacle::not_found && !found) return;
  const Grade grade = facts.obstacle == inspect::Obstacle::none ? Grade::good : Grade::bad;
  checks.add(grade, "preload",
             std::string(inspect::obstacle_text(facts.obstacle)) + remedy(facts.obstacle));
  if (facts.go && facts.obstacle != inspect::Obstacle::go_runtime)
    checks.add(Grade::advice, "language",
               "Go; linked dynamically, with cgo, its C parts would be seen");
  if (inspect::can_audit(facts.obstacle))
    examine_code(checks, facts.interpreters.empty() ? facts.path : facts.interpreters.back());
}

constexpr unsigned kMostLaunchers = 8;

// CMD, and what it starts where that is its purpose: env, nice, sudo, ...
void examine_command(Checks& checks, std::vector<std::string> command) {
  for (unsigned depth = 0; depth <= kMostLaunchers; ++depth) {
    examine_program(checks, command[0]);
    const inspect::Launch launch = inspect::started_program(command);
    if (launch.changes_user)
      checks.add(Grade::advice, "user",
                 "what it starts as another user is recorded while `run` lasts, where that user "
                 "can read the library");
    if (launch.changes_root)
      checks.add(Grade::advice, "root",
                 "what it starts in another root is recorded while `run` lasts, where the "
                 "library is there under the same name");
    if (launch.program == 0) return;
    command.erase(command.begin(), command.begin() + static_cast<std::ptrdiff_t>(launch.program));
    checks.add(launch.cleans_environment ? Grade::advice : Grade::good, "starts",
               escape(command[0]) + (launch.cleans_environment
                                         ? ", in an environment without LD_PRELOAD: it is "
                                           "put back at the exec, but not with follow=no"
                                         : ""));
  }
}

void examine_machine(Checks& checks) {
  const Result<std::string> library = record::find_library();
  if (library)
    checks.add(Grade::good, "library", escape(*library));
  else
    checks.add(Grade::bad, "library", escape(library.error().what + ": " + library.error().why));
  if (const auto mask = inspect::umask_of_process("self"))
    checks.add(Grade::good, "mask", octal(*mask) + ", read from /proc without writing it");
  else
    checks.add(Grade::advice, "mask",
               "/proc has no field Umask; masks at birth are read by a forked child");
  const bool writable = access(".", W_OK | X_OK) == 0;
  checks.add(writable ? Grade::good : Grade::advice, "run directory",
             writable ? "can be made here" : "cannot be made here; name another with -o DIR");
  if (const char* preload = std::getenv("LD_PRELOAD"); preload != nullptr && *preload != '\0')
    checks.add(Grade::advice, "LD_PRELOAD", escape(preload) + " is kept, and runs before us");
  if (const char* options = std::getenv("UMASKAUDIT_OPTIONS");
      options != nullptr && *options != '\0')
    checks.add(Grade::advice, "UMASKAUDIT_OPTIONS", escape(options) + " is kept");
  checks.add(Grade::advice, "never seen",
             "system calls made past the C library, io_uring, other programs' changes");
}

}  // namespace

Action configure_doctor(CLI::App& app) {
  auto format = std::make_shared<TwinFormat>(TwinFormat::text);
  add_twin_format(app, *format);
  return [format](Invocation& invocation) {
    Checks checks;
    if (!invocation.tail.empty()) examine_command(checks, invocation.tail);
    examine_machine(checks);
    invocation.console.out << (*format == TwinFormat::json ? checks.json()
                                                           : checks.text(invocation.console));
    return static_cast<int>(checks.bad() == 0 ? ExitCode::clean : ExitCode::findings);
  };
}

}  // namespace umaskaudit::commands
