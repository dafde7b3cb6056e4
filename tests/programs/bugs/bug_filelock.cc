// tox-dev/filelock, issue 204: a lock reads the umask by writing it, and files that another thread
// creates meanwhile are world-writable. Usage: bug_filelock DIR [COUNT]
#include "bug_victim.h"

namespace {

// As the library did: os.umask(0) to learn the mask.
__attribute__((noinline)) mode_t current_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  bug::Ledger ledger;
  bug::race(
      "log-writer",
      [&] { bug::create_files(ledger, dir, "log", bug::count_of(argc, argv), 0666, 022); },
      [] { current_umask(); });
  ledger.print();
  return 0;
}
