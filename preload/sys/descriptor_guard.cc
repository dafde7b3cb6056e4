
#include "preload/sys/descriptor_guard.h"

#include "preload/state.h"
#include "preload/sys/futex_lock.h"

namespace umaskaudit::shim {

namespace {

constinit FutexWord word = 0;

std::uint32_t own_tid() { return static_cast<std::uint32_t>(sys::gettid()); }

}  // namespace

// Not recursive, so not taken while we hold it: fork handlers of the program that were registered
// before ours run then. Not taken by a vfork child either: its descriptors are its own, and it may
// be killed while it holds a lock in our memory.
DescriptorGuard::DescriptorGuard() : blocks_(!thread_state.starting) {
  if (blocks_) signals_ = sys::block_signals();
  const auto pid = static_cast<std::uint32_t>(sys::getpid());
  if (pid != process.pid.load(std::memory_order_relaxed)) return;
  const std::uint32_t tid = own_tid();
  locked_ = !is_held_by(word, tid);
  if (locked_) acquire_futex(word, tid);
}

DescriptorGuard::~DescriptorGuard() {
  if (locked_) unlock_descriptors();
  if (blocks_) sys::restore_signals(signals_);
}

void lock_descriptors() { acquire_futex(word, own_tid()); }

void unlock_descriptors() { release_futex(word); }

}  // namespace umaskaudit::shim
