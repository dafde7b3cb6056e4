// Runs a thread around poll(2); see requests.h.

#include "reporter/tracer/requests.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "reporter/base/abstract_socket.h"
#include "reporter/base/quiet_thread.h"

namespace umaskaudit::tracer {

namespace {

constexpr int kWakeSignal = SIGUSR1;

void signal_eventfd(int fd) {
  const std::uint64_t one = 1;
  while (write(fd, &one, sizeof one) < 0 && errno == EINTR) {
  }
}

// A process may be traced on request of its own user or root.
bool may_ask(int connection, pid_t process) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) return false;
  struct stat facts {};
  if (stat(("/proc/" + std::to_string(process)).c_str(), &facts) != 0) return false;
  return peer.uid == 0 || peer.pid == process || facts.st_uid == peer.uid;
}

}  // namespace

Requests::Requests() = default;

Requests::~Requests() {
  if (thread_.joinable()) {
    signal_eventfd(stop_);
    thread_.join();
  }
  for (const auto& [number, connection] : open_) close(connection);
  for (const int fd : {socket_, stop_, changed_}) {
    if (fd >= 0) close(fd);
  }
}

Status Requests::open() {
  const auto failed = [] {
    return Error{"cannot make a socket for the tracer", std::strerror(errno), "",
                 ExitCode::internal};
  };
  socket_ = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  stop_ = eventfd(0, EFD_CLOEXEC);
  changed_ = eventfd(0, EFD_CLOEXEC);
  address_ = trace::kTracerNamePrefix + random_hex(32);
  return socket_ >= 0 && stop_ >= 0 && changed_ >= 0 ? Status(Done{}) : Status(failed());
}

std::string Requests::name_for(pid_t tracer) const {
  return address_ + "." + std::to_string(tracer);
}

void Requests::listen(int until) {
  until_ = until;
  tracer_ = pthread_self();
  const AbstractAddress address(name_for(getpid()));
  if (bind(socket_, address.get(), address.size()) == 0) {
    constexpr int kWaiting = 128;
    ::listen(socket_, kWaiting);
  }
  struct sigaction action {};
  action.sa_handler = [](int) {};  // without SA_RESTART, so that it interrupts the wait
  sigaction(kWakeSignal, &action, nullptr);
  thread_ = start_quiet_thread([this] { serve(); });
}

std::vector<Request> Requests::take() {
  if (!pending_.exchange(false, std::memory_order_acq_rel)) return {};
  const std::lock_guard lock(mutex_);
  std::vector<Request> all(queue_.begin(), queue_.end());
  queue_.clear();
  return all;
}

bool Requests::answer(int connection, int error) {
  const std::lock_guard lock(mutex_);
  const auto found = open_.find(connection);
  if (found == open_.end()) return false;
  const trace::HandOverAnswer answer{error, 0};
  return send(found->second, &answer, sizeof answer, MSG_NOSIGNAL | MSG_DONTWAIT) ==
         static_cast<ssize_t>(sizeof answer);
}

void Requests::wait() {
  std::uint64_t count = 0;
  while (!pending_.load(std::memory_order_acquire) && !over()) {
    if (read(changed_, &count, sizeof count) < 0) return;  // interrupted, perhaps to end
  }
}

void Requests::put(const Request& request) {
  {
    const std::lock_guard lock(mutex_);
    queue_.push_back(request);
  }
  pending_.store(true, std::memory_order_release);
}

// A signal just before waitpid(2) would be missed, so it is repeated until it was handled.
void Requests::wake() {
  signal_eventfd(changed_);
  constexpr int kAgain = 1;  // ms
  for (pollfd stop{stop_, POLLIN, 0}; pending_.load(std::memory_order_acquire);) {
    pthread_kill(tracer_, kWakeSignal);
    if (poll(&stop, 1, kAgain) > 0) return;
  }
}

void Requests::accept_connection() {
  sockaddr_un peer{};
  socklen_t size = sizeof peer;
  const int descriptor =
      accept4(socket_, reinterpret_cast<sockaddr*>(&peer), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (descriptor < 0) return;
  const std::lock_guard lock(mutex_);
  open_.emplace(++last_, descriptor);
}

// False: the connection has ended.
bool Requests::read_request(int number, int connection) {
  trace::HandOverRequest message{};
  const ssize_t size = recv(connection, &message, sizeof message, MSG_DONTWAIT);
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return true;
  if (size <= 0) return false;
  const auto process = static_cast<pid_t>(message.pid);
  const auto thread = static_cast<pid_t>(message.tid);
  const bool whole = size == static_cast<ssize_t>(sizeof message) &&
                     message.version == trace::kHandOverVersion && process > 0 && thread > 0;
  if (!whole || !may_ask(connection, process)) {
    answer(number, whole ? EPERM : EPROTO);
    return false;
  }
  put({message.kind, process, thread, message.scope, number});
  return true;
}

void Requests::serve() {
  for (;;) {
    std::vector<pollfd> all = {{stop_, POLLIN, 0}, {socket_, POLLIN, 0}, {until_, 0, 0}};
    if (over()) all[2].fd = -1;
    std::vector<int> numbers;
    for (const auto& [number, connection] : open_) {
      numbers.push_back(number);
      all.push_back({connection, POLLIN, 0});
    }
    if (poll(all.data(), all.size(), -1) < 0) continue;
    if (all[0].revents != 0) return;
    if ((all[2].revents & POLLHUP) != 0) {
      over_.store(true, std::memory_order_release);
      pending_.store(true, std::memory_order_release);
    }
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      const auto found = open_.find(numbers[i]);
      if (all[i + 3].revents == 0 || read_request(found->first, found->second)) continue;
      const std::lock_guard lock(mutex_);
      close(found->second);
      open_.erase(found);
    }
    if (all[1].revents != 0) accept_connection();
    if (pending_.load(std::memory_order_acquire)) wake();
  }
}

}  // namespace umaskaudit::tracer
