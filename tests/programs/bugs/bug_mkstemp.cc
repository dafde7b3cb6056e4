// Perl, issue 8745 (File::Temp), and the static analysers that ask for it: umask 077 around
// mkstemp(3), which needs none, and another thread's public files come out private.
// Usage: bug_mkstemp DIR [COUNT]
#include "bug_victim.h"

namespace {

__attribute__((noinline)) void secure_temp(bug::Ledger& ledger, const std::string& dir) {
  std::string path = dir + "/tmpXXXXXX";
  const mode_t old = umask(077);
  const int fd = victim::need(mkstemp(path.data()), path.c_str());
  umask(old);
  ledger.add(path, victim::mode_of(fd), 0600);
  close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  bug::Ledger ledger;
  bug::race(
      "publish",
      [&] { bug::create_files(ledger, dir, "page", bug::count_of(argc, argv), 0666, 022); },
      [&] { secure_temp(ledger, dir); });
  ledger.print();
  return 0;
}
