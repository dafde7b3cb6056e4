// Reads the clock in a thread that may not ask the kernel for it; see clock_trial.h.

#include "preload/sys/clock_trial.h"

#include <errno.h>
#include <linux/filter.h>
#include <linux/prctl.h>
#include <linux/seccomp.h>

#include <cstddef>

#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// The filter and no_new_privs apply to the calling thread alone (seccomp(2), prctl(2)) and end with
// it. Not strict mode: that also disables the time stamp counter, and the vDSO would fault
// (PR_SET_TSC in prctl(2)).
void read_clock_without_call(void* readable) {
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clock_gettime, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const sock_fprog filter{sizeof program / sizeof program[0], program};
  long error = sys::call(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (error == 0) {
    error = sys::call(SYS_prctl, PR_SET_SECCOMP, SECCOMP_MODE_FILTER, sys::arg(&filter));
  }
  timespec t{};
  if (error == 0) error = sys::read_clock(CLOCK_MONOTONIC, &t);
  *static_cast<bool*>(readable) = error == 0;
}

}  // namespace

void stop_clock_without_vdso() {
  if (sys::clock_stopped.load() || sys::is_barred(SYS_clock_gettime)) return;
  bool readable = false;
  if (sys::kernel_clock != nullptr) run_in_task(read_clock_without_call, &readable, Apart::fs);
  if (!readable) sys::stop_clock(sys::now_ns(), sys::now_ns(CLOCK_REALTIME));
}

}  // namespace umaskaudit::shim
