// The store: where runs without -o are kept: `.umaskaudit` in the working directory, or, if that
// cannot be ours, `umaskaudit` in the user's state directory (XDG Base Directory).
// Must never use a store, a run or a link of another user, who could forge runs, or wait for ours.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "reporter/base/result.h"
#include "reporter/record/run_directory.h"
#include "reporter/record/run_record.h"

namespace umaskaudit::record {

inline constexpr char kStoreName[] = ".umaskaudit";

// The path of a new run, `STORE/NAME.PID`, from the base name of CMD, cut to the kernel's limit for
// names of processes; followed by ".2" and so on if that name is used: in a container each run may
// have the same pid. The store is created if it is missing: 0700, with a .gitignore.
Result<std::string> new_run_path(const std::string& command, long pid);

// Creates the directory of a new run: `given`, or, if that is empty, one in the store
// (new_run_path()), to which `latest` then points. Errors: as for prepare_run_directory().
Result<RunDirectory> begin_run(const std::string& given, const std::string& command, long pid,
                               EarlierRun earlier);

// The store that contains the run; empty: none.
std::string store_of(const std::string& run);

// The run that RUN means: an existing path; a name without slash, a run of that name in the store;
// empty, the latest one here. Error: there is none (usage).
Result<std::string> find_run(const std::string& word);

// Whether the store has a run of that name.
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

// The runs of the store that a run here would use, oldest first, and that store.
std::vector<StoredRun> stored_runs();
std::string store_path();

// Removes a run: the trace's own files, and the directory if nothing else is in it. Errors: it is
// still being recorded, it has other files, it is another user's.
Status remove_run(const std::string& path);

}  // namespace umaskaudit::record
