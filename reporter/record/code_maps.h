// Keeps the names of generated code with a run: runtimes write them to /tmp/perf-PID.map, and
// remove or overwrite that file later. Must never follow a link, wait for a file, or take one that
// another user or an earlier process of that number wrote. Called by `run` and `attach` at their
// end.
#pragma once

#include <cstdint>
#include <string>

namespace umaskaudit::record {

// For each process that has a segment in the run directory: copies its map there (0600) unless it
// was last written before `begin_real_ns`, or before the process was started, if that still lives.
// Code whose map cannot be copied has no names in reports; that is no error.
// `from`: the folder of the maps.
void keep_code_maps(const std::string& directory, std::uint64_t begin_real_ns,
                    const std::string& from = "/tmp");

}  // namespace umaskaudit::record
