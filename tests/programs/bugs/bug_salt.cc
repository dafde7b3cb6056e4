// saltstack/salt, issue 66607: one thread makes private directories under a temporary umask 077,
// and another thread's directories come out 0700 now and then. Usage: bug_salt DIR [COUNT]
#include "bug_victim.h"

namespace {

// salt.utils.files.set_umask(0o077), for one directory of its own.
__attribute__((noinline)) void make_private(bug::Ledger& ledger, const std::string& path) {
  const mode_t old = umask(077);
  victim::need(mkdir(path.c_str(), 0777), path.c_str());
  ledger.add(path, victim::mode_of(path), 0700);
  umask(old);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  bug::Ledger ledger;
  int made = 0;
  bug::race(
      "job-cache",
      [&] { bug::create_directories(ledger, dir, "jobs", bug::count_of(argc, argv), 0777, 022); },
      [&] { make_private(ledger, dir + "/own" + std::to_string(made++)); });
  ledger.print();
  return 0;
}
