// See live_findings.h. Rules look at a run from its beginning to its end, so each time is a whole
// reading; the pauses grow with its cost.
#include "reporter/live/live_findings.h"

#include <time.h>

#include <algorithm>
#include <functional>
#include <utility>

#include "reporter/commands/run_arguments.h"
#include "reporter/render/findings_text.h"
#include "reporter/text/escape.h"

namespace umaskaudit::live {
namespace {

constexpr auto kPause = std::chrono::milliseconds(1000);
constexpr auto kTooLong = std::chrono::milliseconds(1500);
constexpr int kShare = 10;
constexpr std::size_t kMostBlocks = 100;  // the worst come first

std::chrono::nanoseconds processor_time() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

Console without_progress(const Console& console) {
  Console quiet = console;
  quiet.verbosity = Verbosity::quiet;
  return quiet;
}

// Not 0: that is no finding's.
std::uint64_t id_of(const rules::Finding& finding) {
  const std::string key = finding.info().id + finding.fingerprint + finding.subject;
  return std::hash<std::string>{}(key) | 1;
}

// A mask that is still in force may be put back, a mode may be changed again, and a change that
// no record created may be in a record that is still being written.
bool is_settled(const rules::Finding& finding) {
  const bool open = finding.window && finding.window->open_ended;
  return !finding.at_end && !open && finding.rule != rules::RuleId::umask_zero &&
         finding.rule != rules::RuleId::leaked_mask && finding.rule != rules::RuleId::unseen_writer;
}

std::uint64_t time_of(const rules::Finding& finding) {
  std::uint64_t latest = finding.culprit ? finding.culprit->time_ns : 0;
  for (const rules::Victim& victim : finding.victims)
    latest = std::max(latest, victim.event.time_ns);
  return latest;
}

// Of places that are found to be one finding later on, each has a name.
std::vector<std::string> names_of(const rules::Finding& finding) {
  const std::string rule = finding.info().id + std::string(" ") + finding.subject + " ";
  std::vector<std::string> names{rule + finding.fingerprint};
  for (const std::string& print : finding.older_prints) names.push_back(rule + "2 " + print);
  return names;
}

std::vector<analysis::ThreadId> threads_of(const rules::Finding& finding) {
  std::vector<analysis::ThreadId> threads;
  if (finding.culprit) threads.push_back({finding.culprit->pid, finding.culprit->tid});
  for (const rules::Victim& victim : finding.victims)
    threads.push_back({victim.event.pid, victim.event.tid});
  return threads;
}

}  // namespace

LiveFindings::LiveFindings(std::string directory, const Console& console, FindingForm form,
                           RecordsOf records_of)
    : directory_(std::move(directory)),
      console_(without_progress(console)),
      form_(form),
      records_of_(std::move(records_of)),
      due_(Clock::now() + kPause) {}

void LiveFindings::judge(bool over) {
  commands::RunArguments arguments;
  arguments.run = directory_;
  const auto opened = commands::OpenedRun::open(arguments, console_);
  if (!opened) return;
  commands::OpenedRun& run = **opened;
  run.show_sources();
  const render::TextContext line_context{run.run(), run.stacks(), Paint(false), 0, run.directory()};
  const render::TextContext block_context{run.run(), run.stacks(), Paint(console_.out_colour),
                                          console_.width, run.directory()};
  const std::vector<rules::Finding>& findings = run.findings().findings;
  std::vector<std::string> records(findings.size());
  if (records_of_) records = records_of_(run, findings);
  lines_.clear();
  for (const rules::Finding& finding : findings) {
    FindingLine line;
    line.id = id_of(finding);
    line.severity = finding.severity;
    render::append_finding_line(line.text, line_context, finding);
    line.text.pop_back();  // its newline
    if (form_ == FindingForm::brief)
      render::append_finding_lines(line.more, line_context, {finding}, 0);
    else if (lines_.size() < kMostBlocks)
      render::append_finding(line.more, block_context, finding);
    line.settled = is_settled(finding);
    line.time_ns = time_of(finding);
    line.names = names_of(finding);
    line.threads = threads_of(finding);
    line.record = std::move(records[lines_.size()]);
    lines_.push_back(std::move(line));
  }
  note_ = over ? "of the run" : "so far";
}

void LiveFindings::finish() {
  final_ = true;
  judge(true);
}

// Without new events a second time, too: two looks that agree are more than one.
bool LiveFindings::refresh(std::uint64_t count, bool over) {
  const bool known = count == judged_ && twice_;
  if (final_ || (!over && (known || Clock::now() < due_))) return false;
  final_ = over;
  if (cost_ > kTooLong) {
    note_ = over ? "are older than the end: umaskaudit check " + escape(directory_)
                 : "so far, not looked for any more: the run is long";
    return false;
  }
  const std::chrono::nanoseconds begin = processor_time();
  judge(over);
  twice_ = count == judged_;
  judged_ = count;
  cost_ = processor_time() - begin;
  due_ = Clock::now() + kPause + cost_ * kShare;
  return true;
}

}  // namespace umaskaudit::live
