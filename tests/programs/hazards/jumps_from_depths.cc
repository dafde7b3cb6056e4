// A timer's handler jumps out of calls made at ever other depths of the stack: umask, openat and an
// exec that fails. Ground truth: the file made and the program started at the end, and how many
// signals are blocked then (natively none). Usage: jumps_from_depths DIR JUMPS PROGRAM [alternate]
// What a shim held for those calls is never given back by them; later calls must have it even so.
// "alternate": they are made by another handler, on an alternate stack that the jumps leave.
#include <alloca.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <csetjmp>
#include <csignal>

#include "victim.h"

namespace {

jmp_buf back;
volatile sig_atomic_t jumps = 0;
volatile sig_atomic_t armed = 0;
unsigned seed = 1;

void on_alarm(int) {
  if (armed == 0) return;
  armed = 0;
  jumps = jumps + 1;
  longjmp(back, 1);
}

int blocked_signals() {
  sigset_t mask;
  victim::need(sigprocmask(SIG_BLOCK, nullptr, &mask), "sigprocmask");
  int blocked = 0;
  for (int number = 1; number < 65; ++number) blocked += sigismember(&mask, number) == 1 ? 1 : 0;
  return blocked;
}

char* no_arguments[] = {nullptr};

// Nothing writes to most of the stack that it takes, so what earlier calls left there stays.
[[gnu::noinline]] void call_at_some_depth(int directory) {
  auto* room = static_cast<volatile char*>(alloca(16 + 16 * (rand_r(&seed) % 4000)));
  room[0] = 1;
  umask(0027);
  const int fd = openat(directory, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
  if (fd >= 0) close(fd);
  execve("missing", no_arguments, no_arguments);
  umask(0022);
}

int called_in = -1;
void on_request(int) { call_at_some_depth(called_in); }

void make_calls_on_alternate_stack(int directory) {
  static char stack[1 << 20];
  const stack_t given{stack, 0, sizeof stack};
  victim::need(sigaltstack(&given, nullptr), "sigaltstack");
  struct sigaction action {};
  action.sa_handler = on_request;
  action.sa_flags = SA_NODEFER | SA_ONSTACK;
  victim::need(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  called_in = directory;
}

void start(const char* program) {
  char* argv[] = {const_cast<char*>(program), nullptr};
  const pid_t child = victim::need(vfork(), "vfork");
  if (child == 0) {
    execve(program, argv, no_arguments);
    _exit(99);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die(program);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int wanted = argc > 2 ? std::atoi(argv[2]) : 500;
  const bool alternate = argc > 4;
  const int directory = victim::need(open(dir.c_str(), O_RDONLY | O_DIRECTORY), "open");
  struct sigaction action {};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_NODEFER;  // the handler blocks nothing that its jump would have to unblock
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  if (alternate) make_calls_on_alternate_stack(directory);
  const itimerval every{{0, 60}, {0, 60}};
  victim::need(setitimer(ITIMER_REAL, &every, nullptr), "setitimer");
  setjmp(back);
  armed = 1;
  while (jumps < wanted) {
    if (alternate) {
      victim::need(raise(SIGUSR1), "raise");
    } else {
      call_at_some_depth(directory);
    }
    closefrom(directory + 1);  // what a jump left open
  }
  armed = 0;
  const itimerval never{};
  victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  std::printf(R"({"blocked":%d})"
              "\n",
              blocked_signals());
  umask(0026);
  victim::need(mkdirat(directory, "fresh", 0777), "mkdirat");
  const int fresh = victim::need(openat(directory, "fresh", O_RDONLY | O_DIRECTORY), "fresh");
  const int fd = victim::need(openat(fresh, "after", O_CREAT | O_EXCL | O_WRONLY, 0666), "after");
  victim::print(
      {dir + "/fresh/after", victim::mode_of(fd), "openat", nullptr, victim::tid(), 0666, 0026});
  if (argc > 3) start(argv[3]);
  return 0;
}
