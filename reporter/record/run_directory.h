// The directory that a run is recorded into: making it, taking it over, tidying it up.
// Must never touch a file in it that is not the trace's, nor a directory of somebody else.
// Called by `run`.
#pragma once

#include <condition_variable>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <utility>

#include "reporter/base/result.h"

namespace CLI {
class App;
}

namespace umaskaudit {

// By the name of a file of a run directory.
bool is_segment(const std::string& name);

// What becomes of an earlier run in the directory that is given.
enum class EarlierRun {
  refused,    // an error: nobody asked for anything else
  continued,  // --append: the new one is added to it
  removed,    // --force: its files are removed
};
// --append and --force, which exclude each other.
void add_earlier_run_options(CLI::App& app, EarlierRun& earlier);

struct RunDirectory {
  std::string path;        // absolute
  bool made = false;       // it did not exist before
  bool continued = false;  // it holds an earlier run, which this one adds to
};

// Makes `path` (or takes an empty directory, or one that holds a run, as `earlier` says) and sets
// it to 0700 by fchmod(2). Errors: something else is there, somebody else owns it, it holds foreign
// files, or a run that is not to be touched: one that is still recorded is never removed.
Result<RunDirectory> prepare_run_directory(const std::string& path, EarlierRun earlier);

// Takes back what was done for a program that then did not start: removes a directory that was
// made, leaves one that was empty before empty.
void remove_run_directory(const RunDirectory& run);

// The process that records into `path` now; 0: none.
long recorder_of(const std::string& path);

// Removes the trace's files from a directory. Errors: it is none of a run of ours, somebody still
// records into it, it holds foreign files.
Status empty_run_directory(const std::string& path);

// Gives the unused ends of ended images' segments back, again and again while the run goes on, and
// a last time. Segments that a living process still writes to, or may, are left as they are
// (sparse).
class SegmentTrimmer {
 public:
  explicit SegmentTrimmer(std::string directory) : directory_(std::move(directory)) {}
  ~SegmentTrimmer() { stop(); }
  SegmentTrimmer(const SegmentTrimmer&) = delete;
  SegmentTrimmer& operator=(const SegmentTrimmer&) = delete;

  void start();
  // Ends the thread, looks once more, and returns how many segments are left as they are.
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

}  // namespace umaskaudit
