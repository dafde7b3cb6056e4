// A thousand threads, alive at once, each change the mask and create one file.
// Ground truth: fstat of each file, with its thread's id and name. Usage: many_threads DIR
// [THREADS] All threads set the same mask, so it is certain.
#include <thread>
#include <vector>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = argc > 2 ? std::atoi(argv[2]) : 1000;
  umask(0022);
  victim::Barrier alive(static_cast<unsigned>(count));
  std::vector<victim::Truth> truths(count);
  std::vector<std::string> names(count);
  std::vector<std::thread> threads;
  for (int i = 0; i < count; ++i) {
    threads.emplace_back([&, i] {
      names[i] = "worker-" + std::to_string(i);
      victim::name_thread(names[i].c_str());
      alive.wait();
      umask(0022);
      const std::string path = dir + "/f" + std::to_string(i);
      const int fd =
          victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0640), "open");
      truths[i] = {path, victim::mode_of(fd), "open", names[i].c_str(), victim::tid(), 0640, 0022};
      close(fd);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const victim::Truth& truth : truths) victim::print(truth);
  return 0;
}
