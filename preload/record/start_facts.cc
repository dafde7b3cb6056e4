// Reads them from run.state, else from /proc; see start_facts.h.

#include "preload/record/start_facts.h"

#include <cstring>

#include "preload/record/intern.h"
#include "preload/record/trace_files.h"
#include "preload/state.h"
#include "preload/sys/process_identity.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

static_assert(sizeof(trace::RunState) <= kStartFactsPlace);

std::uint64_t check_of(const StartFacts& facts) {
  return hash_bytes(&facts, offsetof(StartFacts, check)) | 1;
}

namespace {

// A run may continue after a reboot. Then CLOCK_REALTIME - CLOCK_BOOTTIME has changed; or, on a
// machine without a battery-backed clock, has not, but the monotonic clock has gone back.
bool is_of_this_boot(const StartFacts& kept, std::uint64_t booted_ns, std::uint64_t now_ns) {
  constexpr std::uint64_t kTolerance = 100000000;  // between the two readings
  return kept.check == check_of(kept) &&
         booted_ns - kept.booted_ns + kTolerance <= 2 * kTolerance && kept.latest_ns <= now_ns;
}

bool is_zero(const std::uint8_t (&id)[16]) {
  std::uint8_t bits = 0;
  for (const std::uint8_t byte : id) bits |= byte;
  return bits == 0;
}

}  // namespace

void read_start_facts(trace::RunState* state, std::uint8_t (&boot_id)[16]) {
  if (state == nullptr || sys::clock_stopped.load(std::memory_order_relaxed)) {
    return read_boot_id(boot_id);
  }
  auto* const place =
      reinterpret_cast<StartFacts*>(reinterpret_cast<char*>(state) + kStartFactsPlace);
  StartFacts kept;
  memcpy(&kept, place, sizeof kept);
  const std::uint64_t booted_ns = sys::now_ns(CLOCK_REALTIME) - sys::now_ns(CLOCK_BOOTTIME);
  const std::uint64_t now_ns = sys::now_ns();
  bool whole = is_of_this_boot(kept, booted_ns, now_ns);
  if (!whole) {
    kept = {};
    read_boot_id(kept.boot_id);
    kept.booted_ns = booted_ns;
  }
  memcpy(boot_id, kept.boot_id, sizeof boot_id);
  if (process.proc_mount != 0 && kept.proc_mount == process.proc_mount) {
    process.pid_namespace = static_cast<std::uint32_t>(kept.pid_namespace);
  } else if (process.proc_mount != 0) {
    process.pid_namespace = read_pid_namespace();
    kept.pid_namespace = process.pid_namespace;
    kept.proc_mount = kept.pid_namespace != 0 ? process.proc_mount : 0;
    whole = false;
  }
  if (!whole && !is_zero(kept.boot_id)) {
    kept.check = check_of(kept);
    memcpy(place, &kept, offsetof(StartFacts, latest_ns));
  }
  if (__atomic_load_n(&place->latest_ns, __ATOMIC_RELAXED) < now_ns || !whole) {
    __atomic_store_n(&place->latest_ns, now_ns, __ATOMIC_RELAXED);
  }
}

}  // namespace umaskaudit::shim
