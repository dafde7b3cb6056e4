// A timer's handler leaves by siglongjmp, out of whatever the thread was doing: umask, open, mkdir.
// Ground truth: it ends, and the last umask holds. Usage: handler_longjmp DIR [JUMPS]
// Whatever the shim held or half wrote at that moment must not be left behind.
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
  const std::string file = dir + "/file";
  const std::string made = dir + "/made";
  struct sigaction action {};
  action.sa_handler = on_alarm;
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  const itimerval every{{0, 150}, {0, 150}};
  victim::need(setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  // The mask of signals is saved: a jump out of a section that blocks them must unblock them.
  sigsetjmp(back, 1);
  armed = 1;
  while (jumps < wanted) {
    umask(0027);
    close(open(file.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0666));
    mkdir(made.c_str(), 0777);
    rmdir(made.c_str());
    umask(0022);
    closefrom(3);  // what a jump left open
  }
  armed = 0;
  const itimerval never{};
  victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  umask(0026);
  victim::create(dir + "/after", 0666, 0026);
  return 0;
}
