// Four processes open the same names with O_CREAT and without O_EXCL, all from one place that has
// met existing files before; nothing is ever removed. Each asks for a mode of its own, so the mode
// on disk says who of them created the file.
// Ground truth: exactly one creation per name, by that process. Usage: racing_processes DIR [NAMES]
#include <sys/mman.h>
#include <sys/wait.h>

#include <vector>

#include "victim.h"

namespace {

constexpr int kProcesses = 4;
constexpr int kWarmUp = 4;

// 0600 and the process's number in the bits for others.
int requested_by(int number) { return 0600 | number; }

pthread_barrier_t* shared_barrier() {
  void* at = mmap(nullptr, sizeof(pthread_barrier_t), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (at == MAP_FAILED) victim::die("mmap");
  auto* barrier = static_cast<pthread_barrier_t*>(at);
  pthread_barrierattr_t attributes;
  pthread_barrierattr_init(&attributes);
  pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_barrier_init(barrier, &attributes, kProcesses);
  return barrier;
}

[[gnu::noinline]] void open_one(const std::string& path, int number) {
  close(victim::need(open(path.c_str(), O_CREAT | O_RDWR, requested_by(number)), "open"));
}

[[noreturn]] void race(const std::string& dir, int names, int number, pthread_barrier_t* barrier) {
  for (int i = 0; i < kWarmUp; ++i) open_one(dir + "/before", number);
  for (int i = 0; i < names; ++i) {
    const std::string path = dir + "/f" + std::to_string(i);
    pthread_barrier_wait(barrier);
    open_one(path, number);
  }
  _exit(0);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int names = argc > 2 ? std::atoi(argv[2]) : 200;
  umask(0);
  victim::create(dir + "/before", 0600, 0);
  std::fflush(stdout);
  pthread_barrier_t* barrier = shared_barrier();
  std::vector<pid_t> pids;
  for (int number = 0; number < kProcesses; ++number) {
    const pid_t pid = victim::need(fork(), "fork");
    if (pid == 0) race(dir, names, number, barrier);
    pids.push_back(pid);
  }
  for (const pid_t pid : pids) {
    int status = -1;
    if (waitpid(pid, &status, 0) != pid || status != 0) victim::die("a child failed");
  }
  for (int i = 0; i < names; ++i) {
    const std::string path = dir + "/f" + std::to_string(i);
    const unsigned mode = victim::mode_of(path);
    victim::print({path, mode, "open", nullptr, pids[mode & 7], static_cast<int>(mode), 0});
  }
  return 0;
}
