// The shim's own system calls, raw: no errno, no cancellation point, no other interceptor.
// Must never call libc: these run in signal handlers, vfork children and half-initialised programs.
// The program's own calls go through real.h.
#pragma once

#include <fcntl.h>
#include <linux/stat.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <ctime>
#include <type_traits>

#include "preload/sys/vdso.h"

namespace umaskaudit::shim::sys {

// The system calls that a seccomp filter of the program bars for us; see seccomp.h. One bit each.
inline constexpr unsigned kNumbers = 512;
using Numbers = std::atomic<unsigned long>[kNumbers / 64];
[[gnu::visibility("hidden")]] extern std::atomic<bool> filtered;  // like kCallNames in real.h
extern Numbers barred;
// The same for filters that are being installed: one set for each installing thread.
inline constexpr unsigned kInstalling = 4;
extern Numbers barred_soon[kInstalling];
[[gnu::cold]] bool is_barred_by_filter(long number);
inline bool is_barred(long number) {
  if (__builtin_expect(!filtered.load(std::memory_order_relaxed), 1)) return false;
  return is_barred_by_filter(number);
}

// The kernel's return value: negative errno on failure (syscall(2)). -ENOSYS, without asking the
// kernel, for a call that would get the program killed.
inline long call(long number, long a = 0, long b = 0, long c = 0, long d = 0, long e = 0,
                 long f = 0) {
  if (is_barred(number)) return -ENOSYS;
#if defined(__x86_64__)
  long result = 0;
  register long r10 asm("r10") = d;
  register long r8 asm("r8") = e;
  register long r9 asm("r9") = f;
  asm volatile("syscall"
               : "=a"(result)
               : "a"(number), "D"(a), "S"(b), "d"(c), "r"(r10), "r"(r8), "r"(r9)
               : "rcx", "r11", "memory");
  return result;
#elif defined(__aarch64__)
  register long x8 asm("x8") = number;
  register long x0 asm("x0") = a;
  register long x1 asm("x1") = b;
  register long x2 asm("x2") = c;
  register long x3 asm("x3") = d;
  register long x4 asm("x4") = e;
  register long x5 asm("x5") = f;
  asm volatile("svc 0"
               : "+r"(x0)
               : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5)
               : "memory");
  return x0;
#else
#error "umaskaudit supports x86-64 and AArch64"
#endif
}

template <typename T>
long arg(T* pointer) {
#ifdef __clang_analyzer__
  // The static analyzer does not know what a system call writes, and would call it uninitialised.
  if constexpr (std::is_object_v<T> && !std::is_const_v<T>) asm("" : "+m"(*pointer));
#endif
  return static_cast<long>(reinterpret_cast<uintptr_t>(pointer));
}

// mmap(2) and friends return -errno in the last page of the address space.
inline bool failed(long result) { return result < 0 && result >= -4095; }

inline int open(const char* path, int flags, unsigned mode = 0, int dirfd = AT_FDCWD) {
  return static_cast<int>(call(SYS_openat, dirfd, arg(path), flags, mode));
}
inline void close(int fd) { call(SYS_close, fd); }
inline long read(int fd, void* to, size_t size) {
  return call(SYS_read, fd, arg(to), static_cast<long>(size));
}
// Reads the beginning of a file, as much as one read(2) returns: all of a small one of proc(5) or
// sysfs(5). Returns the length, or -errno. Opens a descriptor in the current table (own_table.h).
inline long read_file(const char* path, void* to, size_t size) {
  const int fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fd;
  const long length = read(fd, to, size);
  close(fd);
  return length;
}
inline long write(int fd, const void* from, size_t size) {
  return call(SYS_write, fd, arg(from), static_cast<long>(size));
}
inline int gettid() { return static_cast<int>(call(SYS_gettid)); }
inline int getpid() { return static_cast<int>(call(SYS_getpid)); }

inline void* map(size_t size, int protection, int flags, int fd) {
  const long result = call(SYS_mmap, 0, static_cast<long>(size), protection, flags, fd, 0);
  return failed(result) ? nullptr : reinterpret_cast<void*>(result);
}
inline void unmap(void* at, size_t size) { call(SYS_munmap, arg(at), static_cast<long>(size)); }

// Facts of an object: mode, identity, birth, mount. 0 or -errno. statx(2); an empty path with
// AT_EMPTY_PATH looks at the descriptor itself.
inline constexpr unsigned kUniqueMount = 0x4000;  // STATX_MNT_ID_UNIQUE, newer than the headers
inline constexpr unsigned kFacts =
    STATX_TYPE | STATX_MODE | STATX_UID | STATX_GID | STATX_INO | STATX_BTIME | kUniqueMount;
// By fstat(2), which is faster, without birth time and mount; also where statx(2) is missing
// (before Linux 4.11) or barred.
int facts_by_stat(int dirfd, const char* path, int flags, struct statx* out);
inline int facts(int dirfd, const char* path, int flags, struct statx* out) {
  const auto error = static_cast<int>(call(SYS_statx, dirfd, arg(path), flags, kFacts, arg(out)));
  return error == -ENOSYS ? facts_by_stat(dirfd, path, flags, out) : error;
}

// The kernel's signal set: 64 bits (glibc's sigset_t is larger than what the kernel reads).
using SignalSet = uint64_t;
inline SignalSet block_signals(SignalSet which = ~SignalSet{0}) {
  SignalSet old = 0;
  call(SYS_rt_sigprocmask, SIG_BLOCK, arg(&which), arg(&old), sizeof which);
  return old;
}
inline void restore_signals(SignalSet old) {
  call(SYS_rt_sigprocmask, SIG_SETMASK, arg(&old), 0, sizeof old);
}
class WithoutSignals {
 public:
  WithoutSignals() : old_(block_signals()) {}
  ~WithoutSignals() { restore_signals(old_); }
  WithoutSignals(const WithoutSignals&) = delete;
  WithoutSignals& operator=(const WithoutSignals&) = delete;

 private:
  SignalSet old_;
};

// clock_gettime(2) of the vDSO and not of libc, which another preload may have replaced to change
// the program's time. Async-signal-safe, no system call. Where there is no vDSO, or the clock
// source is not readable through it, it is a system call; where that is barred, the clock stands
// still and adds a nanosecond at each reading, to keep the order.
extern ClockGettime kernel_clock;  // null: no vDSO
// 0, or -errno.
inline long read_clock(clockid_t clock, timespec* out) {
  if (kernel_clock != nullptr) return kernel_clock(clock, out);
  return call(SYS_clock_gettime, clock, arg(out));
}
extern std::atomic<bool> clock_stopped;
[[gnu::cold]] uint64_t stopped_clock(clockid_t clock);
inline uint64_t now_ns(clockid_t clock = CLOCK_MONOTONIC) {
  if (__builtin_expect(clock_stopped.load(std::memory_order_relaxed), 0)) {
    return stopped_clock(clock);
  }
  timespec t{};
  read_clock(clock, &t);
  return static_cast<uint64_t>(t.tv_sec) * 1000000000u + static_cast<uint64_t>(t.tv_nsec);
}

// From now on the clock stands still at these times: reading it would be a barred system call
// (clock_trial.h).
void stop_clock(uint64_t monotonic, uint64_t real);

// Sets `kernel_clock` and `under_valgrind`. Called once, at the start.
void look_around();

// Valgrind reports unusual arguments of system calls on stderr: under it we avoid them.
extern bool under_valgrind;
bool readable_under_valgrind(const void* address);

// True when one byte at `address` can be read, without touching it: the kernel copies the signal
// set before it refuses `how` (rt_sigprocmask(2)), so EFAULT means unreadable. Needs no descriptor.
// False as well when a seccomp filter bars the question.
inline bool readable(const void* address) {
  if (__builtin_expect(under_valgrind, 0)) return readable_under_valgrind(address);
  const auto aligned = reinterpret_cast<uintptr_t>(address) & ~uintptr_t{7};
  return call(SYS_rt_sigprocmask, -1, static_cast<long>(aligned), 0, sizeof(SignalSet)) == -EINVAL;
}

// Reads memory that the kernel has not checked yet; tests each page once in a sequence of reads.
class Scout {
 public:
  // An aligned word, or a single byte.
  bool can_read(const void* address);
  // A string that ends within `limit` bytes; it may also end where memory does.
  bool can_read_text(const char* text, size_t limit);

 private:
  uintptr_t page_ = 0;
};

// A word that another thread may unmap at any moment, by process_vm_readv(2) on ourselves. 0: it
// cannot be read.
uintptr_t word_at(const void* address);

// Copies memory of our own that may be unreadable, or unmapped at any moment, up to the first byte
// that cannot be read. Returns how many bytes were copied; -EFAULT: none, -ENOSYS: a seccomp filter
// bars every way to ask. Async-signal-safe. `self`: our process id, where the caller has just
// asked.
long copy_memory(void* to, const void* from, size_t size, int self = getpid());

// Copies a string that may be unreadable, touching no page behind its end: at most `room` bytes,
// including a NUL, which also ends a cut copy. Returns the copy's length; -EFAULT where memory ends
// before the string does, -ENOSYS as above.
long copy_text(char* to, const char* from, size_t room);

// What copy_memory() does, of several places at once.
struct Piece {
  void* to;
  const void* from;
  size_t size;
};
inline constexpr unsigned kPieces = 3;
// False: not all of them can be read.
bool copy_pieces(const Piece (&pieces)[kPieces], int self);

}  // namespace umaskaudit::shim::sys
