// A shim that makes a task of its own in each call of umask. Built once for each:
//   FAULTY_WAITS  a thread that it waits for, as ours does (preload/sys/own_table.h)
//   FAULTY_STAYS  a thread that is still there when the program goes on
//   FAULTY_FORKS  a process, for which it waits as well
// Must never be taken for ours. The system call is an instruction of this library, for that is how
// a task of the shim's is known; and it needs no library but libc, for a program could tell
// (victim.h needs one). x86-64 only. Used by tests/e2e/test_equivalence.py.
#include <dlfcn.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>

namespace {

#if defined(FAULTY_FORKS)
constexpr unsigned long kFlags = SIGCHLD;
#else
constexpr unsigned long kFlags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD;
#endif
#if defined(FAULTY_STAYS)
constexpr long kThen = SYS_pause;
#else
constexpr long kThen = SYS_exit;
#endif

// The task does `kThen` for ever. It has the caller's stack, and never touches it.
void make_task() noexcept {
#if defined(FAULTY_WAITS)
  volatile int alive = 1;
  constexpr unsigned long kMore = CLONE_CHILD_CLEARTID;  // at its end `alive` is 0
  register auto told asm("r10") = reinterpret_cast<long>(&alive);
#else
  constexpr unsigned long kMore = 0;
  register long told asm("r10") = 0;
#endif
  long result = SYS_clone;
  register long thread_pointer asm("r8") = 0;
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 2f\n"
      "1:\n\t"
      "mov %[then], %%eax\n\t"
      "xor %%edi, %%edi\n\t"
      "syscall\n\t"
      "jmp 1b\n"
      "2:"
      : "+a"(result)
      : "D"(kFlags | kMore), "S"(0L), "d"(0L), "r"(told), "r"(thread_pointer), [then] "i"(kThen)
      : "rcx", "r11", "memory", "cc");
  if (result < 0) std::abort();
#if defined(FAULTY_WAITS)
  while (alive != 0) sched_yield();
#elif defined(FAULTY_FORKS)
  syscall(SYS_wait4, result, nullptr, 0, nullptr);
#endif
}

}  // namespace

extern "C" mode_t umask(mode_t mask) noexcept {
  const auto real = reinterpret_cast<mode_t (*)(mode_t) noexcept>(dlsym(RTLD_NEXT, "umask"));
  make_task();
  return real(mask);
}
