// The directory that a run is recorded into: its creation, reuse and clean-up.
// Must never touch a file that is not the trace's, nor another user's directory.
#pragma once

#include <condition_variable>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "reporter/base/result.h"

namespace CLI {
class App;
}

namespace umaskaudit::record {

// Whether the name is one of a run directory's files.
bool is_segment(const std::string& name);
// The segments in an open directory, in no order. Nothing: it cannot be read; errno says why.
std::optional<std::vector<std::string>> segment_names(int directory);

// What to do with an earlier run in the given directory.
enum class EarlierRun {
  refused,    // an error, without an option
  continued,  // --append: the new one is added to it
  removed,    // --force: its files are removed
};
// --append and --force, which exclude each other.
void add_earlier_run_options(CLI::App& app, EarlierRun& earlier);

struct RunDirectory {
  std::string path;        // absolute
  bool made = false;       // created by us
  bool continued = false;  // contains an earlier run, to which this one is added
};

// Creates `path` (or uses an empty directory, or one with a run, according to `earlier`) and sets
// it to 0700 by fchmod(2). Errors: something else is there, another user owns it, it has other
// files, or a run that must not be touched: one that is still being recorded is never removed.
Result<RunDirectory> prepare_run_directory(const std::string& path, EarlierRun earlier);

// Reverts it for a program that did not start: removes a directory that was created, empties one
// that was empty.
void remove_run_directory(const RunDirectory& run);

// The process that is recording into `path`; 0: none.
long recorder_of(const std::string& path);

// Removes the trace's files from a directory. Errors: it is not a run of this user, it is being
// recorded into, it has other files.
Status empty_run_directory(const std::string& path);

// Releases the unused ends of segments of ended images, repeatedly while the run goes on, and once
// at the end. Segments that a living process writes to, or may, are left unchanged (sparse).
class SegmentTrimmer {
 public:
  explicit SegmentTrimmer(std::string directory) : directory_(std::move(directory)) {}
  ~SegmentTrimmer() { stop(); }
  SegmentTrimmer(const SegmentTrimmer&) = delete;
  SegmentTrimmer& operator=(const SegmentTrimmer&) = delete;

  void start();
  // Ends the thread, runs once more, and returns how many segments are left unchanged.
  unsigned finish();

 private:
  void stop();
  unsigned trim_all();
  void run();

  const std::string directory_;
  std::set<std::string> done_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::thread thread_;
};

}  // namespace umaskaudit::record
