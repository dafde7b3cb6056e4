// uutils/coreutils, pulls 10036 and 14768: a panic between set and restore leaves the strict mask
// in force for everybody. Every round but the failing one restores. Usage: bug_panic DIR [COUNT]
#include <sys/stat.h>

#include <stdexcept>

#include "bug_victim.h"

namespace {

__attribute__((noinline)) void make_fifo(const std::string& path, bool fails) {
  const mode_t old = umask(077);
  if (fails) throw std::runtime_error("panic");
  victim::need(mkfifo(path.c_str(), 0666), path.c_str());
  umask(old);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = bug::count_of(argc, argv);
  umask(022);
  bug::Ledger ledger;
  victim::Barrier turn(2);
  // The turns are ordered: the bug is deterministic, and so is the list of objects hit.
  std::thread worker([&] {
    victim::name_thread("mkfifo");
    for (int i = 0; i < 3; ++i) {
      turn.wait();
      try {
        make_fifo(dir + "/fifo" + std::to_string(i), i == 1);
      } catch (const std::runtime_error&) {
      }
      turn.wait();
    }
  });
  for (int i = 0; i < 3; ++i) {
    bug::create_files(ledger, dir, i == 0 ? "a" : i == 1 ? "b" : "c", count, 0666, 022);
    turn.wait();
    turn.wait();
  }
  bug::create_files(ledger, dir, "d", count, 0666, 022);
  worker.join();
  ledger.print();
  return 0;
}
