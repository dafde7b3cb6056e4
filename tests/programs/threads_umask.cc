// One thread reads the umask by writing it, m = umask(0); umask(m), while another creates files.
// Ground truth: fstat of every file, the number of umask calls, and the threads' ids and names.
// Usage: threads_umask DIR [FILES]. No locks on purpose: this is the bug that the tool is for.
#include <thread>
#include <vector>

#include "victim.h"

namespace {

std::atomic<bool> done{false};
std::uint64_t umask_calls = 0;
int setter_tid = 0;

void toggle_until_done(victim::Barrier& start) {
  victim::name_thread("setter");
  setter_tid = victim::tid();
  start.wait();
  while (!done.load(std::memory_order_relaxed)) {
    const mode_t mask = umask(0);  // the window opens
    umask(mask);                   // and closes
    umask_calls += 2;
  }
}

void create_files(victim::Barrier& start, std::vector<victim::Truth>& truths) {
  victim::name_thread("maker");
  start.wait();
  for (victim::Truth& truth : truths) {
    const int fd = victim::need(
        open(truth.path.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0666), "open");
    truth.mode = victim::mode_of(fd);
    truth.tid = victim::tid();
    close(fd);
  }
  done = true;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int files = argc > 2 ? std::atoi(argv[2]) : 20000;
  umask(077);
  std::vector<victim::Truth> truths(files);
  for (int i = 0; i < files; ++i) {
    truths[i] = {dir + "/f" + std::to_string(i), 0, "open", "maker", -1, 0666, -1};
  }
  victim::Barrier start(2);
  std::thread setter(toggle_until_done, std::ref(start));
  std::thread maker(create_files, std::ref(start), std::ref(truths));
  maker.join();
  setter.join();
  for (const victim::Truth& truth : truths) victim::print(truth);
  std::printf(R"({"umask_calls":%llu,"tid":%d,"thread":"setter"})"
              "\n",
              static_cast<unsigned long long>(umask_calls), setter_tid);
  return 0;
}
