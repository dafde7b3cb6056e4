// huggingface/datasets, issue 7536: a download thread narrows the mask around its lock file, and
// the ".incomplete" file of another thread cannot be read by the group that shares the cache.
// Usage: bug_datasets DIR [COUNT]
#include "bug_victim.h"

namespace {

__attribute__((noinline)) void lock_cache(const std::string& path) {
  const mode_t old = umask(0066);
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0666), "lock");
  umask(old);
  close(fd);
  unlink(path.c_str());
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = bug::count_of(argc, argv);
  umask(002);
  bug::Ledger ledger;
  bug::race(
      "download", [&] { bug::create_files(ledger, dir, "part.incomplete", count, 0666, 002); },
      [&] { lock_cache(dir + "/cache.lock"); });
  ledger.print();
  return 0;
}
