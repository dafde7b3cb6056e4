// Which of our own system calls a seccomp filter of the program leaves us.
// Must never find out by trying: the wrong call kills the program (seccomp(2)). The filter is
// simulated instead, for each number, before it is installed.
// Called by the prctl and syscall wrappers; what was learned is asked in sys.h before every call.
#pragma once

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

// Both, around the call that installs it.
template <typename Real>
auto install_filter(const sock_fprog* filter, Real real) {
  const FilterOutlook outlook = study_filter(filter);
  const auto result = real();
  if (result >= 0) apply_filter(outlook);
  return result;
}

}  // namespace umaskaudit::shim
