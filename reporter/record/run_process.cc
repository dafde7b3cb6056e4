#include "reporter/record/run_process.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "reporter/record/child.h"

namespace umaskaudit::record {

Result<RunProcess> RunProcess::start(const std::string& directory,
                                     const std::vector<std::string>& command, bool screen) {
  std::vector<std::string> words = {"umaskaudit", "run",          "-o", directory,
                                    "--append",   "--no-summary", "--"};
  words.insert(words.end(), command.begin(), command.end());
  const std::vector<char*> arguments = exec_pointers(words);

  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  if (screen) posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  for (const int output : {STDOUT_FILENO, STDERR_FILENO})
    if (screen && isatty(output) != 0)
      posix_spawn_file_actions_addopen(&files, output, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  if (screen) posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t pid = 0;
  const int error =
      posix_spawn(&pid, "/proc/self/exe", &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error != 0)
    return Error{"cannot start the recorder", std::strerror(error), "umaskaudit doctor",
                 ExitCode::internal};
  return RunProcess(pid);
}

bool RunProcess::reap(int flags) {
  int status = 0;
  const pid_t got = waitpid(pid_, &status, flags);
  if (got == 0 || (got < 0 && errno == EINTR)) return false;
  code_ = got > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  return true;
}

bool RunProcess::ended() { return code_ || reap(WNOHANG); }

void RunProcess::ask_to_end() const {
  if (!code_) kill(pid_, SIGTERM);
}

int RunProcess::wait() {
  while (!code_) reap(0);
  return *code_;
}

}  // namespace umaskaudit::record
