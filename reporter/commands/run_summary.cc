// The summary: a few lines, the worst first, and the next step.
// Must never print more than a screen.
// Called by `run`.
#include "reporter/commands/run_summary.h"

#include <algorithm>
#include <ostream>
#include <string>

#include "reporter/commands/command.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/render/dropped.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/text_report.h"
#include "reporter/text/escape.h"
#include "reporter/text/text_width.h"
#include "reporter/text/time_text.h"

namespace umaskaudit::commands {
namespace {

constexpr std::size_t kMostThreads = 5;
constexpr std::size_t kMostBlindSpots = 3;
constexpr std::size_t kMostFindings = 3;
constexpr std::uint64_t kMostNames = 1 << 14;  // that are looked at on the disk before the prompt

constexpr std::size_t kHanging = 16;  // lines that go on stand behind the tool's name

// Lines for a terminal of that width, each behind the tool's name.
class Lines {
 public:
  Lines(std::size_t width, const Paint& paint) : width_(width), paint_(paint) {}

  // `word`, which stands in `text`, is painted.
  void add(const std::string& text, const std::string& word = "", Style style = Style::plain) {
    std::string line;
    append_wrapped(line, "umaskaudit: " + text, 0, kHanging, width_);
    if (const std::size_t at = word.empty() ? std::string::npos : line.find(word, 12);
        at != std::string::npos)
      line.replace(at, word.size(), paint_(style, word));
    text_ += line;
  }
  const std::string& text() const { return text_; }

 private:
  std::size_t width_;
  const Paint& paint_;
  std::string text_;
};

void add_changes(Lines& lines, const std::vector<render::Culprit>& all) {
  for (std::size_t i = 0; i < std::min(all.size(), kMostThreads); ++i) {
    const analysis::MaskChanges& changes = all[i].changes;
    const std::string masks = render::transitions_text(changes);
    std::string line = "  " + render::culprit_name(all[i]) +
                       (all[i].processes == 1 ? " of " + std::to_string(changes.who.pid) : "") +
                       ": " + counted(changes.count, "change") + ", " + masks;
    if (!all[i].where.empty()) line += ", " + all[i].where;
    lines.add(line, masks, render::mask_style(render::widest_mask(changes)));
  }
  if (all.size() > kMostThreads)
    lines.add("  and " + counted(all.size() - kMostThreads, "more place"));
}

void add_blind(Lines& lines, const analysis::Summary& summary, const reader::Completeness& facts) {
  const std::vector<render::BlindReason> reasons = render::blind_reasons(summary);
  for (std::size_t i = 0; i < std::min(reasons.size(), kMostBlindSpots); ++i)
    lines.add("blind spot: " + render::blind_line(reasons[i]), "blind spot:", Style::warning);
  if (reasons.size() > kMostBlindSpots)
    lines.add("blind spots: and " + counted(reasons.size() - kMostBlindSpots, "more reason"));
  for (const LossEvent& loss : facts.losses)
    lines.add("lost: " + escape(loss.reason) + ' ' + std::to_string(loss.count),
              "lost:", Style::bad);
}

void add_findings(Lines& lines, const render::TextContext& context, OpenedRun& run) {
  const std::vector<render::CauseGroup> causes = render::by_cause(run.findings().findings);
  std::size_t shown = 0;
  for (const render::CauseGroup& group : causes) {
    const rules::Finding& finding = *group.front();
    if (finding.severity == rules::Severity::note || shown == kMostFindings) break;
    const std::string severity = rules::severity_name(finding.severity);
    lines.add(severity + ": " + finding.info().id + ": " + render::message_text(context, finding),
              severity, render::severity_style(finding.severity));
    ++shown;
  }
  if (causes.size() > shown)
    lines.add(counted(causes.size() - shown, shown == 0 ? "finding" : "more finding") +
              ": umaskaudit check " + escape(run.run().directory()));
}

}  // namespace

void print_run_summary(Console& console, const record::RunDirectory& directory, unsigned growing) {
  RunArguments arguments;
  arguments.run = directory.path;
  const auto opened = OpenedRun::open(arguments, console);
  if (!opened) return warn(console, "nothing was recorded: " + opened.error().what);
  OpenedRun& run = **opened;
  run.limit_unrecorded(kMostNames);
  if (run.run().completeness().segments == 0)
    return warn(console, "nothing was recorded: the program did not load libumaskaudit.so");
  analysis::SummaryOptions brief;
  brief.objects = false;
  const analysis::Summary summary = analysis::summarize(run.run(), brief);
  const Paint paint(console.err_colour);
  const render::TextContext context{run.run(), run.stacks(), paint, 0, run.directory()};
  Lines lines(error_columns(console), paint);
  lines.add(counted(summary.created, "object") + " created, " +
            counted(summary.mask_changes, "umask change") + " by " +
            render::programs_text(summary));
  if (const std::string dropped = render::dropped_text(run.run()); !dropped.empty())
    lines.add(dropped);
  add_changes(lines, render::culprits(summary, run.stacks()));
  add_findings(lines, context, run);
  add_blind(lines, summary, run.run().completeness());
  if (directory.continued) lines.add("the numbers include an earlier run in there");
  if (growing != 0)
    lines.add(counted(growing, "segment") + " may still grow: something is still running");
  lines.add("full report: umaskaudit report " + escape(directory.path));
  console.err << lines.text() << std::flush;
}

}  // namespace umaskaudit::commands
