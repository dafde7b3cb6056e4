// Executes a program that cannot be, again and again, and spawns one that can, while another thread
// or a signal handler looks which descriptors there are. Ground truth: the kernel's errors, how the
// children end, and the descriptors by number. A shim that opens a descriptor for each exec would
// be seen. Usage: starts_beside DIR thread|handler|closer|full PROGRAM NOT-EXECUTABLE ROUNDS.
// PROGRAM gets an empty directory below DIR. `closer`: the other thread closes all that it does not
// know; `full`: there is no room for a descriptor.
#include <linux/close_range.h>
#include <signal.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <thread>

#include "victim.h"

extern char** environ;

namespace {

constexpr int kNumbers = 64;
int places = 0;
std::atomic<unsigned long> seen{0};
std::atomic<bool> done{false};

void look(int) {
  const int saved = errno;
  unsigned long there = 0;
  for (int fd = 0; fd < kNumbers; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) there |= 1ul << fd;
  }
  seen.fetch_or(there);
  errno = saved;
}

void look_on(bool closes) {
  while (!done) {
    look(0);
    if (closes) syscall(SYS_close_range, 3, ~0u, 0);
  }
}

[[gnu::noinline]] bool is_denied_after_vfork(char* other, char** arguments) {
  const pid_t forked = vfork();
  if (forked == 0) {
    execve(other, arguments, environ);
    _exit(errno == EACCES ? 7 : 8);
  }
  int status = 0;
  victim::need(waitpid(forked, &status, 0), "waitpid");
  return WEXITSTATUS(status) == 7;
}

void run(const std::string& directory, char* program, char* other, int rounds) {
  std::string place;
  char* arguments[] = {program, nullptr, nullptr};
  int denied = 0;
  int vfork_denied = 0;
  int spawned = 0;
  for (int i = 0; i < rounds; ++i) {
    execve(other, arguments, environ);
    denied += errno == EACCES;
    vfork_denied += is_denied_after_vfork(other, arguments);
    int status = 0;
    pid_t child = 0;
    place = directory + "/" + std::to_string(places++);
    victim::need(mkdir(place.c_str(), 0755), "mkdir");
    arguments[1] = place.data();
    errno = 4321;
    if (posix_spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) continue;
    if (errno != 4321) victim::die("posix_spawn changed errno");
    victim::need(waitpid(child, &status, 0), "waitpid");
    spawned += status == 0;
  }
  if (waitpid(-1, nullptr, __WALL) != -1 || errno != ECHILD) victim::die("a child is left");
  std::printf("of %d: denied %d, after vfork %d, spawned %d\n", rounds, denied, vfork_denied,
              spawned);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 6) return 99;
  const std::string how = argv[2];
  const int rounds = std::atoi(argv[5]);
  int fd = 3;
  if (how == "full") {
    run(argv[1], argv[3], argv[4], 1);  // afterwards it is known what they are
    const rlimit few{32, 32};
    victim::need(setrlimit(RLIMIT_NOFILE, &few), "setrlimit");
    while (fd >= 0) fd = dup(0);
  }
  if (how == "handler") {
    struct sigaction action {};
    action.sa_handler = look;
    action.sa_flags = SA_RESTART;
    victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
    const itimerval often{{0, 200}, {0, 200}};
    victim::need(setitimer(ITIMER_REAL, &often, nullptr), "setitimer");
    run(argv[1], argv[3], argv[4], rounds);
    const itimerval never{};
    victim::need(setitimer(ITIMER_REAL, &never, nullptr), "setitimer");
  } else if (how == "full") {
    run(argv[1], argv[3], argv[4], rounds);
  } else {
    std::thread other(look_on, how == "closer");
    run(argv[1], argv[3], argv[4], rounds);
    done = true;
    other.join();
  }
  look(0);
  std::printf("descriptors %lx\n", seen.load());
  return 0;
}
