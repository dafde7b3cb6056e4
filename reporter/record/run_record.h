// run.json: what `run` knows about CMD and no segment can: how it was started and how it ended.
// Must never hold the arguments unasked: they carry secrets.
// Written by `run`, read by the report's header.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"
#include "reporter/record/ci_job.h"

namespace umaskaudit {

inline constexpr char kRunRecordName[] = "run.json";

struct RunRecord {
  std::string command;                // CMD as given
  std::vector<std::string> argv;      // only with --record-argv
  std::string directory;              // working directory
  std::optional<Mode> umask;          // that CMD inherited
  std::string host, machine, kernel;  // uname(2): nodename, machine, release
  std::string parent;                 // the program that started `run`, and so gave it that mask
  long parent_pid = 0;
  CiJob ci;                         // that it is part of
  std::uint64_t start_real_ns = 0;  // the kernel's last tick before: no birth of the run is older
  std::uint64_t end_real_ns = 0;    // 0 while it runs
  long recorder = 0;                // pid of `run` itself: who will write how CMD ended
  long pid = 0;                     // of CMD; 0 while it is not started
  std::optional<int> exit_code;     // nothing while it runs
  int signal = 0;
  std::string obstacle;  // why it could not be audited; empty when it could
};

// Writes DIRECTORY/run.json, 0600, replacing an older one.
Status write_run_record(const std::string& directory, const RunRecord& record);

// Nothing when there is none, or none that can be read: a run recorded without `run` has none.
std::optional<RunRecord> read_run_record(const std::string& directory);

}  // namespace umaskaudit
