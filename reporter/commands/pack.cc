// `pack`: a run as one file that another machine reads as this one does.
// Must never pack a run that is still recorded: what is in it would change meanwhile.
// Called through the table.
#include <CLI/CLI.hpp>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "reporter/analysis/saved_unrecorded.h"
#include "reporter/analysis/summary.h"
#include "reporter/commands/command.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/objects/local_links.h"
#include "reporter/record/pack_file.h"
#include "reporter/record/run_directory.h"
#include "reporter/symbolize/known_names.h"
#include "reporter/text/escape.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

struct Options {
  RunArguments arguments;
  std::string file;
};

// Every stack that an event has, as all views show it, and the lines of sources that it names.
class Names {
 public:
  Names(OpenedRun& opened, const symbolize::SourceLines& sources)
      : opened_(opened), sources_(sources) {}

  void see(StackRef ref) {
    if (ref.id == 0 || !seen_.insert(analysis::StackCache::key(ref)).second) return;
    see(opened_.stacks().code(ref));
    see(opened_.native_stack(ref));
    for (const std::vector<symbolize::Frame>* starter : opened_.stacks().starters(ref))
      see(*starter);
  }

  std::string text() {
    symbolize::KnownNames names;
    opened_.add_names(names);
    // In the order of the files, of which one is kept open.
    for (const auto& [place, frame] : frames_) sources_.line(frame);
    sources_.add_names(names);
    return symbolize::known_names_text(names);
  }

 private:
  void see(const std::vector<symbolize::Frame>& frames) {
    for (const symbolize::Frame& frame : frames)
      if (frame.line != 0 && !frame.file.empty())
        frames_.try_emplace({frame.file, frame.line}, frame);
  }

  OpenedRun& opened_;
  symbolize::SourceLines sources_;
  std::set<std::uint64_t> seen_;
  std::map<std::pair<std::string, std::uint32_t>, symbolize::Frame> frames_;
};

// With what only this machine knows of it.
Status pack_run(OpenedRun& opened, const std::string& file) {
  const reader::Run& run = opened.run();
  if (const long recorder = record::recorder_of(run.place()); recorder != 0)
    return Error{"cannot pack run '" + run.directory() + "'",
                 "process " + std::to_string(recorder) + " still records into it",
                 "umaskaudit snapshot first", ExitCode::usage};
  Names names(opened, opened.sources());
  KnownLinks links(local_links(run));
  analysis::SummaryOptions all;
  all.links = links.links();
  all.limit = 1;
  analysis::Summarizer objects(all);
  run.for_each_folded([&](const Event& event) {
    std::visit([&](const EventBase& base) { names.see(base.stack); }, event);
    if (const auto* process = std::get_if<ProcessEvent>(&event)) names.see(process->started);
    objects.see(event);
    return true;
  });
  objects.finish(run.end_ns());
  return record::write_pack(
      file, run.place(),
      {{symbolize::kKnownNamesFile, names.text()},
       {kKnownLinksFile, links.text()},
       {analysis::kSavedUnrecordedFile, analysis::saved_unrecorded_text(opened.unrecorded())}});
}

int pack(Options& options, Console& console) {
  const auto opened = OpenedRun::open(options.arguments, console);
  if (!opened) return fail(console, opened.error());
  if (options.file.empty()) {
    std::string name = (*opened)->run().directory();
    while (name.size() > 1 && name.back() == '/') name.pop_back();
    options.file = name.substr(name.rfind('/') + 1) + record::kPackEnding;
  }
  if (const Status done = pack_run(**opened, options.file); !done)
    return fail(console, done.error());
  console.out << escape(options.file) << '\n';
  return static_cast<int>(ExitCode::clean);
}

}  // namespace

Action configure_pack(CLI::App& app) {
  auto options = std::make_shared<Options>();
  add_run_argument(app, options->arguments);
  app.add_option("-o,--output", options->file, "Write FILE; default: the run's name with .uapack")
      ->type_name("FILE");
  add_symbol_options(app, options->arguments);
  return [options](Invocation& invocation) { return pack(*options, invocation.console); };
}

}  // namespace umaskaudit::commands
