// Threads that read the umask by writing it, as fast as they can, beside one that creates files:
// toggles_beside DIR [FILES TOGGLERS]; by default no thread toggles. Between two files there are
// hundreds of mask changes that nothing meets. True: each file has the mode that fstat(2) tells,
// under one of the two masks, and the last line says how many umask calls there were.
#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr std::uint64_t kBetweenFiles = 500;

std::atomic<std::uint64_t> toggles = 0;
std::atomic<bool> over = false;

void toggle() {
  victim::name_thread("toggler");
  while (!over.load(std::memory_order_relaxed)) {
    umask(umask(0));
    toggles.fetch_add(1, std::memory_order_relaxed);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = victim::directory(argc, argv);
  const int files = argc > 2 ? std::atoi(argv[2]) : 3;
  std::vector<std::thread> togglers;
  for (int i = argc > 3 ? std::atoi(argv[3]) : 0; i > 0; --i) togglers.emplace_back(toggle);
  for (int i = 0; i < files; ++i) {
    const std::uint64_t enough = toggles.load() + kBetweenFiles;
    while (!togglers.empty() && toggles.load() < enough) std::this_thread::yield();
    victim::create(directory + "/f" + std::to_string(i));
  }
  over.store(true);
  for (std::thread& toggler : togglers) toggler.join();
  std::printf(R"({"umask_calls":%llu})"
              "\n",
              static_cast<unsigned long long>(2 * toggles.load()));
  return 0;
}
