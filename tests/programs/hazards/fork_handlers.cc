// Forks with handlers that were registered before main and call umask. Usage: fork_handlers DIR
// Ground truth: the process ends, child and parent create under 022.
// A shim that holds its lock from its own handlers on waits there for itself.
#include <sys/wait.h>

#include "victim.h"

extern "C" int fork_handlers_registered;

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (fork_handlers_registered != 1) victim::die("pthread_atfork");
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    victim::create(dir + "/by-child", 0666, 0022);
    std::fflush(stdout);
    _exit(0);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  victim::create(dir + "/by-parent", 0666, 0022);
  return status == 0 ? 0 : 1;
}
