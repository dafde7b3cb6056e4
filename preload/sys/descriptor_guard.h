// A scope in which the shim holds a descriptor: no fork of this process copies it meanwhile.
// O_CLOEXEC does not help against children that never exec.
// Must never be held across a call of the program's. Async-signal-safe: signals are blocked.
#pragma once

#include "preload/sys/sys.h"

namespace umaskaudit::shim {

class DescriptorGuard {
 public:
  DescriptorGuard();
  ~DescriptorGuard();
  DescriptorGuard(const DescriptorGuard&) = delete;
  DescriptorGuard& operator=(const DescriptorGuard&) = delete;

 private:
  sys::SignalSet signals_ = 0;
  bool blocks_;  // false at the start, which blocks them for longer
  bool locked_ = false;
};

// Around fork(2), by the thread that forks, with signals blocked: waits until other threads have
// closed theirs. The child of any kind of fork unlocks too: it has one thread.
void lock_descriptors();
void unlock_descriptors();

}  // namespace umaskaudit::shim
