// `diff`: two runs, or two machines: whose objects differ in mode, and why.
// Must never call an address, a process id, a time or a count a difference.
// Called through the table.
#include <CLI/CLI.hpp>
#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <set>

#include "reporter/analysis/mask_choice.h"
#include "reporter/analysis/mask_replay.h"
#include "reporter/analysis/symbol_chain.h"
#include "reporter/commands/command.h"
#include "reporter/commands/enum_option.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/commands/twin_format.h"
#include "reporter/render/diff_report.h"
#include "reporter/render/formats/diff_json.h"
#include "reporter/render/stack_text.h"
#include "reporter/symbolize/culprit.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kPageRows = 50;

struct Options {
  RunArguments arguments;  // of A; B takes all but the run
  TwinFormat format = TwinFormat::text;
  std::string other, root_a, root_b;
  std::vector<std::string> same;
  bool exact = false;
  std::size_t limit = kPageRows;
};

// One run, read and made comparable.
class Side {
 public:
  Side(std::unique_ptr<OpenedRun> opened, const std::string& root,
       std::vector<analysis::SameText> same, bool exact)
      : opened_(std::move(opened)), names_(root_of(*opened_, root), std::move(same), exact) {}

  void collect(const analysis::Filter& filter) {
    const reader::Run& run = opened_->run();
    analysis::FinalObjects made([&](const CreateEvent& event) { return filter.selects(event); });
    run.for_each_folded([&](const Event& event) {
      const auto* create = std::get_if<CreateEvent>(&event);
      names_.learn(event, create != nullptr && is_by_tempfile(*create));
      choice_.see(event);
      made.see(event);
      return true;
    });
    for (analysis::FinalObject& object : made.take()) {
      const std::string name = names_.normal(object.path);
      facts_.add(name, std::move(object));
    }
    facts_.inherited = analysis::inherited_masks(run);
    analysis::SummaryOptions brief;
    brief.filter = filter;
    brief.objects = false;
    summary_ = opened_->summary(brief);
    for (const analysis::MaskChanges& changes : summary_.changes) add_site(changes);
  }

  // Looks up who set the masks of what differs, for mask_origin().
  void find_setters(const analysis::RunDiff& diff,
                    std::vector<analysis::Outcome> analysis::ObjectDifference::*outcomes) {
    for (const analysis::ObjectDifference& one : diff.objects)
      for (const analysis::Outcome& outcome : one.*outcomes)
        if (const auto call = outcome.example.creation.mask_set_by)
          if (const auto chooser = choice_.chooser(*call)) setters_[*chooser] = {};
    if (setters_.empty()) return;
    opened_->run().for_each_folded([&](const Event& event) {
      const auto* change = std::get_if<UmaskEvent>(&event);
      const auto setter = change == nullptr ? setters_.end() : setters_.find(change->id);
      if (setter != setters_.end()) setter->second = change->stack;
      return true;
    });
  }

  render::DiffSide described() {
    return {opened_->run().directory(), opened_->heading().program, names_, facts_,
            [this](const CreateEvent& event) { return mask_origin(event); }};
  }

  const analysis::RunSide& facts() const { return facts_; }
  void append_unseen(std::string& out, const Output& output) {
    umaskaudit::render::append_unseen(
        out, {opened_->run(), opened_->stacks(), output.paint, output.width}, summary_);
  }

 private:
  // Whether Python's module of that name made the call; others are not looked up.
  bool is_by_tempfile(const CreateEvent& event) {
    if (event.requested != 0600U && event.requested != 0700U) return false;
    const std::vector<symbolize::Frame>& frames = opened_->stacks().code(event.stack);
    return std::any_of(frames.begin(), frames.end(), [](const symbolize::Frame& frame) {
      return frame.script && frame.file.ends_with("/tempfile.py");
    });
  }

  static std::string root_of(const OpenedRun& opened, const std::string& given) {
    if (!given.empty() || !opened.record()) return given;
    return opened.record()->directory;
  }

  void add_site(const analysis::MaskChanges& changes) {
    const std::vector<symbolize::Frame>& frames = opened_->stacks().code(changes.stack);
    std::string code = analysis::symbol_chain(frames);
    if (code.empty() && symbolize::culprit(frames) != nullptr)
      code = symbolize::culprit(frames)->module;
    analysis::MaskSite& site = facts_.sites[code + '\0' + changes.call];
    site.where = render::place_text(opened_->stacks(), changes.stack);
    site.call = changes.call;
    site.count += changes.count;
    for (const auto& [transition, count] : changes.transitions)
      site.masks.insert(transition.second);
  }

  std::string mask_origin(const CreateEvent& event) {
    const auto chooser = event.mask_set_by ? choice_.chooser(*event.mask_set_by) : std::nullopt;
    if (!chooser) return event.mask_setter_dropped ? "set before the record is whole" : "inherited";
    const auto setter = setters_.find(*chooser);
    if (setter == setters_.end()) return "set by the program";
    const std::string where = render::place_text(opened_->stacks(), setter->second);
    return where.empty() ? "set by the program" : "by " + where;
  }

  std::unique_ptr<OpenedRun> opened_;
  analysis::PathNames names_;
  analysis::RunSide facts_;
  analysis::Summary summary_;
  analysis::MaskChoice choice_;
  std::map<std::uint64_t, StackRef> setters_;  // by UmaskEvent::id
};

Result<std::unique_ptr<Side>> open_side(Options& options, const std::string& run,
                                        const std::string& root, Console& console) {
  std::vector<analysis::SameText> same;
  for (const std::string& expression : options.same) {
    Result<analysis::SameText> compiled = analysis::SameText::compile(expression);
    if (!compiled) return compiled.error();
    same.push_back(std::move(*compiled));
  }
  RunArguments arguments = options.arguments;
  arguments.run = run;
  Result<std::unique_ptr<OpenedRun>> opened = OpenedRun::open(arguments, console);
  if (!opened) return opened.error();
  (*opened)->mark_named(arguments.filter);
  auto side = std::make_unique<Side>(std::move(*opened), root, std::move(same), options.exact);
  side->collect(arguments.filter);
  return side;
}

int diff(Options& options, Console& console) {
  auto a = open_side(options, options.arguments.run, options.root_a, console);
  if (!a) return fail(console, a.error());
  auto b = open_side(options, options.other, options.root_b, console);
  if (!b) return fail(console, b.error());
  const analysis::RunDiff found = analysis::compare((*a)->facts(), (*b)->facts());
  (*a)->find_setters(found, &analysis::ObjectDifference::a);
  (*b)->find_setters(found, &analysis::ObjectDifference::b);
  const render::DiffSide left = (*a)->described(), right = (*b)->described();
  const int written = write_output(console, options.arguments.output, [&](const Output& output) {
    if (options.format == TwinFormat::json) {
      output.stream << render::diff_json(found, left, right);
      return;
    }
    std::string out =
        render::diff_text(found, left, right, {output.paint, output.width, options.limit});
    out += "A: ";
    (*a)->append_unseen(out, output);
    out += "B: ";
    (*b)->append_unseen(out, output);
    output.stream << out;
  });
  if (written != 0) return written;
  return static_cast<int>(found.any() ? ExitCode::findings : ExitCode::clean);
}

}  // namespace

Action configure_diff(CLI::App& app) {
  auto options = std::make_shared<Options>();
  app.add_option("A", options->arguments.run, "Run directory")->type_name("")->required();
  app.add_option("B", options->other, "The run to compare it with; default: the latest run here")
      ->type_name("");
  add_twin_format(app, options->format, "What to write");
  app.add_option("--root-a", options->root_a,
                 "Read this directory as '.' in A; default: where its program was started")
      ->type_name("DIR");
  app.add_option("--root-b", options->root_b, "The same for B")->type_name("DIR");
  app.add_option("--same", options->same,
                 "What this extended regular expression matches in a path is read as the same; "
                 "repeat for more")
      ->type_name("REGEX")
      ->allow_extra_args(false);
  app.add_flag("--exact", options->exact, "Paths as they were recorded, random names and all");
  add_number(app, "--limit", options->limit, "Rows of each table at most; 0: all. Default: 50");
  add_listing_options(app, options->arguments);
  return [options](Invocation& invocation) { return diff(*options, invocation.console); };
}

}  // namespace umaskaudit::commands
