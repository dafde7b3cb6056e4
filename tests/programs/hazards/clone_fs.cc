// A process made by clone(CLONE_FS) without CLONE_VM: other memory, the same fs context.
// Ground truth: the child's umask(077) holds for the parent, which never called umask again.
// The auditor cannot see into the child's memory: it must notice the drift and not invent a mask.
#include <sys/wait.h>
#include <csignal>

#include "victim.h"

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  umask(0022);
  victim::create(dir + "/before", 0666, 0022);
  // The raw call forks: a stack of zero keeps using the parent's, copied.
  const pid_t child =
      static_cast<pid_t>(victim::need(syscall(SYS_clone, CLONE_FS | SIGCHLD, 0, 0, 0, 0), "clone"));
  if (child == 0) {
    umask(0077);
    _exit(0);
  }
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  // Not claimed: the mask. The final mode is.
  victim::create(dir + "/after", 0666);
  const mode_t found = umask(0022);
  std::printf(R"({"drift":"%04o"})"
              "\n",
              found);
  victim::create(dir + "/restored", 0666, 0022);
  return 0;
}
