// Tests in a child which of our calls a filter bars that was there before the start; see seccomp.h.

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/fs.h>
#include <linux/futex.h>
#include <linux/kcmp.h>
#include <linux/prctl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <cstring>
#include <ctime>

#include "preload/process/seccomp.h"
#include "preload/sys/descriptor_guard.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

constexpr long kPopulateWrite = 23;  // MADV_POPULATE_WRITE, newer than some headers

enum class Filtered { no, yes, unknown };

// The other fields that are read from the status file, for a process without a filter. A process
// with one thread has the mask of that thread.
void read_other_fields(int fd, const char* text, StartStatus& status) {
  constexpr char kPid[] = "\nNSpid:\t";
  if (strstr(text, "\nThreads:\t1\n") != nullptr) status.mask = find_mask(text);
  // One number identifies the mount of proc(5) that shows this process's PID name space.
  const char* field = strstr(text, kPid);
  const char* digit = field != nullptr ? field + sizeof kPid - 1 : "";
  while (*digit >= '0' && *digit <= '9') ++digit;
  struct statx facts;
  if (*digit != '\n' || sys::facts(fd, "", AT_EMPTY_PATH, &facts) != 0) return;
  if ((facts.stx_mask & sys::kUniqueMount) != 0) status.proc_mount = facts.stx_mnt_id;
}

// The field Seccomp of /proc/self/status, which follows Groups, a line that may be long. Read by
// system calls that the loader has made too (openat(2) for reading, read(2), close(2)), in the
// program's own descriptor table, even if an earlier constructor started a thread: the filter may
// kill for the calls that another table needs (own_table.h).
Filtered look_for_filter(StartStatus& status) {
  constexpr char kField[] = "\nSeccomp:\t";
  constexpr std::size_t kFieldLength = sizeof kField - 1;
  const DescriptorGuard guard;
  const int fd = sys::open("/proc/self/status", O_RDONLY | O_CLOEXEC);
  if (fd < 0) return Filtered::unknown;
  Filtered answer = Filtered::unknown;
  char text[2048];       // mostly all of it
  std::size_t kept = 0;  // of the previous part, in case the field begins in it
  for (bool first = true;; first = false) {
    const long size = sys::read(fd, text + kept, sizeof text - 1 - kept);
    if (size <= 0) break;
    const std::size_t length = kept + static_cast<std::size_t>(size);
    text[length] = '\0';
    const char* field = strstr(text, kField);
    if (field != nullptr && field + kFieldLength < text + length) {
      answer = field[kFieldLength] == '0' ? Filtered::no : Filtered::yes;
      if (first && answer == Filtered::no) read_other_fields(fd, text, status);
      break;
    }
    kept = length < kFieldLength + 1 ? length : kFieldLength + 1;
    memmove(text, text + length - kept, kept);
  }
  sys::close(fd);
  return answer;
}

// After unshare(CLONE_NEWPID) the first child is the init of the new PID name space, and when it
// exits no later fork(2) succeeds (pid_namespaces(7)). Until there is one,
// /proc/self/ns/pid_for_children leads nowhere. Tested by openat(2), as above: an existing link
// fails with ELOOP (O_NOFOLLOW); kernels before 4.12, and systems without /proc, have no such file.
bool child_would_be_init() {
  constexpr char kLink[] = "/proc/self/ns/pid_for_children";
  const DescriptorGuard guard;
  const int fd = sys::open(kLink, O_RDONLY | O_CLOEXEC);
  if (fd >= 0) sys::close(fd);
  return fd == -ENOENT && sys::open(kLink, O_RDONLY | O_CLOEXEC | O_NOFOLLOW) == -ELOOP;
}

struct Trial {
  long number;
  long arguments[6];
};

constexpr long kNoFile = -1;
constexpr long kNoPath = 0;
constexpr long kNothing = 0;
constexpr long kCreatedQuery = 1024 + 4;
constexpr long kCreate = O_WRONLY | O_CREAT | O_TRUNC;
constexpr long kLog = O_WRONLY | O_APPEND | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW;

// The calls that the shim may make, with the flags that it uses, and arguments without effect: no
// path, no descriptor, no memory. A call with several sets of flags has a row for each.
constexpr Trial kTrials[] = {
    {SYS_openat, {AT_FDCWD, kNoPath, kCreate | O_EXCL, 0600}},
    {SYS_openat, {AT_FDCWD, kNoPath, kCreate | O_EXCL | O_CLOEXEC, 0600}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_WRONLY | O_CREAT | O_APPEND | O_EXCL, 0600}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_PATH | O_DIRECTORY | O_CLOEXEC}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY}},
    {SYS_openat, {AT_FDCWD, kNoPath, kLog}},
    {SYS_openat, {AT_FDCWD, kNoPath, kLog | O_CREAT | O_EXCL, 0600}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC}},
    {SYS_openat, {AT_FDCWD, kNoPath, O_TMPFILE | O_RDWR | O_CLOEXEC, 0777}},
#if defined(SYS_open)
    {SYS_open, {kNoPath, kCreate | O_EXCL, 0600}},
#endif
    {SYS_mq_open, {kNoPath, O_RDWR | O_CREAT | O_EXCL, 0600, kNothing}},
    {SYS_mq_open, {kNoPath, O_RDWR}},
    {SYS_openat2, {AT_FDCWD, kNoPath, kNothing, 0}},
    {SYS_statx, {AT_FDCWD, kNoPath, 0, sys::kFacts, kNothing}},
    {SYS_statx, {kNoFile, kNoPath, AT_EMPTY_PATH, sys::kFacts, kNothing}},
    {SYS_newfstatat, {AT_FDCWD, kNoPath, kNothing, 0}},
    {SYS_newfstatat, {AT_FDCWD, kNoPath, kNothing, AT_SYMLINK_NOFOLLOW}},
    {SYS_fstat, {kNoFile, kNothing}},
    {SYS_fcntl, {kNoFile, kCreatedQuery}},
    {SYS_fallocate, {kNoFile, 0, 0, 4096}},
    {SYS_ftruncate, {kNoFile, 4096}},
    {SYS_fchmod, {kNoFile, 0600}},
    {SYS_fstatfs, {kNoFile, kNothing}},
    {SYS_statfs, {kNoPath, kNothing}},
    {SYS_ioctl, {kNoFile, FS_IOC_GETFLAGS, kNothing}},
    {SYS_ioctl, {kNoFile, FS_IOC_SETFLAGS, kNothing}},
    {SYS_mkdirat, {AT_FDCWD, kNoPath, 0700}},
    {SYS_unlinkat, {AT_FDCWD, kNoPath, 0}},
    {SYS_readlinkat, {AT_FDCWD, kNoPath, kNothing, 0}},
    {SYS_faccessat, {AT_FDCWD, kNoPath, 1}},
    {SYS_getcwd, {kNothing, 0}},
    {SYS_getxattr, {kNoPath, kNoPath, kNothing, 0}},
    {SYS_fgetxattr, {kNoFile, kNoPath, kNothing, 0}},
    {SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_SHARED, kNoFile, 0}},
    {SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, kNoFile, 0}},
    {SYS_mmap, {0, 0, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, kNoFile, 0}},
    {SYS_mremap, {0, 0, 0, MREMAP_MAYMOVE}},
    {SYS_munmap, {0, 0}},
    {SYS_madvise, {0, 0, MADV_RANDOM}},
    {SYS_madvise, {0, 0, kPopulateWrite}},
    {SYS_madvise, {0, 0, MADV_WIPEONFORK}},
    {SYS_madvise, {0, 0, MADV_DONTFORK}},
    {SYS_msync, {0, 0, MS_SYNC}},
    {SYS_futex, {kNothing, FUTEX_WAKE_PRIVATE, 1}},
    {SYS_futex, {kNothing, FUTEX_WAIT_PRIVATE, 0, kNothing}},
    {SYS_futex, {kNothing, FUTEX_WAIT, 1, kNothing}},
    {SYS_futex, {kNothing, FUTEX_WAKE_OP_PRIVATE, 0, 0, kNothing, 0}},
    {SYS_close_range, {1, 0, CLOSE_RANGE_UNSHARE}},  // refused: the last is before the first
    {SYS_unshare, {CLONE_FILES}},                    // the child's own already
    {SYS_unshare, {CLONE_FS}},
    {SYS_nanosleep, {kNothing, kNothing}},
    {SYS_rt_sigprocmask, {-1, kNothing, kNothing, sizeof(sys::SignalSet)}},
    {SYS_sigaltstack, {kNothing, kNothing}},
    {SYS_rt_sigpending, {kNothing, 0}},
    {SYS_rt_sigtimedwait, {kNothing, kNothing, kNothing, 0}},
    {SYS_kcmp, {0, 0, KCMP_FS}},
    {SYS_process_vm_readv, {0, kNothing, 1, kNothing, 1}},
    {SYS_process_vm_readv, {0, kNothing, sys::kPieces, kNothing, sys::kPieces}},
    {SYS_prctl, {PR_GET_NAME, kNothing}},
    {SYS_kill, {0, 0}},
    {SYS_tgkill, {0, 0, 0}},
    {SYS_write, {kNoFile, kNothing, 0}},
    {SYS_pwritev2, {kNoFile, kNothing, 1, -1, -1, RWF_NOWAIT}},
    {SYS_vmsplice, {kNoFile, kNothing, 1, SPLICE_F_NONBLOCK}},
    {SYS_sendto, {kNoFile, kNothing, 0, MSG_DONTWAIT | MSG_NOSIGNAL}},
    {SYS_ppoll, {kNothing, 1, kNothing, kNothing}},
    {SYS_ioctl, {kNoFile, 0x5401, kNothing}},  // TCGETS
    {SYS_sigaltstack, {kNothing, kNothing}},
    {SYS_close_range, {1, 0, CLOSE_RANGE_UNSHARE}},
    {SYS_unshare, {CLONE_FILES}},
    {SYS_nanosleep, {kNothing, kNothing}},
    {SYS_gettid, {}},
    {SYS_getpid, {}},
    {SYS_getppid, {}},
    {SYS_getuid, {}},
    {SYS_geteuid, {}},
    {SYS_getgid, {}},
    {SYS_getegid, {}},
    {SYS_sched_yield, {}},
    {SYS_clock_gettime, {CLOCK_REALTIME, kNothing}},
};

// The calls for asking the tracer (hand_over.cc).
constexpr Trial kTrialsForTracer[] = {
    {SYS_socket, {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0}},
    {SYS_connect, {kNoFile, kNothing, 0}},
    {SYS_getsockopt, {kNoFile, SOL_SOCKET, SO_PEERCRED, kNothing, kNothing}},
    {SYS_recvfrom, {kNoFile, kNothing, 0, MSG_DONTWAIT, kNothing, 0}},
    {SYS_prctl, {PR_SET_PTRACER, 0}},
    {SYS_prctl, {PR_GET_NO_NEW_PRIVS}},
    {SYS_prctl, {PR_SET_NO_NEW_PRIVS, 2}},  // refused: 2 is no valid value
    {SYS_seccomp, {SECCOMP_SET_MODE_FILTER, -1, kNothing}},
    {SYS_capget, {kNothing, kNothing}},
    // Refused in a thread that shares signal handlers.
    {SYS_clone, {CLONE_THREAD | CLONE_UNTRACED}},
};

// The calls for requesting a segment (served_segment.h). Few programs need it: when they are
// barred, only that is not available.
constexpr Trial kSocketTrials[] = {
    {SYS_socket, {AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, kNoFile}},
    {SYS_setsockopt, {kNoFile, SOL_SOCKET, SO_RCVTIMEO, kNothing, 0}},
    {SYS_getsockopt, {kNoFile, SOL_SOCKET, SO_PEERCRED, kNothing, kNothing}},
    {SYS_connect, {kNoFile, kNothing, 0}},
    {SYS_recvmsg, {kNoFile, kNothing, MSG_CMSG_CLOEXEC}},
};

// Reads the clock by the vDSO, which may fall back to a system call.
constexpr Trial kVdsoClock = {-1, {}};

void make_call(const Trial& trial) {
  const long* a = trial.arguments;
  if (trial.number >= 0) {
    sys::call(trial.number, a[0], a[1], a[2], a[3], a[4], a[5]);
  } else {
    timespec t{};
    sys::read_clock(CLOCK_MONOTONIC, &t);
  }
}

enum class Survival { yes, no, not_known };

// The flags of the child that makes these calls. It has no exit signal, so only wait(2) with __WALL
// or __WCLONE could find it, in a thread of an earlier constructor; this runs before main().
// Without a core file where possible: a limit of 1 also keeps core_pattern's program from being
// started (core(5)).
Survival try_calls(const Trial* trials, unsigned count, bool limit_core) {
  const long child = sys::call(SYS_clone, 0);
  if (child == 0) {
    const rlimit no_core{1, 1};
    if (limit_core) sys::call(SYS_prlimit64, 0, RLIMIT_CORE, sys::arg(&no_core), 0);
    for (unsigned i = 0; i < count; ++i) make_call(trials[i]);
    sys::call(SYS_exit_group, 0);
    __builtin_unreachable();
  }
  if (child < 0) return Survival::not_known;
  int status = -1;
  long waited = 0;
  do {
    waited = sys::call(SYS_wait4, child, sys::arg(&status), __WALL, 0);
  } while (waited == -EINTR);
  if (waited != child) return Survival::not_known;
  return status == 0 ? Survival::yes : Survival::no;
}

void bar(const Trial& trial) {
  const auto number = static_cast<unsigned long>(trial.number);
  sys::barred[number / 64].fetch_or(1ul << number % 64);
  sys::filtered.store(true);
}

// Halves a list whose test was killed, until each barred call stands alone.
void bar_what_kills(const Trial* trials, unsigned count, bool limit_core) {
  if (try_calls(trials, count, limit_core) != Survival::no) return;
  if (count == 1) return bar(*trials);
  bar_what_kills(trials, count / 2, limit_core);
  bar_what_kills(trials + count / 2, count - count / 2, limit_core);
}

// The result of the test at the start, for later tests.
enum class Inherited : unsigned char { nothing, filter_to_try, filter_to_believe };
constinit Inherited inherited = Inherited::nothing;

}  // namespace

void study_filter_for_tracer() {
  constexpr unsigned kCount = sizeof kTrialsForTracer / sizeof kTrialsForTracer[0];
  if (inherited == Inherited::filter_to_try) {
    const bool limit_core = try_calls(kTrialsForTracer, 0, true) == Survival::yes;
    bar_what_kills(kTrialsForTracer, kCount, limit_core);
  } else if (inherited == Inherited::filter_to_believe) {
    for (const Trial& trial : kTrialsForTracer) bar(trial);
  }
}

StartStatus study_inherited_filter() {
  StartStatus status;
  if (look_for_filter(status) == Filtered::no) return status;
  inherited = Inherited::filter_to_try;
  // Not tested, so never made later; except the call that blocked the signals before this, which
  // must also unblock them.
  if (child_would_be_init()) {
    inherited = Inherited::filter_to_believe;
    for (const Trial& trial : kTrials) {
      if (trial.number != SYS_rt_sigprocmask) bar(trial);
    }
    for (const Trial& trial : kSocketTrials) bar(trial);
    sys::stop_clock(0, 0);
    status.filtered = true;
    return status;
  }
  const bool limit_core = try_calls(kTrials, 0, true) == Survival::yes;
  bar_what_kills(kTrials, sizeof kTrials / sizeof kTrials[0], limit_core);
  if (sys::is_barred(SYS_clock_gettime) &&
      (sys::kernel_clock == nullptr || try_calls(&kVdsoClock, 1, limit_core) != Survival::yes)) {
    sys::stop_clock(0, 0);
  }
  status.filtered = sys::filtered.load();
  bar_what_kills(kSocketTrials, sizeof kSocketTrials / sizeof kSocketTrials[0], limit_core);
  return status;
}

}  // namespace umaskaudit::shim
