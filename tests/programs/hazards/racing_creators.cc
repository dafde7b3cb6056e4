// Eight threads open the same names with O_CREAT and without O_EXCL; nothing is ever removed.
// Each thread asks for a mode of its own, so the mode on disk says who of them created the file.
// Ground truth: exactly one creation per name, with the winner's tid. Usage: racing_creators DIR
// [NAMES]
#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr int kThreads = 8;

// 0600 and the thread's number in the bits for others.
int requested_by(int thread) { return 0600 | thread; }

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int names = argc > 2 ? std::atoi(argv[2]) : 500;
  umask(0);
  victim::Barrier round(kThreads);
  std::vector<int> tids(kThreads);
  std::vector<std::thread> threads;
  for (int me = 0; me < kThreads; ++me) {
    threads.emplace_back([&, me] {
      tids[me] = victim::tid();
      for (int i = 0; i < names; ++i) {
        const std::string path = dir + "/f" + std::to_string(i);
        round.wait();
        close(victim::need(open(path.c_str(), O_CREAT | O_RDWR, requested_by(me)), "open"));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (int i = 0; i < names; ++i) {
    const std::string path = dir + "/f" + std::to_string(i);
    const unsigned mode = victim::mode_of(path);
    victim::print({path, mode, "open", nullptr, tids[mode & 7], static_cast<int>(mode), 0});
  }
  return 0;
}
