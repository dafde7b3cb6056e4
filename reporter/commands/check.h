// The options of `check`, and the check itself, which `run --check` shares.
// Must never open a run before the user's own files have been read.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/base/result.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/rules/finding.h"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace umaskaudit::commands {

enum class CheckFormat { text, jsonl, sarif, junit, gcc, github };

struct CheckOptions {
  RunArguments arguments;
  CheckFormat format = CheckFormat::text;
  std::string policy, baseline, write_baseline, suppressions, objects;
  bool validate = false;      // read the user's files, and no run
  bool for_stripped = false;  // write Finding::code_prints into the baseline
  rules::Severity fail_on = rules::Severity::warning;
  std::uint64_t max_loss = 0;
  std::uint64_t max_unrecorded = 0;
};

// --format, --policy, --suppressions, --baseline, --fail-on and what may be missing; returns them.
std::vector<CLI::Option*> add_ruling_options(CLI::App& app, CheckOptions& options);

// Reads the user's files, to report their mistakes early. Errors are usage errors.
Status try_rulings(const CheckOptions& options);

// Completes what the command line left open by the project file, `.umaskaudit.toml`; `app` has
// parsed it. Errors are usage errors.
Status apply_project_file(const CLI::App& app, CheckOptions& options, Console& console);

// Judges the run, writes what it found, and returns the exit code.
int check(CheckOptions& options, Console& console);

}  // namespace umaskaudit::commands
