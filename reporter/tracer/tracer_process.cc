// Forks the tracer, and uses its socket as a program of the run would; see tracer_process.h.

#include "reporter/tracer/tracer_process.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "reporter/base/abstract_socket.h"

namespace umaskaudit::tracer {

namespace {

// Standard input and output of `run` may be pipes whose other end waits for their close.
void detach_from_terminal() {
  setsid();
  const int null = open("/dev/null", O_RDWR | O_CLOEXEC);
  for (int fd = 0; null >= 0 && fd <= 2; ++fd) dup2(null, fd);
  if (null > 2) close(null);
  for (const int signal : {SIGINT, SIGQUIT, SIGTERM, SIGHUP, SIGPIPE, SIGTSTP, SIGTTOU})
    ::signal(signal, SIG_IGN);
  prctl(PR_SET_NAME, "umaskaudit-ptrc");
  // Two descriptors for each process, and one for each image.
  if (rlimit files{}; getrlimit(RLIMIT_NOFILE, &files) == 0) {
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
  }
}

[[noreturn]] void be_tracer(const TracerOptions& options, Requests& requests, int life, int ready) {
  detach_from_terminal();
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  requests.listen(life);
  Tracer tracer(options, &requests);
  close(ready);  // `run` waits for this
  tracer.run();
  _exit(0);
}

}  // namespace

Result<TracerProcess> TracerProcess::start(const TracerOptions& options) {
  Requests requests;
  if (const Status opened = requests.open(); !opened) return opened.error();
  int life[2], ready[2];
  const auto failed = [] {
    return Error{"cannot start the tracer", std::strerror(errno), "", ExitCode::internal};
  };
  if (pipe2(life, O_CLOEXEC) != 0) return failed();
  if (pipe2(ready, O_CLOEXEC) != 0) {
    close(life[0]);
    close(life[1]);
    return failed();
  }
  const pid_t pid = fork();
  if (pid == 0) {
    close(life[1]);
    close(ready[0]);
    be_tracer(options, requests, life[0], ready[1]);
  }
  close(life[0]);
  close(ready[1]);
  if (pid < 0) {
    close(life[1]);
    close(ready[0]);
    return failed();
  }
  char byte = 0;
  while (read(ready[0], &byte, 1) < 0 && errno == EINTR) {
  }
  close(ready[0]);
  return TracerProcess(pid, life[1], requests.name_for(pid));
}

TracerProcess::TracerProcess(TracerProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)),
      life_(std::exchange(other.life_, -1)),
      name_(std::move(other.name_)) {}

TracerProcess::~TracerProcess() {
  if (life_ >= 0) close(life_);
}

// Traced programs may outlive `run`.
void TracerProcess::finish() {
  if (life_ >= 0) close(std::exchange(life_, -1));
  constexpr int kLimit = 300;  // ms
  const int descriptor = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  pollfd ended{descriptor, POLLIN, 0};
  if (descriptor >= 0 && poll(&ended, 1, kLimit) > 0) waitpid(pid_, nullptr, WNOHANG);
  if (descriptor >= 0) close(descriptor);
}

int TracerProcess::take_exec() const {
  prctl(PR_SET_PTRACER, pid_);  // for Yama's ptrace_scope 1; EINVAL without Yama
  const int connection = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
  if (connection < 0) return errno;
  const AbstractAddress address(name_);
  trace::HandOverRequest request{};
  request.version = trace::kHandOverVersion;
  request.kind = trace::HandOverKind::take_exec;
  request.pid = request.tid = static_cast<std::uint32_t>(getpid());
  trace::HandOverAnswer answer{};
  if (connect(connection, address.get(), address.size()) != 0 ||
      send(connection, &request, sizeof request, MSG_NOSIGNAL) < 0)
    return errno;
  const ssize_t size = recv(connection, &answer, sizeof answer, 0);
  return size == static_cast<ssize_t>(sizeof answer) ? answer.error : ECONNRESET;
}

}  // namespace umaskaudit::tracer
