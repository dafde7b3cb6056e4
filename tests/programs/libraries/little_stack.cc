// Calls back on a stack of which so many bytes are left: a thread's, which ends at a guard page, or
// one that only the program knows, as libraries of coroutines have. Returns how many of
// them the call took. Called by test programs through a foreign function interface.

#include <alloca.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

namespace {

constexpr size_t kStack = 1 << 18;
constexpr size_t kPage = 4096;
constexpr unsigned char kPaint = 0xa5;

struct Task {
  void (*call)();
  unsigned char* lowest;
  size_t left;
  unsigned char* beyond;  // the call uses what is below
};

// Spends the stack down to `left`, so that the rest is the call's.
void spend_and_call(Task* task) {
  const auto here = reinterpret_cast<unsigned char*>(__builtin_frame_address(0));
  const auto rest = static_cast<size_t>(here - task->lowest);
  if (rest < task->left + kPage) abort();
  task->beyond = static_cast<unsigned char*>(alloca(rest - task->left));
  memset(task->beyond, 0, 1);
  task->call();
}

void* run(void* task) {
  spend_and_call(static_cast<Task*>(task));
  return nullptr;
}

Task* task_of_coroutine;
void run_coroutine() { spend_and_call(task_of_coroutine); }

void run_on_thread(Task& task) {
  pthread_attr_t attributes;
  pthread_t thread;
  pthread_attr_init(&attributes);
  if (pthread_attr_setstack(&attributes, task.lowest, kStack) != 0 ||
      pthread_create(&thread, &attributes, run, &task) != 0) {
    abort();
  }
  pthread_join(thread, nullptr);
}

void run_as_coroutine(Task& task) {
  static ucontext_t here;
  static ucontext_t there;
  if (getcontext(&there) != 0) abort();
  there.uc_stack.ss_sp = task.lowest;
  there.uc_stack.ss_size = kStack;
  there.uc_link = &here;
  task_of_coroutine = &task;
  makecontext(&there, run_coroutine, 0);
  if (swapcontext(&here, &there) != 0) abort();
}

}  // namespace

extern "C" long call_with_little_stack(void (*call)(), long left, int coroutine) {
  void* const map =
      mmap(nullptr, kPage + kStack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (map == MAP_FAILED || mprotect(map, kPage, PROT_NONE) != 0) abort();
  Task task{call, static_cast<unsigned char*>(map) + kPage, static_cast<size_t>(left), nullptr};
  memset(task.lowest, kPaint, kStack);
  coroutine != 0 ? run_as_coroutine(task) : run_on_thread(task);
  unsigned char* clean = task.lowest;
  while (*clean == kPaint) ++clean;
  const long used = task.beyond - clean;
  munmap(map, kPage + kStack);
  return used;
}
