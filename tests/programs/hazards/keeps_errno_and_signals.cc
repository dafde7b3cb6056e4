// A tmpfile(3) that fails for want of descriptors, and a file made right after a change of the mask
// that no library call made. Ground truth: errno, and how many signals are blocked. Usage:
// keeps_errno_and_signals DIR
#include <sys/resource.h>

#include <csignal>

#include "victim.h"

namespace {

void unseen_umask(mode_t mask) {
#if defined(__x86_64__)
  long result = SYS_umask;
  asm volatile("syscall" : "+a"(result) : "D"(static_cast<long>(mask)) : "rcx", "r11", "memory");
#else
  umask(mask);
#endif
}

int blocked_signals() {
  sigset_t mask;
  victim::need(sigprocmask(SIG_BLOCK, nullptr, &mask), "sigprocmask");
  int blocked = 0;
  for (int number = 1; number < 65; ++number) blocked += sigismember(&mask, number) == 1 ? 1 : 0;
  return blocked;
}

int error_of_tmpfile() {
  rlimit few{};
  victim::need(getrlimit(RLIMIT_NOFILE, &few), "getrlimit");
  const rlimit before = few;
  few.rlim_cur = 0;
  victim::need(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
  errno = 0;
  const bool made = std::tmpfile() != nullptr;
  const int error = made ? 0 : errno;
  victim::need(setrlimit(RLIMIT_NOFILE, &before), "setrlimit");
  return error;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  std::printf(R"({"tmpfile":%d})"
              "\n",
              error_of_tmpfile());
  unseen_umask(0077);
  close(victim::need(open((dir + "/made").c_str(), O_CREAT | O_WRONLY, 0666), "open"));
  std::printf(R"({"blocked":%d})"
              "\n",
              blocked_signals());
  return 0;
}
