// libgit2, pull 5350, and every p_umask(): a probe for the mask before threads exist. Bad style,
// and no creation is hit. Usage: bug_getter DIR [COUNT]
#include "bug_victim.h"

namespace {

__attribute__((noinline)) mode_t probe_umask() {
  const mode_t mask = umask(0);
  umask(mask);
  return mask;
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  const mode_t mask = probe_umask();
  bug::Ledger ledger;
  bug::create_files(ledger, dir, "index", bug::count_of(argc, argv), 0666, mask);
  ledger.print();
  return 0;
}
