// libarchive, issue 1876: two threads do umask(umask(0)). The second one saves the first one's 0
// and puts it back last: the process stays at 0, and directories come out 0777. Usage:
// bug_libarchive DIR [COUNT]
#include "bug_victim.h"

namespace {

__attribute__((noinline)) mode_t disk_header_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = bug::count_of(argc, argv);
  umask(022);
  bug::Ledger ledger;
  std::atomic<bool> done{false};
  victim::Barrier start(3);
  const auto extract = [&] {
    victim::name_thread("extract");
    start.wait();
    for (int left = bug::kMostRepeats; !done && left > 0; --left) disk_header_umask();
  };
  std::thread first(extract);
  std::thread second(extract);
  start.wait();
  bug::create_directories(ledger, dir, "d", count, 0777, 022);
  done = true;
  first.join();
  second.join();
  ledger.print();
  return 0;
}
