// What a first attempt at a shim looks like: a mutex, one cached mask a process, noexcept wrappers.
// Must never be taken for ours: it is here so that tests can show that the victims bite.
// Where a shim like this would hang for ever, it ends the program with code 70 instead. Built again
// with FAULTY_FORK (the lock is taken around fork, as careful shims do, and fork handlers of the
// program meet it) and with FAULTY_OPEN (it is held while the program opens).
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>

#include <csignal>
#include <cstdarg>

#include "victim.h"

namespace {

constexpr int kDeadlock = 70;
constexpr int kWrongMask = 71;

template <typename Function>
Function next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// A plain lock that knows its owner, to tell a deadlock from a wait.
class Lock {
 public:
  void lock() {
#ifdef FAULTY_OPEN
    // The owner may be waiting for a peer that never comes.
    if (owner_ != 0) _exit(kDeadlock);
#endif
    const pid_t self = victim::tid();
    for (pid_t nobody = 0; !owner_.compare_exchange_weak(nobody, self); nobody = 0) {
      // The owner is this thread, below the handler, or a thread that fork did not copy.
      const bool gone = nobody != 0 && syscall(SYS_tgkill, getpid(), nobody, 0) != 0;
      if (nobody == self || gone) _exit(kDeadlock);
    }
  }
  void unlock() { owner_ = 0; }

 private:
  std::atomic<pid_t> owner_{0};
};

Lock lock;
std::atomic<int> cached{-1};
std::atomic<int> opened{0};
std::atomic<int> empty{0};

#ifdef FAULTY_FORK
__attribute__((constructor)) void guard_fork() {
  pthread_atfork([] { lock.lock(); }, [] { lock.unlock(); }, [] { lock.unlock(); });
}
#endif

}  // namespace

extern "C" mode_t umask(mode_t mask) noexcept {
  static const auto real = next<mode_t (*)(mode_t)>("umask");
  lock.lock();
  sched_yield();  // Others meet the lock on a single processor, too.
  const mode_t old = real(mask);
  const int believed = cached.exchange(static_cast<int>(mask & 0777));
  lock.unlock();
  if (believed != -1 && static_cast<mode_t>(believed) != old) _exit(kWrongMask);
  return old;
}

#ifdef FAULTY_OPEN
extern "C" int mkstemp(char* name) {
  static const auto real = next<int (*)(char*)>("mkstemp");
  lock.lock();
  const int fd = real(name);
  lock.unlock();
  return fd;
}
#endif

extern "C" int open(const char* path, int flags, ...) {
  static const auto real = next<int (*)(const char*, int, mode_t)>("open");
  va_list rest;
  va_start(rest, flags);
  const mode_t mode = (flags & O_CREAT) != 0 ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  // "The C library throws nothing." Cancellation does unwind, and meets this.
  return [&]() noexcept {
    if (path[0] == '\0') ++empty;  // looks at the path before the kernel did
#ifdef FAULTY_OPEN
    lock.lock();
#endif
    const int fd = real(path, flags, mode);
#ifdef FAULTY_OPEN
    lock.unlock();
#endif
    if (fd >= 0) ++opened;
    return fd;
  }();
}
