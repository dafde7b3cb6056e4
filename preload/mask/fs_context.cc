// The context table and its locks; see fs_context.h.

#include "preload/mask/fs_context.h"

#include <linux/kcmp.h>
#include <linux/sched.h>

#include "preload/log/blind_spot.h"
#include "preload/mask/initial_mask.h"
#include "preload/mask/root.h"
#include "preload/record/recorder.h"
#include "preload/sys/at_start.h"
#include "preload/sys/fork_guard.h"
#include "preload/sys/futex_lock.h"
#include "preload/sys/own_stack.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

UMASKAUDIT_AT_START(contexts) constinit FsContext contexts[kContexts];

namespace {

constexpr std::uint32_t kNoContext = UINT32_MAX;
constinit std::atomic<std::uint32_t> context_count = 0;
// contexts locked by lock_contexts(); other threads may add more meanwhile
std::uint32_t locked_count = 0;

bool holds(const FsContext& context, std::uint32_t tid) { return is_held_by(context.lock, tid); }

// Contention is between umask calls only, each one system call long; signals are blocked.
void acquire(FsContext& context, std::uint32_t tid) {
  if (__builtin_expect(!acquire_futex(context.lock, tid), 1)) return;
  // After a lock is taken over from a task that ended: whether its umask call took place is learned
  // at the next call, which returns the old mask.
  const std::uint64_t change = context.change.load(std::memory_order_relaxed);
  context.change.store(change + change % 2, std::memory_order_release);
}

void release(FsContext& context) { release_futex(context.lock); }

// Whether two tasks share an fs context (kcmp(2)); unknown when one has ended, or kcmp is barred.
enum class Sharing : std::uint8_t { unknown, no, yes };
Sharing compare_fs(std::uint32_t a, std::uint32_t b) {
  const long result = sys::call(SYS_kcmp, a, b, KCMP_FS);
  if (result < 0) return Sharing::unknown;
  return result == 0 ? Sharing::yes : Sharing::no;
}
bool share_fs(std::uint32_t a, std::uint32_t b) { return compare_fs(a, b) == Sharing::yes; }

// For a task that the kernel does not compare: if CLONE_FS was ever asked for, it may share a
// context, and the record is a guess; else it has a context of its own.
void report_unknown_clone(const Author& author, std::uint32_t context) {
  if (!process.shares_fs.load(std::memory_order_relaxed)) return;
  report_blind_spot(author, trace::Blind::raw_clone, Call::clone, context, 0, "clone", 5);
}

// A flag in FsContext::mask: the mask is not known yet, and the first umask call will return it.
constexpr std::uint32_t kNotRead = 1u << 16;
std::uint32_t cell(InitialMask birth) {
  return birth.mask | (birth.source == trace::MaskSource::unknown ? kNotRead : 0);
}

// Adds an entry to the table, and its record. Empty when the table is full.
struct NewContext {
  std::uint32_t index = kNoContext;
  trace::Context record{};
};

NewContext add_context(std::uint32_t owner, InitialMask birth, trace::Origin origin,
                       FsContext* parent) {
  NewContext added;
  added.record.id = next_id(trace::IdSpace::context);
  added.record.owner = owner;
  added.record.origin = static_cast<std::uint8_t>(origin);
  added.record.mask_source = static_cast<std::uint8_t>(birth.source);
  added.record.mask = birth.mask;
  if (parent != nullptr) {
    meet(*parent);
    added.record.parent = parent->id;
    added.record.parent_change = parent->change.load(std::memory_order_acquire) / 2;
  }
  const std::uint32_t index = context_count.fetch_add(1, std::memory_order_relaxed);
  if (index >= kContexts) {
    context_count.store(kContexts, std::memory_order_relaxed);
    count_loss(trace::Loss::contexts_full);
    return added;
  }
  FsContext& context = contexts[index];
  context.mask.store(cell(birth), std::memory_order_relaxed);
  context.id = added.record.id;
  context.owner.store(owner, std::memory_order_relaxed);
  context.peer.store(owner, std::memory_order_release);
  added.index = index;
  return added;
}

// For a thread whose context does not fit in the table: the mask is kept in its TLS.
void keep_to_itself(std::uint32_t tid, const trace::Context& record) {
  thread_state.vfork_child = {tid, record.id, 0, record.mask, true};
}

// Finds the context of a thread at its first event. As long as no thread has unshared there is one
// context. Afterwards kcmp(2) compares the thread with a peer of each context; where that is
// impossible the thread gets a context of its own, with its mask read afresh, which is right if it
// shares none.
std::uint32_t context_of_new_thread(std::uint32_t tid) {
  const std::uint32_t count = context_count.load(std::memory_order_acquire);
  if (count <= 1) return 0;
  for (std::uint32_t i = 0; i < count && i < kContexts; ++i) {
    if (share_fs(tid, contexts[i].owner.load(std::memory_order_relaxed)) ||
        share_fs(tid, contexts[i].peer.load(std::memory_order_relaxed))) {
      return i;
    }
  }
  const NewContext added = add_context(tid, read_proc_mask(), trace::Origin::unknown, nullptr);
  write_record(trace::RecordType::context, tid, added.record);
  if (added.index == kNoContext) keep_to_itself(tid, added.record);
  return added.index;
}

void set_up_thread(std::uint32_t tid) {
  thread_state.vfork_child = {};
  thread_state.context = context_of_new_thread(tid);
  thread_state.tid = tid;
  thread_state.name_generation = process.name_generation.load(std::memory_order_relaxed);
  write_thread_record({tid}, context_id({tid, 0, own_context()}), thread_handle());
}

// For a vfork child, or a clone(CLONE_VM) task without a TLS of its own. Its context is stored in
// the TLS that it uses, until the thread itself or another child records an event.
Task enter_borrowed(std::uint32_t tid, std::uint32_t pid) {
  VforkChild& child = thread_state.vfork_child;
  FsContext* parent = own_context();
  const bool known = thread_state.tid != 0 && parent != nullptr;
  const Sharing sharing = known ? compare_fs(tid, thread_state.tid) : Sharing::no;
  if (sharing == Sharing::yes) return {tid, pid, parent};
  if (child.tid != tid) {
    trace::Context record{};
    record.id = next_id(trace::IdSpace::context);
    record.owner = tid;
    const bool thread = pid == process.pid.load(std::memory_order_relaxed);
    record.origin = static_cast<std::uint8_t>(thread ? trace::Origin::clone : trace::Origin::vfork);
    if (parent != nullptr) {
      meet(*parent);
      record.parent = parent->id;
      record.parent_change = parent->change.load(std::memory_order_acquire) / 2;
      record.mask_source = static_cast<std::uint8_t>(trace::MaskSource::inherited);
      record.mask = static_cast<std::uint16_t>(parent->mask.load(std::memory_order_relaxed));
    }
    child = {tid, record.id, 0, 0, false};
    write_record(trace::RecordType::context, Author{tid, pid}, record);
    write_thread_record({tid, pid}, record.id, 0);
    if (sharing == Sharing::unknown) report_unknown_clone({tid, pid}, record.id);
  }
  return {tid, pid, nullptr};
}

// Whether the TLS belongs to a thread that still exists. A new thread of libc has an empty TLS.
bool tls_is_borrowed(std::uint32_t pid) {
  return thread_state.tid != 0 && sys::call(SYS_tgkill, pid, thread_state.tid, 0) == 0;
}

Task ask_kernel() {
  const int asked = sys::gettid();
  // Where a seccomp filter bars gettid(2), vfork children are not recognised, and a new thread has
  // no id.
  const std::uint32_t tid = asked > 0 ? static_cast<std::uint32_t>(asked) : thread_state.tid;
  const std::uint32_t own_pid = process.pid.load(std::memory_order_relaxed);
  if (tid != thread_state.tid || tid == 0) {
    const int asked_pid = sys::getpid();
    const std::uint32_t pid = asked_pid > 0 ? static_cast<std::uint32_t>(asked_pid) : own_pid;
    if (pid != own_pid || tls_is_borrowed(pid)) return enter_borrowed(tid, pid);
    set_up_thread(tid);
  } else if (own_context() != nullptr) {
    thread_state.vfork_child.tid = 0;
  }
  return {tid, own_pid, own_context()};
}

void write_name_again(const Task& task) {
  thread_state.name_generation = process.name_generation.load(std::memory_order_relaxed);
  write_thread_record({task.tid}, context_id(task), thread_handle());
}

// A removed directory still has "..", through which objects are made. proc(5) knows its last name,
// with " (deleted)" behind it, and follows its parents. Returns the length, 0, or -ERANGE.
long name_removed_directory(char* out, std::size_t room) {
  const long found = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg("/proc/thread-self/cwd"),
                               sys::arg(out), static_cast<long>(room));
  if (found == static_cast<long>(room)) return -ERANGE;
  return found > 0 && out[0] == '/' ? found : 0;
}

// The name of the directory outside a chroot; returns its length, 0 when it has none, or -ERANGE.
long name_working_directory(char* out, std::size_t size) {
  TextBuffer text(out, size);
  put_root(text);
  if (text.room() == 0) return -ERANGE;
  const long found =
      sys::call(SYS_getcwd, sys::arg(out + text.length()), static_cast<long>(text.room()));
  if (found == -ERANGE) return found;
  if (found == -ENOENT) {
    const long length = name_removed_directory(out + text.length(), text.room());
    return length <= 0 ? length : static_cast<long>(text.length()) + length;
  }
  // "(unreachable)...": outside of the root directory, getcwd(2).
  if (found <= 1 || out[text.length()] != '/') return 0;
  return static_cast<long>(text.length()) + found - 1;
}

}  // namespace

Task enter_slowly() {
  if (!fork_guard_intact()) adopt_unseen_fork();
  const bool sure = thread_state.tid != 0 && !thread_state.tls_shared &&
                    !process.unknown_tasks.load(std::memory_order_relaxed);
  if (!sure) {
    const Task task = ask_kernel();
    if (task.tid != thread_state.tid) return task;  // a vfork child
  }
  const Task task{thread_state.tid, process.pid.load(std::memory_order_relaxed), own_context()};
  if (thread_state.name_generation != process.name_generation.load(std::memory_order_relaxed)) {
    write_name_again(task);
  }
  return task;
}

void expect_new_task(unsigned long flags) {
  if ((flags & CLONE_FS) != 0) process.shares_fs.store(true, std::memory_order_relaxed);
  if ((flags & CLONE_VM) == 0) return;  // the child gets a copy of our memory: fork_guard.h
  // A vfork child's parent is stopped, but it must check its identity from now on: a signal handler
  // may run between here and the call.
  if ((flags & (CLONE_VFORK | CLONE_SETTLS)) == CLONE_VFORK) {
    thread_state.tls_shared = true;
  } else {
    process.unknown_tasks.store(true, std::memory_order_relaxed);
  }
}

std::uint32_t context_id(const Task& task) {
  return task.context != nullptr ? task.context->id : thread_state.vfork_child.context;
}

std::uint64_t changes(const Task& task) {
  return task.context != nullptr ? met_snapshot(task).change : thread_state.vfork_child.change;
}

// Counted while the current change was in force, so that the maker of the next change sees it.
Snapshot meet_slowly(const Task& task, Snapshot seen) {
  constexpr int kAttempts = 8;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    task.context->meetings.fetch_add(1);
    if (task.context->change.load() / 2 == seen.change) break;
    seen = snapshot(task);
  }
  return seen;
}

Snapshot snapshot_slowly(const Task& task) {
  if (task.context == nullptr) {
    VforkChild& child = thread_state.vfork_child;
    if (!child.mask_known) {
      child.mask = read_initial_mask().mask;
      child.mask_known = true;
    }
    return {child.change, child.mask, false};
  }
  // A reader never waits: after a few tries the snapshot is marked busy, with the change number
  // from before the tries.
  Snapshot result;
  for (int attempt = 0; attempt < 4; ++attempt) {
    const std::uint64_t before = task.context->change.load(std::memory_order_acquire);
    result = {before / 2, static_cast<std::uint16_t>(task.context->mask.load()), before % 2 != 0};
    std::atomic_thread_fence(std::memory_order_acquire);
    if (task.context->change.load(std::memory_order_relaxed) == before) return result;
  }
  result.busy = true;
  return result;
}

// Likely branches first: after a system call the branch predictor is cold.
// taken.
MaskChange change_mask(const Task& task, mode_t mask, mode_t (*real)(mode_t)) {
  if (__builtin_expect(task.context == nullptr, 0)) {
    VforkChild& child = thread_state.vfork_child;
    const auto old = static_cast<std::uint16_t>(real(mask));
    const std::uint16_t cached = child.mask_known ? child.mask : old;
    child.mask = static_cast<std::uint16_t>(mask & 0777);
    child.mask_known = true;
    return {old, cached, ++child.change};
  }
  FsContext& context = *task.context;
  const bool held = holds(context, task.tid);
  const sys::SignalSet signals = sys::block_signals();
  if (__builtin_expect(!held, 1)) acquire(context, task.tid);
  const std::uint64_t change = context.change.load(std::memory_order_relaxed);
  if (__builtin_expect(held && change % 2 != 0, 0)) {
    const auto old = static_cast<std::uint16_t>(real(mask));
    sys::restore_signals(signals);
    return {old, old, change / 2 + 1, true};
  }
  // A sequence lock: odd from before the mask changes until the cache is updated. No locked
  // instructions.
  context.change.store(change + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const auto old = static_cast<std::uint16_t>(real(mask));
  const std::uint32_t believed = context.mask.load(std::memory_order_relaxed);
  const auto cached = (believed & kNotRead) != 0 ? old : static_cast<std::uint16_t>(believed);
  context.mask.store(mask & 0777, std::memory_order_relaxed);
  context.change.store(change + 2, std::memory_order_release);
  context.peer.store(task.tid, std::memory_order_relaxed);
  if (__builtin_expect(!held, 1)) release(context);
  sys::restore_signals(signals);
  return {old, cached, change / 2 + 1};
}

UnseenChange look_for_unseen_change(const Task& task, const Snapshot& believed) {
  const InitialMask now = read_proc_mask();
  UnseenChange result;
  if (now.source != trace::MaskSource::proc || now.mask == believed.mask) return result;
  result = {false, believed.mask, now.mask, believed.change + 1};
  if (task.context == nullptr) {
    VforkChild& child = thread_state.vfork_child;
    child.mask = now.mask;
    child.change = static_cast<std::uint32_t>(result.change);
    result.found = true;
    return result;
  }
  FsContext& context = *task.context;
  const bool held = holds(context, task.tid);
  const sys::SignalSet signals = sys::block_signals();
  if (!held) acquire(context, task.tid);
  if (context.change.load(std::memory_order_relaxed) == believed.change * 2) {
    context.mask.store(now.mask);
    context.change.store(result.change * 2);
    result.found = true;
  }
  if (!held) release(context);
  sys::restore_signals(signals);
  return result;
}

bool has_one_context() { return context_count.load(std::memory_order_acquire) <= 1; }

std::uint32_t working_directory(const Task& task, const Scratch& buffer) {
  char small[128];  // most names are short
  const char* name = small;
  long length = name_working_directory(small, sizeof small);
  if (length == -ERANGE) {
    name = buffer.get();
    if (name == nullptr) {
      count_loss(trace::Loss::path_dropped);
      return 0;
    }
    length = name_working_directory(buffer.get(), Scratch::kSize);
  }
  if (length <= 0 || length > long{trace::kMaxPath}) return 0;
  return intern_path({task.tid, task.pid}, name, static_cast<std::uint32_t>(length));
}

trace::Context make_first_context(InitialMask birth) {
  const auto tid = static_cast<std::uint32_t>(sys::gettid());
  return add_context(tid, birth, trace::Origin::exec, nullptr).record;
}

void make_unshared_context(const Task& task) {
  // A child recognises that it has a context of its own at its next event.
  if (task.context == nullptr || task.tid != thread_state.tid) return;
  // The kernel copied the mask a moment ago; the old context may have changed since. No other task
  // has the new one.
  InitialMask birth = read_proc_mask();
  if (birth.source == trace::MaskSource::unknown) {
    birth = {snapshot(task).mask, trace::MaskSource::inherited};
  }
  const NewContext added = add_context(task.tid, birth, trace::Origin::unshare, task.context);
  write_record(trace::RecordType::context, Author{task.tid, task.pid}, added.record);
  thread_state.context = added.index;
  if (added.index == kNoContext) keep_to_itself(task.tid, added.record);
}

void lock_contexts() {
  const auto tid = static_cast<std::uint32_t>(sys::gettid());
  const std::uint32_t count = context_count.load(std::memory_order_acquire);
  std::uint32_t i = 0;
  for (; i < count && i < kContexts; ++i) {
    acquire(contexts[i], tid);
    meet(contexts[i]);
  }
  locked_count = i;
}

void unlock_contexts() {
  for (std::uint32_t i = locked_count; i > 0; --i) release(contexts[i - 1]);
}

trace::Context adopt_forked_context(bool unseen) {
  const auto tid = static_cast<std::uint32_t>(sys::gettid());
  trace::Context record{};
  record.owner = tid;
  record.origin = static_cast<std::uint8_t>(trace::Origin::fork);
  InitialMask birth;
  Sharing sharing = Sharing::no;
  const VforkChild& child = thread_state.vfork_child;
  if (child.tid != 0 && child.tid == static_cast<std::uint32_t>(sys::call(SYS_getppid))) {
    // The forking task was a vfork child, whose own mask is read below.
    record.parent = child.context;
    record.parent_change = child.change;
  } else if (const FsContext* parent = own_context()) {
    const std::uint64_t change = parent->change.load(std::memory_order_relaxed);
    record.parent = parent->id;
    record.parent_change = change / 2;
    const std::uint32_t believed = parent->mask.load();
    birth = {static_cast<std::uint16_t>(believed), trace::MaskSource::inherited};
    // Odd: an unseen fork in the middle of another thread's umask call.
    if (change % 2 != 0 || (believed & kNotRead) != 0) birth = {};
    // The TLS is a copy of the forking thread's.
    if (unseen && thread_state.tid != 0) sharing = compare_fs(tid, thread_state.tid);
  }
  if (sharing == Sharing::yes) {
    record.origin = static_cast<std::uint8_t>(trace::Origin::clone_fs);
    process.shares_fs.store(true, std::memory_order_relaxed);
  }
  if (sharing != Sharing::no) birth = {};  // the copied mask may be outdated
  if (birth.source == trace::MaskSource::unknown) birth = read_initial_mask();
  record.mask = birth.mask;
  record.mask_source = static_cast<std::uint8_t>(birth.source);
  record.id = next_id(trace::IdSpace::context);

  const std::uint32_t count = context_count.load(std::memory_order_relaxed);
  for (std::uint32_t i = 0; i < count && i < kContexts; ++i) {
    contexts[i].lock.store(0, std::memory_order_relaxed);
    contexts[i].change.store(0, std::memory_order_relaxed);
    contexts[i].folding.store(0, std::memory_order_relaxed);
  }
  FsContext& own = contexts[0];
  own.mask.store(cell(birth), std::memory_order_relaxed);
  own.id = record.id;
  own.owner.store(tid, std::memory_order_relaxed);
  own.peer.store(tid, std::memory_order_relaxed);
  context_count.store(1, std::memory_order_release);
  process.unknown_tasks.store(false, std::memory_order_relaxed);
  thread_state.context = 0;
  thread_state.vfork_child = {};
  thread_state.tls_shared = false;
  thread_state.tid = tid;
  if (sharing == Sharing::unknown) report_unknown_clone({tid}, record.id);
  return record;
}

}  // namespace umaskaudit::shim
