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
#include "reporter/text/time_text.h"

namespace umaskaudit {
namespace {

constexpr std::size_t kMostThreads = 5;
constexpr std::size_t kMostBlindSpots = 3;
constexpr std::size_t kMostFindings = 3;

void append_changes(std::string& out, const std::vector<Culprit>& all, const Paint& paint) {
  for (std::size_t i = 0; i < std::min(all.size(), kMostThreads); ++i) {
    const MaskChanges& changes = all[i].changes;
    out += "umaskaudit:   " + culprit_name(all[i]) +
           (all[i].processes == 1 ? " of " + std::to_string(changes.who.pid) : "") + ": " +
           counted(changes.count, "change") + ", " +
           paint(mask_style(widest_mask(changes)), transitions_text(changes));
    if (!all[i].where.empty()) out += ", " + all[i].where;
    out += '\n';
  }
  if (all.size() > kMostThreads)
    out += "umaskaudit:   and " + counted(all.size() - kMostThreads, "more place") + '\n';
}

void append_blind(std::string& out, const Summary& summary, const Completeness& facts,
                  const Paint& paint) {
  const std::vector<BlindReason> reasons = blind_reasons(summary);
  for (std::size_t i = 0; i < std::min(reasons.size(), kMostBlindSpots); ++i)
    out += "umaskaudit: " + paint(Style::warning, "not seen: ") + blind_line(reasons[i]) + '\n';
  if (reasons.size() > kMostBlindSpots)
    out += "umaskaudit: not seen: and " + counted(reasons.size() - kMostBlindSpots, "more reason") +
           '\n';
  for (const LossEvent& loss : facts.losses)
    out += "umaskaudit: " + paint(Style::bad, "lost: ") + escape(loss.reason) + ' ' +
           std::to_string(loss.count) + '\n';
}

void append_findings(std::string& out, const TextContext& context, OpenedRun& run) {
  const FindResult result = run.findings();
  std::size_t shown = 0;
  for (const Finding& finding : result.findings) {
    if (finding.severity == Severity::note || shown == kMostFindings) break;
    out += "umaskaudit: ";
    append_finding_line(out, context, finding);
    ++shown;
  }
  if (result.findings.size() > shown)
    out += "umaskaudit: " + counted(result.findings.size() - shown, "finding") +
           (shown == 0 ? "" : " more") + ": umaskaudit check " + escape(run.run().directory()) +
           '\n';
}

}  // namespace

void print_run_summary(Console& console, const RunDirectory& directory, unsigned growing) {
  RunArguments arguments;
  arguments.run = directory.path;
  const auto opened = OpenedRun::open(arguments, console);
  if (!opened) return warn(console, "nothing was recorded: " + opened.error().what);
  OpenedRun& run = **opened;
  if (run.run().completeness().segments == 0)
    return warn(console, "nothing was recorded: the program did not load libumaskaudit.so");
  SummaryOptions brief;
  brief.objects = false;
  const Summary summary = summarize(run.run(), brief);
  const TextContext context{run.run(), run.stacks(), Paint(console.err_colour), 0};
  std::string out = "umaskaudit: " + counted(summary.created, "object") + " created, " +
                    counted(summary.mask_changes, "mask change") + " by " +
                    counted(summary.processes, "process image") + " with " +
                    counted(summary.threads, "thread") + '\n';
  if (const std::string dropped = dropped_text(run.run()); !dropped.empty())
    out += "umaskaudit: " + dropped + '\n';
  append_changes(out, culprits(summary, run.stacks()), context.paint);
  append_findings(out, context, run);
  append_blind(out, summary, run.run().completeness(), context.paint);
  if (directory.continued) out += "umaskaudit: the numbers include an earlier run in there\n";
  if (growing != 0)
    out += "umaskaudit: " + counted(growing, "segment") + " may still grow: something runs on\n";
  out += "umaskaudit: umaskaudit report " + escape(directory.path) + " tells more\n";
  console.err << out << std::flush;
}

}  // namespace umaskaudit
