// `--see`: which programs of a run are recorded, and by what.
// Must never keep CMD from running: where the tracer cannot start, CMD runs without it.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/inspect/program.h"
#include "reporter/tracer/tracer_process.h"

namespace CLI {
class App;
}

namespace umaskaudit::commands {

struct SeeOptions {
  bool all = false;    // by the tracer too, where the library cannot be
  bool trace = false;  // by the tracer alone
  bool fast = false;   // with a filter, also where that takes no_new_privs
};
void add_see_option(CLI::App& app, SeeOptions& options);

// Whether a program with that obstacle can be traced on this machine.
bool can_trace(inspect::Obstacle obstacle);

// Whether the bytes of a program or of a list of mappings name the run time of LeakSanitizer, which
// does not work in a traced process, and ends it with an error.
bool names_leak_sanitizer(const std::string& bytes);
inline constexpr char kLeakSanitizerWarning[] =
    "has LeakSanitizer, which fails at its end while it is traced: LSAN_OPTIONS=detect_leaks=0";

// The tracer beside a run. Of `run_options`, "key=value" each, it takes what it shares with the
// library.
class Sight {
 public:
  // `command`: what CMD is. Says on `console` what the tracer changes.
  Sight(const SeeOptions& options, const std::string& directory, const std::string& library,
        const std::vector<std::string>& run_options, inspect::Obstacle command, Console& console);

  // For the library; empty: there is no tracer.
  std::string library_option() const;
  // When CMD has ended.
  void finish();
  // In the child, in front of its exec.
  void before_exec() const;
  // Whether a program with that obstacle is seen all the same.
  bool sees(inspect::Obstacle obstacle) const;

 private:
  tracer::TracerOptions options_;
  std::unique_ptr<tracer::TracerProcess> tracer_;
  inspect::Obstacle command_;
  bool always_;  // takes CMD
};

}  // namespace umaskaudit::commands
