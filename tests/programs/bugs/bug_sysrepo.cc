// sysrepo, issue 2736: set, open and restore is not atomic. Two threads guard their own files by
// umask; each one's restore falls into the other one's window, and a third thread only creates.
// Usage: bug_sysrepo DIR [COUNT]
#include "bug_victim.h"

namespace {

__attribute__((noinline)) void open_shared(bug::Ledger& ledger, const std::string& path,
                                           mode_t mask) {
  const mode_t old = umask(mask);
  const int fd = victim::need(open(path.c_str(), O_CREAT | O_EXCL | O_RDWR, 0666), path.c_str());
  ledger.add(path, victim::mode_of(fd), 0666 & ~mask);
  close(fd);
  umask(old);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  const int count = bug::count_of(argc, argv);
  umask(022);
  bug::Ledger ledger;
  victim::Barrier start(3);
  const auto session = [&](const char* name, mode_t mask) {
    victim::name_thread(name);
    start.wait();
    for (int i = 0; i < count; ++i) open_shared(ledger, dir + '/' + name + std::to_string(i), mask);
  };
  std::thread first(session, "shm", 0);
  std::thread second(session, "private", 077);
  start.wait();
  bug::create_files(ledger, dir, "export", count, 0666, 022);
  first.join();
  second.join();
  ledger.print();
  return 0;
}
