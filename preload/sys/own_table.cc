// The thread that run_in_own_table() makes; see own_table.h.

#include "preload/sys/own_table.h"

#include <linux/close_range.h>
#include <linux/futex.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/single_threaded.h>
#include <sys/stat.h>

#include <initializer_list>

#include "preload/state.h"
#include "preload/sys/sys.h"

#pragma weak __libc_single_threaded  // only glibc has it

namespace umaskaudit::shim {

namespace {

constexpr std::size_t kStack = 32 << 10;

struct Job {
  void (*function)(void*);
  void* argument;
  Apart apart;
  int last_kept;
  bool ran = false;
};

// Descriptors above `last_kept` are not even copied, except those below 64 (close_range(2), since
// Linux 5.9): a server may have a million.
bool leave_table(int last_kept) {
  if (sys::call(SYS_close_range, last_kept + 1, UINT32_MAX, CLOSE_RANGE_UNSHARE) == 0) return true;
  return sys::call(SYS_unshare, CLONE_FILES) == 0;
}

void work(void* argument) {
  auto* job = static_cast<Job*>(argument);
  const bool left =
      job->apart == Apart::fs ? sys::call(SYS_unshare, CLONE_FS) == 0 : leave_table(job->last_kept);
  if (!left) return;
  job->function(job->argument);
  job->ran = true;
}

// The new thread has the caller's TLS: it must not write there, but a stack protector may read its
// canary.
long thread_pointer() {
#if defined(__x86_64__)
  long self = 0;
  asm("mov %%fs:0, %0" : "=r"(self));  // the TCB begins with its own address (x86-64 psABI, TLS)
  return self;
#else
  return static_cast<long>(reinterpret_cast<std::uintptr_t>(__builtin_thread_pointer()));
#endif
}

// Starts a thread that calls work(job) on `stack_end` and exits; returns its id, or -errno. Not by
// sys::call: the new thread returns from the system call on another stack, where there is no frame
// to return to.
long start_thread(unsigned long flags, unsigned char* stack_end, int* number, std::uint32_t* alive,
                  Job* job) {
  auto** top = reinterpret_cast<void**>(stack_end) - 2;
  top[0] = reinterpret_cast<void*>(work);
  top[1] = job;
#if defined(__x86_64__)
  long result = SYS_clone;
  register long r10 asm("r10") = sys::arg(alive);
  register long r8 asm("r8") = thread_pointer();
  asm volatile(
      "syscall\n\t"
      "test %%rax, %%rax\n\t"
      "jnz 1f\n\t"
      "xor %%ebp, %%ebp\n\t"  // the outermost frame
      "pop %%rax\n\t"
      "pop %%rdi\n\t"
      "call *%%rax\n\t"
      "mov %[exit], %%eax\n\t"
      "xor %%edi, %%edi\n\t"
      "syscall\n\t"
      "hlt\n"
      "1:"
      : "+a"(result)
      : "D"(flags), "S"(top), "d"(number), "r"(r10), "r"(r8), [exit] "i"(SYS_exit)
      : "rcx", "r11", "memory", "cc");
  return result;
#else
  register long x8 asm("x8") = SYS_clone;
  register long x0 asm("x0") = static_cast<long>(flags);
  register long x1 asm("x1") = sys::arg(top);
  register long x2 asm("x2") = sys::arg(number);
  register long x3 asm("x3") = thread_pointer();
  register long x4 asm("x4") = sys::arg(alive);
  asm volatile(
      "svc 0\n\t"
      "cbnz x0, 1f\n\t"
      "mov x29, xzr\n\t"
      "ldp x9, x0, [sp], #16\n\t"
      "blr x9\n\t"
      "mov x8, %[exit]\n\t"
      "mov x0, xzr\n\t"
      "svc 0\n\t"
      "brk 1\n"
      "1:"
      : "+r"(x0)
      : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), [exit] "i"(SYS_exit)
      : "x9", "memory", "cc");
  return x0;
#endif
}

// Waits until the kernel clears the word (CLONE_CHILD_CLEARTID): the thread has let go of our
// memory, a moment before it leaves the thread group. With a limit: a debugger may hold the thread.
// Sleeps instead of yielding, because a real-time thread that yields would keep an ordinary one
// from ending.
void wait_until_gone(std::uint32_t* alive, int number) {
  for (std::uint32_t value = 0; (value = __atomic_load_n(alive, __ATOMIC_ACQUIRE)) != 0;) {
    sys::call(SYS_futex, sys::arg(alive), FUTEX_WAIT, value, 0);
  }
  const int pid = sys::getpid();
  for (unsigned tries = 0; tries < 1000; ++tries) {
    if (sys::call(SYS_tgkill, pid, number, 0) == -ESRCH) return;
    const timespec moment{0, 50000};
    if (tries >= 8) sys::call(SYS_nanosleep, sys::arg(&moment), 0);
  }
}

// Nothing may be tried out here: a barred call kills, and the thread must be able to exit.
bool may_make_tasks() {
  for (const long number :
       {SYS_clone, SYS_close_range, SYS_unshare, SYS_exit, SYS_futex, SYS_tgkill, SYS_getpid,
        SYS_nanosleep, SYS_mmap, SYS_munmap, SYS_madvise, SYS_rt_sigprocmask}) {
    if (sys::is_barred(number)) return false;
  }
  return true;
}

// Each thread is one more link of /proc/self/task; two links are the directory's own (proc(5)).
bool has_one_thread() {
  struct stat facts {};
  return sys::call(SYS_newfstatat, AT_FDCWD, sys::arg("/proc/self/task"), sys::arg(&facts), 0) ==
             0 &&
         facts.st_nlink == 3;
}

// From libc's variable (sys/single_threaded.h), or from the kernel where libc has none. Tasks that
// clone(2) made are known from our own wrappers.
bool is_alone() {
  if (process.unknown_tasks.load(std::memory_order_relaxed)) return false;
  if (&__libc_single_threaded != nullptr) return __libc_single_threaded != 0;
  return has_one_thread();
}

// With all signals blocked.
bool run_in_task_of(Job& job) {
  if (!may_make_tasks()) return false;
  void* stack = sys::map(kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1);
  if (stack == nullptr) return false;
  // A fork by another thread meanwhile would copy the stack, and nothing would unmap the copy.
  sys::call(SYS_madvise, sys::arg(stack), kStack, MADV_DONTFORK);
  unsigned long flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD |
                        CLONE_SYSVSEM | CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  // CLONE_UNTRACED: a debugger or our tracer need not see this thread.
  if (!process.options.tracer.empty()) flags |= CLONE_UNTRACED;
  int number = 0;
  std::uint32_t alive = 1;
  const long started =
      start_thread(flags, static_cast<unsigned char*>(stack) + kStack, &number, &alive, &job);
  if (started > 0) wait_until_gone(&alive, number);
  sys::unmap(stack, kStack);
  return job.ran;
}

}  // namespace

bool run_in_task(void (*function)(void*), void* argument, Apart apart, int last_kept) {
  Job job{function, argument, apart, last_kept};
  const sys::WithoutSignals blocked;
  return run_in_task_of(job);
}

namespace {

// With all signals blocked.
bool run_apart(void (*function)(void*), void* argument, int last_kept) {
  Job job{function, argument, Apart::descriptors, last_kept};
  if (!is_alone()) return run_in_task_of(job);
  function(argument);
  return true;
}

}  // namespace

bool run_in_own_table(void (*function)(void*), void* argument, const sys::WithoutSignals&,
                      int last_kept) {
  return run_apart(function, argument, last_kept);
}

bool run_in_own_table(void (*function)(void*), void* argument, int last_kept) {
  if (thread_state.starting) return run_apart(function, argument, last_kept);
  const sys::WithoutSignals blocked;
  return run_apart(function, argument, last_kept);
}

}  // namespace umaskaudit::shim
