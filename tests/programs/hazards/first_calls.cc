// Makes its first calls of many functions where a search for them would be too late: in handlers
// that interrupt malloc(3) and dlopen(3), in vfork children, by eight threads at once for whom a
// constructor below dlopen(3) waits, and in children of a fork(2) amid dlopen(3).
// Ground truth: it ends, and the modes by lstat. Usage: first_calls DIR LIBRARY
// LIBRARY's constructor calls the function whose address the variable CONSTRUCTOR has. A shim that
// looks its functions up by dlsym(3) when they are first called waits there for the loader's lock,
// which the constructor holds.
#include <dlfcn.h>
#include <sched.h>
#include <sys/time.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <thread>
#include <vector>

#include "victim.h"

namespace {

std::string dir;
int dirfd = -1;
const char* library;
std::atomic<bool> done{false};
std::atomic<unsigned> next_call{0};

void must(long result) {
  if (result < 0) _exit(98);
}

// One function each; all are async-signal-safe where the shim is.
void (*const kCalls[])() = {
    [] { must(mkdirat(dirfd, "h0", 0777)); },
    [] { must(mkfifoat(dirfd, "h1", 0666)); },
    [] { close(openat64(dirfd, "h2", O_CREAT | O_EXCL | O_WRONLY, 0666)); },
    [] { must(linkat(dirfd, "h2", dirfd, "h3", 0)); },
    [] { must(renameat(dirfd, "h3", dirfd, "h4")); },
    [] { must(fchmodat(dirfd, "h4", 0600, 0)); },
    [] { must(symlinkat("h2", dirfd, "h5")); },
    [] { must(unlinkat(dirfd, "h5", 0)); },
};
constexpr unsigned kCount = sizeof kCalls / sizeof kCalls[0];

void on_alarm(int) {
  const int saved = errno;
  const unsigned call = next_call.fetch_add(1);
  if (call < kCount) kCalls[call]();
  if (call + 1 >= kCount) done = true;
  const itimerval soon{{0, 0}, {0, 500}};
  if (!done) setitimer(ITIMER_REAL, &soon, nullptr);
  errno = saved;
}

void take_memory() {
  void* volatile taken[64] = {};
  for (unsigned i = 0; i < 64; ++i) taken[i] = malloc(i * 100);
  for (void* memory : taken) free(memory);
}

void load() {
  void* handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) victim::die(dlerror());
  dlclose(handle);
}

void in_handlers() {
  struct sigaction action {};
  action.sa_handler = on_alarm;
  action.sa_flags = SA_RESTART;
  victim::need(sigaction(SIGALRM, &action, nullptr), "sigaction");
  const itimerval soon{{0, 0}, {0, 500}};
  victim::need(setitimer(ITIMER_REAL, &soon, nullptr), "setitimer");
  while (!done) {
    take_memory();
    load();
  }
  victim::print({dir + "/h0", victim::mode_of(dir + "/h0"), "mkdirat", nullptr, -1, 0777, 0022});
  victim::print({dir + "/h1", victim::mode_of(dir + "/h1"), "mkfifoat", nullptr, -1, 0666, 0022});
}

void in_a_vfork_child() {
  const std::string path = dir + "/vfork";
  const pid_t child = vfork();
  if (child == 0) {
    must(mkdir(path.c_str(), 0777));
    _exit(0);
  }
  victim::need(child, "vfork");
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("the vfork child");
  victim::print({path, victim::mode_of(path), "mkdir", nullptr, -1, 0777, 0022});
}

constexpr int kThreads = 8;
std::atomic<bool> constructing{false};
std::atomic<int> made{0};

// Called by the constructor.
void wait_until_all_are_made() {
  constructing = true;
  while (made < kThreads) sched_yield();
}

void by_many_threads() {
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      const std::string path = dir + "/t" + std::to_string(i);
      while (!constructing) sched_yield();
      victim::need(mkfifo(path.c_str(), 0666), "mkfifo");
      ++made;
    });
  }
  char address[32];
  std::snprintf(address, sizeof address, "%zx",
                reinterpret_cast<std::size_t>(&wait_until_all_are_made));
  setenv("CONSTRUCTOR", address, 1);
  load();
  unsetenv("CONSTRUCTOR");
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < kThreads; ++i) {
    const std::string path = dir + "/t" + std::to_string(i);
    victim::print({path, victim::mode_of(path), "mkfifo", nullptr, -1, 0666, 0022});
  }
}

// The loader's lock is some other thread's when the child is made, and stays taken there.
void in_children_of_a_fork_amid_dlopen() {
  constexpr int kRounds = 40;
  done = false;
  std::thread loader([] {
    while (!done) load();
  });
  for (int i = 0; i < kRounds; ++i) {
    const std::string path = dir + "/f" + std::to_string(i);
    const pid_t child = victim::need(fork(), "fork");
    if (child == 0) {
      const int fd = creat(path.c_str(), 0666);
      must(fd);
      must(fchmod(fd, 0640));
      _exit(0);
    }
    int status = 0;
    victim::need(waitpid(child, &status, 0), "waitpid");
    if (status != 0) victim::die("a child");
    if (victim::mode_of(path) != 0640) victim::die(path.c_str());
  }
  done = true;
  loader.join();
}

}  // namespace

int main(int argc, char** argv) {
  dir = victim::directory(argc, argv);
  if (argc < 3) victim::die("LIBRARY is missing");
  library = argv[2];
  umask(0022);
  dirfd = victim::need(open(dir.c_str(), O_RDONLY | O_DIRECTORY), dir.c_str());
  in_handlers();
  in_a_vfork_child();
  by_many_threads();
  in_children_of_a_fork_amid_dlopen();
  return 0;
}
