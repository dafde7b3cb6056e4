// Coroutines (swapcontext(3)) on stacks of their own, each with a mask that it sets before every
// creation; they take turns, so that a creation of one follows a umask call of another's stack.
// Ground truth: fstat; one thread, so the mask is certain. Usage: coroutines DIR
#include <sys/mman.h>
#include <ucontext.h>

#include "victim.h"

namespace {

constexpr int kCoroutines = 4;
constexpr int kTurns = 25;
constexpr std::size_t kStack = 32768;  // what libraries of coroutines give

std::string dir;
ucontext_t scheduler;
ucontext_t coroutines[kCoroutines];

void body(int number) {
  for (int turn = 0; turn < kTurns; ++turn) {
    const int mask = number * 8 + 7;
    umask(static_cast<mode_t>(mask));
    swapcontext(&coroutines[number], &scheduler);
    // The others have changed it meanwhile: the last one's is in force.
    const int last = (kCoroutines - 1) * 8 + 7;
    victim::create(dir + "/" + std::to_string(number) + "-" + std::to_string(turn), 0666, last);
    swapcontext(&coroutines[number], &scheduler);
  }
}

}  // namespace

int main(int argc, char** argv) {
  dir = victim::directory(argc, argv);
  for (int i = 0; i < kCoroutines; ++i) {
    victim::need(getcontext(&coroutines[i]), "getcontext");
    void* const stack = mmap(nullptr, kStack, PROT_READ | PROT_WRITE,
                             MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    if (stack == MAP_FAILED) victim::die("mmap");
    coroutines[i].uc_stack.ss_sp = stack;
    coroutines[i].uc_stack.ss_size = kStack;
    coroutines[i].uc_link = &scheduler;
    makecontext(&coroutines[i], reinterpret_cast<void (*)()>(body), 1, i);
  }
  for (int round = 0; round < 2 * kTurns; ++round) {
    for (ucontext_t& coroutine : coroutines) swapcontext(&scheduler, &coroutine);
  }
  return 0;
}
