// Threads that create all the time, in a process that forks all the time. Ground truth: the
// children count the descriptors that they have besides the program's, by fcntl(2). Usage:
// forks_while_logging DIR FORKS
#include <sys/wait.h>

#include "victim.h"

namespace {

std::string dir;
std::atomic<bool> stop = false;

void* create(void* number) {
  const std::string path = dir + "/d" + std::to_string(reinterpret_cast<uintptr_t>(number));
  while (!stop) {
    victim::need(mkdir(path.c_str(), 0777), "mkdir");
    victim::need(rmdir(path.c_str()), "rmdir");
  }
  return nullptr;
}

// Open above the standard ones. By system calls only: other threads may have held any lock.
int inherited() {
  int found = 0;
  for (int fd = 3; fd < 64; ++fd) {
    if (fcntl(fd, F_GETFD) >= 0) ++found;
  }
  return found;
}

}  // namespace

int main(int argc, char** argv) {
  dir = victim::directory(argc, argv);
  const int forks = argc > 2 ? std::atoi(argv[2]) : 1;
  const int own = inherited();
  pthread_t threads[3];
  for (uintptr_t i = 0; i < 3; ++i) {
    if (pthread_create(&threads[i], nullptr, create, reinterpret_cast<void*>(i)) != 0) {
      victim::die("pthread_create");
    }
  }
  int leaks = 0;
  for (int i = 0; i < forks; ++i) {
    const pid_t child = victim::need(fork(), "fork");
    if (child == 0) _exit(inherited() != own ? 1 : 0);
    int status = 0;
    victim::need(waitpid(child, &status, 0), "waitpid");
    if (status != 0) ++leaks;
  }
  stop = true;
  for (pthread_t thread : threads) pthread_join(thread, nullptr);
  std::printf(R"({"leaks":%d})"
              "\n",
              leaks);
}
