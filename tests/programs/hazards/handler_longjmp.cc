// A timer's handler leaves by siglongjmp, out of whatever the thread was doing: umask, open, mkdir.
// Ground truth: it ends, and the last umask holds. Usage: handler_longjmp DIR [JUMPS]
// Whatever the shim held or half wrote at that moment must not be left behind: no lock, no buffer
// (relative names can then no longer be made absolute).
#include <sys/time.h>

#include <csetjmp>
#include <csignal>

#include "victim.h"

namespace {

sigjmp_buf back;
volatile sig_atomic_t jumps = 0;
volatile sig_atomic_t armed = 0;

void on_alarm(int) {
  if (armed == 0) return;
  jumps = jumps + 1;
  siglongjmp(back, 1);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int wanted = argc > 2 ? std::atoi(argv[2]) : 500;
  victim::need(chdir(dir.c_str()), "chdir");
  struct sigaction action {};
  action.sa_handler = on_alarm;
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  const itimerval every{{0, 60}, {0, 60}};
  victim::need(setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  // The mask of signals is saved: a jump out of a section that blocks them must unblock them.
  sigsetjmp(back, 1);
  armed = 1;
  while (jumps < wanted) {
    umask(0027);
    close(open("file", O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    mkdir("made", 0777);
    rmdir("made");
    umask(0022);
    closefrom(3);  // what a jump left open
  }
  armed = 0;
  const itimerval never{};
  victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  umask(0026);
  const int fd = victim::need(open("after", O_CREAT | O_EXCL | O_WRONLY, 0666), "after");
  victim::print({dir + "/after", victim::mode_of(fd), "open", nullptr, victim::tid(), 0666, 0026});
  return 0;
}
