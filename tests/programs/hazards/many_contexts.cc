// Eleven hundred threads, alive at once, each with an fs context and a mask of its own: a pool as
// Samba has it, and larger than any table. Usage: many_contexts DIR [THREADS]
// Ground truth: fstat of each file; each thread's mask is its own, so it is certain.
#include <sched.h>

#include <thread>
#include <vector>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = argc > 2 ? std::atoi(argv[2]) : 1100;
  umask(0022);
  victim::Barrier alive(static_cast<unsigned>(count));
  std::vector<victim::Truth> truths(static_cast<std::size_t>(count));
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      const int mask = i & 0777;
      victim::need(unshare(CLONE_FS), "unshare");
      umask(static_cast<mode_t>(mask));
      alive.wait();
      const std::string path = dir + "/f" + std::to_string(i);
      const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666), "open");
      truths[static_cast<std::size_t>(i)] = {
          path, victim::mode_of(fd), "open", nullptr, victim::tid(), 0666, mask};
      close(fd);
      alive.wait();
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const victim::Truth& truth : truths) victim::print(truth);
  return 0;
}
