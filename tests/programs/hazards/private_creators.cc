// Threads create files under mask 077, others open what is there, and no thread changes the mask.
// Usage: private_creators DIR [FILES]
// Ground truth: each is 0600, by fstat; exit code 1 if one is not.
// A shim that reads the mask by writing it opens a window for the others.
#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kThreads = 2;  // of each sort

std::atomic<int> wrong{0};
std::atomic<int> busy{kThreads};

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int files = argc > 2 ? std::atoi(argv[2]) : 3000;  // of each thread that creates
  umask(0077);
  victim::Barrier start(2 * kThreads);
  std::vector<std::thread> threads;
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me, files] {
      // Directories of their own: in one they would wait for each other, and not for the mask.
      const std::string own = dir + "/d" + std::to_string(me);
      victim::need(mkdir(own.c_str(), 0777), own.c_str());
      const std::string path = own + "/file";
      start.wait();
      for (int i = 0; i < files; ++i) {
        const int fd =
            victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), path.c_str());
        wrong += victim::mode_of(fd) == 0600 ? 0 : 1;
        close(fd);
        unlink(path.c_str());
      }
      --busy;
    });
    threads.emplace_back([&] {
      start.wait();
      while (busy > 0) close(open("/dev/null", O_RDONLY));
    });
  }
  for (std::thread& thread : threads) thread.join();
  std::fprintf(stderr, "%d of %d are not private\n", wrong.load(), kThreads * files);
  return wrong == 0 ? 0 : 1;
}
