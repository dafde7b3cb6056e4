// FsContext: the cached mask of one fs context, which is what tasks share by CLONE_FS (clone(2))
// and what umask(2) changes.
// Must never hold its lock across anything but the umask call itself, and never change the cache
// for a call of a task that only shares our memory (vfork, clone(CLONE_VM) without CLONE_FS).
#pragma once

#include <sys/types.h>

#include <atomic>
#include <cstdint>

#include "preload/mask/initial_mask.h"
#include "preload/state.h"
#include "preload/sys/fork_guard.h"
#include "preload/sys/scratch.h"
#include "preload/trace/format.h"

namespace umaskaudit::shim {

// `change` is a sequence lock: 2 * (number of umask calls so far), plus one while a call is under
// way. The kernel's mask and `mask` may differ only while it is odd.
struct alignas(64) FsContext {
  std::atomic<std::uint32_t> lock = 0;  // futex_lock.h
  std::atomic<std::uint32_t> mask = 0;  // bits above the mask: not known yet
  std::atomic<std::uint64_t> change = 0;
  std::uint32_t id = 0;  // in the trace
  // Thread ids that use this context, for kcmp(2): the first one, and a later one in case that
  // ended.
  std::atomic<std::uint32_t> owner = 0;
  std::atomic<std::uint32_t> peer = 0;
  // For fold.cc: whether changes are being folded, and how often a change was read or inherited
  // meanwhile.
  std::atomic<std::uint32_t> folding = 0;
  std::atomic<std::uint32_t> meetings = 0;
};

// A snapshot of the cache, taken without a lock.
struct Snapshot {
  std::uint64_t change = 0;  // number of completed umask calls
  std::uint16_t mask = 0;
  bool busy = false;  // one more call was in progress
};

// The calling task: a thread, or a vfork child that runs on its TLS.
struct Task {
  std::uint32_t tid;
  std::uint32_t pid;
  FsContext* context;  // null for a vfork child: its mask is in thread_state.vfork_child
};

// The context with that index in the table. Null: none, or the table was full.
inline constexpr std::uint32_t kContexts = 1024;
extern FsContext contexts[kContexts];
inline FsContext* own_context() {
  return thread_state.context < kContexts ? &contexts[thread_state.context] : nullptr;
}

// Identifies the caller; sets up a thread at its first event. No system call when all is well.
// Async-signal-safe.
[[gnu::cold]] Task enter_slowly();
inline Task enter() {
  const bool sure =
      fork_guard_intact() && thread_state.tid != 0 && !thread_state.tls_shared &&
      !process.unknown_tasks.load(std::memory_order_relaxed) &&
      thread_state.name_generation == process.name_generation.load(std::memory_order_relaxed);
  if (__builtin_expect(!sure, 0)) return enter_slowly();
  return {thread_state.tid, process.pid.load(std::memory_order_relaxed), own_context()};
}

// Call before clone(2) or vfork(2) with these flags: a task that shares our memory may run on the
// calling thread's TLS. From then on that thread, or every thread, asks the kernel for its id at
// each event.
void expect_new_task(unsigned long flags);

std::uint32_t context_id(const Task& task);

// The number of completed umask calls of the context, for a record of a task that inherits the
// mask. Does not need the mask, which a vfork child would have to read first.
std::uint64_t changes(const Task& task);

// The context's mask now. Async-signal-safe, never waits.
[[gnu::cold]] Snapshot snapshot_slowly(const Task& task);
inline Snapshot snapshot(const Task& task) {
  if (__builtin_expect(task.context == nullptr, 0)) return snapshot_slowly(task);
  const std::uint64_t before = task.context->change.load(std::memory_order_acquire);
  const Snapshot result{before / 2, static_cast<std::uint16_t>(task.context->mask.load()),
                        before % 2 != 0};
  std::atomic_thread_fence(std::memory_order_acquire);
  const bool same = task.context->change.load(std::memory_order_relaxed) == before;
  return __builtin_expect(same, 1) ? result : snapshot_slowly(task);
}

// Something reads the mask now or inherits it: neither the change in force nor the next one may be
// folded (fold.h).
inline void meet(FsContext& context) {
  if (__builtin_expect(context.folding.load() != 0, 0)) context.meetings.fetch_add(1);
}
inline void meet(const Task& task) {
  if (task.context != nullptr) meet(*task.context);
}
// The same, with a snapshot, for records that name the change in force.
[[gnu::cold]] Snapshot meet_slowly(const Task& task, Snapshot seen);
inline Snapshot met_snapshot(const Task& task) {
  const Snapshot seen = snapshot(task);
  const bool folding = task.context != nullptr && task.context->folding.load() != 0;
  return __builtin_expect(folding, 0) ? meet_slowly(task, seen) : seen;
}

struct MaskChange {
  std::uint16_t old_mask;  // as the kernel returned it
  std::uint16_t cached;    // from the cache
  std::uint64_t change;    // the context's number of this call
  bool nested = false;     // `real` called our umask, which recorded it
};
// Runs `real(mask)` with the context locked and all signals blocked, and updates the cache. The
// caller may hold the lock already: another preload's umask may call syscall(2), which is ours too,
// and fork handlers that were registered before ours run while every context is locked.
MaskChange change_mask(const Task& task, mode_t mask, mode_t (*real)(mode_t));

// For a mode that the cached mask does not explain: asks the kernel, and if its mask differs,
// updates the cache (drift). Empty when the cache was right, or was changed meanwhile.
struct UnseenChange {
  bool found = false;
  std::uint16_t cached = 0;
  std::uint16_t mask = 0;
  std::uint64_t change = 0;  // the change number that the drift is recorded as
};
UnseenChange look_for_unseen_change(const Task& task, const Snapshot& believed);

// False once a thread has unshared its context, or was found in one of its own.
bool has_one_context();

// The path id of the working directory, as the kernel names it now. 0: not known. Not cached:
// daemon(3), nftw(3) and fts(3) change directory inside libc, and any process may rename it.
std::uint32_t working_directory(const Task& task, const Scratch& buffer);

// For init: the first context. The caller writes the record.
trace::Context make_first_context(InitialMask birth = read_initial_mask());
// After unshare(2) by this thread.
void make_unshared_context(const Task& task);

// Around fork(2), by the thread that forks: holds every context's lock, so that the child's copy is
// consistent.
void lock_contexts();
void unlock_contexts();
// In the child: one context remains, a copy of the forking thread's. The caller writes the record.
// `unseen`: no fork handler ran, so the child may share the context itself (CLONE_FS).
trace::Context adopt_forked_context(bool unseen);

}  // namespace umaskaudit::shim
