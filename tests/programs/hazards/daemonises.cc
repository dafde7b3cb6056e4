// Becomes a daemon the classic way: daemon(3), then all descriptors closed, umask(0), another
// directory, a new session; then goes on creating by relative names. Usage: daemonises DIR
// Ground truth: DIR/truths, written by the daemon, whole when it has that name.
#include <sys/wait.h>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  // The caller waits for the end of the daemon through this pipe.
  int ended[2];
  victim::need(pipe(ended), "pipe");
  const pid_t child = victim::need(fork(), "fork");
  if (child != 0) {
    close(ended[1]);
    char byte;
    while (read(ended[0], &byte, 1) > 0) {
    }
    return 0;
  }
  victim::need(daemon(0, 0), "daemon");
  for (int fd = 0; fd < 100; ++fd) {
    if (fd != ended[1]) close(fd);
  }
  umask(0);
  victim::need(chdir(dir.c_str()), "chdir");
  if (freopen("truths.tmp", "w", stdout) == nullptr) _exit(99);
  for (const mode_t mask : {0u, 0027u}) {
    umask(mask);
    const std::string name = "by-daemon-" + std::to_string(mask);
    const int fd = open(name.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666);
    if (fd < 0) _exit(98);
    victim::print({dir + "/" + name, victim::mode_of(fd), "open", nullptr, victim::tid(), 0666,
                   static_cast<int>(mask)});
    close(fd);
  }
  std::fclose(stdout);
  rename("truths.tmp", "truths");
  return 0;
}
