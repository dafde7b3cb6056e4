// The lines are those of `timeline`, so that each can be found there again.
#include "reporter/live/live_watch.h"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "reporter/base/quiet_thread.h"
#include "reporter/commands/run_arguments.h"
#include "reporter/live/live_findings.h"
#include "reporter/live/live_follow.h"
#include "reporter/live/live_view.h"
#include "reporter/render/findings_text.h"
#include "reporter/render/timeline_text.h"

namespace umaskaudit::live {
namespace {

spdlog::level::level_enum level_of(const Event& event) {
  if (std::holds_alternative<LossEvent>(event)) return spdlog::level::err;
  return std::holds_alternative<BlindSpotEvent>(event) ? spdlog::level::warn : spdlog::level::info;
}

spdlog::level::level_enum level_of(rules::Severity severity) {
  return severity == rules::Severity::error ? spdlog::level::err : spdlog::level::warn;
}

// Findings of the run as it is by now.
std::vector<std::string> records_of(commands::OpenedRun& opened,
                                    const std::vector<rules::Finding>& findings) {
  render::RunLine line = opened.run_line();
  if (opened.record()) line.started_real_ns = opened.record()->start_real_ns;
  exports::OtlpRecords records(opened.stacks(), line);
  for (const ProcessEvent& process : opened.run().processes()) records.see(process);
  std::vector<std::string> out;
  for (const rules::Finding& finding : findings)
    out.push_back(records.of(finding, exports::real_ns(opened.run(), finding)));
  return out;
}

// Tells each finding once, when nothing can take it back any more: in the middle of a run that is
// when two looks at it found it. Notes are left to the end of the run.
class FindingWriter {
 public:
  FindingWriter(const reader::LiveRun& run, std::uint64_t begin_ns, LiveLog& log, LiveShip* ship)
      : run_(run), begin_ns_(begin_ns), log_(log), ship_(ship) {}

  void write(const std::vector<FindingLine>& findings, bool over) {
    std::set<std::string> seen;
    for (const FindingLine& finding : findings) {
      if (finding.severity == rules::Severity::note || finding.time_ns < begin_ns_) continue;
      const bool again = any_in(seen_, finding) && finding.settled;
      seen.insert(finding.names.begin(), finding.names.end());
      if (!over && !again) continue;
      if (!any_in(told_, finding)) write(finding);
      told_.insert(finding.names.begin(), finding.names.end());
    }
    seen_ = std::move(seen);
  }

 private:
  static bool any_in(const std::set<std::string>& names, const FindingLine& finding) {
    return std::any_of(finding.names.begin(), finding.names.end(),
                       [&](const std::string& name) { return names.count(name) != 0; });
  }

  void write(const FindingLine& finding) {
    if (ship_ != nullptr) ship_->add(finding.record);
    const std::uint64_t when = run_.real_ns(finding.time_ns);
    Style style = render::severity_style(finding.severity);
    for (std::size_t at = 0; at < finding.more.size();) {
      const std::size_t end = std::min(finding.more.find('\n', at), finding.more.size());
      log_.write(level_of(finding.severity), when,
                 [&](Paint paint) { return paint(style, finding.more.substr(at, end - at)); });
      style = Style::plain;  // of the places
      at = end + 1;
    }
  }

  const reader::LiveRun& run_;
  const std::uint64_t begin_ns_;
  LiveLog& log_;
  LiveShip* ship_;
  std::set<std::string> seen_, told_;
};

}  // namespace

struct LiveWatch::State {
  std::string directory;
  std::uint64_t begin_ns;
  LiveContent content;
  LiveLog& log;
  LiveShip* ship;
  const Console& console;
  std::thread thread;
  std::mutex mutex;
  std::condition_variable changed;
  bool over = false;
  std::string trouble;

  void watch();
  void write(reader::LiveRun& run);
  void write_findings(reader::LiveRun& run);
  void tell_what_is_wanted(reader::LiveRun& run) {
    if (content == LiveContent::findings) return write_findings(run);
    write(run);
  }
  render::RunLine run_of(const reader::LiveRun& run) const;
  bool wait_for_end();
};

// As otlp_resource() has it afterwards.
render::RunLine LiveWatch::State::run_of(const reader::LiveRun& run) const {
  const std::optional<record::RunRecord> record = record::read_run_record(directory);
  render::RunLine line = commands::run_line_of(record);
  line.boot_id = run.boot_id();
  if (record) line.started_real_ns = record->start_real_ns;
  return line;
}

// Sleeps until the next look; true: there is none, CMD has ended.
bool LiveWatch::State::wait_for_end() {
  std::unique_lock lock(mutex);
  return changed.wait_for(lock, std::chrono::milliseconds(kLookMs), [this] { return over; });
}

void LiveWatch::State::write(reader::LiveRun& run) {
  symbolize::Symbolizer symbolizer{symbolize::SymbolOptions{}};
  analysis::StackCache stacks(run, symbolizer);
  std::optional<exports::OtlpRecords>
      records;  // from the first event on: then it is known of which boot
  const auto visit = [&](const Event& event) {
    const std::uint64_t time_ns =
        std::visit([](const EventBase& base) { return base.time_ns; }, event);
    if (time_ns < begin_ns) return;
    if (ship != nullptr) {
      if (!records) records.emplace(stacks, ship->is_of(run_of(run)));
      const std::uint64_t real_ns = run.real_ns(time_ns);
      ship->add(records->of(event, real_ns != 0 ? real_ns : ship->run().started_real_ns));
    }
    if (!render::is_listed(event)) return;
    log.write(level_of(event), run.real_ns(time_ns), [&](Paint paint) {
      std::string line;
      render::append_timeline(line, event, stacks, render::TimelineStyle{begin_ns, paint, true});
      line.pop_back();  // the sinks end lines
      return line;
    });
  };
  bool more = true;
  while (more || !wait_for_end()) {
    more = run.poll(visit);
    log.flush();
    if (ship != nullptr) ship->tick();
  }
  run.finish(visit);
  if (const auto spot = commands::unaudited(record::read_run_record(directory), begin_ns))
    visit(*spot);
  log.flush();
}

void LiveWatch::State::write_findings(reader::LiveRun& run) {
  LiveFindings findings(directory, console, FindingForm::brief,
                        ship == nullptr ? nullptr : records_of);
  FindingWriter writer(run, begin_ns, log, ship);
  std::uint64_t events = 0;
  const auto count = [&](const Event&) { ++events; };
  const auto tell_all = [&](bool last) {
    if (ship != nullptr) ship->is_of(run_of(run));
    writer.write(findings.lines(), last);
    log.flush();
  };
  bool more = true;
  while (more || !wait_for_end()) {
    more = run.poll(count);
    if (ship != nullptr) ship->tick();
    if (findings.refresh(events, false)) tell_all(false);
  }
  run.poll(count);  // of a short run the first look that sees a segment: of which boot it is
  findings.finish();
  tell_all(true);
}

void LiveWatch::State::watch() {
  try {
    const auto run = reader::LiveRun::open(directory);
    if (run)
      tell_what_is_wanted(**run);
    else
      trouble = run.error().what + " (" + run.error().why + ")";
  } catch (const std::exception& error) {
    trouble = error.what();
  }
}

LiveWatch::LiveWatch(std::string directory, std::uint64_t begin_ns, LiveContent content,
                     LiveLog& log, LiveShip* ship, const Console& console)
    : state_(new State{
          std::move(directory), begin_ns, content, log, ship, console, {}, {}, {}, false, {}}) {}

LiveWatch::~LiveWatch() { finish(); }

void LiveWatch::start() {
  state_->thread = start_quiet_thread([state = state_.get()] { state->watch(); });
}

std::string LiveWatch::finish() {
  if (!state_->thread.joinable()) return {};
  {
    const std::lock_guard lock(state_->mutex);
    state_->over = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
  return state_->trouble.empty() ? state_->log.trouble() : state_->trouble;
}

}  // namespace umaskaudit::live
