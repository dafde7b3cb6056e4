// Threads fork while others change the umask and create; each child changes its own and creates.
// Ground truth: every child ends, with the mode that its own mask gives. Usage: fork_storm DIR
// [CHILDREN [raw]]: raw forks by _Fork(3), which runs no handlers.
// A lock that another thread holds at the fork stays locked for ever in the child.
#include <sched.h>
#include <sys/wait.h>

#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kForkers = 2;
constexpr int kTogglers = 2;

constexpr int kBurst = 32;

std::atomic<bool> done{false};
std::atomic<int> forks{0};
bool raw = false;

// A burst of changes and creations around each fork.
void toggle(victim::Barrier& start, const std::string& made) {
  start.wait();
  for (int seen = 0; !done; seen = forks) {
    for (int i = 0; i < kBurst; ++i) umask(umask(0));
    mkdir(made.c_str(), 0777);
    rmdir(made.c_str());
    while (forks == seen && !done) sched_yield();
  }
}

// In the child only this thread exists, so its mask is certain. Truth goes out in one write.
void child(const std::string& path) {
  umask(0077);
  const int fd = open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666);
  struct stat status;
  if (fd < 0 || fstat(fd, &status) != 0) _exit(97);
  char line[4600];
  const int length = std::snprintf(
      line, sizeof(line),
      R"({"path":"%s","final":"%04o","call":"open","tid":%d,"requested":"0666","mask":"0077"})"
      "\n",
      path.c_str(), static_cast<unsigned>(status.st_mode) & 07777U, victim::tid());
  _exit(write(STDOUT_FILENO, line, static_cast<std::size_t>(length)) == length ? 0 : 96);
}

void fork_many(victim::Barrier& start, const std::string& prefix, int children) {
  start.wait();
  for (int i = 0; i < children; ++i) {
    const std::string path = prefix + std::to_string(i);
    ++forks;
    const pid_t pid = victim::need(raw ? _Fork() : fork(), "fork");
    if (pid == 0) child(path);
    int status = 0;
    victim::need(waitpid(pid, &status, 0), "waitpid");
    if (status != 0) {
      std::fprintf(stderr, "child %d: status %x\n", i, status);
      std::_Exit(99);
    }
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int children = argc > 2 ? std::atoi(argv[2]) : 1000;
  raw = argc > 3;
  umask(0022);
  victim::Barrier start(kForkers + kTogglers);
  std::vector<std::thread> togglers;
  std::vector<std::thread> forkers;
  for (int i = 0; i < kTogglers; ++i) {
    togglers.emplace_back(toggle, std::ref(start), dir + "/made" + std::to_string(i));
  }
  for (int i = 0; i < kForkers; ++i) {
    forkers.emplace_back(fork_many, std::ref(start), dir + "/c" + std::to_string(i) + "-",
                         children / kForkers);
  }
  for (std::thread& thread : forkers) thread.join();
  done = true;
  for (std::thread& thread : togglers) thread.join();
  umask(0022);  // which mask they leave is their race
  return 0;
}
