// Runs a function where no other thread of the program can see the descriptors that it opens: in
// the calling thread while that is the only one, else in a task with a descriptor table of its own.
// Must never leave a task, a signal or an exit status that the program's own waits could find.
#pragma once

namespace umaskaudit::shim {

namespace sys {
class WithoutSignals;
}

// Calls FUNCTION(ARGUMENT) with all signals blocked, and returns when it has ended. False: it was
// not called, because there is no memory, no task was to be had (RLIMIT_NPROC, the cgroup's
// pids.max, unshare(CLONE_NEWPID) before), or a seccomp filter bars what is needed. Nothing was
// changed then; the caller counts what it could not do.
//
// FUNCTION may make system calls (sys.h) and read and write memory. It closes what it opens. It has
// 24 KiB of stack. It must not touch thread-local variables or errno: two tasks run on the caller's
// TLS. It sees the program's descriptors as far as `last_kept` (-1: none), for paths relative to
// one; it must not close those, and must not change the mask or the working directory, which both
// tasks share.
//
// Async-signal-safe: no lock is held, no libc is called. Works in vfork children, in forked
// children, and before our constructor. The program's other threads go on meanwhile, also when
// FUNCTION waits for a slow filesystem.
//
// The task is a thread of the process, made with the flags of pthread_create(3), for every filter
// that allows threads allows it. As a thread it is no child: it has no exit signal, and no wait(2)
// of the program finds it, with __WALL or __WCLONE either; it leaves no zombie behind when exec(2)
// or SIGKILL ends the process meanwhile; and it is no init of a PID name space that was unshared
// before. It is gone when this returns: unshare(2) and setns(2), which refuse processes with
// several threads, do not notice. What remains visible: an entry in /proc/PID/task for that moment,
// and what strace -f prints (clone, exit). Closing copies of the lowest 64 descriptors flushes
// them, which FUSE and NFS servers see, as they do when a child of the program exits.
bool run_in_own_table(void (*function)(void*), void* argument, int last_kept = -1);
// The same where signals are blocked already.
bool run_in_own_table(void (*function)(void*), void* argument, const sys::WithoutSignals& blocked,
                      int last_kept);

// Always in a task, for what must not run in the calling one. The task has either a descriptor
// table of its own, or a copy of the mask, the working directory and the root directory, which
// FUNCTION may then change (CLONE_FS in clone(2)); it shares the other with the caller.
enum class Apart : unsigned char { descriptors, fs };
bool run_in_task(void (*function)(void*), void* argument, Apart apart, int last_kept = -1);

}  // namespace umaskaudit::shim
