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

namespace umaskaudit {

struct RunDirectory {
  std::string path;        // absolute
  bool made = false;       // it did not exist before
  bool continued = false;  // it holds an earlier run, which this one adds to
};

// Makes `path` (or takes an empty directory, or one that holds a run of ours) and sets it to 0700
// by fchmod(2). Errors: something else is there, somebody else owns it, it holds foreign files.
Result<RunDirectory> prepare_run_directory(const std::string& path);

// Removes a directory that was made for a program that then did not start.
void remove_run_directory(const RunDirectory& run);

// "umaskaudit.<comm>.<pid>", from the base name of CMD, cut to what the kernel keeps of it.
std::string default_run_directory(const std::string& command, long pid);

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
