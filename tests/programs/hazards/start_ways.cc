// Starts one program in each way that libc has, by fork, vfork and posix_spawn, through a script
// and through a shell. Ground truth: how each child ends, and what it and its loader write on
// stderr. Usage: start_ways PROGRAM SCRIPT (which begins with #! and PROGRAM). Prints one line a
// child.
#include <spawn.h>
#include <sys/wait.h>

#include "victim.h"

extern char** environ;

namespace {

char* program;
char* script;
char* arguments[] = {nullptr, nullptr};

void show(const char* how, int status) {
  std::printf("%s %x\n", how, static_cast<unsigned>(status));
}

int status_of(pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  return status;
}

template <typename Exec>
void by_fork(const char* how, Exec exec) {
  std::fflush(stdout);
  const pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    exec();
    _exit(98);
  }
  show(how, status_of(child));
}

void by_vfork() {
  std::fflush(stdout);
  const pid_t child = vfork();
  if (child == 0) {
    execve(program, arguments, environ);
    _exit(98);
  }
  show("vfork", status_of(victim::need(child, "vfork")));
}

void by_spawn(const char* how, decltype(&posix_spawn) spawn) {
  pid_t child = 0;
  if (spawn(&child, program, nullptr, nullptr, arguments, environ) != 0) victim::die(how);
  show(how, status_of(child));
}

void by_shell() {
  show("system", std::system(program));
  FILE* stream = popen(program, "r");
  if (stream == nullptr) victim::die("popen");
  show("popen", pclose(stream));
}

}  // namespace

int main(int, char** argv) {
  program = argv[1];
  script = argv[2];
  arguments[0] = program;
  by_fork("execve", [] { execve(program, arguments, environ); });
  by_fork("execv", [] { execv(program, arguments); });
  by_fork("execvp", [] { execvp(program, arguments); });
  by_fork("execvpe", [] { execvpe(program, arguments, environ); });
  by_fork("execl", [] { execl(program, program, nullptr); });
  by_fork("execlp", [] { execlp(program, program, nullptr); });
  by_fork("execle", [] { execle(program, program, nullptr, environ); });
  by_fork("fexecve", [] { fexecve(open(program, O_RDONLY | O_CLOEXEC), arguments, environ); });
  by_fork("fexecve-path", [] { fexecve(open(program, O_PATH | O_CLOEXEC), arguments, environ); });
  by_fork("execveat", [] { execveat(AT_FDCWD, program, arguments, environ, 0); });
  by_fork("script", [] { execve(script, arguments, environ); });
  by_vfork();
  by_spawn("posix_spawn", posix_spawn);
  by_spawn("posix_spawnp", posix_spawnp);
  by_shell();
  return 0;
}
