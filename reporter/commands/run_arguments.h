// What the commands that take a RUN share: the argument, filters, symbols, the output file.
// Must never open a run before the whole command line has been checked.
#pragma once

#include <array>
#include <functional>
#include <iosfwd>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "reporter/analysis/filter.h"
#include "reporter/analysis/stack_cache.h"
#include "reporter/analysis/unrecorded_files.h"
#include "reporter/base/console.h"
#include "reporter/base/result.h"
#include "reporter/commands/packed_run.h"
#include "reporter/commands/progress.h"
#include "reporter/reader/run.h"
#include "reporter/record/run_record.h"
#include "reporter/render/formats/jsonl.h"
#include "reporter/render/formats/sarif.h"
#include "reporter/render/text_report.h"
#include "reporter/rules/find.h"

namespace CLI {
class App;
}

namespace umaskaudit::commands {

struct RunArguments {
  std::string run;
  analysis::Filter filter;
  std::vector<std::string> typed_paths;  // those of `filter` before they were made absolute
  std::string since;                     // relative to the run's begin
  symbolize::SymbolOptions symbols;
  bool no_symbols = false;
  bool all_frames = false, native_frames = false;
  std::string output;  // empty: standard output
};

analysis::FrameView frame_view(const RunArguments& arguments);

void add_run_argument(CLI::App& app, RunArguments& arguments);
void add_filter_options(CLI::App& app, RunArguments& arguments);
void add_symbol_options(CLI::App& app, RunArguments& arguments);
void add_output_option(CLI::App& app, RunArguments& arguments);
// --output, the filters and the symbol options: what a command takes that lists events.
void add_listing_options(CLI::App& app, RunArguments& arguments);

// Where and how a command's text goes.
struct Output {
  std::ostream& stream;
  Paint paint;
  std::size_t width;
  bool terminal = false;
};

// The blind spot for a CMD that `run` found unable to load the library, which no segment records;
// nothing for another one. Its time is `time_ns`.
std::optional<BlindSpotEvent> unaudited(const std::optional<record::RunRecord>& record,
                                        std::uint64_t time_ns);

// OpenedRun::unrecorded() for a run that is read without one.
analysis::UnrecordedObjects unrecorded_of(const reader::Run& run,
                                          const std::optional<record::RunRecord>& record,
                                          analysis::UnrecordedQuery query = {});

// What the first line of JSON Lines says of a run, as far as run.json and the tool know it while it
// goes on.
render::RunLine run_line_of(const std::optional<record::RunRecord>& record);

// Lets the rules name the code behind a stack. `stacks` must outlive them.
void name_code(rules::FindOptions& options, analysis::StackCache& stacks);

// A run with its stacks, opened for one command.
class OpenedRun {
 public:
  // Also completes `arguments.filter` by --since. `console` shows progress while the run is read.
  // A pack is opened as the run that it holds.
  static Result<std::unique_ptr<OpenedRun>> open(RunArguments& arguments, Console& console);
  OpenedRun(const OpenedRun&) = delete;
  OpenedRun& operator=(const OpenedRun&) = delete;

  const reader::Run& run() const { return run_; }
  analysis::StackCache& stacks() { return stacks_; }
  const std::optional<record::RunRecord>& record() const { return record_; }
  // Where CMD began; empty: not known.
  std::string directory() const { return record_ ? record_->directory : ""; }
  std::optional<BlindSpotEvent> unaudited() const;
  // What appeared in the directories of the run without a record, where something may be missing.
  // Looked for once. findings() judge it, too.
  const analysis::UnrecordedObjects& unrecorded();
  // How many names unrecorded() may look at; 0: it finds nothing. Before it is called.
  void limit_unrecorded(std::uint64_t most_entries) { most_entries_ = most_entries; }
  // summarize(), and unaudited() among the blind spots.
  analysis::Summary summary(analysis::SummaryOptions options) const;
  // A summary made otherwise, and unaudited() among its blind spots.
  analysis::Summary with_unaudited(analysis::Summary summary) const;
  // summary(), and findings() in the same reading of the run.
  analysis::Summary summary_and_findings(analysis::SummaryOptions options);
  render::Heading heading() const;
  render::SarifRun sarif_run() const;
  render::RunLine run_line() const;
  // The same with the host of a run without run.json: this one, if it has not booted since.
  render::RunLine table_line() const;
  // What the rules say, without policy, suppressions or baseline, of what the filter selects; worst
  // first. `on_hit` and `on_window` are those of FindOptions. Without them the findings are
  // computed once.
  const rules::FindResult& findings(
      const std::function<void(const rules::Hit&)>& on_hit = {},
      const std::function<void(const rules::WindowSpan&)>& on_window = {});
  // The same with the callbacks of `options`; its functions for names of code and for links are set
  // here.
  const rules::FindResult& findings(rules::FindOptions options);
  // Run::for_each_folded(), and findings() in the same reading of the run.
  void for_each_beside_findings(const std::function<bool(const Event&)>& visit);
  // By rule, the worst severity of what findings() found, also of what the filter then left out.
  const std::array<std::optional<rules::Severity>, rules::kRuleCount>& worst_found() const {
    return worst_;
  }
  // Completes --rule and --severity in `filter`: the events that the selected findings name.
  void mark_named(analysis::Filter& filter);
  // Findings are shown with the lines of sources that they name, but with --no-symbols.
  void show_sources();
  // What looks for them.
  symbolize::SourceLines sources() const;
  // The frames of a stack, also those that the view leaves out; and all names resolved so far.
  std::vector<symbolize::Frame> native_stack(StackRef ref) {
    return symbolizer_.native_stack(run_, ref);
  }
  void add_names(symbolize::KnownNames& names) const { symbolizer_.add_names(names); }
  // No progress from now on: events are about to be streamed to `output`.
  void begin_stream(const Output& output);

 private:
  void look_for_findings(rules::FindOptions options);
  OpenedRun(ReadableRun readable, std::optional<record::RunRecord> record,
            symbolize::SymbolOptions symbols, analysis::FrameView view,
            const analysis::Filter& filter, std::unique_ptr<Progress> progress);
  std::unique_ptr<Progress> progress_;  // updated by run_
  std::optional<record::UnpackedRun> unpacked_;
  reader::Run run_;
  symbolize::SymbolOptions symbols_;
  symbolize::Symbolizer symbolizer_;
  analysis::StackCache stacks_;
  std::optional<record::RunRecord> record_;
  analysis::Filter filter_;
  std::optional<analysis::UnrecordedObjects> unrecorded_;
  std::uint64_t most_entries_ = analysis::UnrecordedQuery().most_entries;
  std::optional<rules::FindResult> findings_;
  std::array<std::optional<rules::Severity>, rules::kRuleCount> worst_{};
};

// The error of `command` for HTML where standard output is a terminal.
Error no_page_for_terminals(const std::string& command);

// Calls `write` with standard output or with the file of --output, which appears only when
// everything was written. Returns the exit code: 0 or the error's.
int write_output(Console& console, const std::string& file,
                 const std::function<void(const Output&)>& write);

// Opens the run and has `write` write about it, as above.
int write_about_run(Console& console, RunArguments& arguments,
                    const std::function<void(OpenedRun&, const Output&)>& write);

}  // namespace umaskaudit::commands
