// A service: threads that make files and remove them again, beside one that reads the umask by
// writing it: service DIR [FILES THREADS TOGGLES], TOGGLES for every hundred files of a thread,
// each thread keeps its last 20 files. True: what fstat(2) says of those, and the last line says
// how many files were made and how many umask calls there were.
#include <thread>
#include <vector>

#include "victim.h"

namespace {

constexpr unsigned kKept = 20;

std::atomic<std::uint64_t> made = 0;
std::atomic<bool> over = false;

// The last files of all threads are made at one time: else those of the first are far from the end.
void serve(const std::string& prefix, unsigned files, victim::Barrier& others) {
  victim::name_thread("worker");
  const auto name = [&](unsigned number) { return prefix + std::to_string(number); };
  struct stat status[kKept] = {};
  for (unsigned i = 0; i < files; ++i) {
    if (i + kKept == files) others.wait();
    const int fd =
        victim::need(open(name(i).c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666), "open");
    victim::need(fstat(fd, &status[i % kKept]), "fstat");
    close(fd);
    made.fetch_add(1);
    if (i >= kKept) victim::need(unlink(name(i - kKept).c_str()), "unlink");
  }
  std::string lines;
  for (unsigned i = files > kKept ? files - kKept : 0; i < files; ++i) {
    char line[512];
    std::snprintf(line, sizeof line,
                  R"({"path":"%s","final":"%04o"})"
                  "\n",
                  name(i).c_str(), static_cast<unsigned>(status[i % kKept].st_mode) & 07777U);
    lines += line;
  }
  victim::need(write(STDOUT_FILENO, lines.data(), lines.size()), "write");
}

std::uint64_t toggle(unsigned for_each_hundred) {
  std::uint64_t calls = 0;
  while (!over.load(std::memory_order_relaxed)) {
    if (calls / 2 * 100 >= made.load() * for_each_hundred) {
      sched_yield();
      continue;
    }
    umask(umask(0));
    calls += 2;
  }
  return calls;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string directory = victim::directory(argc, argv);
  const auto files = static_cast<unsigned>(argc > 2 ? std::atoi(argv[2]) : 100);
  const int threads = argc > 3 ? std::atoi(argv[3]) : 2;
  const auto toggles = static_cast<unsigned>(argc > 4 ? std::atoi(argv[4]) : 0);
  std::uint64_t calls = 0;
  std::thread toggler([&] { calls = toggle(toggles); });
  std::vector<std::thread> workers;
  victim::Barrier all(static_cast<unsigned>(threads));
  for (int i = 0; i < threads; ++i) {
    workers.emplace_back(serve, directory + "/" + std::to_string(i) + "-", files, std::ref(all));
  }
  for (std::thread& worker : workers) worker.join();
  over.store(true);
  toggler.join();
  std::printf(R"({"made":%llu,"umask_calls":%llu})"
              "\n",
              static_cast<unsigned long long>(made.load()), static_cast<unsigned long long>(calls));
  return 0;
}
