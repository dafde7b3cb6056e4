// Executes a program with an empty environment, by each call of the exec family that takes one.
// Ground truth: the new image creates DIR/stage-N under the mask that was set before the exec, and
// sees no variable in its environment that was not given. Usage: cleaned_env DIR
#include <spawn.h>
#include <sys/wait.h>

#include "victim.h"

namespace {

// The new image: creates, and prints the names it finds in its environment.
int stage(const std::string& dir, const char* number) {
  victim::create(dir + "/stage-" + number, 0666, 0026);
  for (char** entry = environ; *entry != nullptr; ++entry) {
    std::printf(R"({"environment":"%.*s"})"
                "\n",
                static_cast<int>(std::strcspn(*entry, "=")), *entry);
  }
  return 0;
}

void wait_for(pid_t child) {
  int status = 0;
  victim::need(waitpid(child, &status, 0), "waitpid");
  if (status != 0) victim::die("child");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  if (argc > 2) return stage(dir, argv[2]);
  umask(0026);
  const char* self = "/proc/self/exe";
  char given[] = "GIVEN=1";
  char* const environment[] = {given, nullptr};
  char name[] = "cleaned_env";
  auto words = [&](const char* number) {
    static char* argument[4];
    argument[0] = name;
    argument[1] = argv[1];
    argument[2] = const_cast<char*>(number);
    return argument;
  };

  pid_t child = victim::need(fork(), "fork");
  if (child == 0) {
    execve(self, words("execve"), environment);
    _exit(1);
  }
  wait_for(child);
  child = victim::need(vfork(), "vfork");
  if (child == 0) {
    execle(self, name, argv[1], "execle", nullptr, environment);
    _exit(1);
  }
  wait_for(child);
  child = victim::need(fork(), "fork");
  if (child == 0) {
    execvpe(self, words("execvpe"), environment);
    _exit(1);
  }
  wait_for(child);
  child = victim::need(fork(), "fork");
  if (child == 0) {
    fexecve(open(self, O_RDONLY | O_CLOEXEC), words("fexecve"), environment);
    _exit(1);
  }
  wait_for(child);
  if (posix_spawn(&child, self, nullptr, nullptr, words("spawn"), environment) != 0) {
    victim::die("posix_spawn");
  }
  wait_for(child);
  child = victim::need(fork(), "fork");
  if (child == 0) {
    clearenv();
    execv(self, words("clearenv"));
    _exit(1);
  }
  wait_for(child);
  return 0;
}
