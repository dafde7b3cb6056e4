// RunRecord: run.json, the facts about CMD that are in no segment: how it was started and how it
// ended.
// Must never contain the arguments unless asked for: they may contain secrets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/mode/calculus.h"
#include "reporter/record/ci_job.h"

namespace umaskaudit::record {

inline constexpr char kRunRecordName[] = "run.json";

struct RunRecord {
  std::string command;                // CMD as the user named it
  std::vector<std::string> argv;      // only with --record-argv
  std::string directory;              // working directory
  std::optional<Mode> umask;          // initial mask of CMD
  std::string host, machine, kernel;  // uname(2): nodename, machine, release
  std::string parent;  // the program that started `run`, from which the mask is inherited
  long parent_pid = 0;
  CiJob ci;  // that it is part of
  // the kernel's last tick before the start: no object of the run is older
  std::uint64_t start_real_ns = 0;
  std::uint64_t end_real_ns = 0;  // 0 while recording
  long recorder = 0;              // pid of `run`, which will write how CMD ended
  long pid = 0;                   // of CMD; 0 before its start
  std::optional<int> exit_code;   // nothing while recording
  int signal = 0;
  std::string obstacle;  // why it could not be recorded; empty: it could
};

// Writes DIRECTORY/run.json, 0600, replacing an older one.
Status write_run_record(const std::string& directory, const RunRecord& record);

// Nothing if there is none, or it is not readable: a run recorded without `run` has none.
std::optional<RunRecord> read_run_record(const std::string& directory);

}  // namespace umaskaudit::record
