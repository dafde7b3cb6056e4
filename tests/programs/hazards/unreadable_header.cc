// Takes away the page of its own ELF header, as packers and hardened loaders do, then changes the
// mask, creates and starts a program. Ground truth: it ends. Usage: unreadable_header DIR [unmap]
// Built with -z now: the loader reads names in that page when it binds a symbol late.
#include <spawn.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "victim.h"

extern "C" const char __ehdr_start[];  // by the linker

int main(int argc, char** argv) {
  const std::string path = victim::directory(argc, argv) + "/made";
  auto* const header = const_cast<char*>(__ehdr_start);
  if (argc > 2) {
    victim::need(munmap(header, 4096), "munmap");
  } else {
    victim::need(mprotect(header, 4096, PROT_NONE), "mprotect");
  }
  umask(0027);
  close(victim::need(open(path.c_str(), O_CREAT | O_WRONLY, 0666), "open"));
  char name[] = "/bin/true";
  char* arguments[] = {name, nullptr};
  pid_t child = 0;
  if (posix_spawn(&child, name, nullptr, nullptr, arguments, environ) != 0) victim::die(name);
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  _exit(status);  // the loader, too, reads that page when libraries end
}
