// What every command that takes a RUN shares: the argument, filters, symbols, the output file.
// Must never open a run before the whole command line is known to be right.
// Called by report, threads, timeline and blame.
#pragma once

#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>

#include "reporter/base/console.h"
#include "reporter/base/result.h"
#include "reporter/commands/run_record.h"
#include "reporter/model/run.h"
#include "reporter/render/filter.h"
#include "reporter/render/stack_cache.h"
#include "reporter/render/text_report.h"
#include "reporter/rules/find.h"

namespace CLI {
class App;
}

namespace umaskaudit {

struct RunArguments {
  std::string run;
  Filter filter;
  std::string since;  // relative to the run's begin
  SymbolOptions symbols;
  bool no_symbols = false;
  std::string output;  // empty: standard output
};

void add_run_argument(CLI::App& app, RunArguments& arguments);
void add_filter_options(CLI::App& app, RunArguments& arguments);
void add_symbol_options(CLI::App& app, RunArguments& arguments);
void add_output_option(CLI::App& app, RunArguments& arguments);

// A run with its stacks, opened for one command.
class OpenedRun {
 public:
  // Also completes `arguments.filter` by --since.
  static Result<std::unique_ptr<OpenedRun>> open(RunArguments& arguments);
  OpenedRun(const OpenedRun&) = delete;
  OpenedRun& operator=(const OpenedRun&) = delete;

  const Run& run() const { return run_; }
  StackCache& stacks() { return stacks_; }
  const std::optional<RunRecord>& record() const { return record_; }
  // What `run` found out about CMD before it started it and no segment can say: that it could not
  // be audited. Nothing for a program that could.
  std::optional<BlindSpotEvent> unaudited() const;
  // summarize(), and unaudited() among the blind spots.
  Summary summary(const SummaryOptions& options) const;
  Heading heading() const;
  // What the rules say, without policy, suppressions or baseline; worst first. `on_hit` is told of
  // every object hit.
  FindResult findings(std::function<void(const Hit&)> on_hit = {});

 private:
  OpenedRun(Run run, SymbolOptions symbols, std::optional<RunRecord> record);

  Run run_;
  Symbolizer symbolizer_;
  StackCache stacks_;
  std::optional<RunRecord> record_;
};

// Where and how a command's text goes.
struct Output {
  std::ostream& stream;
  Paint paint;
  std::size_t width;
};

// Calls `write` with standard output or with the file of --output, which appears only when
// everything was written. Returns the exit code: 0 or the error's.
int write_output(Console& console, const std::string& file,
                 const std::function<void(const Output&)>& write);

}  // namespace umaskaudit
