// A signal handler that makes a directory at whatever instruction the timer finds the program at:
// for an interpreter that loads this, in the middle of its frames' making. Called by test programs
// through a foreign function interface.

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/time.h>

namespace {

char directory[256];
volatile long made = 0;

void make_one(int) {
  const int saved = errno;
  char path[300];
  char* end = stpcpy(path, directory);
  *end++ = '/';
  char digits[20];
  int count = 0;
  for (long rest = made; count == 0 || rest != 0; rest /= 10) {
    digits[count++] = static_cast<char>('0' + rest % 10);
  }
  while (count > 0) *end++ = digits[--count];
  *end = '\0';
  if (mkdir(path, 0700) == 0) made = made + 1;
  errno = saved;
}

void set_timer(int microseconds) {
  const itimerval interval{{0, microseconds}, {0, microseconds}};
  setitimer(ITIMER_REAL, &interval, nullptr);
}

}  // namespace

extern "C" {

void start_handler(const char* path, int microseconds) {
  strncpy(directory, path, sizeof directory - 1);
  struct sigaction action {};
  action.sa_handler = make_one;
  action.sa_flags = SA_RESTART;
  sigaction(SIGALRM, &action, nullptr);
  set_timer(microseconds);
}

long made_by_handler() { return made; }

void stop_handler() { set_timer(0); }
}
