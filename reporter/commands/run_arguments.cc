// Shared options and opening, as run_arguments.h says.
// Must never follow anything that a run names but through the symbolizer's options.
// Called by the commands that take a RUN.
#include "reporter/commands/run_arguments.h"

#include <sys/utsname.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>
#include <utility>

#include "reporter/analysis/runtime_idiom.h"
#include "reporter/analysis/saved_unrecorded.h"
#include "reporter/analysis/symbol_chain.h"
#include "reporter/base/output_file.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/inspect/program.h"
#include "reporter/objects/local_links.h"
#include "reporter/record/run_store.h"
#include "reporter/symbolize/known_names.h"

namespace umaskaudit::commands {
namespace {

// Lists are given by repeating an option: a comma may be part of a name.
template <typename List>
CLI::Option* add_list(CLI::App& app, const char* name, List& list, const char* type,
                      const char* help) {
  return app.add_option(name, list, help)->type_name(type)->allow_extra_args(false);
}

// Checks of CLI11: empty when the word is fine, else what is wrong.
std::string known_kind(const std::string& word) {
  std::string all;
  for (int kind = 1; kind <= static_cast<int>(trace::Kind::tmpfile); ++kind) {
    const char* name = kind_name(static_cast<trace::Kind>(kind));
    if (word == name) return "";
    all += (all.empty() ? "" : ", ") + std::string(name);
  }
  return "invalid value '" + word + "' (expected: " + all + ")";
}

std::string known_rule(const std::string& word) {
  if (rules::find_rule(word) != nullptr) return "";
  std::string all;
  for (std::size_t rule = 0; rule < rules::kRuleCount; ++rule)
    all += (all.empty() ? "" : ", ") +
           std::string(rules::rule_info(static_cast<rules::RuleId>(rule)).id);
  return "invalid value '" + word + "' (expected: " + all + ")";
}

trace::Blind blind_of(const std::string& obstacle) {
  if (obstacle == inspect::obstacle_name(inspect::Obstacle::static_link))
    return trace::Blind::exec_static;
  if (obstacle == inspect::obstacle_name(inspect::Obstacle::privileged))
    return trace::Blind::exec_privileged;
  if (obstacle == inspect::obstacle_name(inspect::Obstacle::architecture))
    return trace::Blind::exec_abi;
  if (obstacle == inspect::obstacle_name(inspect::Obstacle::foreign_libc))
    return trace::Blind::exec_libc;
  if (obstacle == inspect::obstacle_name(inspect::Obstacle::go_runtime))
    return trace::Blind::go_runtime;
  return trace::Blind::other;
}

}  // namespace

analysis::FrameView frame_view(const RunArguments& arguments) {
  if (arguments.native_frames) return analysis::FrameView::native;
  return arguments.all_frames ? analysis::FrameView::all : analysis::FrameView::folded;
}

void add_run_argument(CLI::App& app, RunArguments& arguments) {
  app.add_option("RUN", arguments.run,
                 "Run directory, a segment file of it, or the name of a run in .umaskaudit;\n"
                 "default: the latest run here")
      ->type_name("");
}

void add_filter_options(CLI::App& app, RunArguments& arguments) {
  analysis::Filter& filter = arguments.filter;
  add_list(app, "--path", filter.paths, "GLOB", "Only objects whose path matches; repeat for more");
  add_list(app, "--pid", filter.pids, "PID", "Only events of this process")->check(whole_number);
  add_list(app, "--tid", filter.tids, "TID", "Only events of this thread")->check(whole_number);
  add_list(app, "--thread", filter.threads, "GLOB", "Only events of threads with such a name");
  add_list(app, "--call", filter.calls, "NAME", "Only events of this call, as in mkdirat");
  add_list(app, "--kind", filter.kinds, "KIND", "Only objects of this kind: file, dir, fifo, ...")
      ->check(known_kind);
  add_list(app, "--rule", filter.rules, "RULE", "Only findings of this rule, and what they name")
      ->check(known_rule);
  add_enum_option<std::optional<rules::Severity>>(
      app, "--severity", filter.severity,
      {{"note", rules::Severity::note},
       {"warning", rules::Severity::warning},
       {"error", rules::Severity::error}},
      "Only findings from this severity on, and what they name");
  app.add_option("--since", arguments.since, "Only events this long after the begin: 1.5s, 20ms")
      ->type_name("TIME");
}

void add_listing_options(CLI::App& app, RunArguments& arguments) {
  add_output_option(app, arguments);
  add_filter_options(app, arguments);
  add_symbol_options(app, arguments);
}

void add_symbol_options(CLI::App& app, RunArguments& arguments) {
  symbolize::SymbolOptions& symbols = arguments.symbols;
  app.add_option("--sysroot", symbols.sysroot, "Look modules up below DIR")->type_name("DIR");
  add_list(app, "--debug-dir", symbols.debug_dirs, "DIR",
           "Look separate debug files up in DIR too");
  app.add_flag("--debuginfod", symbols.debuginfod, "Ask the servers of DEBUGINFOD_URLS");
  app.add_flag("--no-symbols", arguments.no_symbols, "Modules and offsets only");
  CLI::Option* all = app.add_flag("--all-frames", arguments.all_frames,
                                  "Show an interpreter's own frames beside those of its scripts");
  app.add_flag("--native", arguments.native_frames, "Show no frames of scripts, native ones only")
      ->excludes(all);
}

void add_output_option(CLI::App& app, RunArguments& arguments) {
  app.add_option(
         "-o,--output", arguments.output,
         "Write to FILE (mode 0600, complete or not at all; compressed if it ends in .gz or .zst)")
      ->type_name("FILE");
}

OpenedRun::OpenedRun(ReadableRun readable, std::optional<record::RunRecord> record,
                     symbolize::SymbolOptions symbols, analysis::FrameView view,
                     const analysis::Filter& filter, std::unique_ptr<Progress> progress)
    : progress_(std::move(progress)),
      unpacked_(std::move(readable.unpacked)),
      run_(std::move(readable.run)),
      symbols_(std::move(symbols)),
      symbolizer_(symbols_),
      stacks_(run_, symbolizer_, view),
      record_(std::move(record)),
      filter_(filter) {}

void OpenedRun::show_sources() {
  if (symbols_.symbols) stacks_.show_sources(sources());
}

symbolize::SourceLines OpenedRun::sources() const {
  const std::uint64_t last_event = run_.real_ns(run_.end_ns());
  return {symbols_.sysroot, record_ ? record_->directory : "",
          render::started_real_ns(run_, heading()),
          record_ ? std::max(last_event, record_->end_real_ns) : last_event, symbols_.known};
}

namespace {

// A relative glob begins where the reports' relative paths do: where the run began. One that begins
// with '*' is for any place.
std::string from_root(const std::string& glob, const std::string& root) {
  if (glob.empty() || glob.front() == '/' || glob.front() == '*' || root.empty()) return glob;
  std::string whole;
  for (const char c : root) {
    if (std::string_view("*?[\\").find(c) != std::string_view::npos) whole += '\\';
    whole += c;
  }
  if (whole != "/") whole += '/';
  return whole + (glob.starts_with("./") ? glob.substr(2) : glob);
}

}  // namespace

Result<std::unique_ptr<OpenedRun>> OpenedRun::open(RunArguments& arguments, Console& console) {
  std::uint64_t since = 0;
  if (!arguments.since.empty()) {
    const Result<std::uint64_t> parsed = analysis::parse_duration(arguments.since);
    if (!parsed) return parsed.error();
    since = *parsed;
  }
  const Result<std::string> found = record::find_run(arguments.run);
  if (!found) return found.error();
  arguments.run = *found;
  auto progress = std::make_unique<Progress>(console);
  const auto ticker = [line = progress.get()](std::uint64_t done, std::uint64_t total) {
    line->tick(done, total);
  };
  Result<ReadableRun> readable = open_run_or_pack(arguments.run, ticker);
  if (!readable) return readable.error();
  const reader::Run* run = &readable->run;
  if (since != 0) arguments.filter.since_ns = run->begin_ns() + since;
  std::optional<record::RunRecord> record = record::read_run_record(run->place());
  arguments.typed_paths = arguments.filter.paths;
  if (record)
    for (std::string& glob : arguments.filter.paths) glob = from_root(glob, record->directory);
  arguments.filter.find_objects(*run);
  symbolize::SymbolOptions symbols = arguments.symbols;
  symbols.symbols = !arguments.no_symbols;
  symbols.code_maps = run->place();
  // Options name places where debug information may be that the packing machine did not have.
  if (symbols.sysroot.empty() && symbols.debug_dirs.empty() && !symbols.debuginfod)
    symbols.known = symbolize::read_known_names(run->place());
  return std::unique_ptr<OpenedRun>(new OpenedRun(std::move(*readable), std::move(record),
                                                  std::move(symbols), frame_view(arguments),
                                                  arguments.filter, std::move(progress)));
}

std::optional<BlindSpotEvent> unaudited(const std::optional<record::RunRecord>& record,
                                        std::uint64_t time_ns) {
  if (!record || record->obstacle.empty()) return std::nullopt;
  BlindSpotEvent event;
  event.reason = blind_of(record->obstacle);
  event.text = record->command + " (" + record->obstacle + ")";
  event.time_ns = time_ns;
  event.pid = event.tid = static_cast<std::uint32_t>(record->pid);
  return event;
}

std::optional<BlindSpotEvent> OpenedRun::unaudited() const {
  return commands::unaudited(record_, run_.begin_ns());
}

analysis::UnrecordedObjects unrecorded_of(const reader::Run& run,
                                          const std::optional<record::RunRecord>& record,
                                          analysis::UnrecordedQuery query) {
  if (is_packed(run))
    return analysis::read_saved_unrecorded(run.place()).value_or(analysis::UnrecordedObjects{});
  query.store = record::store_of(run.place());
  if (record) {
    query.directory = record->directory;
    query.begin_real_ns = record->start_real_ns;
    query.end_real_ns = record->end_real_ns;
    query.suspicious = !record->obstacle.empty();
    query.any_owner = record->obstacle == inspect::obstacle_name(inspect::Obstacle::privileged);
  }
  return analysis::find_unrecorded(run, query);
}

const analysis::UnrecordedObjects& OpenedRun::unrecorded() {
  if (unrecorded_) return *unrecorded_;
  if (most_entries_ == 0) return unrecorded_.emplace();
  analysis::UnrecordedQuery query;
  query.most_entries = most_entries_;
  query.ticker = [this](std::uint64_t entries) {
    progress_->count("looking at", entries, "names");
  };
  unrecorded_ = unrecorded_of(run_, record_, std::move(query));
  progress_->count("", 0, "");
  return *unrecorded_;
}

analysis::Summary OpenedRun::with_unaudited(analysis::Summary summary) const {
  if (const auto spot = unaudited()) summary.blind_spots.push_back({spot->reason, spot->text, 1});
  return summary;
}

analysis::Summary OpenedRun::summary(analysis::SummaryOptions options) const {
  options.links = local_links(run_);
  return with_unaudited(analysis::summarize(run_, options));
}

analysis::Summary OpenedRun::summary_and_findings(analysis::SummaryOptions options) {
  if (findings_) return summary(std::move(options));
  options.links = local_links(run_);
  rules::FindOptions find_options;
  // The rules follow the lives of objects, too; only what a filter leaves out differs.
  const bool share = options.objects && options.filter.empty();
  if (share) options.objects = false;
  analysis::Summarizer summarizer(options);
  find_options.on_event = [&](const Event& event) { summarizer.see(event); };
  if (share) {
    find_options.on_life_end = [&](const ObjectLife& life) { summarizer.object_ends(life); };
    find_options.on_failure = [&](const CreateEvent& event, const ObjectLives& lives) {
      summarizer.creation_fails(event, lives);
    };
    find_options.on_lives = [&](const ObjectLives& lives) { summarizer.objects_at_end(lives); };
  }
  look_for_findings(std::move(find_options));
  return with_unaudited(summarizer.finish(run_.end_ns()));
}

render::Heading OpenedRun::heading() const {
  render::Heading heading;
  if (!record_) return heading;
  heading.program = record_->command;
  heading.start_real_ns = record_->start_real_ns;
  for (std::size_t i = 1; i < record_->argv.size(); ++i) heading.program += ' ' + record_->argv[i];
  if (record_->signal != 0)
    heading.ending = "killed by signal " + std::to_string(record_->signal);
  else if (record_->exit_code)
    heading.ending = "exit code " + std::to_string(*record_->exit_code);
  else
    heading.ending = "no end recorded: it runs on, or its recorder was killed";
  return heading;
}

render::SarifRun OpenedRun::sarif_run() const {
  render::SarifRun sarif;
  sarif.tool_version = UMASKAUDIT_VERSION;
  sarif.heading = heading();
  if (!record_) return sarif;
  sarif.root = record_->directory;
  sarif.exit_code = record_->exit_code;
  sarif.signal = record_->signal;
  return sarif;
}

render::RunLine run_line_of(const std::optional<record::RunRecord>& record) {
  render::RunLine line;
  line.tool = "umaskaudit " UMASKAUDIT_VERSION;
  if (!record) return line;
  line.program = record->command;
  line.host = record->host;
  line.machine = record->machine;
  line.kernel = record->kernel;
  return line;
}

render::RunLine OpenedRun::run_line() const {
  const render::Heading known = heading();
  render::RunLine line = run_line_of(record_);
  line.program = render::program_of(run_, known);
  line.boot_id = run_.boot_id();
  line.started_real_ns = render::started_real_ns(run_, known);
  if (record_) {
    line.exit_code = record_->exit_code;
    line.signal = record_->signal;
  }
  line.begin_ns = run_.begin_ns();
  line.end_ns = run_.end_ns();
  line.whole_since_ns = run_.dropped().whole_since_ns;
  // Blind spots are events: a reader of all events gets them there.
  const reader::Completeness& facts = run_.completeness();
  line.complete = facts.losses.empty() && !facts.hides_creations && !unaudited();
  return line;
}

render::RunLine OpenedRun::table_line() const {
  render::RunLine line = run_line();
  utsname system{};
  if (!line.host.empty() || !is_of_this_boot(run_) || uname(&system) != 0) return line;
  line.host = system.nodename;
  line.machine = system.machine;
  line.kernel = system.release;
  return line;
}

const rules::FindResult& OpenedRun::findings(
    const std::function<void(const rules::Hit&)>& on_hit,
    const std::function<void(const rules::WindowSpan&)>& on_window) {
  if (findings_ && !on_hit && !on_window) return *findings_;
  rules::FindOptions options;
  options.on_hit = on_hit;
  options.on_window = on_window;
  look_for_findings(std::move(options));
  return *findings_;
}

const rules::FindResult& OpenedRun::findings(rules::FindOptions options) {
  look_for_findings(std::move(options));
  return *findings_;
}

void OpenedRun::for_each_beside_findings(const std::function<bool(const Event&)>& visit) {
  if (findings_) return run_.for_each_folded(visit);
  bool more = true;
  rules::FindOptions options;
  options.on_event = [&](const Event& event) { more = more && visit(event); };
  look_for_findings(std::move(options));
}

void name_code(rules::FindOptions& options, analysis::StackCache& stacks) {
  options.runtime_idiom = [&](StackRef sets, StackRef restores) {
    return analysis::runtime_idiom(stacks.source(), sets, restores);
  };
  options.code = [&](StackRef ref) { return analysis::code_name(stacks, ref); };
  options.source_code = [&](StackRef ref) { return analysis::source_code_name(stacks, ref); };
  options.place = [&](StackRef ref) { return analysis::place_of(stacks.code(ref)); };
  options.symbol_chain = [&](StackRef ref) { return analysis::symbol_chain(stacks.code(ref)); };
  options.symbol = [&](StackRef ref) { return analysis::innermost_symbol(stacks.code(ref)); };
}

void OpenedRun::look_for_findings(rules::FindOptions options) {
  name_code(options, stacks_);
  if (!filter_.paths.empty())
    options.skip_object = [this](rules::RuleId, std::span<const std::string> names) {
      return !filter_.selects_path(names);
    };
  options.links = local_links(run_);
  options.on_hit = [this, on_hit = std::move(options.on_hit)](const rules::Hit& hit) {
    filter_.note(hit);
    if (on_hit) on_hit(hit);
  };
  options.unrecorded = unrecorded().objects;
  findings_ = rules::find(run_, options);
  for (const rules::Finding& finding : findings_->findings) {
    std::optional<rules::Severity>& worst = worst_[static_cast<std::size_t>(finding.rule)];
    worst = std::max(worst.value_or(finding.severity), finding.severity);
  }
  std::erase_if(findings_->findings,
                [this](const rules::Finding& finding) { return !filter_.selects(finding); });
}

void OpenedRun::mark_named(analysis::Filter& filter) {
  if (!filter.by_finding()) return;
  filter_.mark(findings().findings);
  filter = filter_;
}

void OpenedRun::begin_stream(const Output& output) {
  if (output.terminal) progress_->stop();
}

Error no_page_for_terminals(const std::string& command) {
  return {command + ": a page is for a browser, and standard output is a terminal", "",
          "-o " + command + ".html", ExitCode::usage};
}

int write_output(Console& console, const std::string& file,
                 const std::function<void(const Output&)>& write) {
  if (file.empty()) {
    write({console.out, Paint(console.out_colour), console.width, console.out_tty});
    return 0;
  }
  Result<OutputFile> output = OutputFile::create(file);
  if (!output) return fail(console, output.error());
  write({output->stream(), Paint(false), 0});
  const Status done = output->commit();
  return done ? 0 : fail(console, done.error());
}

int write_about_run(Console& console, RunArguments& arguments,
                    const std::function<void(OpenedRun&, const Output&)>& write) {
  const auto opened = OpenedRun::open(arguments, console);
  if (!opened) return fail(console, opened.error());
  (*opened)->mark_named(arguments.filter);
  return write_output(console, arguments.output,
                      [&](const Output& output) { write(**opened, output); });
}

}  // namespace umaskaudit::commands
