// Threads create directories and change the mask until they are killed by SIGKILL.
// Ground truth: how many calls returned, per thread, kept in a file that is mapped and so survives.
// Usage: kill9_loop DIR COUNTS; COUNTS becomes one 64-bit counter of creations a thread.
#include <sys/mman.h>

#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kThreads = 4;

// In COUNTS: what the thread has done, stored after the call returned.
struct alignas(64) Count {
  std::atomic<std::uint64_t> tid;
  std::atomic<std::uint64_t> creations;
  std::atomic<std::uint64_t> umasks;
};

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc < 3) victim::die("COUNTS is missing");
  const int fd = victim::need(open(argv[2], O_RDWR | O_CREAT, 0600), argv[2]);
  victim::need(ftruncate(fd, sizeof(Count) * kThreads), "ftruncate");
  void* memory = mmap(nullptr, sizeof(Count) * kThreads, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) victim::die("mmap");
  auto* counts = static_cast<Count*>(memory);
  victim::Barrier start(kThreads);
  std::vector<std::thread> threads;
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      Count& count = counts[me];
      count.tid = static_cast<std::uint64_t>(victim::tid());
      const std::string prefix = dir + "/d" + std::to_string(me) + "-";
      start.wait();
      for (std::uint64_t i = 0;; ++i) {
        umask(static_cast<mode_t>(me));
        count.umasks.store(i + 1, std::memory_order_release);
        const std::string path = prefix + std::to_string(i % 64);
        victim::need(mkdir(path.c_str(), 0777), "mkdir");
        count.creations.store(i + 1, std::memory_order_release);
        rmdir(path.c_str());
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}
