// One thread reads the umask by writing it, m = umask(0); umask(m), while another creates files.
// Ground truth: fstat of every file, the number of umask calls, and the threads' ids and names.
// Usage: threads_umask DIR [FILES [WORK]]: WORK to count to between windows, 1 to 3 * FILES.
#include <vector>

#include "victim.h"

namespace {

std::vector<victim::Truth> truths;
std::atomic<bool> done{false};
int work = 0;
std::uint64_t umask_calls = 0;
int setter_tid = 0;
victim::Barrier start(2);

void* toggle_until_done(void*) {
  victim::name_thread("setter");
  setter_tid = victim::tid();
  start.wait();
  for (std::size_t i = 0; i == 0 || (!done && (work == 0 || i < 3 * truths.size())); ++i) {
    const mode_t mask = umask(0);  // the window opens
    umask(mask);                   // and closes
    umask_calls += 2;
    for (volatile int count = 0; count < work;) count = count + 1;
  }
  return nullptr;
}

void* create_files(void*) {
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
  return nullptr;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int files = argc > 2 ? std::atoi(argv[2]) : 20000;
  work = argc > 3 ? std::atoi(argv[3]) : 0;
  umask(077);
  for (int i = 0; i < files; ++i) {
    truths.push_back({dir + "/f" + std::to_string(i), 0, "open", "maker", -1, 0666, -1});
  }
  pthread_t setter;
  pthread_t maker;
  pthread_create(&setter, nullptr, toggle_until_done, nullptr);
  pthread_create(&maker, nullptr, create_files, nullptr);
  pthread_join(maker, nullptr);
  pthread_join(setter, nullptr);
  for (const victim::Truth& truth : truths) victim::print(truth);
  std::printf(R"({"umask_calls":%llu,"tid":%d,"thread":"setter"})"
              "\n",
              static_cast<unsigned long long>(umask_calls), setter_tid);
  return 0;
}
