// Calls mkstemp(3) with a template that cannot be written to, and leaves the fault's handler by
// siglongjmp. Ground truth: the handler came each time, on its own stack, and later calls work.
// Usage: handler_segv DIR. A wrapper that holds a lock during the call never gives it back.
#include <sys/mman.h>

#include <csetjmp>
#include <csignal>

#include "victim.h"

namespace {

constexpr int kRounds = 100;
sigjmp_buf back;
volatile sig_atomic_t faults = 0;

void on_fault(int) {
  faults = faults + 1;
  siglongjmp(back, 1);
}

void fault(char* name) {
  if (sigsetjmp(back, 1) == 0) mkstemp(name);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  auto* page = static_cast<char*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  if (page == MAP_FAILED) victim::die("mmap");
  std::strcpy(page, "name-XXXXXX");
  victim::need(mprotect(page, 4096, PROT_READ), "mprotect");
  static char memory[1 << 16];
  const stack_t stack{memory, 0, sizeof(memory)};
  victim::need(sigaltstack(&stack, nullptr), "sigaltstack");
  struct sigaction action {};
  action.sa_handler = on_fault;
  action.sa_flags = SA_ONSTACK;
  victim::need(sigaction(SIGSEGV, &action, nullptr), "sigaction");
  for (int i = 0; i < kRounds; ++i) {
    fault(page);
    umask(0027);
  }
  if (faults != kRounds) victim::die("no fault");
  victim::create(dir + "/after", 0666, 0027);
  return 0;
}
