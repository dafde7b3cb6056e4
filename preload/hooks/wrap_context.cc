// Wrappers of calls that create nothing but decide how a creation is read: root, fs context,
// processes, threads, loaded code.
// Must never change the call's result: each wrapper makes the call, then records.

#include <errno.h>
#include <linux/prctl.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>

#include <cstring>

#include "preload/hooks/shapes.h"
#include "preload/hooks/wrapper.h"
#include "preload/log/blind_spot.h"
#include "preload/log/symbols.h"
#include "preload/mask/fs_context.h"
#include "preload/mask/root.h"
#include "preload/object/directory_names.h"
#include "preload/process/context_effects.h"
#include "preload/process/exec_call.h"
#include "preload/process/seccomp.h"
#include "preload/record/intern.h"
#include "preload/record/recorder.h"
#include "preload/record/segment.h"
#include "preload/stack/modules.h"
#include "preload/stack/stacks.h"
#include "preload/sys/libc_names.h"
#include "preload/sys/loaded_objects.h"
#include "preload/sys/scratch.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

// In a process with one thread nothing was shared, so unshare changes nothing; unless a task made
// by clone(2) shares the context.
bool parts_masks(int flags) {
  if ((flags & (CLONE_FS | CLONE_NEWNS | CLONE_NEWUSER)) == 0 || !recording()) return false;
  const bool single = &__libc_single_threaded != nullptr && __libc_single_threaded != 0;
  return !single || process.shares_fs.load(std::memory_order_relaxed);
}

}  // namespace

void expect_unshare(int flags) {
  if ((flags & (CLONE_NEWNS | CLONE_NEWUSER | CLONE_NEWCGROUP)) != 0) prepare_to_move();
  if (parts_masks(flags)) enter();
}

void note_unshare(int flags) {
  if (!parts_masks(flags)) return;
  const int saved = errno;
  make_unshared_context(enter());
  errno = saved;
}

namespace {

void forget_loaded_code() {
  forget_stacks();
  forget_symbols();
}

void report_untracked_root(const Task& task, Call call, const char* how) {
  const auto length = static_cast<std::uint32_t>(strnlen(how, trace::kMaxPath));
  report_blind_spot({task.tid, task.pid}, trace::Blind::untracked_chroot, call, context_id(task), 0,
                    how, length);
}

}  // namespace

void note_thread_renamed() { process.name_generation.fetch_add(1, std::memory_order_relaxed); }

namespace {

// A number for it; 0: unknown.
std::uint64_t mount_name_space() {
  char name[64];
  const long length = sys::call(SYS_readlinkat, AT_FDCWD, sys::arg("/proc/thread-self/ns/mnt"),
                                sys::arg(name), sizeof name);
  return length > 0 ? hash_bytes(name, static_cast<std::uint32_t>(length)) : 0;
}

}  // namespace

RootMove::RootMove(const char* path) : path_(path) {
  prepare_to_move();
  if (name_.get() != nullptr && recording() && sys::readable(path)) {
    length_ = name_new_root(path, name_.get(), Scratch::kSize);
  }
}

void RootMove::succeeded(Call call) {
  if (!recording()) return;
  forget_directory_names();
  const Task task = enter();
  if (task.context == nullptr) return;  // a vfork child's root is its own
  // The stored name is for the whole process; the root of a single thread is not stored.
  if (!has_one_context()) return report_untracked_root(task, call, path_);
  if (length_ == 0) {
    lose_root();
    return report_untracked_root(task, call, path_);
  }
  move_root(name_.get(), length_);
}

NameSpaceMove::NameSpaceMove() {
  prepare_to_move();
  if (recording()) from_ = mount_name_space();
}

void NameSpaceMove::succeeded() const {
  if (from_ == 0 || from_ != mount_name_space()) note_root_lost(Call::setns, "setns");
}

void note_root_lost(Call call, const char* how) {
  if (!recording()) return;
  forget_directory_names();
  const Task task = enter();
  if (task.context == nullptr) return;
  if (has_one_context()) lose_root();
  report_untracked_root(task, call, how);
}

}  // namespace umaskaudit::shim

using namespace umaskaudit::shim;  // NOLINT: wrappers are extern "C"
namespace trace = umaskaudit::trace;

WRAPPER(int, chroot, (const char* path)) {
  RootMove move(path);
  return note_success([&] { return REAL(chroot)(path); }, [&] { move.succeeded(Call::chroot); });
}

WRAPPER(int, pivot_root, (const char* new_root, const char* put_old)) {
  return note_success([&] { return REAL(pivot_root)(new_root, put_old); },
                      [&] { note_root_lost(Call::pivot_root, "pivot_root"); });
}

WRAPPER(int, setns, (int fd, int type)) {
  const NameSpaceMove move;
  return note_success([&] { return REAL(setns)(fd, type); }, [&] { move.succeeded(); });
}

WRAPPER(int, unshare, (int flags)) {
  expect_unshare(flags);
  const int result = REAL(unshare)(flags);
  if (result == 0) note_unshare(flags);
  return result;
}

namespace umaskaudit::shim {

void record_fork(const Task& task, Call call, const StackStart& start, std::uint32_t child,
                 std::uint64_t change, trace::Origin origin) {
  const Author author{task.tid, task.pid};
  CapturedStack stack;
  capture_stack(Event::other, author, start, stack);
  trace::Fork record{};
  record.child = child;
  record.context = context_id(task);
  record.change = change;
  record.stack = stack.id;
  record.call = static_cast<std::uint16_t>(call);
  record.origin = static_cast<std::uint8_t>(origin);
  write_record(trace::RecordType::fork, author, record);
}

}  // namespace umaskaudit::shim

// The child's records are made by the atfork handler (init.cc), whatever forked it.
static void note_fork(Call call, pid_t child, const StackStart& start) {
  if (child > 0 && recording() && process.trace) {
    const int saved = errno;
    const Task task = enter();
    record_fork(task, call, start, static_cast<std::uint32_t>(child), changes(task),
                umaskaudit::trace::Origin::fork);
    errno = saved;
  }
}

WRAPPER(pid_t, fork, (void)) {
  const StackStart start = UMASKAUDIT_STACK_START();
  const pid_t child = REAL(fork)();
  note_fork(Call::fork, child, start);
  return child;
}

WRAPPER(pid_t, __fork, (void)) {
  const StackStart start = UMASKAUDIT_STACK_START();
  const pid_t child = REAL(__fork)();
  note_fork(Call::__fork, child, start);
  return child;
}

WRAPPER(int, dlclose, (void* handle)) {
  forget_loaded_code();
  const int result = REAL(dlclose)(handle);
  if (recording()) read_loaded_objects();
  forget_loaded_code();
  return result;
}

WRAPPER(int, pthread_create,
        (pthread_t * thread, const pthread_attr_t* attributes, void* (*start)(void*),
         void* argument)) {
  const std::uint64_t before = sys::now_ns();
  const StackStart stack_start = UMASKAUDIT_STACK_START();
  if (FsContext* own = own_context()) meet(*own);
  const int error = REAL(pthread_create)(thread, attributes, start, argument);
  if (error == 0 && recording() && process.trace) {
    const int saved = errno;
    const Task task = enter();
    const Author author{task.tid, task.pid, before, 0};
    CapturedStack stack;
    capture_stack(Event::other, author, stack_start, stack);
    trace::ThreadCreate record{};
    // By now the new thread may have freed its descriptor, which `*thread` points to.
    record.handle = sys::word_at(thread);
    record.start_routine = encode_frame(author, reinterpret_cast<std::uintptr_t>(start) + 1).word;
    record.stack = stack.id;
    write_record(trace::RecordType::thread_create, author, record);
    errno = saved;
  }
  return error;
}

WRAPPER(int, pthread_setname_np, (pthread_t thread, const char* name)) {
  const int error = REAL(pthread_setname_np)(thread, name);
  if (error == 0) note_thread_renamed();
  return error;
}

WRAPPER(int, prctl,
        (int option, unsigned long a, unsigned long b, unsigned long c, unsigned long d)) {
  if (option == PR_SET_SECCOMP && recording()) {
    const auto* filter =
        a == SECCOMP_MODE_FILTER ? reinterpret_cast<const sock_fprog*>(b) : nullptr;
    return install_filter(filter, 0, [&] { return REAL(prctl)(option, a, b, c, d); });
  }
  const int result = REAL(prctl)(option, a, b, c, d);
  if (option == PR_SET_NAME && result == 0) note_thread_renamed();
  return result;
}
