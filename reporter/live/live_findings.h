// LiveFindings: the findings of a run that still grows, by judging again and again what has been
// recorded by then. Must never take more than a tenth of the time: what takes too long is left to
// `check`. Used by `top` and `run --live=findings`.
#pragma once

#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "reporter/base/console.h"
#include "reporter/live/live_view.h"

namespace umaskaudit::commands {
class OpenedRun;
}  // namespace umaskaudit::commands

namespace umaskaudit::live {

// What FindingLine::more has.
enum class FindingForm {
  brief,  // the line and its places, as a report has them, without colour
  whole,  // all of the finding, of the first ones
};

class LiveFindings {
 public:
  // Makes FindingLine::record of each finding, in their order; null: it stays empty.
  using RecordsOf = std::function<std::vector<std::string>(commands::OpenedRun&,
                                                           const std::vector<rules::Finding>&)>;
  LiveFindings(std::string directory, const Console& console, FindingForm form,
               RecordsOf records_of = nullptr);

  // Judges again if that is due and there are new events (`count`: those seen so far). `over`:
  // nothing will be added, this is the last time. True: the findings are new.
  bool refresh(std::uint64_t count, bool over);
  // The last time, however long it takes.
  void finish();
  const std::vector<FindingLine>& lines() const { return lines_; }
  const std::string& note() const { return note_; }

 private:
  using Clock = std::chrono::steady_clock;
  void judge(bool over);

  std::string directory_;
  Console console_;
  FindingForm form_;
  RecordsOf records_of_;
  std::vector<FindingLine> lines_;
  std::string note_ = "so far";
  std::uint64_t judged_ = 0;  // events
  bool twice_ = false;        // so many events were judged two times
  bool final_ = false;
  std::chrono::nanoseconds cost_{};  // processor time: what others do must not make a run too long
  Clock::time_point due_;
};

}  // namespace umaskaudit::live
