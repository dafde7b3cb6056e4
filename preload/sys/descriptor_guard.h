// Around each descriptor that we hold for a moment: no fork of this process copies it meanwhile.
// O_CLOEXEC is no help for children that never exec.
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
  bool blocks_;  // false at the start, where they are blocked already, and for longer
  bool locked_ = false;
};

// Around fork(2), by the thread that forks, with signals blocked: waits for the descriptors of
// others to be closed. A child of any kind of fork unlocks too: it is alone.
void lock_descriptors();
void unlock_descriptors();

}  // namespace umaskaudit::shim
