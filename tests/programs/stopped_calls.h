// System calls that a filter stops in the kernel until another thread has done something
// (seccomp_unotify(2)). Included by victims that need a moment which lies inside of a call.
#pragma once

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>

#include <cstddef>

#include "victim.h"

namespace victim {

inline std::atomic<int> listener = -1;  // of the filter; -1: not there yet
inline void (*on_first_call)() = nullptr;

// Lets all calls go on, the first behind on_first_call(). One that a handler interrupts is there no
// more (ENOENT), and the kernel restarts it.
inline void* attend_to_calls(void*) {
  while (listener < 0) sched_yield();
  for (bool first = true;; first = false) {
    seccomp_notif request{};
    if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &request) != 0) continue;
    if (first) on_first_call();
    seccomp_notif_resp answer{};
    answer.id = request.id;
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
    ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
  }
}

// Starts that thread, then stops what `program` answers with SECCOMP_RET_USER_NOTIF. `install` is
// seccomp(2): its descriptor, or negative. False: the kernel has no such filters.
template <std::size_t Length, typename Install>
bool stop_calls(sock_filter (&program)[Length], void (*on_first)(), Install install) {
  on_first_call = on_first;
  pthread_t thread;
  if (pthread_create(&thread, nullptr, attend_to_calls, nullptr) != 0) die("pthread_create");
  const sock_fprog filter{Length, program};
  need(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
  const long fd = install(&filter);
  if (fd < 0) return false;
  listener = static_cast<int>(fd);
  return true;
}

}  // namespace victim
