
#include "preload/sys/process_identity.h"

#include <sys/auxv.h>
#include <sys/stat.h>

#include <cstring>

#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"
#include "preload/trace/format.h"

namespace umaskaudit::shim {

namespace {

struct OwnStat {
  char text[512];  // the 22 fields that matter take at most 350
  long size = 0;
};

void read_own_stat(void* argument) {
  auto& stat = *static_cast<OwnStat*>(argument);
  stat.size = sys::read_file("/proc/self/stat", stat.text, sizeof stat.text - 1);
}

// Field 22 of proc(5)'s stat. The second field, the name, may hold any byte, also a parenthesis, so
// the search starts at the last one.
const char* start_field(const char* text) {
  const char* at = strrchr(text, ')');
  for (int field = 2; at != nullptr && field < 22; ++field) at = strchr(at + 1, ' ');
  return at == nullptr ? nullptr : at + 1;
}

}  // namespace

std::uint32_t read_pid_namespace() {
  struct statx facts;
  if (sys::facts(AT_FDCWD, "/proc/self/ns/pid", 0, &facts) != 0) return 0;
  return static_cast<std::uint32_t>(facts.stx_ino);
}

std::uint32_t read_process_age() {
  OwnStat stat;
  run_in_own_table(read_own_stat, &stat);
  const unsigned long ticks = getauxval(AT_CLKTCK);
  if (stat.size <= 0 || ticks == 0 || sys::clock_stopped.load(std::memory_order_relaxed)) {
    return trace::kAgeUnknown;
  }
  stat.text[stat.size] = '\0';
  const char* digit = start_field(stat.text);
  if (digit == nullptr) return trace::kAgeUnknown;
  std::uint64_t began = 0;
  for (; *digit >= '0' && *digit <= '9'; ++digit) {
    began = began * 10 + static_cast<std::uint64_t>(*digit - '0');
  }
  // Both clocks count from the boot and include sleep (proc(5), CLOCK_BOOTTIME in
  // clock_gettime(2)).
  const std::uint64_t began_ns = began * (1000000000u / ticks);
  const std::uint64_t now_ns = sys::now_ns(CLOCK_BOOTTIME);
  const std::uint64_t age = now_ns < began_ns ? 0 : (now_ns - began_ns) / 1000000u + 1;
  return age < trace::kAgeUnknown ? static_cast<std::uint32_t>(age) : trace::kAgeUnknown;
}

}  // namespace umaskaudit::shim
