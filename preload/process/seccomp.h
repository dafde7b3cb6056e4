// Which system calls a seccomp filter leaves us: our own, and the program's with other flags.
// Must never find out by trying in the program: the wrong call kills it (seccomp(2)). A filter is
// simulated, for each number, before it is installed; one from before the start, whose program
// cannot be read, is tried in a child.
// Called by init and the prctl and syscall wrappers; sys.h asks before every call.
#pragma once

#include <linux/audit.h>
#include <linux/seccomp.h>

#include <cstdint>

#include "preload/mask/initial_mask.h"

struct sock_fprog;

namespace umaskaudit::shim {

// Ours, as seccomp_data::arch has it.
#if defined(__x86_64__)
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_X86_64;
#else
inline constexpr std::uint32_t kArchitecture = AUDIT_ARCH_AARCH64;
#endif

// Simulates `filter` (null: strict mode) and makes room in the trace while that is still possible.
// A number is barred unless the filter allows it (or logs it) whatever the arguments are.
// Changes nothing else. The memory is the program's and may be nonsense.
struct FilterOutlook {
  bool bars_something = false;
  unsigned long barred[8] = {};  // one bit a number, as in sys.h
};
FilterOutlook study_filter(const sock_fprog* filter);

// Before the kernel is asked: SECCOMP_FILTER_FLAG_TSYNC puts the filter on all threads at once, and
// none of them may make a barred call from that moment on. Returns what settle_filter() takes.
unsigned expect_filter(const FilterOutlook& outlook);
// Afterwards. An installed filter stays; the blind spot is recorded. One that the kernel refused is
// forgotten.
void settle_filter(const FilterOutlook& outlook, unsigned expected, bool installed);

// At the start of an image, before anything else of ours: a filter may have been inherited through
// execve(2). Where there is one, or /proc does not say, a child makes each kind of call that we may
// make, with arguments that do nothing; what kills the child is barred. A filter that refuses by an
// errno bars nothing: our calls survive that. A child that would be the init of a PID name space is
// not made, and all that it would try is barred.
struct StartStatus {
  bool filtered = false;         // something is barred, which is a blind spot
  InitialMask mask;              // of a process that has one thread and no filter
  std::uint64_t proc_mount = 0;  // as in Process
};
StartStatus study_inherited_filter();
// The same for the calls by which the tracer is asked, after the former.
void study_filter_for_tracer();

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
  const unsigned expected = expect_filter(outlook);
  const auto result = real();
  settle_filter(outlook, expected, was_installed(result, flags));
  return result;
}

}  // namespace umaskaudit::shim
