// Creates and changes the mask past libc: by syscall(3), and by a syscall instruction of its own.
// Ground truth: the modes by stat, and that the mask was changed unseen (0022 to 0077) in between.
// The auditor sees the first if it wraps syscall(); the second only as a drift of the mask.
#include <sched.h>

#include "victim.h"

namespace {

// umask(2) as an inlined instruction: nothing to interpose. x86-64 only, else nothing is unseen.
mode_t unseen_umask(mode_t mask) {
#if defined(__x86_64__)
  long result = SYS_umask;
  asm volatile("syscall" : "+a"(result) : "D"(static_cast<long>(mask)) : "rcx", "r11", "memory");
  return static_cast<mode_t>(result);
#else
  return umask(mask);
#endif
}

void* wait_for_the_end(void*) {
  for (;;) pause();
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  syscall(SYS_umask, 0022);
  const std::string by_syscall = dir + "/by-syscall";
  victim::need(syscall(SYS_mkdirat, AT_FDCWD, by_syscall.c_str(), 0777), "mkdirat");
  victim::print(
      {by_syscall, victim::mode_of(by_syscall), nullptr, nullptr, victim::tid(), 0777, 0022});
  unseen_umask(0077);
  victim::create(dir + "/after-unseen", 0666);
  const mode_t old = umask(0022);
  std::printf(R"({"drift":"%04o"})"
              "\n",
              old);
  victim::create(dir + "/after-seen", 0666, 0022);
  // Nothing is created in between: the next change of the mask is all that can notice.
  unseen_umask(0027);
  if (old != 0077 || umask(0022) != 0027) return 1;
  // A context of its own begins with the kernel's mask, not with what was known of the old one. It
  // takes another thread, or unshare(2) has nothing to part.
  pthread_t other;
  if (pthread_create(&other, nullptr, wait_for_the_end, nullptr) != 0) victim::die("thread");
  unseen_umask(0037);
  victim::need(unshare(CLONE_FS), "unshare");
  victim::create(dir + "/after-unshare", 0666, 0037);
}
