// Which of our own system calls a seccomp filter of the program leaves us.
// Must never find out by trying: the wrong call kills the program (seccomp(2)). The filter is
// simulated instead, for each number, before it is installed.
// Called by the prctl and syscall wrappers; what was learned is asked in sys.h before every call.
#pragma once

#include <linux/seccomp.h>

struct sock_fprog;

namespace umaskaudit::shim {

// Simulates `filter` (null: strict mode) and makes room in the trace while that is still possible.
// Nothing changes until apply_filter(). The memory is the program's and may be nonsense.
struct FilterOutlook {
  bool bars_something = false;
  unsigned long barred[8] = {};  // one bit a number, as in sys.h
};
FilterOutlook study_filter(const sock_fprog* filter);

// After the kernel has accepted it. Filters only ever add up. Records the blind spot.
void apply_filter(const FilterOutlook& outlook);

// Whether seccomp(2) with these flags installed its filter. With TSYNC a positive result is a
// thread that could not follow, and then none did; with NEW_LISTENER too it is a descriptor.
inline bool was_installed(long result, unsigned long flags) {
  const bool result_is_thread =
      (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0;
  return result == 0 || (result > 0 && !result_is_thread);
}

// Both, around the call that installs it.
template <typename Real>
auto install_filter(const sock_fprog* filter, unsigned long flags, Real real) {
  const FilterOutlook outlook = study_filter(filter);
  const auto result = real();
  if (was_installed(result, flags)) apply_filter(outlook);
  return result;
}

}  // namespace umaskaudit::shim
