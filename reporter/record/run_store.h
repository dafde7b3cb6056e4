// Where runs live that nobody gave a directory: `.umaskaudit` in the working directory, or, where
// that cannot be ours, `umaskaudit` in the user's state directory (XDG Base Directory).
// Must never take a store, a run or a link of another user for ours: its runs would be read as
// ours, and ours would be written where others can wait for them.
// Called by what records, and by every command that takes a RUN.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"

namespace umaskaudit {

inline constexpr char kStoreName[] = ".umaskaudit";

// The path of a run to be, `STORE/NAME.PID`, from the base name of CMD, cut to what the kernel
// keeps of it; with ".2" and so on behind it where that name is taken: in a container each run may
// have the same pid. The store is made where it is not there: 0700, with a .gitignore.
Result<std::string> new_run_path(const std::string& command, long pid);

// Makes the directory of a run that is about to begin: `given`, or, where that is empty, one of the
// store (new_run_path()), to which `latest` of the store then leads. Errors: as of
// prepare_run_directory().
Result<RunDirectory> begin_run(const std::string& given, const std::string& command, long pid,
                               EarlierRun earlier);

// The store that holds the run; empty: it is in none.
std::string store_of(const std::string& run);

// The run that RUN means: a path as it is; without a slash and where no such file is, a run of that
// name in the store; empty, the latest one here. Error: there is none (usage).
Result<std::string> find_run(const std::string& word);

// Whether a run of that name is in the store.
bool is_stored_run(const std::string& name);

struct StoredRun {
  std::string name, path;
  std::optional<RunRecord> record;
  std::uint64_t bytes = 0;  // on disk
  std::uint64_t segments = 0;
  std::uint64_t changed_ns = 0;  // of its directory, CLOCK_REALTIME
  bool latest = false;
  bool recording = false;  // its recorder is alive
};

// The runs of the store that a run here would use, oldest first, and where that is.
std::vector<StoredRun> stored_runs();
std::string store_path();

// Removes a run: the trace's own files, and the directory when nothing else is in it. Errors: it is
// still recorded, it holds foreign files, it is another user's.
Status remove_run(const std::string& path);

}  // namespace umaskaudit
