// pcloudcc, issue 203, and many a daemonize(): umask(0) for good, then logs and sockets that
// everybody may write. One thread, nothing races. Usage: bug_daemon DIR [COUNT]
#include <sys/wait.h>

#include "bug_victim.h"

namespace {

__attribute__((noinline)) void daemonize() {
  umask(0);
  victim::need(setsid(), "setsid");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(022);
  const pid_t child = victim::need(fork(), "fork");
  if (child != 0) {
    int status = 0;
    victim::need(waitpid(child, &status, 0), "waitpid");
    return WEXITSTATUS(status);
  }
  daemonize();
  bug::Ledger ledger;
  const int count = bug::count_of(argc, argv);
  bug::create_files(ledger, dir, "log", count, 0666, 022);
  bug::create_files(ledger, dir, "pid", count, 0644, 022);
  ledger.print();
  return 0;
}
