// Facts that are equal for all images of one boot and PID name space, and that each image would
// have to read from /proc: the boot id and the name space's number. They are cached in run.state.
// Must never use what another boot stored there. Called by segment.cc while the page is mapped.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Stored after RunState; readers ignore it. Several processes may write at once: a torn write fails
// the check.
inline constexpr std::size_t kStartFactsPlace = 2048;
struct StartFacts {
  std::uint8_t boot_id[16];
  std::uint64_t booted_ns;   // CLOCK_REALTIME - CLOCK_BOOTTIME
  std::uint64_t proc_mount;  // Process::proc_mount when stored; 0: none
  std::uint64_t pid_namespace;
  std::uint64_t check;      // checksum of the members before it
  std::uint64_t latest_ns;  // CLOCK_MONOTONIC of the latest image
};
std::uint64_t check_of(const StartFacts& facts);

// Reads `boot_id` (zeros without /proc) and, where process.proc_mount is known,
// process.pid_namespace. `state`: the mapped page; null: there is none.
void read_start_facts(trace::RunState* state, std::uint8_t (&boot_id)[16]);

}  // namespace umaskaudit::shim
