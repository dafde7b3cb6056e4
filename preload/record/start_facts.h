// What is the same for all images of a boot or of a PID name space, and costs each of them a look
// into /proc: the boot's id and the name space's number, kept in run.state.
// Must never believe what another boot left there. Called by segment.cc while the page is mapped.
#pragma once

#include <cstddef>
#include <cstdint>

#include "preload/trace/format.h"

namespace umaskaudit::shim {

// Behind the RunState, for no reader. Several processes may write at once: what is torn fails the
// check.
inline constexpr std::size_t kStartFactsPlace = 2048;
struct StartFacts {
  std::uint8_t boot_id[16];
  std::uint64_t booted_ns;   // CLOCK_REALTIME - CLOCK_BOOTTIME
  std::uint64_t proc_mount;  // as in Process; 0: of none
  std::uint64_t pid_namespace;
  std::uint64_t check;      // of all before it
  std::uint64_t latest_ns;  // CLOCK_MONOTONIC of the latest image
};
std::uint64_t check_of(const StartFacts& facts);

// Reads `boot_id` (zeros where /proc is missing) and, where process.proc_mount is known,
// process.pid_namespace. `state`: the mapped page; null: there is none.
void read_start_facts(trace::RunState* state, std::uint8_t (&boot_id)[16]);

}  // namespace umaskaudit::shim
