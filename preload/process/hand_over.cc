// One connection for each request; see hand_over.h and preload/trace/hand_over.h.

#include "preload/process/hand_over.h"

#include <errno.h>
#include <linux/prctl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cstddef>
#include <cstring>

#include "preload/sys/libc_names.h"
#include "preload/sys/own_table.h"
#include "preload/sys/sys.h"

namespace umaskaudit::shim {

namespace {

using trace::HandOverKind;

constexpr long kMillisecond = 1000000;  // nanoseconds
constexpr long kPatienceSeconds = 2;

// The tracer has the whole process, and follows its children by itself.
constinit bool whole_process_taken = false;
// It did not answer in time once: no thread waits for it again.
constinit std::atomic<bool> silent = false;

struct Conversation {
  trace::HandOverRequest request;
  int error = 0;
};

// An abstract name: a NUL first, and as long as the address says (unix(7)). 0: too long.
socklen_t write_address(sockaddr_un& address) {
  const char* name = process.options.tracer.bytes;
  const std::size_t length = strlen(name);
  memset(&address, 0, sizeof address);
  address.sun_family = AF_UNIX;
  if (length >= sizeof address.sun_path) return 0;
  memcpy(address.sun_path + 1, name, length);
  return static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + length);
}

// The socket does not block: a full queue is EAGAIN.
long connect_to_tracer(int fd) {
  sockaddr_un address;
  const socklen_t size = write_address(address);
  if (size == 0) return -ENAMETOOLONG;
  constexpr int kTries = kPatienceSeconds * 1000;
  for (int tries = 0;; ++tries) {
    const long error = sys::call(SYS_connect, fd, sys::arg(&address), size);
    if (error != -EAGAIN && error != -EINTR) return error;
    if (tries == kTries) return -ETIMEDOUT;
    const timespec moment{0, kMillisecond};
    sys::call(SYS_nanosleep, sys::arg(&moment), 0);
  }
}

// Connects to the tracer, and checks that the listener is its process: after its end another may
// have taken the name. 0 or -errno. `pid`: of the listener, 0 where it has none in our PID name
// space.
long look_at_peer(int fd, long& pid) {
  struct {
    std::int32_t pid;
    std::uint32_t uid;
    std::uint32_t gid;
  } peer{};  // struct ucred, unix(7)
  socklen_t size = sizeof peer;
  const long error =
      sys::call(SYS_getsockopt, fd, SOL_SOCKET, SO_PEERCRED, sys::arg(&peer), sys::arg(&size));
  if (error != 0) return error;
  pid = peer.pid;
  const bool trusted = peer.uid == 0 ||
                       peer.uid == static_cast<std::uint32_t>(sys::call(SYS_geteuid)) ||
                       peer.uid == static_cast<std::uint32_t>(sys::call(SYS_getuid));
  return trusted ? 0 : -EPERM;
}

long await_answer(int fd) {
  pollfd polled{fd, POLLIN, 0};
  timespec left{kPatienceSeconds, 0};  // the kernel stores the remaining time here
  long ready = 0;
  do {
    ready = sys::call(SYS_ppoll, sys::arg(&polled), 1, sys::arg(&left), 0, sizeof(sys::SignalSet));
  } while (ready == -EINTR);
  if (ready == 0) return -ETIMEDOUT;
  if (ready < 0) return ready;
  trace::HandOverAnswer answer{};
  const long size =
      sys::call(SYS_recvfrom, fd, sys::arg(&answer), sizeof answer, MSG_DONTWAIT, 0, 0);
  if (size < 0) return size;
  if (size == 0) return -ECONNRESET;
  constexpr int kLargest = 4095;
  if (size != sizeof answer || answer.error < 0 || answer.error > kLargest) return -EPROTO;
  return -answer.error;
}

long converse(int fd, const trace::HandOverRequest& request) {
  long peer = 0;
  long error = connect_to_tracer(fd);
  if (error == 0) error = look_at_peer(fd, peer);
  if (error != 0) return error;
  // Lets the tracer attach. Only Yama requires it, for a tracer that is no ancestor: EINVAL
  // elsewhere. The pid is valid only in the tracer's own PID name space.
  if (peer != 0 && request.kind != HandOverKind::call_returned) {
    sys::call(SYS_prctl, PR_SET_PTRACER, pid_of_tracer(process.options.tracer.bytes));
  }
  error = sys::call(SYS_sendto, fd, sys::arg(&request), sizeof request, MSG_NOSIGNAL | MSG_DONTWAIT,
                    0, 0);
  return error < 0 ? error : await_answer(fd);
}

void talk(void* argument) {
  auto* job = static_cast<Conversation*>(argument);
  const auto fd = static_cast<int>(
      sys::call(SYS_socket, AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (fd < 0) {
    job->error = -fd;
    return;
  }
  job->error = static_cast<int>(-converse(fd, job->request));
  sys::close(fd);
}

int ask(HandOverKind kind, trace::HandOverScope scope = trace::HandOverScope::everything) {
  if (silent.load(std::memory_order_relaxed)) return ETIMEDOUT;
  Conversation job{};
  job.request.version = trace::kHandOverVersion;
  job.request.kind = kind;
  job.request.pid = static_cast<std::uint32_t>(sys::getpid());
  job.request.tid = static_cast<std::uint32_t>(sys::gettid());
  job.request.scope = scope;
  if (!run_in_own_table(talk, &job)) return EAGAIN;
  // A descriptor table of its own is empty.
  if (job.error == EMFILE && !run_in_task(talk, &job, Apart::descriptors)) return EMFILE;
  if (job.error == ETIMEDOUT) silent.store(true, std::memory_order_relaxed);
  return job.error;
}

}  // namespace

bool tracer_covers(trace::Blind reason) {
  switch (reason) {
    case trace::Blind::exec_static:
    case trace::Blind::exec_abi:
    case trace::Blind::exec_libc:
    case trace::Blind::exec_library:
    case trace::Blind::exec_run_directory:
    case trace::Blind::go_runtime:
      return true;
    // A program that an ordinary user traces gets no privileges by exec (execve(2)).
    case trace::Blind::exec_privileged:
      return sys::call(SYS_geteuid) == 0;
    default:
      return false;
  }
}

HandOver hand_over_call(HandOverKind kind, const Obstacle& obstacle) {
  if (!has_tracer() || whole_process_taken || !obstacle.found || !tracer_covers(obstacle.reason)) {
    return {};
  }
  return {static_cast<std::int16_t>(ask(kind))};
}

void tell_call_returned(HandOver call) {
  if (call.taken()) ask(HandOverKind::call_returned);
}

HandOver hand_over_process(trace::HandOverScope scope) {
  if (!has_tracer()) return {};
  const HandOver request{static_cast<std::int16_t>(ask(HandOverKind::take_process, scope))};
  whole_process_taken = request.taken() && scope == trace::HandOverScope::everything;
  return request;
}

void describe_refusal(HandOver request, TextBuffer& text) {
  if (request.error() == 0) return;
  const char* reason = &strerrordesc_np != nullptr ? strerrordesc_np(request.error()) : nullptr;
  text.put(" (not traced: ");
  if (reason != nullptr) {
    text.put(reason);
  } else {
    text.put("error ").decimal(static_cast<std::uint64_t>(request.error()));
  }
  text.put(')');
}

long pid_of_tracer(const char* name) {
  const char* dot = strrchr(name, '.');
  long pid = 0;
  constexpr long kLargest = 1 << 22;  // PID_MAX_LIMIT, proc(5)
  for (const char* at = dot; dot != nullptr && *++at != '\0';) {
    if (*at < '0' || *at > '9' || pid > kLargest) return 0;
    pid = pid * 10 + (*at - '0');
  }
  return pid <= kLargest ? pid : 0;
}

}  // namespace umaskaudit::shim
