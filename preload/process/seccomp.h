// Finds out which of our own system calls a seccomp filter of the program bars.
// Must never try a call in the program: a barred one kills it (seccomp(2)). A filter is interpreted
// for each number before it is installed; one from before the start, whose instructions cannot be
// read, is tested in a child. Called by init and the prctl and syscall wrappers; sys.h checks the
// result before every call.
#pragma once

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cstdint>

#include "preload/mask/initial_mask.h"

struct sock_fprog;

namespace umaskaudit::shim {

// seccomp_data::arch of this machine.
#if defined(__x86_64__)
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Interprets `filter` (null: strict mode), and maps trace memory while that is still possible. A
// number is barred unless the filter allows it (or logs it) with any arguments. No other effect.
// The memory is the program's and may be invalid.
struct FilterOutlook {
  bool bars_something = false;
  unsigned long barred[8] = {};  // one bit a number, as in sys.h
};
FilterOutlook study_filter(const sock_fprog* filter);

// Call before the kernel installs it: SECCOMP_FILTER_FLAG_TSYNC applies the filter to all threads
// at once, and none of them may make a barred call from that moment on. Returns the argument of
// settle_filter().
unsigned expect_filter(const FilterOutlook& outlook);
// Call afterwards. An installed filter stays in force, and the blind spot is recorded; a refused
// one is forgotten.
void settle_filter(const FilterOutlook& outlook, unsigned expected, bool installed);

// At the start of an image, before anything else of ours: a filter may have been inherited through
// execve(2). If there is one, or /proc does not tell, a child makes each of our calls with
// arguments that have no effect; the calls that kill it are barred. A filter that returns an errno
// bars nothing, because our calls handle errors. No child is made that would be the init of a PID
// name space: then all of these calls are barred.
struct StartStatus {
  bool filtered = false;         // some call is barred, which is a blind spot
  InitialMask mask;              // known for a process with one thread and no filter
  std::uint64_t proc_mount = 0;  // as in Process
};
StartStatus study_inherited_filter();
// The same for the calls that the tracer needs, after the former.
void study_filter_for_tracer();

// Whether seccomp(2) with these flags installed its filter. With TSYNC a positive result is a
// thread that could not be synchronised, and then the filter is not installed; with NEW_LISTENER it
// is a descriptor.
inline bool was_installed(long result, unsigned long flags) {
  const bool result_is_thread =
      (flags & SECCOMP_FILTER_FLAG_TSYNC) != 0 && (flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) == 0;
  return result == 0 || (result > 0 && !result_is_thread);
}

// Calls both, around the call that installs the filter.
template <typename Real>
auto install_filter(const sock_fprog* filter, unsigned long flags, Real real) {
  const FilterOutlook outlook = study_filter(filter);
  const unsigned expected = expect_filter(outlook);
  const auto result = real();
  settle_filter(outlook, expected, was_installed(result, flags));
  return result;
}

}  // namespace umaskaudit::shim
