// A signal arrives while umask(2) is under way: a filter stops the call in the kernel, and another
// thread sends the signal before it lets the call go on. The handler calls umask and creates.
// Ground truth: it ends, and each file's mode by fstat. Usage: signal_amid_umask DIR
// Code 77: the kernel has no such filters. A lock around umask that signals pass through hangs
// here.
#include <csignal>

#include "stopped_calls.h"

namespace {

constexpr unsigned kSecondsToHang = 60;  // only a hang lasts as long; SIGALRM ends it
pid_t stopped_thread = 0;
std::string made_by_handler;
int handler_fd = -1;

void on_signal(int) {
  const int saved = errno;
  const mode_t mask = umask(0002);
  handler_fd = open(made_by_handler.c_str(), O_CREAT | O_EXCL | O_WRONLY, 0666);
  umask(mask);
  errno = saved;
}

void send_signal() {
  victim::need(syscall(SYS_tgkill, getpid(), stopped_thread, SIGUSR1), "tgkill");
}

}  // namespace

int main(int argc, char** argv) {
  const std::string dir = victim::directory(argc, argv);
  made_by_handler = dir + "/handler";
  stopped_thread = victim::tid();
  struct sigaction action {};
  action.sa_handler = on_signal;
  victim::need(sigaction(SIGUSR1, &action, nullptr), "sigaction");
  sock_filter program[] = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
      BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_umask, 0, 1),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
      BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
  };
  const auto install = [](const sock_fprog* filter) {
    return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, filter);
  };
  if (!victim::stop_calls(program, send_signal, install)) return 77;
  alarm(kSecondsToHang);
  umask(0027);
  alarm(0);
  victim::create(dir + "/main", 0666, 0027);
  const int made = victim::need(handler_fd, "the handler's file");
  victim::print({made_by_handler, victim::mode_of(made), "open", nullptr, stopped_thread, 0666, 2});
  std::fflush(stdout);
  _exit(0);
}
