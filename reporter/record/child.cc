// fork, execvp, waitpid, and the signals in between.
// Must never pass our signal dispositions on to CMD: they are restored in the child before exec.
#include "reporter/record/child.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace umaskaudit::record {
namespace {

volatile sig_atomic_t forward_to = 0;

void forward(int signal, siginfo_t* info, void*) {
  // SI_KERNEL: the terminal sent it to the whole foreground group, including CMD.
  const int saved = errno;
  if (info->si_code != SI_KERNEL) kill(forward_to, signal);
  errno = saved;
}

struct sigaction file_size_before {};  // what CMD inherits for SIGXFSZ
bool survives_file_size = false;

// The signal set-up that CMD must inherit, saved before ours replaces it.
class SignalState {
 public:
  SignalState() {
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, &mask_);
    for (Slot& slot : slots_) sigaction(slot.signal, nullptr, &slot.before);
    if (survives_file_size) slots_[5].before = file_size_before;
    // With SIGCHLD ignored, children would be reaped before waitpid(2).
    replace(SIGCHLD, SIG_DFL);
    replace(SIGINT, SIG_IGN);
    replace(SIGQUIT, SIG_IGN);
  }
  ~SignalState() {
    restore();
    if (survives_file_size) replace(SIGXFSZ, SIG_IGN);
  }
  SignalState(const SignalState&) = delete;
  SignalState& operator=(const SignalState&) = delete;

  // Restores everything; async-signal-safe, for the child too.
  void restore() const {
    for (const Slot& slot : slots_) sigaction(slot.signal, &slot.before, nullptr);
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }
  // Forwards SIGTERM and SIGHUP to `child` from here on, unless they were ignored (nohup).
  void forward_signals(pid_t child) {
    forward_to = child;
    for (const Slot& slot : slots_) {
      const bool ours = slot.signal == SIGTERM || slot.signal == SIGHUP;
      if (!ours || slot.before.sa_handler == SIG_IGN) continue;
      struct sigaction action {};
      action.sa_sigaction = forward;
      action.sa_flags = SA_SIGINFO | SA_RESTART;
      sigaction(slot.signal, &action, nullptr);
    }
    sigprocmask(SIG_SETMASK, &mask_, nullptr);
  }

 private:
  struct Slot {
    int signal;
    struct sigaction before;
  };
  static void replace(int signal, void (*handler)(int)) {
    struct sigaction action {};
    action.sa_handler = handler;
    sigaction(signal, &action, nullptr);
  }

  sigset_t mask_;
  Slot slots_[6] = {{SIGCHLD, {}}, {SIGINT, {}}, {SIGQUIT, {}},
                    {SIGTERM, {}}, {SIGHUP, {}}, {SIGXFSZ, {}}};
};

// The errno of execvp(3), through a pipe that a successful exec closes; 0 when CMD runs.
int read_exec_error(int pipe_end) {
  int error = 0;
  ssize_t count;
  do count = read(pipe_end, &error, sizeof error);
  while (count < 0 && errno == EINTR);
  return count == static_cast<ssize_t>(sizeof error) ? error : 0;
}

void wait_for(ChildEnd& end) {
  int status = 0;
  for (;;) {
    const pid_t got = waitpid(end.pid, &status, WUNTRACED);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0 || !WIFSTOPPED(status)) break;
    // A stop from the terminal has stopped us as well. A program that stopped itself did so for our
    // parent to see (`suspend` in a shell): so stop too, and forward the SIGCONT.
    const bool terminal = WSTOPSIG(status) != SIGSTOP && getpgid(end.pid) == getpgrp();
    if (terminal) continue;
    raise(SIGSTOP);
    kill(end.pid, SIGCONT);
  }
  if (WIFSIGNALED(status))
    end.signal = WTERMSIG(status);
  else
    end.exit_code = WEXITSTATUS(status);
}

}  // namespace

FileSizeErrors::FileSizeErrors() {
  struct sigaction ignore {};
  ignore.sa_handler = SIG_IGN;
  survives_file_size = sigaction(SIGXFSZ, &ignore, &file_size_before) == 0;
}

FileSizeErrors::~FileSizeErrors() {
  if (survives_file_size) sigaction(SIGXFSZ, &file_size_before, nullptr);
  survives_file_size = false;
}

std::vector<char*> exec_pointers(const std::vector<std::string>& words) {
  std::vector<char*> out;
  out.reserve(words.size() + 1);
  // execve(2) takes char* for historical reasons and does not write to them.
  for (const std::string& word : words) out.push_back(const_cast<char*>(word.c_str()));
  out.push_back(nullptr);
  return out;
}

int ChildEnd::code() const { return signal != 0 ? 128 + signal : exit_code; }

Result<ChildEnd> run_child(const std::vector<std::string>& command,
                           const std::vector<std::string>& environment,
                           const std::function<void()>& started,
                           const std::function<void()>& in_child) {
  std::vector<char*> arguments = exec_pointers(command);
  std::vector<char*> variables = exec_pointers(environment);
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0)
    return Error{"cannot make a pipe", std::strerror(errno), "", ExitCode::internal};
  SignalState signals;
  ChildEnd end;
  end.pid = fork();
  if (end.pid == 0) {
    signals.restore();
    if (in_child) in_child();
    environ = variables.data();
    execvp(arguments[0], arguments.data());
    const int error = errno;
    const ssize_t written = write(ends[1], &error, sizeof error);
    _exit(written == static_cast<ssize_t>(sizeof error) ? 127 : 126);
  }
  const int fork_error = errno;
  close(ends[1]);
  if (end.pid < 0) {
    close(ends[0]);
    return Error{"cannot start '" + command[0] + "'", std::strerror(fork_error), "",
                 ExitCode::internal};
  }
  signals.forward_signals(end.pid);
  end.exec_error = read_exec_error(ends[0]);
  close(ends[0]);
  if (started && end.exec_error == 0) started();
  wait_for(end);
  return end;
}

}  // namespace umaskaudit::record
